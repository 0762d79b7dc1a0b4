"""The record of a dispute: from it anyone derives the verdict again (section 5).

A transcript is JSON: the task, the opened commitment and its seal, the challenger's key, the rules, and the events in
order: messages with the time the referee took them, those it refused with the reason, and the times it looked at the
clock. The times are the referee's word; all else follows from the messages.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from verification.computation import Computation
from verification.errors import InputError, Refusal
from verification.first.bisection import Dispute, DisputeRules, Verdict
from verification.first.commitment import Commitment, Header, check
from verification.first.messages import MOST_DIGESTS
from verification.trace import tiles

LATEST = 2**62
"""Beyond all times and delays."""
KEYS = {"task", "seal", "commitment", "challenger", "rules", "events", "verdict"}


def transcript(
    task: Mapping[str, Any], commitment: Commitment, dispute: Dispute, events: list[dict[str, Any]]
) -> dict[str, Any]:
    """What is published of a dispute; ``task`` is whatever says which computation it is about."""
    return {
        "task": dict(task),
        "seal": commitment.seal,
        "commitment": asdict(commitment),
        "challenger": dispute.keys["challenger"],
        "rules": asdict(dispute.rules),
        "events": events,
        "verdict": summary(dispute),
    }


def summary(dispute: Dispute) -> dict[str, Any]:
    """A decided dispute in numbers."""
    verdict, computation = dispute.verdict, dispute.computation
    assert verdict is not None
    return {
        "winner": verdict.winner,
        "loser": verdict.loser,
        "disputed_node": None if verdict.node is None else computation.nodes[verdict.node].name,
        "disputed_tile": _tile(computation, verdict),
        "rounds_node": dispute.rounds["nodes"],
        "rounds_tile": dispute.rounds["leaves"] + dispute.rounds["tiles"],
        "messages": dispute.index,
        "bytes": dispute.bytes,
        "referee_macs": verdict.macs,
        "inference_macs": computation.macs,
        "reason": verdict.reason,
    }


def forfeited(computation: Computation, reason: str) -> dict[str, Any]:
    """The same for an asserter that loses before there is a dispute."""
    numbers = dict.fromkeys(("rounds_node", "rounds_tile", "messages", "bytes", "referee_macs"), 0)
    return {
        "winner": "challenger",
        "loser": "asserter",
        "disputed_node": None,
        "disputed_tile": None,
        **numbers,
        "inference_macs": computation.macs,
        "reason": reason,
    }


def _tile(computation: Computation, verdict: Verdict) -> int | None:
    """The tile's number among all of its node: leaf by leaf, step by step."""
    if verdict.node is None or verdict.leaf is None or verdict.step is None:
        return None
    return sum(len(computation.steps(verdict.node, leaf)) for leaf in range(verdict.leaf)) + verdict.step


def read_commitment(content: Any) -> Commitment:
    """A commitment from JSON.

    Raises:
        InputError: it is none.
    """
    try:
        header = dict(content["header"])
        header["tokens"] = tuple(header["tokens"])
        commitment = Commitment(Header(**header), content["nonce"], content["signature"])
        whole = type(header["nodes"]) is int and all(type(token) is int for token in header["tokens"])
        if not whole or not isinstance(header["terms"], dict) or len(bytes.fromhex(header["root"])) != 32:
            raise ValueError
        [bytes.fromhex(text) for text in (commitment.nonce, commitment.signature, header["provider"])]
        named = (header[name] for name in ("task", "model", "graph", "input"))
        [str.encode(text) for text in (*named, *header["terms"].values())]
    except (KeyError, TypeError, ValueError):
        raise InputError("the commitment is not a header with its nonce and signature") from None
    return commitment


def _read_rules(content: Any) -> DisputeRules:
    try:
        rules = DisputeRules(**content)
        levels = (rules.node_levels, rules.tile_levels)
        if any(type(number) is not int for number in (rules.delay, *levels)):
            raise TypeError
    except TypeError:
        raise InputError("the transcript's rules are not delay, node_levels and tile_levels") from None
    if not 0 <= rules.delay < LATEST or not all(1 <= number < MOST_DIGESTS.bit_length() for number in levels):
        raise InputError(f"the transcript's rules are not allowed: levels 1 to {MOST_DIGESTS.bit_length() - 1}")
    return rules


def _read_events(content: Any) -> list[dict[str, Any]]:
    kinds = {"at": int, "message": str, "refused": str}
    for event in content if isinstance(content, list) else [None]:
        if not isinstance(event, dict) or "at" not in event or event.keys() - kinds.keys():
            raise InputError("the transcript's events are not messages and times")
        if any(type(value) is not kinds[name] for name, value in event.items()) or not 0 <= event["at"] < LATEST:
            raise InputError("the transcript's events are not messages and times")
        if any(ord(character) > 255 for character in event.get("message", "")):
            raise InputError("a message of the transcript is not of bytes")
    return list(content)


def replay(content: Any, computation: Computation) -> str:
    """Derive the verdict from the messages; "" where it is the transcript's, otherwise what does not follow.

    Raises:
        InputError: it is no transcript.
    """
    commitment, rules = read_commitment(content["commitment"]), _read_rules(content["rules"])
    events, told = _read_events(content["events"]), content["verdict"]
    if not isinstance(told, dict) or not isinstance(content["challenger"], str):
        raise InputError("the transcript's verdict is an object, its challenger a public key in hex")
    try:
        check(commitment, content["seal"], commitment.header.task, computation)
    except Refusal as refusal:
        return f"the commitment does not hold: {refusal}"
    dispute, now = Dispute(computation, commitment.header, content["challenger"], rules), 0
    for number, event in enumerate(events):
        if event["at"] < now:
            return f"event {number} is earlier than the one before it"
        now = event["at"]
        reason = ""
        if "message" not in event:
            dispute.tick(now)
            continue
        try:
            dispute.receive(event["message"].encode("latin-1"), now)
        except Refusal as refusal:
            reason = refusal.reason
        if reason != event.get("refused", ""):
            return f"message {number} is {reason or 'taken'}, not {event.get('refused') or 'taken':.80}"
    if dispute.verdict is None:
        return "the messages lead to no verdict"
    derived = summary(dispute)
    different = [name for name in derived if derived[name] != told.get(name)]
    return f"{different[0]} is {derived[different[0]]}, not {told.get(different[0])!s:.80}" if different else ""


def bounds(computation: Computation, node: int) -> tuple[int, int]:
    """ceil(log2 N) and ceil(log2 tiles): the most rounds over nodes and over tiles."""
    return (len(computation.nodes) - 1).bit_length(), (tiles(computation, node) - 1).bit_length()
