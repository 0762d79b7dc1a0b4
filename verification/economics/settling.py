"""What the two ways to settle a dispute cost (section 5): the whole run recomputed, or the one step at which two part.

Both need a party that has computed the run itself, else there is nothing to compare. Then the whitepaper's linear way
needs one who is trusted and runs it once more; bisection has the referee compute a step, the asserter what it has not
kept, once more at most, and both parties answer so many messages. So bisection does not save work: it moves it to who
is wrong or has been challenged, and leaves to the one who is trusted what anybody can repeat.
"""

from dataclasses import dataclass

from verification.computation import WORK


@dataclass(frozen=True, slots=True)
class Cost:
    """Besides the run of who makes the claim."""

    referee: int
    """Multiply-accumulates of who is trusted."""
    asserter: int
    """Of who gave the result, at most."""
    messages: int


def linear(macs: int) -> Cost:
    """The whole run, by who is trusted; nobody answers anything."""
    return Cost(macs, 0, 0)


def bisection(macs: int, nodes: int, leaves: int, steps: int, levels: int, work: int = WORK) -> Cost:
    """A dispute over a run of so many nodes, its node of so many leaves, each of so many steps, at most.

    A descent over n takes ceil(ceil(log2 n) / levels) rounds of two messages; between them come two of ``node``, two of
    ``steps`` where there are several, and one ``open``.
    """
    rounds = sum(-(-(count - 1).bit_length() // levels) for count in (nodes, leaves, steps))
    return Cost(min(work, macs), macs, 2 * rounds + 2 + (2 if steps > 1 else 0) + 1)
