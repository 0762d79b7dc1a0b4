"""The command that plans: what a model takes and what can be expected of it, without its weights."""

import json
import re
import time
from shutil import get_terminal_size
from typing import Annotated

import typer

from inference.commands.arguments import AdapterName, Json
from inference.commands.progress import working
from inference.errors import InputError
from inference.models.bands import BAND
from inference.planning import language, picture
from inference.planning.limits import DEFAULTS, DESKTOP, MIB, Limits
from inference.planning.plan import Plan, Rates, described, seconds_of_stages, tokens_per_second
from inference.planning.stage import Stage

GIGA = 10**9
SHOWN = 8  # buffers
WIDTH = 60  # columns of a curve
BARS = " ▁▂▃▄▅▆▇█"


def plan(
    model: Annotated[
        str,
        typer.Argument(
            help="smollm2, llama-2-7b, llama-3.2-1b, llama-3-8b, llama-3-70b, llama-3.1-405b, sdxl, sd15, sd-turbo; a "
            "config.json, a directory with one, a .gguf file"
        ),
    ],
    context: Annotated[
        int | None, typer.Option(help="positions of the cache", show_default="the model's, at most 8192")
    ] = None,
    size: Annotated[int | None, typer.Option(help="pixels of a side of a picture", show_default="the model's")] = None,
    adapter: AdapterName = None,
    bandwidth: Annotated[
        float | None, typer.Option(help="GB a second that a device reads", show_default="measured on --adapter")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(help="billions of multiply-accumulates a second", show_default="measured on --adapter"),
    ] = None,
    as_json: Json = False,
) -> None:
    """What a model takes, from its shapes alone: buffers against limits, memory over time, work, tokens a second.

    Example: python -m inference plan llama-3-8b --context 4096 --bandwidth 360 --rate 5000
    """
    started, rates = time.perf_counter(), _given(bandwidth, rate)
    with working(f"planning {model}"):
        if (config := picture.configuration(model)) is not None:
            if context is not None:
                raise InputError(f"--context is of language models; {model} has --size")
            made = picture.picture_plan(model, config, size)
        elif size is not None:
            raise InputError(f"--size is of pictures; {model} has --context")
        else:
            made = language.plan(language.shape(model), context)
        took = time.perf_counter() - started
        limits = [DEFAULTS, DESKTOP]
        if adapter is not None:
            limits.append(_limits(adapter))
            rates = rates or _measured(adapter)
    if as_json:
        print(json.dumps(described(made, limits, rates) | {"seconds": took}))
    else:
        _show(made, limits, rates, took)


def _given(bandwidth: float | None, rate: float | None) -> Rates | None:
    if bandwidth is None and rate is None:
        return None
    if bandwidth is None or rate is None:
        raise InputError("--bandwidth and --rate are given together, or neither of them")
    for name, value in {"--bandwidth": bandwidth, "--rate": rate}.items():
        if not 0 < value < GIGA:
            raise InputError(f"{name} {value} is not allowed; above 0, in billions a second")
    return Rates(bandwidth * GIGA, rate * GIGA)


def _measured(adapter: str) -> Rates:
    from inference.device.device import Device
    from inference.measure.roofline import roofline

    return Rates(*roofline(Device("wgpu", adapter)))


def _limits(adapter: str) -> Limits:
    from inference.device import adapters

    chosen = adapters.choose("wgpu", adapter)
    return Limits.of(chosen.info["device"], chosen.limits)


