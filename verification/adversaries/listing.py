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


def rows() -> list[dict[str, Any]]:
    """Of each its name, kind, the reason that it loses for, and what it does."""
    found = [
        ("corrupt the trace", name, "step-wrong", first_line(function))
        for name, function in corrupt_trace.ADVERSARIES.items()
    ]
    found += [("corrupt the trace", name, "step-wrong", what) for name, what in corrupt_trace.SUBSTITUTES.items()]
    for name, (wrap, reason) in break_dispute.ADVERSARIES.items():
        stage = name.removeprefix("silent-at-")
        what = first_line(wrap) if stage == name else f"Silent when its turn comes at stage {stage}"
        if name not in NEVER:
            found.append(("break the protocol", name, reason, what))
    return [{"name": name, "kind": kind, "loses": loses, "what": what} for kind, name, loses, what in found]


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
