"""The transcript of a dispute: from it a stranger who knows the referee's key derives the verdict again (section 5).

It holds whatever names the computation and the rules, the market, the referee's ``begin``, the two requests by which
the parties claimed their roots, and the records with the messages they are about. That it names its referee proves
nothing: who replays says whose records count, and what the rules are.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol

from verification.computation import Computation
from verification.dispute.clocks import budgets
from verification.dispute.dispute import Dispute
from verification.dispute.record import Entry, recorded
from verification.dispute.state import Verdict
from verification.encoding.canonical import LARGEST_NUMBER, canonical, digest, parsed
from verification.encoding.request import Request, opened
from verification.encoding.schema import key_text, number, read
from verification.errors import Refusal
from verification.trace import leaves

KEYS = {"task", "genesis", "market", "referee", "begin", "result", "claim", "entries"}
TICK = number(0, LARGEST_NUMBER)


class Rules(Protocol):
    """What a market's rules say of disputes."""

    @property
    def delta(self) -> int: ...

    @property
    def levels(self) -> int: ...

    @property
    def message_limit(self) -> int: ...


def transcript(
    task: Mapping[str, Any], genesis: Any, dispute: Dispute, result: Request, claim: Request, entries: Sequence[Entry]
) -> dict[str, Any]:
    """What is published of a dispute.

    Args:
        task: whatever says which computation it is about.
        genesis: whatever says which rules the market has.
    """
    begin = dispute.begin
    return {
        "task": dict(task),
        "genesis": genesis,
        "market": begin.market,
        "referee": begin.party,
        "begin": _shown(begin.raw),
        "result": _shown(result.raw),
        "claim": _shown(claim.raw),
        "entries": [
            {"message": None if entry.message is None else _shown(entry.message), "record": _shown(entry.record.raw)}
            for entry in entries
        ],
    }


def _shown(raw: bytes) -> Any:
    """An envelope as it is, other bytes in base64."""
    try:
        content = parsed(raw)
    except Refusal:
        content = None
    return content if isinstance(content, dict) else b64encode(raw).decode()


def _bytes(shown: Any) -> bytes:
    """The bytes of what was shown."""
    if isinstance(shown, str):
        try:
            return b64decode(shown, validate=True)
        except ValueError:
            raise Refusal("malformed", "bytes are base64") from None
    return canonical(shown)


def derived(content: Any, computation: Computation, referee: str, rules: Rules) -> Dispute:
    """The decided dispute that a transcript leads to.

    Args:
        referee: the key that ``begin`` and the records must be signed by.
        rules: of the market.

    Raises:
        Refusal: what does not follow.
    """
    if not isinstance(content, dict) or content.keys() != KEYS:
        raise Refusal("malformed", f"a transcript has the keys {', '.join(sorted(KEYS))}")
    if content["referee"] != referee:
        raise Refusal("other-referee", "the transcript names another referee")
    market, told = content["market"], content["entries"]
    begin = _opened(content, "begin", market)
    if (begin.kind, begin.party) != ("begin", referee):
        raise Refusal("other-referee", "the dispute was not begun by this referee")
    dispute = Dispute(computation, begin)
    _check_terms(dispute, rules)
    _check_claims(dispute, _opened(content, "result", market), _opened(content, "claim", market))
    records: list[Request] = []
    for at, entry in enumerate(told if isinstance(told, list) else [None], start=1):
        try:
            records.append(followed(dispute, entry, records, referee))
        except Refusal as refusal:
            raise Refusal("does-not-follow", f"record {at}: {refusal}") from None
    if dispute.verdict is None:
        raise Refusal("undecided", "the messages lead to no verdict")
    return dispute


def replay(content: Any, computation: Computation, referee: str, rules: Rules) -> str:
    """Derive a transcript's verdict again; "" where it follows, otherwise what does not."""
    try:
        derived(content, computation, referee, rules)
    except Refusal as refusal:
        return str(refusal)
    return ""


def _opened(content: Mapping[str, Any], name: str, market: str) -> Request:
    try:
        return opened(_bytes(content[name]), market)
    except Refusal as refusal:
        raise Refusal(refusal.reason, f"{name}: {refusal}") from None


def _check_terms(dispute: Dispute, rules: Rules) -> None:
    """The rules must be the market's, the budgets those of some work limit."""
    begun = dispute.content
    expected = {name: getattr(rules, name) for name in begun["rules"]}
    if begun["rules"] != expected:
        raise Refusal("other-rules", f"the dispute was begun by the rules {begun['rules']}, not {expected}")
    given = begun["budgets"]
    if given["challenger"] <= 4 * rules.delta or given != budgets(rules.delta, given["challenger"] - 4 * rules.delta):
        raise Refusal("other-rules", f"no work limit gives the budgets {given}")


