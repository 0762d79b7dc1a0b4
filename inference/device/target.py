"""What a program is made for: that of a device which decides between kernels of one op."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DOT4 = "packed_4x8_integer_dot_product"
"""WGSL's feature of dot4I8Packed and dot4U8Packed."""
INVOCATIONS = "max-compute-invocations-per-workgroup"
DEFAULTS = {INVOCATIONS: 256}
"""Limits that every device has unless it is asked for more."""


@dataclass(frozen=True, slots=True)
class Target:
    """A device, as an op's ``variants`` are asked about it."""

    lanes: int
    """Invocations a workgroup."""
    subgroups: bool = False
    """Whether its subgroups have 8 lanes or more."""
    features: frozenset[str] = frozenset()
    """Of WGSL, by their names."""
    limits: Mapping[str, int] = field(default_factory=lambda: DEFAULTS)

    @property
    def rasteriser(self) -> bool:
        """Whether kernels run on a processor: few invocations together, each with much memory of its own."""
        return self.lanes < 32
