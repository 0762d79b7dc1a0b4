"""Every claim of the whitepaper run, checked and reported."""

from auction import _interrupt  # noqa: F401 - before anything that takes time
