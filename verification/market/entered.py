"""Whether a transcript is of the dispute that a ledger holds (section 5).

A referee that signs two courses of one dispute makes two transcripts, each of which follows in itself. The ledger holds
one of them: its verdict names the last record, and records name all before them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from verification.encoding.canonical import canonical
from verification.encoding.request import opened
from verification.errors import Refusal
from verification.ledger.event import Event


def check_entered(events: Iterable[Event], transcript: Mapping[str, Any]) -> None:
    """That a ledger holds a dispute's ``begin`` and, as its end, the last record's verdict.

    Args:
        events: of the ledger, from the first on.
        transcript: that follows.

    Raises:
        Refusal: malformed, other-ledger.
    """
    market = transcript["market"]
    begin = opened(canonical(transcript["begin"]), market)
    last = opened(canonical(transcript["entries"][-1]["record"]), market)
    verdict, begun = last.content["verdict"], False
    for event in events:
        asked = event.request
        begun = begun or asked.name == begin.name
        if begun and asked.kind in ("verdict", "void") and asked.content["claim"] == begin.content["claim"]:
            said = asked.content["record"], asked.content.get("winner"), asked.content.get("reason", "void")
            if said != (last.name, verdict["winner"], verdict["reason"]):
                raise Refusal("other-ledger", f"the ledger's event {event.number} ends the dispute in another way")
            return
    raise Refusal("other-ledger", f"the ledger holds no {'end of the dispute' if begun else 'such dispute'}")
