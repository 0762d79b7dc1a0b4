"""``replay``: a verdict derived again from a transcript, by the referee's key and its market's rules."""

import json
import re
from pathlib import Path
from typing import Any

from verification.commands.progress import working
from verification.commands.reasons import outcome, why
from verification.commands.source import Source, prepared, stored
from verification.dispute.transcript import KEYS, derived, summary
from verification.encoding.canonical import canonical, digest
from verification.encoding.request import opened
from verification.encoding.signature import is_key
from verification.errors import InputError, Refusal
from verification.files import read
from verification.ledger.inspect import stored_events
from verification.ledger.operations import GENESIS
from verification.market.entered import check_entered
from verification.market.rules import Rules, read_rules
from verification.task import read_task
from verification.terminal import printable

PROVEN = """\
proven: result, claim, messages and records are signed, and each record is what the rules of the referee's market make
of what came before it"""
COMPUTED = "proven: the step that decides was computed again here"
TICKS = "not proven: at which ticks messages came, which is the referee's word"
NOT_PROVEN = f"{TICKS}; that a ledger holds the verdict (--ledger FILE)"
ENTERED = "proven: the ledger, if it holds itself (ledger FILE), holds this dispute and this verdict"


def replay(
    source: Source, path: Path, referee: str, tiles: Path | None, as_json: bool, ledger: Path | None = None
) -> bool:
    """Print whether a transcript's verdict follows, or what does not, and give it.

    Args:
        tiles: a store of the model, from which steps are computed without loading the model.
        ledger: a file that must hold the verdict: a referee may have signed two courses of one dispute.

    Raises:
        InputError: no key; a file that is no transcript; a folder that is no store.
        Refusal: see ``stored_events``.
    """
    check_key(referee)
    content = read(path, KEYS, "a transcript of `dispute --transcript`")
    task = read_task(content["task"])
    events = [] if ledger is None else list(stored_events(ledger))
    found: dict[str, Any] = {}
    try:
        rules = rules_of_market(content, referee)  # before the model is loaded
        computation = prepared(source, task, "numpy", None) if tiles is None else stored(source, task, tiles)
        with working("deriving the verdict again"):
            found = summary(derived(content, computation, referee, rules))
        if ledger is not None:
            check_entered(events, content)
        wrong = ""
    except Refusal as refusal:
        wrong = str(refusal)
    if as_json:
        because = {"why": why(found)} if found else {}
        print(json.dumps({"follows": not wrong, "wrong": wrong} | found | because))
    elif wrong:
        print(printable(f"the verdict does not follow: {wrong}"))
    else:
        lines = [printable(f"the verdict follows: {outcome(found)}"), printable(why(found)), PROVEN]
        lines += [COMPUTED] if found["reason"].startswith("step-") else []
        print(*lines, *([NOT_PROVEN] if ledger is None else [ENTERED, TICKS]), sep="\n")
    return not wrong


def check_key(text: str) -> None:
    """That a referee's key is one.

    Raises:
        InputError: it is none.
    """
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise InputError(f"--referee {text}: a public key is expected, 64 lower-case hexadecimal digits")
    if not is_key(text):
        raise InputError(f"--referee {text}: a public key is expected, and these digits are none")


def rules_of_market(content: dict[str, Any], referee: str) -> Rules:
    """The rules of a transcript's market: those of the genesis that the market is the digest of and the referee signed.

    Raises:
        Refusal: other-market, other-referee, or what ``opened`` and ``read_rules`` refuse.
    """
    genesis = content["genesis"]
    if digest(genesis) != content["market"]:
        raise Refusal("other-market", "the genesis is another market's")
    begun = opened(canonical(genesis.get("request") if isinstance(genesis, dict) else None), "")
    if begun.kind != GENESIS or not isinstance(begun.content, dict):
        raise Refusal("other-market", "the market's first event is no genesis")
    for what, key in (("the market was begun by", begun.party), ("the transcript names", content["referee"])):
        if key != referee:
            raise Refusal("other-referee", f"{what} another referee, {key!s:.80}")
    return read_rules(begun.content.get("rules"))
