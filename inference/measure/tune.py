"""The fastest of an op's variants on the adapter at hand, by running them; all give the same bits."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain

import networkx as nx

from inference.commands.output import write
from inference.device import tuning
from inference.device.device import Device
from inference.device.program import admitted
from inference.device.runtime import Runtime
from inference.graph import Arithmetic
from inference.measure.cases import LARGE, NODE, PATIENCE, case, cases
from inference.model import Model


@dataclass(frozen=True, slots=True)
class Measured:
    """The variants of one case."""

    case: str
    seconds: dict[str, float]
    """Of a dispatch, by variant, the best seen."""

    @property
    def fastest(self) -> str:
        return min(self.seconds, key=self.seconds.__getitem__)


def tune(device: Device, seconds: float = 1.0, progress: Callable[[str], None] = lambda case: None) -> list[Measured]:
    """Measure every case for its share of ``seconds``, besides compiling; each variant once at least.

    A case of large operands is left out where the small one has shown that it would take many times its share.
    """
    listed = list(cases())
    share, found, slow = seconds / len(listed), list[Measured](), dict[tuple[str, str, int], float]()
    for op, arithmetic, tokens, size in listed:
        if size == LARGE and slow.get((op, arithmetic, tokens), 0.0) > share * PATIENCE / 16:
            continue
        name, candidates = _candidates(device, op, arithmetic, tokens, size)
        if len(candidates) < 2:
            continue
        progress(name)
        times = {variant: run() for variant, run in candidates.items()}
        slow[op, arithmetic, tokens] = max(times.values())
        started = time.perf_counter()
        while time.perf_counter() - started < share:
            for variant, run in candidates.items():
                if times[variant] < 2 * min(times.values()):  # who is twice as slow does not come back
                    times[variant] = min(times[variant], run())
        found.append(Measured(name, times))
    return found


def _candidates(
    device: Device, op: str, arithmetic: Arithmetic, tokens: int, size: int
) -> tuple[str, dict[str, Callable[[], float]]]:
    """The case's name, and what runs each variant that the device admits: seconds a dispatch. All are compiled."""
    of = case(op, arithmetic, tokens, size)
    runtime = Runtime(Model("tuned", arithmetic, {}, of.constants, {}), device)
    found, before = dict[str, Callable[[], float]](), device.choose
    variants = admitted(of.graph, NODE, device.target)
    for variant in variants if len(variants) > 1 else ():
        device.choose = partial(_always, variant)
        graph: nx.DiGraph = of.graph.copy()
        runtime.run(graph, of.given, [NODE])
        found[variant] = partial(_timed, runtime, graph)
    device.choose = before
    return of.name, found


def _always(variant: str, name: str, admitted: list[str], graph: nx.DiGraph) -> str:
    return variant


def _timed(runtime: Runtime, graph: nx.DiGraph, repeat: int = 4) -> float:
    """Seconds of a dispatch, over several in one submission."""
    dispatches = list(chain.from_iterable(runtime.load(graph, [NODE]).dispatches))
    started = time.perf_counter()
    runtime.device.submit(dispatches * repeat)
    runtime.finish()
    return (time.perf_counter() - started) / repeat


def keep(device: Device, found: list[Measured], version: str) -> str:
    """Write what was found where the device will read it; the file's path."""
    file = tuning.path(*device.identity)
    file.parent.mkdir(parents=True, exist_ok=True)
    backend, name, driver, lanes = device.identity
    content = {
        "adapter": name,
        "backend": backend,
        "driver": driver,
        "lanes": lanes,
        "version": version,
        "choices": {each.case: each.fastest for each in found},
        "seconds": {each.case: each.seconds for each in found},
    }
    write(file, json.dumps(content, indent=1) + "\n")
    device.choose = tuning.choose(content["choices"])  # type: ignore[arg-type]
    return str(file)
