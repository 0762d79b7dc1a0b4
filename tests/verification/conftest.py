"""What verification's tests share: a small computation of every shape a dispute meets, keys, one-line refusals."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import LEAF, output_of, side_by_side
from verification.errors import Refusal
from verification.merkle import NULL, Tree


@dataclass(frozen=True)
class Node:
    name: str
    op: str
    rows: int
    words: int
    guard: int | None


@dataclass(frozen=True)
class Step:
    inputs: tuple
    words: int
    macs: int


@dataclass(frozen=True, eq=False)
class Toy:
    """Passes of tokens: embedding, layers y = (3 x + layer) >> 2 (which masks faults), their sum, a choice modulo 13.

    The first pass has ``rows`` rows, the others one; the end token ends the run. Layers are derived in four parts and
    their concatenation, sums by leaf.
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

    digests = {"model": "0" * 64, "graph": "1" * 64, "input": "2" * 64}  # noqa: RUF012

    @property
    def terms(self):
        return {"seed": str(self.seed), "limit": str(self.passes)}

    @property
    def size(self):
        return self.layers + 3

    @property
    def macs(self):
        return 10**6

    @property
    def chunks(self):
        return -(-self.width // LEAF)

    def embedded(self, token, row, columns):
        return ((token * 7 + row * 5 + columns * 3 + self.seed) % 101 - 50).astype(np.int32)

    def run(self, observe):
        tokens, token = [], 4
        for p in range(self.passes):
            null = bool(tokens) and tokens[-1] == self.end
            token = self._pass(p, token, null, observe)
            if not null:
                tokens.append(token)
        return tokens

    def _pass(self, p, token, null, observe):
        at, rows = p * self.size, self.nodes[p * self.size].rows

        def emit(index, output):
            if null:
                output = output[:0]
            other = observe(at + index, side_by_side([output]))
            return output if other is None or null else other[1]

        x = np.array([self.embedded(token, row, np.arange(self.width)) for row in range(rows)], np.int32)
        x = emit(0, x)
        for layer in range(self.layers):
            x = emit(1 + layer, ((3 * x.astype(np.int64) + layer) >> 2).astype(np.int32))
        total = emit(1 + self.layers, np.array([[x[-1:].sum()]], np.int32))
        choice = emit(2 + self.layers, np.mod(total, 13).reshape(-1, 1).astype(np.int32))
        return int(choice[0, 0]) if len(choice) else token

    @property
    def kept(self):
        return range(self.size - 1, len(self.nodes), self.size)

    def regenerate(self, node, kept):
        p = node // self.size
        before = kept(p * self.size - 1) if p else np.array([[4]], np.int32)
        null = p > 0 and (not len(before) or self.ended(before))
        made = {}

        def observe(other, outputs):
            made[other] = output_of(outputs, 0)

        self._pass(p, int(before[0, 0]) if len(before) else 4, null, observe)
        return made

    def ended(self, guard):
        return int(guard[-1, 0]) == self.end

    def delivered(self, token):
        return ((token + 1) * self.size - 1, 0) if token < self.passes else None

    def _cuts(self, node, leaf):
        count = min(LEAF, self.width - LEAF * (leaf % self.chunks))
        return np.linspace(0, count, 5).astype(int) if count >= 4 else np.array([0, count])

    def steps(self, node, leaf):
        p, kind = divmod(node, self.size)
        if kind == 0:
            return (Step(((node - 1, 0),) if p else (), min(LEAF, self.width - LEAF * (leaf % self.chunks)), 1),)
        if kind <= self.layers:
            cuts = self._cuts(node, leaf)
            source = (node - 1, leaf)
            parts = [Step((source,), int(n), int(n)) for n in np.diff(cuts)]
            return tuple(parts) + ((Step(tuple(range(4)), int(cuts[-1]), 0),) if len(parts) > 1 else ())
        if kind == self.layers + 1:
            last = (self.nodes[node - 1].rows - 1) * self.chunks
            parts = [Step(((node - 1, last + chunk),), 1, LEAF) for chunk in range(self.chunks)]
            return tuple(parts) + ((Step(tuple(range(self.chunks)), 1, self.chunks),) if self.chunks > 1 else ())
        return (Step(((node - 1, 0),), 1, 1),)

    def recompute(self, node, leaf, step, inputs):
        p, kind = divmod(node, self.size)
        if kind == 0:
            row, chunk = divmod(leaf, self.chunks)
            token = int(inputs[0][0]) if p else 4
            columns = np.arange(LEAF * chunk, min(self.width, LEAF * (chunk + 1)))
            return self.embedded(token, row, columns)
        if kind <= self.layers:
            cuts = self._cuts(node, leaf)
            if step == len(cuts) - 1:
                return np.concatenate(inputs)
            part = inputs[0][cuts[step] : cuts[step + 1]].astype(np.int64)
            return ((3 * part + kind - 1) >> 2).astype(np.int32)
        if kind == self.layers + 1:
            return np.array([sum(int(part.sum()) for part in inputs)], np.int32)
        return np.mod(inputs[0], 13).astype(np.int32)


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