def _check_claims(dispute: Dispute, result: Request, claim: Request) -> None:
    """Both parties must have claimed the roots that the dispute is about: the asserter by its result's header, the
    challenger by a claim against it, or, as a verifier, by a result of its own."""
    begun, market = dispute.content, dispute.begin.market
    header = _part(result, "header")
    asserted = {"root": begun["roots"]["asserter"], "provider": begun["asserter"], "market": market}
    if result.kind != "result" or result.party != begun["asserter"] or not _holds(header, asserted):
        raise Refusal("other-claim", "the asserter did not sign the result that the dispute is about")
    if digest(header) != begun["header"]:
        raise Refusal("other-claim", "the dispute is about another result's header")
    root = {"root": begun["roots"]["challenger"]}
    if claim.kind == "claim":
        made, name = claim.content, claim.name
        expected = root | {"header": begun["header"], "challenger": begun["challenger"]}
    else:
        made = _part(claim, "header")
        name = digest(["claim", made.get("lease")])
        expected = root | {"provider": begun["challenger"], "market": market}
        if claim.kind != "result" or claim.party != begun["challenger"]:
            raise Refusal("other-claim", "the challenger did not sign the result that is its claim")
    if name != begun["claim"] or not _holds(made, expected):
        raise Refusal("other-claim", "the dispute was not begun over this claim")


def _part(request: Request, name: str) -> dict[str, Any]:
    part = request.content.get(name) if isinstance(request.content, dict) else None
    return part if isinstance(part, dict) else {}


def _holds(content: Any, expected: Mapping[str, Any]) -> bool:
    return isinstance(content, dict) and all(content.get(name) == value for name, value in expected.items())


def followed(dispute: Dispute, entry: Any, records: Sequence[Request], referee: str) -> Request:
    """Take the event of one entry and compare it with its record."""
    shown = read({"message": lambda value: value, "record": lambda value: value}, entry)
    record = opened(_bytes(shown["record"]), dispute.begin.market)
    if (record.kind, record.party) != ("record", referee) or not isinstance(record.content, dict):
        raise Refusal("other-referee", "it is not signed by this referee")
    told = record.content
    event, tick, message = told.get("event"), TICK(told.get("tick")), None
    raw = None if shown["message"] is None else _bytes(shown["message"])
    if tick < dispute.clocks.since:
        raise Refusal("too-early", f"tick {tick} is before tick {dispute.clocks.since}")
    if event == "message" and raw is not None:
        dispute.receive(raw, tick)
        message = sha256(raw).hexdigest()
    elif event == "clock":
        _spend(dispute, raw, tick)
    elif event == "deputy" and raw is None:
        dispute.replace_asserter(key_text(told.get("asserter")), tick)
    elif event == "forfeit" and raw is None:
        dispute.forfeit()
    else:
        raise Refusal("malformed", f"there is no event {event!r:.40} of this content")
    expected = recorded(dispute, event, tick, message, records)
    different = [name for name in expected if expected[name] != told.get(name)]
    if different or told.keys() != expected.keys():
        name = different[0] if different else "keys"
        raise Refusal("other-record", f"{name} is {expected.get(name)!s:.80}, not {told.get(name)!s:.80}")
    return record


def _spend(dispute: Dispute, refused: bytes | None, tick: int) -> None:
    """Let the clock that runs end, after the last message that was refused."""
    if refused is not None:
        try:
            dispute.receive(refused, dispute.clocks.since)
        except Refusal:
            pass
        else:
            raise Refusal("other-record", "the message that was refused holds")
    before = dispute.state
    dispute.tick(tick)
    if dispute.state is before:
        raise Refusal("other-record", f"at tick {tick} no budget is spent")


def summary(dispute: Dispute) -> dict[str, Any]:
    """A decided dispute in numbers."""
    verdict, computation, state = dispute.verdict, dispute.computation, dispute.state
    assert verdict is not None
    return {
        "winner": verdict.winner,
        "loser": verdict.loser,
        "disputed_node": None if verdict.node is None else computation.nodes[verdict.node].name,
        "disputed_tile": _tile(computation, verdict),
        "rounds_node": state.rounds.get("descend-nodes", 0),
        "rounds_tile": state.rounds.get("descend-leaves", 0) + state.rounds.get("descend-steps", 0),
        "messages": state.index - 1,
        "bytes": state.bytes,
        "referee_macs": verdict.macs,
        "inference_macs": computation.macs,
        "reason": verdict.reason,
    }


def _tile(computation: Computation, verdict: Verdict) -> int | None:
    """The tile's number among all of its node: leaf by leaf, step by step."""
    if verdict.node is None or verdict.leaf is None or verdict.step is None:
        return None
    return sum(len(computation.steps(verdict.node, leaf)) for leaf in range(verdict.leaf)) + verdict.step


def bounds(computation: Computation, node: int, levels: int) -> tuple[int, int]:
    """The most rounds over nodes, and over leaves and steps: a descent takes ceil(ceil(log2 n) / levels)."""

    def rounds(count: int) -> int:
        return -(-(count - 1).bit_length() // levels)

    count = leaves(computation.nodes[node])
    steps = max(len(computation.steps(node, leaf)) for leaf in range(count))
    return rounds(len(computation.nodes)), rounds(count) + rounds(steps)
