"""A run as a computation that can be disputed (section 5): nodes, their outputs, and how each leaf is derived.

The schedule follows from model, prompt length and limit alone: the prompt's passes, then one for each token but the
last. A pass after an end token is null. What the steps of a leaf are stands in ``inference.derivation``, and what they
compute in ``inference.steps``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np

from inference import ops, steps
from inference.arithmetic.fixed_point import BoundError
from inference.derivation import Constant, Derivation, Operand, groups
from inference.errors import InputError
from inference.generate import Backend, Pass, check_run, digests, passes
from inference.graph import schedule
from inference.outputs import Array, Outputs, alone, laid_out
from inference.reference import Reference
from inference.steps import LEAF, SOURCES, Step, Words
from inference.steps._operands import Tiles

Observer = Callable[[int, Outputs], tuple[int, Words] | None]
"""Sees the outputs of some nodes, without rows where they are null, and the index of the first. Their memory is used
again after the next ones are seen. What it returns, if anything, is one of the nodes and another output for it
(rows, words), from which those after it follow: they are seen anew."""


@dataclass(frozen=True, slots=True)
class Node:
    """One dispatch's output, its shape flattened to (rows, words)."""

    name: str
    op: str
    rows: int
    words: int
    """Of a row."""
    guard: int | None
    """The choice of the pass before, for passes after the prompt: where it is an end token or null, this is null."""


