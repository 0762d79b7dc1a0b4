"""``ledger FILE``: is every event what its signed request does?"""

import json
import re
from pathlib import Path
from typing import Any

from verification.commands.progress import progress
from verification.errors import InputError
from verification.files import check_readable
from verification.ledger.inspect import Inspection, inspect
from verification.ledger.state import BURNT, FUND
from verification.market.operations import ON_WORD, OPERATIONS
from verification.terminal import printable


def ledger(path: Path, head: str | None, as_json: bool) -> bool:
    """Print what a ledger's file amounts to, or the first event that does not hold; whether all of it holds.

    Args:
        head: N:DIGEST of an event, from a receipt or a record.

    Raises:
        InputError: ``head`` is spelled otherwise; there is no such file.
        Refusal: see ``inspect``.
    """
    known = None if head is None else head_of(head)
    check_readable(path, "a market's ledger, as `dispute --ledger` writes one,")
    with progress("performing every request again") as observe:
        found = inspect(path, OPERATIONS, known, observe)
    print(json.dumps(summary(found)) if as_json else told(found, head))
    return not found.wrong


def told(found: Inspection, head: str | None) -> str:
    """What was found, for a person."""
    if found.wrong:
        return printable(f"the ledger does not hold: {found.wrong}")
    state = found.state
    fund, burnt = state.balances.get(FUND, 0), state.balances.get(BURNT, 0)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.kinds.items()))
    lines = [
        f"the ledger holds: each of its {state.number + 1:,} events is signed and what its request does, in one chain",
        f"market {state.market}",
        f"head   {state.number}:{state.head}",
        f"time   tick {state.tick:,}",
        f"money  {state.outside:,} micro-tokens: the fund has {fund:,}, {burnt:,} are burnt",
        f"bytes  {len(found.blobs):,} blobs beside the events, each of the digest that names it",
        f"events {kinds}",
        "What stays its signer's word, since the ledger alone cannot derive it:",
    ]
    lines += [f"  {kind}: {what}" for kind, what in ON_WORD.items() if found.kinds[kind]]
    for digest, event in found.lost.items():
        lines.append(f"forgotten, no longer to be shown: {digest} of event {event.number} ({event.request.kind})")
    if head is not None:
        lines.append(
            f"Event {head.partition(':')[0]} is the one that you know: nothing up to it was changed or cut off."
        )
    else:
        lines.append("Events may have been cut from its end: a head known from elsewhere tells (--head N:DIGEST).")
    return "\n".join(map(printable, lines))


def summary(found: Inspection) -> dict[str, Any]:
    """What was found, as JSON."""
    state = found.state
    return {
        "holds": not found.wrong,
        "wrong": found.wrong,
        "market": state.market,
        "number": state.number,
        "head": state.head,
        "tick": state.tick,
        "events": dict(sorted(found.kinds.items())),
        "blobs": len(found.blobs),
        "amounts": {"all": str(state.outside)} | {name: str(state.balances.get(name, 0)) for name in (FUND, BURNT)},
        "forgotten": {digest: event.number for digest, event in found.lost.items()},
        "not_derived": {kind: what for kind, what in ON_WORD.items() if found.kinds[kind]},
    }


def head_of(text: str) -> tuple[int, str]:
    """Number and digest of an event, of N:DIGEST.

    Raises:
        InputError: another spelling.
    """
    match = re.fullmatch(r"(0|[1-9][0-9]{0,15}):([0-9a-f]{64})", text)
    if match is None:
        raise InputError(f"--head {text}: N:DIGEST is expected, an event's number and 64 lower-case hexadecimal digits")
    return int(match[1]), match[2]
