"""A plan: stages that share a device, held against limits, and the time to expect of them."""

from dataclasses import dataclass
from typing import Any

from inference.planning.limits import Limits
from inference.planning.stage import Stage, together


@dataclass(frozen=True, slots=True)
class Plan:
    """What a model takes."""

    name: str
    context: int | None
    """Positions of a language model's cache."""
    parameters: dict[str, int]
    """Weights of each of its networks."""
    stages: list[Stage]
    weights: str
    """What they are kept as."""
    size: int | None = None
    """Pixels of a side of a picture."""

    @property
    def memory(self) -> dict[str, int]:
        """Bytes of weights, states and all else while every stage lies on the device."""
        return dict(together(self.stages)) | {"largest stage alone": max(together([s])["total"] for s in self.stages)}

    def buffers(self) -> dict[str, int]:
        """Bytes of every buffer, the largest first; of what stages do not share the largest."""
        found: dict[str, int] = {}
        for each in self.stages:
            for name, size in (each.weights | each.sizes).items():
                found[name] = max(size, found.get(name, 0))
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def beyond(self, limits: Limits) -> dict[str, int]:
        """The buffers that are larger than a device binds."""
        return {name: size for name, size in self.buffers().items() if size > limits.largest}


@dataclass(frozen=True, slots=True)
class Rates:
    """What a device does in a second."""

    bandwidth: float
    """Bytes read."""
    operations: float
    """Multiply-accumulates of integers."""


def seconds(operations: float, moved: float, rates: Rates) -> float:
    """The least time: all is computed, and all is read once."""
    return max(operations / rates.operations, moved / rates.bandwidth)


def seconds_of_stages(plan: Plan, rates: Rates) -> dict[str, float]:
    """At least, of each stage of a picture: all is computed, every weight and output read or written once."""
    return {
        each.name: seconds(each.operations, sum(cost.bytes for cost in each.costs.values()), rates)
        for each in plan.stages
    }


def tokens_per_second(plan: Plan, rates: Rates) -> dict[str, float]:
    """At most, of a language model: ``prefill``, and ``decode`` with the cache empty and full.

    A token reads every weight once but the embedding, of which it reads a row, and the cache up to its position; of a
    prompt so does each chunk.
    """
    prompt, token = plan.stages
    cache = sum(token.states.values())
    attention = token.operations_of("attention")
    read = sum(size for name, size in token.weights.items() if not _looked_up(token, name))
    tokens = prompt.graph.nodes["tokens"]["shape"][0]
    return {
        "prefill": tokens / seconds(prompt.operations - tokens * attention, read, rates),
        "decode": 1 / seconds(token.operations - attention, read, rates),
        "decode_full_context": 1 / seconds(token.operations, read + cache, rates),
    }


def _looked_up(of: Stage, buffer: str) -> bool:
    """Whether only rows of a weight are read: an embedding that is not the head."""
    constant = buffer.split(" ")[1]
    return all(
        of.graph.nodes[reader]["op"] in ("embedding", "embedding_q4") for reader in of.graph.successors(constant)
    )


def described(plan: Plan, limits: list[Limits], rates: Rates | None) -> dict[str, Any]:
    """A plan for machines: bytes, weights and multiply-accumulates by name."""
    result: dict[str, Any] = {
        "model": plan.name,
        "context": plan.context,
        "parameters": plan.parameters,
        "weights": plan.weights,
        "operations": {each.name: each.operations for each in plan.stages},
        "memory": plan.memory,
        "buffers": [{"name": name, "bytes": size} for name, size in plan.buffers().items()],
        "limits": [
            {
                "name": each.name,
                "binding": each.binding,
                "buffer": each.buffer,
                "fits": not plan.beyond(each),
                "beyond": list(plan.beyond(each)),
            }
            for each in limits
        ],
        "size": plan.size,
        "seconds_of_stages": None if rates is None else seconds_of_stages(plan, rates),
        "tokens_per_second": None if rates is None or plan.context is None else tokens_per_second(plan, rates),
        "stages": [_stage(each) for each in plan.stages],
    }
    return result


def _stage(of: Stage) -> dict[str, Any]:
    live = of.live()
    nodes = [
        {
            "name": name,
            "op": of.graph.nodes[name]["op"],
            "shape": list(of.graph.nodes[name]["shape"]),
            "operations": cost.operations,
            "bytes": cost.bytes,
            "live_bytes": alive,
        }
        for (name, cost), (_, alive) in zip(of.costs.items(), live, strict=True)
    ]
    return {
        "name": of.name,
        "operations": of.operations,
        "weights": sum(of.weights.values()),
        "states": sum(of.states.values()),
        "activations": of.passing,
        "live_peak": max(alive for _, alive in live),
        "workgroups": of.workgroups,
        "nodes": nodes,
    }