class Inference:
    """A run of an exact model on a backend, ``Reference`` or ``Runtime``, up to ``limit`` tokens after a prompt.

    Args:
        model_digest: by which the model is named; without one, ``Model.digest``.

    Raises:
        InputError: see ``generate.check_run``; a temperature that is not allowed, a model in float32.
    """

    def __init__(
        self,
        backend: Backend,
        ids: Sequence[int],
        *,
        limit: int,
        temperature: float = 0,
        seed: int = 0,
        model_digest: str | None = None,
    ):
        model = backend.model
        self.model_digest = model_digest
        if model.arithmetic != "exact":
            raise InputError(f"the arithmetic of {model.name} is {model.arithmetic}; only exact runs can be disputed")
        self.backend, self.ids, self.limit, self.temperature, self.seed = backend, list(ids), limit, temperature, seed
        check_run(model, self.ids, limit)
        if model.measures["head_width"] > LEAF:
            raise InputError(f"heads of {model.measures['head_width']} are too wide to be disputed: {LEAF} is allowed")
        self.passes = passes(model, self.ids, limit, temperature=temperature)
        self._prompt = len(self.passes) - limit + 1
        orders = {id(each.graph): schedule(each.graph) for each in self.passes}
        self._names = [orders[id(each.graph)] for each in self.passes]
        self._per_pass = len(self._names[0])
        """Nodes of a pass, the same for all."""
        self._position = {name: index for index, name in enumerate(self._names[0])}
        described = self.passes[0].graph.nodes
        keep = [at for at, name in enumerate(self._names[0]) if name == "choice" or described[name]["state"]]
        self.kept: Sequence[int] = [self._per_pass * each + at for each in range(len(self.passes)) for at in keep]
        """Caches and choices, in order: what later passes read."""
        of_passes = [
            self._node(index, each, name) for index, each in enumerate(self.passes) for name in self._names[index]
        ]
        self.nodes: Sequence[Node] = [*of_passes, Node("output", "output", 1, limit, None)]
        """In schedule order; the output last: one row, the tokens in order, -1 where a pass is null."""
        self.choices = [self._index(index, "choice") for index in range(self._prompt - 1, len(self.passes))]
        """The nodes that choose the output's tokens."""
        last = of_passes[-self._per_pass :]
        self._nothing = laid_out(0, {node.name: (0, np.int32, (0, node.words)) for node in last})
        """What a null pass gives."""
        self._derivation = lru_cache(1024)(self._derive)
        self.tiles: steps.Constants = Tiles(model.constants)
        """Where ``recompute`` reads constants: the model's; a referee may put a store there that proves each tile."""

    def _node(self, index: int, each: Pass, name: str) -> Node:
        node = each.graph.nodes[name]
        rows, *columns = node["shape"]
        guard = None if index < self._prompt else self._index(index - 1, "choice")
        return Node(f"{each.name}.{name}", node["op"], rows, prod(columns), guard)

    def _index(self, of_pass: int, name: str) -> int:
        return of_pass * self._per_pass + self._position[name]

    def _at(self, node: int) -> tuple[int, str]:
        """Pass and name of a node."""
        of_pass, position = divmod(node, self._per_pass)
        return of_pass, self._names[of_pass][position]

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of "model", "graph" and "input", as ``run --trace`` writes them."""
        return digests(self.backend.model, self.ids, self.limit, self.temperature, self.model_digest)

    @property
    def terms(self) -> Mapping[str, str]:
        """Seed, temperature and token limit as text."""
        return {"seed": str(self.seed), "temperature": repr(float(self.temperature)), "limit": str(self.limit)}

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of all passes."""
        return sum(each.macs for each in self.passes)

    def run(self, observe: Observer) -> list[int]:
        """Execute all nodes in order; the output tokens, up to and including an end token.

        After a replaced output the rest of its pass follows in numpy, and its cache rows go back to the backend. What
        replaces a null output is ignored.

        Raises:
            InputError: a replacement that takes a later node of its pass beyond its bounds, or chooses no token.
        """
        tokens: list[int] = []
        for index, each in enumerate(self.passes):
            first = index * self._per_pass
            if tokens and tokens[-1] in self.backend.model.end:
                observe(first, self._nothing)
                continue
            choice = self._observed(index, each, (self.ids + tokens)[each.span], observe)
            if index >= self._prompt - 1:
                tokens.append(self._token(choice))
        output = np.array([tokens + [-1] * (self.limit - len(tokens))], np.int32)
        replaced = observe(len(self.nodes) - 1, alone(0, "output", output))
        return tokens if replaced is None else [token for token in replaced[1].ravel().tolist() if token >= 0]

    def _token(self, choice: int) -> int:
        if not 0 <= choice < self.backend.model.measures["vocabulary"]:
            raise InputError(f"the choice {choice} is no token of {self.backend.model.name}")
        return choice

    def _observed(self, index: int, each: Pass, tokens: list[int], observe: Observer) -> int:
        """Run a pass; the token it chooses."""
        inputs = each.inputs(tokens, temperature=self.temperature, seed=self.seed)
        first = index * self._per_pass
        replaced: dict[str, Array] = {}

        def seen(outputs: Outputs) -> Array | None:
            if (given := observe(first + outputs.first, outputs)) is None:
                return None
            name = self._names[index][given[0] - first]
            replaced[name] = np.array(given[1], np.int32).reshape(outputs[name].shape)
            return replaced[name]

        def until_replaced(outputs: Outputs) -> None:
            if not replaced:
                seen(outputs)

        [choice] = self.backend.run(each.graph, inputs, ["choice"], until_replaced)
        if not replaced:
            return int(choice[0])
        [(name, output)] = replaced.items()
        honest = self._outputs(each, inputs)
        known = {earlier: honest[earlier] for earlier in self._names[index][: self._position[name]]} | {name: output}
        return self._followed(each, inputs, known, seen)

    def _outputs(self, each: Pass, inputs: dict[str, Array]) -> dict[str, Array]:
        outputs: dict[str, Array] = {}

        def seen(shown: Outputs) -> None:
            outputs.update((name, output.copy()) for name, output in shown.items())

        self.backend.run(each.graph, inputs, [], seen)
        return outputs

    def _followed(self, each: Pass, inputs: dict[str, Array], known: dict[str, Array], seen: Any) -> int:
        """The rest of a pass after the nodes in ``known``, in numpy, on the backend's caches."""
        reference, places = Reference(self.backend.model), inputs["places"]
        caches = [name for name in self._names[0] if each.graph.nodes[name]["state"]]
        reference.states = {name: self.backend.read(each.graph, name).copy() for name in caches}
        try:
            [choice] = reference.run(each.graph, inputs, ["choice"], seen, known)
        except (InputError, IndexError) as error:
            raise InputError(f"a replaced output of {each.name} takes a node beyond its bounds: {error}") from None
        for name in caches:
            self.backend.write(each.graph, name, places, reference.states[name][each.span])
        return int(choice[0])

    def regenerate(self, node: int, kept: Callable[[int], Words]) -> dict[int, Words]:
        """The outputs of all nodes of a node's pass, from the caches and the choice of the passes before it.

        Only that pass is run.

        Raises:
            InputError: a choice that is no token.
        """
        if node == len(self.nodes) - 1:
            return {node: np.array([[chosen(kept(choice)) for choice in self.choices]], np.int32)}
        index, _ = self._at(node)
        each, first, guard = self.passes[index], index * self._per_pass, self.nodes[node].guard
        of_pass = range(first, first + self._per_pass)
        if guard is not None and self.ended(kept(guard)):
            return {other: np.empty((0, self.nodes[other].words), np.int32) for other in of_pass}
        tokens = self.ids[each.span] if guard is None else [self._token(int(kept(guard)[-1, 0]))]
        for name in self._names[0]:
            if index and each.graph.nodes[name]["state"]:
                rows = np.concatenate([kept(self._index(before, name)) for before in range(index)])
                self.backend.write(each.graph, name, _places(len(rows)), rows)
        outputs = self._outputs(each, each.inputs(tokens, temperature=self.temperature, seed=self.seed))
        return {
            other: outputs[name].reshape(self.nodes[other].rows, self.nodes[other].words)
            for other, name in zip(of_pass, self._names[index], strict=True)
        }

    def ended(self, guard: Words) -> bool:
        """Whether a choice is an end token, or null."""
        return guard.size == 0 or int(guard[-1, 0]) in self.backend.model.end

    @property
    def constants(self) -> Mapping[str, Array]:
        """Weights and tables by name."""
        return self.backend.model.constants

    def described(self) -> dict[str, Any]:
        """What decides a result besides the constants, as JSON of whole numbers, texts and lists."""
        return self.backend.model.described()

    def steps(self, node: int, leaf: int) -> Sequence[Step]:
        """The derivation of a leaf; the last step gives its words."""
        return self._derivation(node, leaf)

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words | None:
        """The result of a step from its inputs, in the order of ``Step.sources``, in numpy; None where they are beyond
        the op's bounds, as in no honest run."""
        try:
            return steps.result(self._derivation(node, leaf)[step], self.tiles, inputs)
        except BoundError:
            return None

    def _derive(self, node: int, leaf: int) -> list[Step]:
        if node == len(self.nodes) - 1:
            return self._derive_output(leaf)
        index, name = self._at(node)
        described = self.passes[index].graph.nodes[name]
        words = self.nodes[node].words
        row, chunk = divmod(leaf, -(-words // LEAF))
        operands = [self._operand(index, source) for source in described["inputs"]]
        derivation: Callable[..., list[Step]] = ops.load(described["op"]).derivation
        start, stop = chunk * LEAF, min(chunk * LEAF + LEAF, words)
        return derivation(row, start, stop, *operands, **described["attributes"])

    def _derive_output(self, leaf: int) -> list[Step]:
        made = Derivation()
        choices = [(choice, 0) for choice in self.choices[leaf * LEAF : (leaf + 1) * LEAF]]
        made.concatenated([made.step("tokens", group, len(group), 0) for group in groups(choices, SOURCES)])
        return made.steps

    def _operand(self, index: int, name: str) -> Operand | Constant | Array:
        """What a node of a pass reads: a constant by name, an array where it is public, leaves where committed."""
        each = self.passes[index]
        node = each.graph.nodes[name]
        if node["kind"] == "weight":
            return Constant(name, node["shape"])
        if node["kind"] == "input":
            if name == "tokens" and index >= self._prompt:
                return Operand(1, lambda row: (self._index(index - 1, "choice"), row))
            return each.inputs(self.ids[each.span] or [0], temperature=self.temperature, seed=self.seed)[name]
        of_node = self._index(index, name)
        if node["state"] is None:
            return Operand(self.nodes[of_node].words, lambda row: (of_node, row))
        return Operand(self.nodes[of_node].words, lambda position: self._cached(name, position))

    def _cached(self, name: str, position: int) -> tuple[int, int]:
        """The node and row that hold a position of a cache."""
        prompt = len(self.ids)
        index = position // self.passes[0].count if position < prompt else self._prompt + position - prompt
        return self._index(index, name), position - self.passes[index].start


def chosen(choice: Words) -> int:
    """The token of a choice, -1 where it is null."""
    return int(choice.ravel()[-1]) if choice.size else -1


def _places(positions: int) -> Array:
    return np.stack((np.zeros(positions, np.int32), np.arange(positions, dtype=np.int32)), axis=1)
