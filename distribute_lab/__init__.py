"""What the four packages share as one distribution: its version, and how their commands start."""

__version__ = "0.1.0"
