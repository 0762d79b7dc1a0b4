"""Commands about kernels: what a GPU's compiler makes of them."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from inference.commands.arguments import Json
from inference.commands.progress import working


def compile_kernels(
    family: Annotated[str, typer.Option(help="navi31, navi21 or vega10: AMD's RDNA 3, RDNA 2, GCN 5")] = "navi31",
    as_json: Json = False,
) -> None:
    """Compile every kernel for a GPU that need not be there: registers, spills, scratch memory, occupancy.

    Mesa's driver for AMD cards compiles for its null hardware; its package is that of the adapter without a GPU.

    Example: python -m inference compile --family navi21
    """
    from inference.measure.shader_statistics import compiled

    with working(f"compiling every kernel for {family}"):
        rows = compiled(family)
    if as_json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    columns = {
        "registers": "registers",
        "spilled": "spilled",
        "scratch": "scratch, bytes",
        "shared": "shared, bytes",
        "waves": "subgroups",
        "instructions": "code, bytes",
    }
    print(f"| kernel ({family}) | entry | lanes | {' | '.join(columns.values())} |")
    print("| --- | --- |" + " ---: |" * (1 + len(columns)))
    for row in rows:
        kernel = f"{row.arithmetic}/{row.op}" + (f"__{row.variant}" if row.variant else "")
        values = (f"{getattr(row, column):,}" for column in columns)
        print(f"| {kernel} | {row.entry} | {row.lanes} | {' | '.join(values)} |")
