"""Why a dispute ended as it did, in words."""

from typing import Any

REASONS = {
    "step-wrong": "the step, computed again from words that both agree on, is not what the asserter committed to",
    "step-right": "the step, computed again from words that both agree on, is what the asserter committed to",
    "null-wrong": "whether the run had ended before this node is not what the asserter committed to",
    "null-right": "whether the run had ended before this node is what the asserter committed to",
    "silent": "the {loser} did not answer before its time was spent",
    "void": "the referee's own code failed over the last message",
}


def why(summary: dict[str, Any]) -> str:
    """The reason of a verdict, of which this is the summary.

    What is not among ``REASONS`` is why a message was refused whose sender then had nothing better.
    """
    refused = "the {loser}'s last message was refused ({reason}), and no better one came before its time was spent"
    return REASONS.get(summary["reason"], refused).format(**summary)


def where(summary: dict[str, Any]) -> str:
    """Where a dispute ended."""
    node = summary["disputed_node"] or "no node"
    return node if summary["disputed_tile"] is None else f"{node}, tile {summary['disputed_tile']}"


def outcome(summary: dict[str, Any]) -> str:
    """Who won, and where."""
    winner, reason = summary["winner"], summary["reason"]
    return f"the {winner} wins ({reason}) over {where(summary)}" if winner else "nobody wins: it is void"