def _show(made: Plan, limits: list[Limits], rates: Rates | None, took: float) -> None:
    room = f"{made.size} × {made.size} pixels" if made.context is None else f"{made.context:,} positions"
    print(f"{made.name}: {room}, weights in {made.weights}; planned in {took:.1f} s")
    for name, count in made.parameters.items():
        print(f"  {name:<38}{count:>16,} weights")
    for stage in made.stages:
        _show_stage(stage)
    print("\nmemory, MiB; nodes that are not alive at once share activations")
    for name, size in made.memory.items():
        print(f"  {name:<38}{size / MIB:>12,.1f}")
    print(
        f"\n{'largest buffers, MiB each; fits limits 1, 2 …':<48}"
        + "".join(f"{at:>5}" for at in range(1, len(limits) + 1))
    )
    for (count, name), size in list(_alike(made.buffers()).items())[:SHOWN]:
        fits = ("yes" if size <= each.largest else "no" for each in limits)
        columns = "".join(f"{answer:>5}" for answer in fits)
        print(f"  {count:>4} {_folded(name, 29):<29}{size / MIB:>12,.1f}{columns}")
    for at, each in enumerate(limits, 1):
        beyond = made.beyond(each)
        said = f"{len(beyond)} buffers do not fit" if beyond else "every buffer fits"
        print(f"{at}: {each.name}, {each.largest / MIB:,.0f} MiB a binding: {said}")
    if rates is None:
        print("\ntime to expect: give the adapter's GB and G multiply-accumulates a second:")
        print("  --bandwidth 1008 --rate 40000")
        return
    speed = f"{rates.bandwidth / GIGA:,.1f} GB and {rates.operations / GIGA:,.1f} G multiply-accumulates a second"
    print(f"\ntime to expect, at {speed}")
    if made.context is None:
        for name, value in seconds_of_stages(made, rates).items():
            print(f"{name:<40}{value:>12,.1f} seconds a call at least")
        print("a picture of N steps calls text encoders twice, the UNet 2 N times, the decoder once")
        return
    for name, value in tokens_per_second(made, rates).items():
        print(f"{name.replace('_', ' '):<40}{value:>12,.2f} tokens a second at most")


def _alike(buffers: dict[str, int]) -> dict[tuple[int, str], int]:
    """Buffers that differ in their layer, or part of a table, alone as one: how many, the name they share, bytes."""
    kinds: dict[tuple[str, int], int] = {}
    for name, size in buffers.items():
        kind = re.sub(r"\b[a-z]+\d+x?\.|(?<=[a-z])\.\d+(?=\.)", "", name)
        kinds[kind, size] = kinds.get((kind, size), 0) + 1
    return {(count, kind): size for (kind, size), count in kinds.items()}


def _show_stage(of: Stage) -> None:
    print(f"\n{of.name}: {len(of.costs)} nodes, {of.operations / GIGA:,.2f} G multiply-accumulates")
    kinds: dict[tuple[str, str, tuple[int, ...]], list[int]] = {}
    for name, cost in of.costs.items():
        node = of.graph.nodes[name]
        *_, before, kind = ("", *name.partition(BAND)[0].split("."))
        kind = f"{before}.{kind}" if kind.isdigit() else kind
        kinds.setdefault((kind, node["op"], node["shape"]), []).append(cost.operations)
    for (kind, op, shape), operations in sorted(kinds.items(), key=lambda item: -sum(item[1]))[:SHOWN]:
        of_kind = f"{len(operations):>4} {kind:<22}{op:<14}{' × '.join(map(str, shape)):>16}"
        print(f"  {of_kind}{sum(operations) / GIGA:>12,.3f} G")
    live = [size for _, size in of.live()]
    said = f"  live over time, at most {max(live) / MIB:,.1f} MiB: "
    print(said + _curve(live, max(8, min(WIDTH, get_terminal_size().columns - len(said)))))


def _folded(name: str, width: int) -> str:
    """The end of a name that is too long."""
    return name if len(name) <= width else f"…{name[1 - width :]}"


def _curve(values: list[int], width: int) -> str:
    """The largest of each part of a series, as so many bars."""
    parts = [values[len(values) * at // width : len(values) * (at + 1) // width] for at in range(width)]
    largest = max(values)
    return "".join(BARS[-(-8 * max(part) // largest)] for part in parts if part)
