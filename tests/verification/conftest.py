"""What verification's tests share: a small computation of every shape a dispute meets, keys, one-line refusals."""

import json
import sys
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inference.errors import InputError as InferenceError
from verification import cli as command_line
from verification.commands import progress
from verification.computation import LEAF, SOURCES, output_of, side_by_side
from verification.errors import Refusal
from verification.inference_models import Models
from verification.merkle import NULL, Tree

TINY = ("--model", "tiny", "--prompt", "Hello", "--max-tokens", "3")
NUMPY = ("--backend", "numpy")
BOTH = (*NUMPY, "--challenger", "numpy")


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """What standard error holds does not depend on how busy the machine is."""
    monkeypatch.setattr(progress, "PATIENCE", 3600.0)


@dataclass(frozen=True)
class Node:
    name: str
    op: str
    rows: int
    words: int
    guard: int | None


@dataclass(frozen=True)
class Step:
    kind: str
    sources: tuple
    numbers: dict
    words: int
    macs: int


def embedded(token, row, columns, seed):
    return ((token * 7 + row * 5 + columns * 3 + seed) % 101 - 50).astype(np.int32)


def token_of(choice):
    return int(choice[-1:].ravel()[0]) if choice.size else -1


def joined(parts, words):
    """Up to ``SOURCES`` steps and their concatenation."""
    whole = Step("concatenate", tuple(range(len(parts))), {}, words, 0)
    return (*parts, whole) if len(parts) > 1 else tuple(parts)


KINDS = {
    "embedding": lambda n, given: embedded(given[0][0] if given else 4, n["row"], np.arange(*n["columns"]), n["seed"]),
    "layer": lambda n, given: ((3 * given[0][slice(*n["columns"])].astype(np.int64) + n["add"]) >> 2).astype(np.int32),
    "sum": lambda n, given: np.array([sum(int(part.sum()) for part in given)], np.int32),
    "choice": lambda n, given: np.mod(given[0], 13).astype(np.int32),
    "tokens": lambda n, given: np.array([token_of(choice) for choice in given], np.int32),
    "concatenate": lambda n, given: np.concatenate(given),
}


