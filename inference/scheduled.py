"""A run as a computation that can be disputed (section 5): nodes, their outputs, and how each leaf is derived.

The schedule of passes is known before the run; what a pass takes from those before it stands in its links
(``inference.passes``). A pass whose guard is an end token is null. What the steps of a leaf are stands in
``inference.derivation``, and what they compute in ``inference.steps``.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any

import numpy as np

from inference import ops, steps
from inference.arithmetic.fixed_point import BoundError
from inference.derivation import Constant, Derivation, Operand, groups
from inference.errors import InputError
from inference.generate import Backend
from inference.graph import schedule
from inference.outputs import Array, Outputs, alone, laid_out
from inference.passes import Link, Pass, shown
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
    """The choice after which this node's pass comes: where that is an end token or null, this is null."""


class Scheduled:
    """A schedule of passes of an exact model on a backend, ``Reference`` or ``Runtime``; its result is its last node.

    With ``choices`` the result is one node more, ``output``: the last word of each, -1 where its pass is null. What is
    disputed has besides ``digests``, SHA-256 of "model", "graph" and "input", and ``terms``: what else was asked for.

    Raises:
        InputError: a model in float32.
    """

    def __init__(self, backend: Backend, passes: Sequence[Pass], choices: Sequence[Link] = ()):
        model = backend.model
        if model.arithmetic != "exact":
            raise InputError(f"the arithmetic of {model.name} is {model.arithmetic}; only exact runs can be disputed")
        self.backend, self.passes = backend, passes
        orders = {id(each.graph): schedule(each.graph) for each in passes}
        self._names = [orders[id(each.graph)] for each in passes]
        self._starts = [0, *accumulate(map(len, self._names))]
        """First nodes of the passes, and of what follows them."""
        places = {key: {name: at for at, name in enumerate(order)} for key, order in orders.items()}
        self._places = [places[id(each.graph)] for each in passes]
        of_passes = [self._node(index, each, name) for index, each in enumerate(passes) for name in self._names[index]]
        self.choices = [self.at(link) for link in choices]
        """The nodes whose last words are the output's."""
        output = [Node("output", "output", 1, len(self.choices), None)] if choices else []
        self.nodes: Sequence[Node] = [*of_passes, *output]
        """In schedule order; the result last, never null."""
        results = set(choices) or {Link(len(passes) - 1, self._names[-1][-1])}
        linked = {link for each in passes for link in (*each.links.values(), each.guard) if link is not None} | results
        self._linked = [sorted(link.node for link in linked if link.index == at) for at in range(len(passes))]
        """Nodes of a pass that later passes read besides states, and results."""
        self._writers: dict[str, list[tuple[int, int]]] = {}
        """By state, the passes that write it and their nodes, in order of rows."""
        for index, each in enumerate(passes):
            for name in self._names[index]:
                if state := each.graph.nodes[name]["state"]:
                    self._writers.setdefault(state, []).append((index, self.at(Link(index, name))))
        states = [node for writers in self._writers.values() for _, node in writers]
        self.kept: Sequence[int] = sorted({*states, *map(self.at, linked)})
        """States and linked nodes, in order: what later passes read."""
        self._derivation = lru_cache(1024)(self._derive)
        self.tiles: steps.Constants = Tiles(model.constants)
        """Where ``recompute`` reads constants: the model's; a referee may put a store there that proves each tile."""

    def _node(self, index: int, each: Pass, name: str) -> Node:
        guard = None if each.guard is None else self.at(each.guard)
        return Node(f"{each.name}.{name}", each.graph.nodes[name]["op"], *shown(each.graph, name), guard)

    def at(self, link: Link) -> int:
        """The index of a node."""
        return self._starts[link.index] + self._places[link.index][link.node]

    def _of(self, node: int) -> tuple[int, str]:
        """Pass and name of a node."""
        index = bisect_right(self._starts, node) - 1
        return index, self._names[index][node - self._starts[index]]

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of all passes."""
        return sum(each.macs for each in self.passes)

    def taken(self, words: Words) -> Words:
        """What later passes take from a linked node.

        Raises:
            InputError: words that no honest run gives.
        """
        return words

    def run(self, observe: Observer) -> list[int]:
        """Execute all nodes in order; the words of the result, of choices those up to and including an end token.

        After a replaced output the rest of its pass follows in numpy, and its rows of states go back to the backend.
        What replaces a null output is ignored.

        Raises:
            InputError: a replacement that takes a later node of its pass beyond its bounds, or chooses no token.
        """
        found: dict[int, Array] = {}
        for index, each in enumerate(self.passes):
            linked = [self._starts[index] + self._places[index][name] for name in self._linked[index]]
            if each.guard is not None and self.ended(found[self.at(each.guard)]):
                observe(self._starts[index], self._null(index))
                found |= dict.fromkeys(linked, np.empty(0, np.int32))
            else:
                outputs = self._observed(index, each, self._inputs(each, found.__getitem__), observe)
                found |= {node: self.taken(words) for node, words in zip(linked, outputs, strict=True)}
        if not self.choices:
            return [int(word) for word in found[len(self.nodes) - 1].ravel()]
        output = np.array([[chosen(found[choice]) for choice in self.choices]], np.int32)
        replaced = observe(len(self.nodes) - 1, alone(0, "output", output))
        return [token for token in (output if replaced is None else replaced[1]).ravel().tolist() if token >= 0]

    def _null(self, index: int) -> Outputs:
        """What a null pass gives."""
        nodes = self.nodes[self._starts[index] : self._starts[index + 1]]
        return laid_out(0, {node.name: (0, np.int32, (0, node.words)) for node in nodes})

    def _inputs(self, each: Pass, outputs: Callable[[int], Words]) -> dict[str, Array]:
        return each.inputs({name: self.taken(outputs(self.at(link))) for name, link in each.links.items()})

    def _observed(self, index: int, each: Pass, inputs: dict[str, Array], observe: Observer) -> list[Array]:
        """Run a pass; its linked outputs."""
        first = self._starts[index]
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

        linked = self.backend.run(each.graph, inputs, self._linked[index], until_replaced)
        if not replaced:
            return linked
        [(name, output)] = replaced.items()
        honest, before = self._outputs(each, inputs), self._names[index][: self._places[index][name]]
        known = {earlier: honest[earlier] for earlier in before} | {name: output}
        return self._followed(index, each, inputs, known, seen)

    def _outputs(self, each: Pass, inputs: dict[str, Array]) -> dict[str, Array]:
        outputs: dict[str, Array] = {}

        def seen(shown: Outputs) -> None:
            outputs.update((name, output.copy()) for name, output in shown.items())

        self.backend.run(each.graph, inputs, [], seen)
        return outputs

    def _followed(
        self, index: int, each: Pass, inputs: dict[str, Array], known: dict[str, Array], seen: Any
    ) -> list[Array]:
        """The rest of a pass after the nodes in ``known``, in numpy, on the backend's states."""
        reference = Reference(self.backend.model)
        written = [name for name in self._names[index] if each.graph.nodes[name]["state"]]
        reference.states = {
            each.graph.nodes[name]["state"]: self.backend.read(each.graph, name).copy() for name in written
        }
        try:
            linked = reference.run(each.graph, inputs, self._linked[index], seen, known)
        except (InputError, IndexError) as error:
            raise InputError(f"a replaced output of {each.name} takes a node beyond its bounds: {error}") from None
        for name in written:
            rows = reference.states[each.graph.nodes[name]["state"]][each.span]
            self.backend.write(each.graph, name, _places(each.start, each.count), rows)
        return linked

    def regenerate(self, node: int, kept: Callable[[int], Words]) -> dict[int, Words]:
        """The outputs of all nodes of a node's pass, from the kept ones of the passes before it.

        Only that pass is run.

        Raises:
            InputError: a choice that is no token.
        """
        if self.choices and node == len(self.nodes) - 1:
            return {node: np.array([[chosen(kept(choice)) for choice in self.choices]], np.int32)}
        index, _ = self._of(node)
        each, first, guard = self.passes[index], self._starts[index], self.nodes[node].guard
        of_pass = range(first, self._starts[index + 1])
        if guard is not None and self.ended(kept(guard)):
            return {other: np.empty((0, self.nodes[other].words), np.int32) for other in of_pass}
        inputs = self._inputs(each, kept)
        for name in self._names[index]:
            state = each.graph.nodes[name]["state"]
            if state and (before := [node for of, node in self._writers[state] if of < index]):
                rows = np.concatenate([kept(earlier) for earlier in before])
                self.backend.write(each.graph, name, _places(0, len(rows)), rows)
        outputs = self._outputs(each, inputs)
        return {
            other: outputs[name].reshape(self.nodes[other].rows, self.nodes[other].words)
            for other, name in zip(of_pass, self._names[index], strict=True)
        }

    def ended(self, guard: Words) -> bool:
        """Whether a choice is an end token, or null."""
        return guard.size == 0 or int(guard.ravel()[-1]) in self.backend.model.end

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
        if self.choices and node == len(self.nodes) - 1:
            return self._derive_output(leaf)
        index, name = self._of(node)
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
        if name in each.given:
            return each.given[name]
        if node["kind"] == "input":
            linked = self.at(each.links[name])
            return Operand(self.nodes[linked].words, lambda row: (linked, row), node["shape"])
        if node["state"] is None:
            of_node = self.at(Link(index, name))
            return Operand(self.nodes[of_node].words, lambda row: (of_node, row), node["shape"])
        return Operand(shown(each.graph, name)[1], lambda row: self._written(node["state"], row))

    def _written(self, state: str, row: int) -> tuple[int, int]:
        """The node that wrote a row of a state, and which of its rows that is."""
        writers = self._writers[state]
        index, node = writers[bisect_right(writers, row, key=lambda each: self.passes[each[0]].start) - 1]
        return node, row - self.passes[index].start


def chosen(choice: Words) -> int:
    """The token of a choice, -1 where it is null."""
    return int(choice.ravel()[-1]) if choice.size else -1


def _places(start: int, count: int) -> Array:
    return np.stack((np.zeros(count, np.int32), np.arange(start, start + count, dtype=np.int32)), axis=1)
