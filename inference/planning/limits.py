"""What a browser or an adapter lets a buffer hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one device."""

    name: str
    binding: int
    """Bytes of a buffer that a dispatch may see at once."""
    buffer: int
    """Bytes of a buffer."""
    workgroups: int
    """Of one dimension of a dispatch."""

    @property
    def largest(self) -> int:
        """Bytes of a buffer that is bound whole."""
        return min(self.binding, self.buffer)

    @classmethod
    def of(cls, name: str, limits: Mapping[str, Any]) -> "Limits":
        """An adapter's, by its own names."""
        sizes = limits["max-storage-buffer-binding-size"], limits["max-buffer-size"]
        return cls(name, *sizes, limits["max-compute-workgroups-per-dimension"])


DEFAULTS = Limits("WebGPU's defaults", 1 << 27, 1 << 28, 65535)
"""What every browser promises."""
DESKTOP = Limits("desktop browsers", (1 << 31) - 4, (1 << 32) - 4, 65535)
"""What Chromium allows on desktop cards when a page asks for all that the adapter has."""