@dataclass(frozen=True, eq=False)
class Toy:
    """Passes of tokens: embedding, layers y = (3 x + layer) >> 2 (which masks faults), their sum, a choice modulo 13;
    at the end the output.

    The first pass has ``rows`` rows, the others one; the end token ends the run. Layers are derived in four parts and
    their concatenation, sums by leaf, the output in parts of ``SOURCES`` tokens.
    """

    width: int = 6
    passes: int = 3
    layers: int = 2
    rows: int = 1
    end: int = -1
    seed: int = 5
    nodes: list = field(default_factory=list)

    def __post_init__(self):
        for p in range(self.passes):
            rows, guard = (self.rows, None) if p == 0 else (1, p * self.size - 1)
            self.nodes.append(Node(f"pass{p}.embedding", "embedding", rows, self.width, guard))
            for layer in range(self.layers):
                self.nodes.append(Node(f"pass{p}.layer{layer}", "layer", rows, self.width, guard))
            self.nodes.append(Node(f"pass{p}.sum", "sum", 1, 1, guard))
            self.nodes.append(Node(f"pass{p}.choice", "choice", 1, 1, guard))
        self.nodes.append(Node("output", "output", 1, self.passes, None))

    constants = {}  # noqa: RUF012
    digests = {"model": "0" * 64, "graph": "1" * 64, "input": "2" * 64}  # noqa: RUF012

    @property
    def terms(self):
        return {"seed": str(self.seed), "limit": str(self.passes), "temperature": "0.0"}

    def described(self):
        return {"width": self.width, "layers": self.layers}

    @property
    def size(self):
        """Nodes of a pass."""
        return self.layers + 3

    @property
    def macs(self):
        return 10**6

    @property
    def chunks(self):
        return -(-self.width // LEAF)

    def run(self, observe):
        tokens, token = [], 4
        for p in range(self.passes):
            null = bool(tokens) and tokens[-1] == self.end
            token = self._pass(p, token, null, observe)
            if not null:
                tokens.append(token)
        output = np.array([tokens + [-1] * (self.passes - len(tokens))], np.int32)
        other = observe(len(self.nodes) - 1, side_by_side([output]))
        return tokens if other is None else [token for token in other[1][0].tolist() if token >= 0]

    def _pass(self, p, token, null, observe):
        at, rows = p * self.size, self.nodes[p * self.size].rows

        def emit(index, output):
            if null:
                output = output[:0]
            other = observe(at + index, side_by_side([output]))
            return output if other is None or null else other[1]

        x = np.array([embedded(token, row, np.arange(self.width), self.seed) for row in range(rows)], np.int32)
        x = emit(0, x)
        for layer in range(self.layers):
            x = emit(1 + layer, ((3 * x.astype(np.int64) + layer) >> 2).astype(np.int32))
        total = emit(1 + self.layers, np.array([[x[-1:].sum()]], np.int32))
        choice = emit(2 + self.layers, np.mod(total, 13).reshape(-1, 1).astype(np.int32))
        return int(choice[0, 0]) if len(choice) else token

    @property
    def kept(self):
        return range(self.size - 1, len(self.nodes) - 1, self.size)

    def regenerate(self, node, kept):
        p = node // self.size
        if p == self.passes:
            return {node: np.array([[token_of(kept(choice)) for choice in self.kept]], np.int32)}
        before = kept(p * self.size - 1) if p else np.array([[4]], np.int32)
        null = p > 0 and (not len(before) or self.ended(before))
        made = {}

        def observe(other, outputs):
            made[other] = output_of(outputs, 0)

        self._pass(p, int(before[0, 0]) if len(before) else 4, null, observe)
        return made

    def ended(self, guard):
        return int(guard[-1, 0]) == self.end

    def _cuts(self, node, leaf):
        count = min(LEAF, self.width - LEAF * (leaf % self.chunks))
        return np.linspace(0, count, 5).astype(int) if count >= 4 else np.array([0, count])

    def steps(self, node, leaf):
        p, place = divmod(node, self.size)
        if p == self.passes:
            groups = [self.kept[at : at + SOURCES] for at in range(0, self.passes, SOURCES)]
            parts = [Step("tokens", tuple((choice, 0) for choice in group), {}, len(group), 0) for group in groups]
            return joined(parts, self.passes)
        if place == 0:
            row, chunk = divmod(leaf, self.chunks)
            columns = [LEAF * chunk, min(self.width, LEAF * (chunk + 1))]
            numbers = {"row": row, "columns": columns, "seed": self.seed}
            return (Step("embedding", ((node - 1, 0),) if p else (), numbers, columns[1] - columns[0], 1),)
        if place <= self.layers:
            cuts = self._cuts(node, leaf).tolist()
            source = (node - 1, leaf)
            parts = [
                Step("layer", (source,), {"add": place - 1, "columns": [a, b]}, b - a, b - a) for a, b in pairwise(cuts)
            ]
            return joined(parts, cuts[-1])
        if place == self.layers + 1:
            last = (self.nodes[node - 1].rows - 1) * self.chunks
            parts = [Step("sum", ((node - 1, last + chunk),), {}, 1, LEAF) for chunk in range(self.chunks)]
            whole = Step("sum", tuple(range(self.chunks)), {}, 1, self.chunks)
            return (*parts, whole) if self.chunks > 1 else tuple(parts)
        return (Step("choice", ((node - 1, 0),), {}, 1, 1),)

    def recompute(self, node, leaf, step, inputs):
        made = self.steps(node, leaf)[step]
        if made.kind != "tokens" and not all(len(words) for words in inputs):
            return None  # a node is read that is null
        return KINDS[made.kind](made.numbers, inputs)


TOYS = {
    "smallest": Toy(width=1, passes=1, layers=0),
    "small": Toy(),
    "wide": Toy(width=2500, passes=2, rows=3),
    "tall": Toy(width=40, passes=2, rows=21, layers=3),
    "ends": Toy(passes=5, end=Toy(passes=2).run(lambda i, output: None)[1]),
}


@pytest.fixture(params=TOYS.values(), ids=TOYS.keys())
def toy(request):
    """A computation."""
    return request.param


@pytest.fixture(scope="session")
def toys():
    """Computations by name."""
    return TOYS


@pytest.fixture(scope="session")
def make_toy():
    """A computation of any measures."""
    return Toy


@pytest.fixture(scope="session")
def nulls():
    """Commit to nodes as if the run had ended before them."""

    def nulls(trace, nodes):
        digests = trace.tree.digests
        for node in nodes:
            digests[node], trace.trees[node] = NULL, None
        trace.tree = Tree(b"".join(digests))
        return trace

    return nulls


@pytest.fixture(scope="session")
def key():
    """A party's key by number."""
    return lambda number: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


@pytest.fixture(scope="session")
def refused():
    """The reason for which a call is refused."""

    def refused(call, *arguments, **keywords):
        with pytest.raises(Refusal) as caught:
            call(*arguments, **keywords)
        assert str(caught.value) and "\n" not in str(caught.value)
        return caught.value.reason

    return refused


@pytest.fixture
def cli(monkeypatch, capfd):
    """Run the command line in this process: exit code, standard output, standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["verification", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            command_line.run(command_line.application(Models()), InferenceError)
        printed = capfd.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def committed(cli, tmp_path):
    """A result's file."""
    path = tmp_path / "result.json"
    assert cli("commit", *TINY, *NUMPY, "--out", path)[0] == 0
    return path


@pytest.fixture
def transcript(cli, tmp_path):
    """A transcript's file, and the key of its referee."""
    path = tmp_path / "transcript.json"
    corrupt = ("--corrupt", "node=step0001.layer00.query,element=5")
    code, out, _ = cli("dispute", *TINY, *BOTH, *corrupt, "--transcript", path, "--json")
    assert code == 0
    return path, json.loads(out)["referee"]
