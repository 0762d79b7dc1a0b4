"""The command that chooses kernels by measuring them."""

import json
from typing import Annotated, Literal

import typer

from distribute_lab import __version__
from inference.commands.arguments import AdapterName, Json
from inference.commands.progress import working
from inference.errors import InputError


def tune(
    adapter: AdapterName = None,
    backend: Annotated[Literal["wgpu", "dawn"], typer.Option(help="the implementation")] = "wgpu",
    seconds: Annotated[float, typer.Option(help="of measuring, besides compiling")] = 1.0,
    as_json: Json = False,
) -> None:
    """Measure which of the kernels that give the same bits is the fastest here, and keep that for this adapter.

    What is kept lies below XDG_CACHE_HOME, one file an adapter; every later command reads it.

    Example: python -m inference tune
    """
    from inference.device.device import Device
    from inference.measure import tune as measured

    if not 0 < seconds <= 600:
        raise InputError(f"--seconds {seconds:g} is not allowed; above 0, 600 at most")
    device = Device(backend, adapter)
    with working(f"compiling and measuring kernels on {device.name}"):
        found = measured.tune(device, seconds)
        file = measured.keep(device, found, __version__)
    if as_json:
        cases = [{"case": each.case, "chosen": each.fastest, "seconds": each.seconds} for each in found]
        print(json.dumps({"adapter": device.name, "backend": backend, "file": file, "cases": cases}))
        return
    for each in found:
        beside = ", ".join(
            f"{variant or 'rows'} {1e6 * taken:,.0f} µs"
            for variant, taken in sorted(each.seconds.items(), key=lambda item: item[1])
        )
        print(f"{each.case}: {beside}")
    print(f"kept in {file}")
