"""What a GPU's compiler makes of the kernels, without a GPU: registers, spills, scratch, occupancy.

Mesa's RADV compiles for an AMD card that is not there (its null hardware, ``RADV_FORCE_FAMILY``); the SPIR-V is what
wgpu writes for lavapipe, of the same package. Both drivers read the environment as they are loaded, so that all this
runs in a process of its own: ``python -m inference.measure.shader_statistics navi31``.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from inference import ops
from inference.errors import InputError
from inference.graph import Arithmetic
from inference.kernels import kernel, variants

FAMILIES = ("navi31", "navi21", "vega10")
DRIVERS = Path("/usr/share/vulkan/icd.d")
ENTRY = re.compile(r"@compute[^\n]*\s+fn (\w+)")


@dataclass(frozen=True, slots=True)
class Compiled:
    """An entry point of a kernel, compiled."""

    arithmetic: Arithmetic
    op: str
    variant: str
    entry: str
    lanes: int
    """Invocations a workgroup."""
    registers: int
    """Vector registers of an invocation, of 256."""
    spilled: int
    """Vector registers that went to memory."""
    scratch: int
    """Bytes of memory that a subgroup needs for what has no register, arrays among it."""
    shared: int
    """Bytes of workgroup memory."""
    waves: int
    """Subgroups that a SIMD unit holds at once, as far as registers and workgroup memory allow."""
    instructions: int
    """Bytes of code."""


def compiled(family: str) -> list[Compiled]:
    """Every entry point of every kernel, compiled for a family of cards, in a process of its own.

    Raises:
        InputError: a family that is not known here, a driver or the package vulkan is missing.
    """
    if family not in FAMILIES:
        raise InputError(f"unknown family {family!r}; there are {', '.join(FAMILIES)}")
    drivers = [next(DRIVERS.glob(f"{driver}_icd*.json"), None) for driver in ("lvp", "radeon")]
    if None in drivers:
        raise InputError(f"Mesa's drivers lvp and radeon are not in {DRIVERS}; make adapter installs them")
    with TemporaryDirectory() as folder:
        environment = {
            "VK_DRIVER_FILES": os.pathsep.join(map(str, drivers)),
            "MESA_SPIRV_DUMP_PATH": folder,
            "MESA_SHADER_CACHE_DISABLE": "true",
            "RADV_FORCE_FAMILY": family,
        }
        command = [sys.executable, "-m", "inference.measure.shader_statistics", folder]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise InputError(f"kernels cannot be compiled for {family}: {' '.join(said)}")
    return [Compiled(**row) for row in json.loads(done.stdout)]


def entries() -> Iterator[tuple[Arithmetic, str, str, str]]:
    """Arithmetic, op, variant and entry point of all kernels."""
    arithmetic: Arithmetic
    for arithmetic in ("exact", "float32"):
        for op in ops.names():
            for variant in ("", *variants(arithmetic, op)) if hasattr(ops.load(op), arithmetic) else ():
                for entry in ENTRY.findall(kernel(arithmetic, op, variant).code):
                    yield arithmetic, op, variant, entry


def _all(folder: Path) -> list[Compiled]:
    from inference.device.device import Device
    from inference.measure.radv import Radv

    device, radv, found = Device("wgpu", "llvmpipe", lanes=64), Radv(), []
    for arithmetic, op, variant, entry in entries():
        before = set(folder.iterdir())
        device.pipeline(arithmetic, op, variant, entry, device.lanes)
        [spirv] = [path for path in set(folder.iterdir()) - before if path.suffix == ".spirv"]
        found.append(Compiled(arithmetic, op, variant, entry, device.lanes, **radv.statistics(spirv.read_bytes())))
    return found


if __name__ == "__main__":
    result: list[dict[str, Any]] = [asdict(row) for row in _all(Path(sys.argv[1]))]
    print(json.dumps(result))
