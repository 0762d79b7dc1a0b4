"""Verification (section 5): commitments, challenges, bisection, a referee, stakes and slashing."""

from verification import _interrupt  # noqa: F401 - before anything that takes time
