"""WebGPU's implementations and their adapters. The only file that imports wgpu.

``wgpu`` (wgpu-native, Naga) and ``wgpudawn`` (Dawn, Tint) are two implementations under one Python interface.
"""

import importlib
import os
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from inference.errors import InputError
from inference.silence import silenced

MODULES = {"wgpu": "wgpu", "dawn": "wgpudawn"}
FOREIGN = {"wgpu": "wgpu.backends.wgpu_native._ffi", "dawn": "wgpudawn.backends.dawn._ffi"}
"""Where each declares what it takes from its library."""
INSTALL = "on Debian and Ubuntu mesa-vulkan-drivers (25 or later) is one without a GPU: make adapter"
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
"""Chromium's Vulkan driver without a GPU, as Debian installs it: a second driver to compare with."""

if SWIFTSHADER.exists() and not {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"} & os.environ.keys():
    os.environ.setdefault("VK_ADD_DRIVER_FILES", str(SWIFTSHADER))  # read when an implementation is first asked


def implementation(backend: str) -> ModuleType:
    """wgpu or wgpudawn.

    Raises:
        InputError: an unknown backend, or one that is not installed.
    """
    if backend not in MODULES:
        raise InputError(f"unknown backend {backend!r}; there are {', '.join(MODULES)} and numpy")
    try:
        found = importlib.import_module(MODULES[backend])
    except (ImportError, OSError) as error:
        raise InputError(f"backend {backend} needs the package {MODULES[backend]}: {error}") from None
    _parse_pointers(FOREIGN[backend])
    return found


@cache
def _parse_pointers(foreign: str) -> None:
    """Let cffi parse all of WebGPU's pointers at once: for each that is asked for by name it reads 400 declarations.

    A program asks for some thirty, 15 ms each. Where cffi keeps what it parsed under another name nothing is gained.
    """
    ffi = importlib.import_module(foreign).ffi
    names = [f"{name} *" for name in ffi.list_types()[0] if name.startswith("WGPU")]
    pointers = ffi.typeof(f"void(*)({', '.join(names)})").args
    getattr(ffi, "_parsed_types", {}).update({name: (of, False) for name, of in zip(names, pointers, strict=True)})


def adapters(backend: str = "wgpu") -> list[Any]:
    """The adapters compute runs on, GPUs first and the slow SwiftShader last; OpenGL's are left out."""
    gpu = implementation(backend).gpu
    with silenced():  # drivers and Dawn warn of what they are
        every = gpu.enumerate_adapters_sync()
    found = [adapter for adapter in every if adapter.info["backend_type"] != "OpenGL"]
    return sorted(
        found, key=lambda adapter: (adapter.info["adapter_type"] == "CPU", is_swiftshader(adapter.info["device"]))
    )


def is_swiftshader(name: str) -> bool:
    """Whether an adapter is Chromium's, too slow to measure."""
    return "SwiftShader" in name


def stacks() -> list[tuple[str, str]]:
    """(backend, adapter) of every adapter that an installed implementation finds."""
    found = []
    for backend in MODULES:
        try:
            found += [(backend, adapter.info["device"]) for adapter in adapters(backend)]
        except InputError:
            continue
    return found


def describe(adapter: Any, backend: str) -> dict[str, Any]:
    """An adapter for people and machines."""
    info = adapter.info
    return {
        "name": info["device"],
        "backend": backend,
        "api": info["backend_type"],
        "type": info["adapter_type"],
        "driver": info["description"],
        "limits": dict(adapter.limits),
        "features": sorted(adapter.features),
    }


def choose(backend: str = "wgpu", name: str | None = None) -> Any:
    """The first adapter, or the first whose name or driver contains ``name``, whatever the case.

    Raises:
        InputError: no adapter, or none of that name.
    """
    found = adapters(backend)
    if not found:
        raise InputError(f"{backend} finds no adapter; {INSTALL}; --backend numpy runs the reference")
    if name is None:
        return found[0]
    for adapter in found:
        if any(name.lower() in str(adapter.info[key]).lower() for key in ("device", "description")):
            return adapter
    raise InputError(f"unknown adapter {name!r}; {backend} finds {', '.join(a.info['device'] for a in found)}")
