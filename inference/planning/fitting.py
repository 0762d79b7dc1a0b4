"""Whether a model can run here, told by its shapes before a weight is read."""

import os
from pathlib import Path

from inference.device import adapters
from inference.errors import InputError
from inference.models import configurations
from inference.planning.language import passes, shape
from inference.planning.limits import Limits
from inference.planning.stage import Stage, together

POSITIONS = 128
"""Of the cache that is planned: a longer one needs more."""


def check(name: str, backend: str, adapter: str | None) -> None:
    """Refuse a model, by name or path, that no run on an adapter could hold.

    Raises:
        InputError: a buffer beyond the adapter's limit, or more bytes than the machine has where it computes itself.
    """
    if name not in configurations.names() and not _is_model(Path(name)):
        return  # made here, saved by us, or refused by its reader
    of = shape(name)
    [token] = passes(of, min(POSITIONS, of.measures["context"]), {"token": 1})
    if backend == "numpy":
        check_memory(token, of.name)
        return
    chosen = adapters.choose(backend, adapter)
    check_buffers(token, of.name, Limits.of(chosen.info["device"], chosen.limits))
    if chosen.info["adapter_type"] == "CPU":
        check_memory(token, of.name)


def _is_model(path: Path) -> bool:
    return (path.is_file() and path.suffix == ".gguf") or (path / "config.json").is_file()


def check_buffers(of: Stage, model: str, limits: Limits) -> None:
    """Refuse a buffer that an adapter cannot bind: the largest one.

    Raises:
        InputError: see above.
    """
    for name, size in of.beyond(limits).items():
        raise InputError(f"{model} does not fit: {name} needs {size} bytes; {limits.name} binds {limits.largest}")


def check_memory(of: Stage, model: str) -> None:
    """Refuse more than this machine has.

    Raises:
        InputError: see above.
    """
    needed, memory = together([of])["total"], os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise InputError(f"{model} does not fit: it needs {needed} bytes of memory; this machine has {memory}")
