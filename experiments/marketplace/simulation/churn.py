"""When devices are away: each by itself, as people's are, or all of them at once, as a data centre's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """Seconds."""

    uptime: float = 7_200.0
    """That a device is there, on the average."""
    away: float = 180.0
    """That it is away then, on the average."""
    longest: float = 600.0
    """That it is away, at most."""
    outage: tuple[float, float] | None = None
    """When all are gone at once, and for how long; none leaves by itself then."""
