"""The adversaries that ``dispute`` plays, by name."""

from collections.abc import Callable
from typing import Any

import numpy as np

from verification.adversaries import break_dispute, corrupt_trace
from verification.trace import Trace

NEVER = ("silent-at-guard",)
"""What does not come up over the traces that are made here."""


def names() -> list[str]:
    """All of them."""
    known = corrupt_trace.ADVERSARIES, corrupt_trace.SUBSTITUTES, break_dispute.ADVERSARIES
    return [name for group in known for name in group if name not in NEVER]


def first_line(function: Callable[..., Any]) -> str:
    """What it does."""
    return (function.__doc__ or "").partition("\n")[0].rstrip(".")


def cheat(trace: Trace, adversary: str) -> Trace:
    """The trace that an adversary commits to; it may change its own honest one.

    One that breaks the protocol does so over a wrong leaf, of a node of several leaves of several steps, so that all
    stages come.
    """
    if adversary in corrupt_trace.ADVERSARIES:
        return corrupt_trace.ADVERSARIES[adversary](trace, np.random.default_rng(0))
    steps = trace.computation.steps
    several = (node for node, tree in enumerate(trace.trees) if tree and len(tree) > 1 and len(steps(node, 0)) > 1)
    corrupt_trace.flip(trace, next(several, 0), 0)
    return trace
