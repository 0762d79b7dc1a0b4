"""The command that measures: the model and its kernels, peers beside them, this machine as a provider."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from distribute_lab import __version__
from inference import models
from inference.arithmetic.formats import POSITIONS
from inference.commands.arguments import AdapterName, Json, UnsavedName
from inference.commands.output import check_writable, write
from inference.commands.progress import working
from inference.errors import InputError
from inference.models.llama import model
from inference.planning.language import Shape


def bench(
    model_name: UnsavedName = "smollm2",
    peers: Annotated[
        bool, typer.Option("--peers", help="numpy, OpenBLAS, llama.cpp, ONNX Runtime beside it, where installed")
    ] = False,
    devices: Annotated[
        Path | None,
        typer.Option(help="write this machine's rates as JSON, for the auction to draw providers from"),
    ] = None,
    memory: Annotated[
        float | None, typer.Option(help="GiB for models in that file; else the machine's or, on a GPU, one buffer's")
    ] = None,
    adapter: AdapterName = None,
    backend: Annotated[Literal["wgpu", "dawn"], typer.Option(help="the implementation")] = "wgpu",
    rounds: Annotated[int, typer.Option(help="how often each side runs")] = 5,
    shape: Annotated[
        str | None,
        typer.Option(help="random weights of a shape: smollm2, llama-3.2-1b, llama-3-8b ...", show_default=False),
    ] = None,
    prompts: Annotated[
        str | None, typer.Option("-p", help="tokens of prompts to read: 128,512", show_default=False)
    ] = None,
    answers: Annotated[
        str | None, typer.Option("-n", help="tokens of answers to write: 32,128", show_default=False)
    ] = None,
    sequences: Annotated[
        str | None, typer.Option("-b", help="sequences that are written at once: 1,8", show_default=False)
    ] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="a table as CSV, with -p, -n, -b or --shape")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="the same as Markdown")] = False,
) -> None:
    """Tokens a second in both arithmetics, medians of interleaved rounds, and the time of each kernel.

    With -p, -n, -b or --shape a table: means and deviations over --rounds, and their share of what the adapter does at
    most, a copy's bytes and the multiply-accumulates of words or packed bytes.

    Example: python -m inference bench --peers

    Example: python -m inference bench -p 128,512 -n 32,128 -b 1,8 --shape llama-3.2-1b --markdown

    Example: python -m inference bench --model terrain --peers

    measures pictures: seconds, also of processors, with all leaves hashed too, and their share of ONNX Runtime's speed.

    Example: python -m inference bench --devices devices.json

    which `python -m auction generate marketplace --tasks 50 --providers 20 --out market.json --option
    devices=devices.json --option round_seconds=3600` turns into providers.
    """
    from inference.device.device import Device
    from inference.device.runtime import Runtime
    from inference.measure import bench as measured
    from inference.measure.provider import provider
    from inference.planning import language

    if rounds < 1:
        raise InputError(f"--rounds {rounds} is not allowed; at least 1")
    if as_json + as_csv + as_markdown > 1:
        raise InputError("give one of --json, --csv and --markdown")
    if model_name == "terrain":
        if (devices, memory, shape, prompts, answers, sequences) != (None,) * 6 or as_csv or as_markdown:
            raise InputError("pictures are measured with --peers, --rounds and --json alone")
        _pictures(Device(backend, adapter), rounds, peers, as_json)
        return
    if (shape, prompts, answers, sequences) != (None, None, None, None):
        if peers or devices is not None or memory is not None:
            raise InputError("--peers, --devices and --memory are measured without -p, -n, -b and --shape")
        sizes = [_numbers("-p", prompts, "128"), _numbers("-n", answers, "32"), _numbers("-b", sequences, "1")]
        of = None if shape is None else language.shape(shape)
        _table(model_name, of, sizes, rounds, Device(backend, adapter), as_json, as_csv)
        return
    if as_csv or as_markdown:
        raise InputError("--csv and --markdown need -p, -n, -b or --shape")
    if memory is not None and not 0 < memory < 2**20:
        raise InputError(f"--memory {memory:g} is not allowed; GiB, above 0")
    if devices is not None:
        check_writable(devices)
    with working(f"loading {model_name}"):
        llama, device = models.find(model_name), Device(backend, adapter)
        runtimes = {name: Runtime(model(model_name, llama, name), device) for name in measured.ARITHMETICS}
    sides = {name: measured.ours(runtime) for name, runtime in runtimes.items()}
    beside: dict[str, measured.Measure] = {}
    absent: list[str] = []
    if peers:
        from inference.measure.peers import compared, llama_cpp, numpy_reference, present

        beside, absent = present(
            {
                "llama.cpp": lambda: llama_cpp(models.path_of(model_name)),
                "numpy": lambda: numpy_reference(runtimes["exact"].model),
            }
        )
    result: dict[str, Any] = {"adapter": device.name, "backend": backend}
    with working(f"measuring {', '.join(sides | beside)}: {rounds} round{'s' * (rounds != 1)}"):
        result["rates"] = measured.rates(sides | beside, rounds)
    with working("measuring kernels"):
        result["kernels"] = {tokens: measured.kernels(runtimes["exact"], tokens) for tokens in (1, measured.PROMPT)}
    if peers:
        with working("measuring products of matrices"):
            result["products"], more = compared(device, rounds)
        result["absent"] = absent + more
        for line in result["absent"]:
            print(line, file=sys.stderr)
    if devices is not None:
        entry = provider(device, Path(model_name).name, llama, result["rates"][0], memory)
        write(devices, json.dumps({"devices": [entry]}, indent=2) + "\n")
    if as_json:
        print(json.dumps(result))
    else:
        _show(result, f"prompt of {measured.PROMPT}, one sequence, {measured.BATCH} sequences")


def _pictures(device: Any, rounds: int, peers: bool, as_json: bool) -> None:
    """Measure and print pictures of the terrain model."""
    from inference.measure.pictures import pictures

    with working(f"measuring pictures: {rounds} {'round' if rounds == 1 else 'rounds'}"):
        rows, absent = pictures(device, rounds, peers)
    for line in dict.fromkeys(absent):
        print(line, file=sys.stderr)
    if as_json:
        print(json.dumps({"adapter": device.name, "backend": device.backend, "pictures": rows, "absent": absent}))
        return
    print(f"{device.name} ({device.backend}), a picture of terrain; shares are of ONNX Runtime's speed")
    print(f"{'':<26}{'seconds':>10}{'share':>8}{'processor s':>14}{'share':>8}")
    for row in rows:
        shares = ["-" if row[key] is None else f"{row[key]:.1%}" for key in ("share", "processor_share")]
        values = f"{row['seconds']:>10.3f}{shares[0]:>8}{row['processor_seconds']:>14.3f}{shares[1]:>8}"
        print(f"{row['side']:<26}{values}")


def _numbers(option: str, given: str | None, otherwise: str) -> list[int]:
    """Whole numbers with commas between."""
    try:
        found = [int(each) for each in (otherwise if given is None else given).split(",")]
    except ValueError:
        found = []
    if not found or not all(1 <= each <= POSITIONS for each in found):
        raise InputError(f"{option} {given!r} is not allowed; numbers from 1 to {POSITIONS} with commas between: 1,8")
    return found


def _table(
    model_name: str, shape: Shape | None, sizes: list[list[int]], rounds: int, device: Any, as_json: bool, as_csv: bool
) -> None:
    """Measure and print the table of a model or of a shape."""
    from inference.device.runtime import Runtime
    from inference.measure import bench as measured
    from inference.measure import table
    from inference.measure.random_model import RandomRuntime, random_model
    from inference.measure.roofline import roofline

    prompts, answers, sequences = sizes
    with working(f"measuring what {device.name} does at most"):
        limits = roofline(device)
    rows = []
    for arithmetic in measured.ARITHMETICS:
        runtime: Runtime
        with working(
            f"measuring {shape.name if shape else model_name} in {arithmetic}: {rounds} round{'s' * (rounds != 1)}"
        ):
            if shape is not None:
                runtime = RandomRuntime(random_model(shape, arithmetic, max(prompts + answers)), device)
            else:
                runtime = Runtime(model(model_name, models.find(model_name), arithmetic), device)
            rows += table.rows(runtime, prompts, answers, sequences, rounds, limits)
    about = {"adapter": device.name, "backend": device.backend, "driver": device.adapter.info["description"]}
    about |= {"version": __version__, "date": datetime.now(UTC).date().isoformat()}
    about |= {"bandwidth_bytes_per_second": round(limits.bandwidth), "rate_macs_per_second": round(limits.rate)}
    if as_json:
        print(json.dumps(about | {"rows": rows}))
    else:
        print((table.as_csv if as_csv else table.as_markdown)(about, rows), end="")


def _show(result: dict[str, Any], columns: str) -> None:
    print(f"{result['adapter']} ({result['backend']}), tokens a second: {columns}")
    for rate in result["rates"]:
        shown = ("-" if rate[key] is None else f"{rate[key]:.1f}" for key in ("prefill", "decode", "batch"))
        print(f"{rate['side']:<10}" + "".join(f"{value:>10}" for value in shown))
    for rows in dict.fromkeys(row["rows"] for row in result.get("products", ())):
        print(f"products of {rows} x 576 x 1536 and {rows} x 1536 x 576, from the host to the host")
        for row in result["products"]:
            if row["rows"] == rows:
                rate = f"{row['gmac_per_second']:>9.2f} GMAC/s on {row['processors']:.1f} processors"
                print(f"  {row['side']:<26}{row['milliseconds']:>10.2f} ms{rate}")
    for tokens, rows in result["kernels"].items():
        print(f"kernels of the exact arithmetic, {tokens} tokens")
        for row in rows:
            rate = f"{row['gmac_per_second']:>9.2f} GMAC/s"
            print(f"  {row['op']:<22}{row['dispatches']:>4}{row['milliseconds']:>10.2f} ms{rate}")
