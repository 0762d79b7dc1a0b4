"""The two operations that every market has, genesis and advance, and how any operation becomes an event (section 5)."""

from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Any

from verification.encoding.canonical import LARGEST_NUMBER
from verification.encoding.request import Request
from verification.encoding.schema import digest_text, key_text, number, read
from verification.errors import Refusal
from verification.ledger.event import Event
from verification.ledger.state import FORGOTTEN, Draft, Operations, State

GENESIS = "genesis"
"""The first event's kind; facts of that kind, by subject: coordinator (a key), rules, protocol (a digest)."""


def _rules(value: Any) -> dict[str, Any]:
    """What the market's own genesis reads; time alone is the ledger's."""
    if type(value) is not dict or type(value.get("delta")) is not int:
        raise Refusal("malformed", "an object with a whole number delta is expected")
    return value


BEGINNING = {"coordinator": key_text, "rules": _rules, "protocol": digest_text}
ADVANCE = {"since": number(0, LARGEST_NUMBER), "ticks": number(0, LARGEST_NUMBER)}


def genesis(draft: Draft, request: Request) -> None:
    """Begin a market: coordinator, rules, protocol; the key that signs is the coordinator's.

    Raises:
        Refusal: malformed, not-the-coordinator, begun.
    """
    content = read(BEGINNING, request.content)
    if draft.number:
        raise Refusal("begun", "a market begins once")
    if content["coordinator"] != request.party:
        raise Refusal("not-the-coordinator", "the coordinator signs its market's genesis")
    for subject, value in sorted(content.items()):
        draft.put(GENESIS, subject, value)


def advance(draft: Draft, request: Request) -> None:
    """Let time pass: {since, ticks}, since being the tick that it is; ticks are at most a tenth of delta, and 1 may be.

    Raises:
        Refusal: malformed, not-the-coordinator, out-of-turn (it is not ``since``), too-far.
    """
    coordinator_only(draft, request)
    content = read(ADVANCE, request.content)
    if content["since"] != draft.tick:
        raise Refusal("out-of-turn", f"it is tick {draft.tick}, not {content['since']}")
    most = max(1, draft.fact(GENESIS, "rules")["delta"] // 10)
    if not 1 <= content["ticks"] <= most:
        raise Refusal("too-far", f"{content['ticks']} ticks; from 1 to {most} pass at a time")
    draft.tick += content["ticks"]


def coordinator_only(draft: Draft, request: Request) -> None:
    """That the coordinator asks.

    Raises:
        Refusal: not-the-coordinator.
    """
    if request.party != draft.fact(GENESIS, "coordinator"):
        raise Refusal("not-the-coordinator", f"only the coordinator makes a {request.kind}")


def event_of(
    state: State,
    request: Request,
    operations: Operations,
    given: Mapping[str, bytes | None],
    stored: Callable[[str], bytes | None],
    lost: Collection[str] = (),
) -> Event:
    """What a request does in a state, which is left as it is.

    Args:
        operations: by kind; ``genesis`` is done here first and then by the market's own, if there is one.
        given: bytes that came with the request, by SHA-256 in hex; None where they were forgotten later.
        stored: those written before.
        lost: digests of those that came with it, or before, and were forgotten later.

    Raises:
        Refusal: unknown-kind, wrong-blob, unasked-blob (the operation does not ask for what came), malformed (a value
            that is no canonical JSON), or what the operation refuses.
    """
    for name, content in given.items():
        if content is not None and sha256(content).hexdigest() != name:
            raise Refusal("wrong-blob", f"{name} is not the digest of what came under that name")
    taken = set[str]()

    def blob(digest: str) -> bytes | None:
        if digest not in given:
            return stored(digest)
        taken.add(digest)
        draft.put(FORGOTTEN, digest, None)
        return given[digest]

    draft = Draft(state, blob, lambda digest: digest in lost and draft.fact(FORGOTTEN, digest) is None)
    own = {GENESIS: genesis, "advance": advance}.get(request.kind)
    wanted = [operation for operation in (own, operations.get(request.kind)) if operation is not None]
    if not wanted or (state.number < 0) != (request.kind == GENESIS):
        raise Refusal("unknown-kind", f"{request.kind}: no such operation here")
    for operation in wanted:
        operation(draft, request)
    if given.keys() - taken:
        raise Refusal("unasked-blob", f"{request.kind} asks for no {min(given.keys() - taken)}")
    moves, facts = tuple(draft.moves), tuple(draft.facts)
    return Event(draft.number, draft.tick, request, moves, facts, tuple(sorted(taken)), state.head)
