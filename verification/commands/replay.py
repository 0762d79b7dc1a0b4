"""``replay``: a verdict derived again from a transcript, by the referee's key and its market's rules."""

import json
from pathlib import Path
from typing import Any

from verification.commands.dispute import where
from verification.commands.source import Source
from verification.dispute.transcript import KEYS, derived, summary
from verification.encoding.canonical import canonical, digest
from verification.encoding.request import opened
from verification.encoding.signature import is_key
from verification.errors import InputError, Refusal
from verification.files import read
from verification.ledger.operations import GENESIS
from verification.market.rules import Rules, read_rules
from verification.task import read_task
from verification.terminal import printable


def replay(source: Source, path: Path, referee: str, as_json: bool) -> bool:
    """Print whether a transcript's verdict follows, or what does not, and give it.

    Raises:
        InputError: no key; a file that is no transcript.
    """
    if not is_key(referee):
        raise InputError(f"--referee {referee}: a public key is expected, 64 lower-case hexadecimal digits")
    content = read(path, KEYS)
    computation = source.computation(read_task(content["task"]), "numpy", None)
    found: dict[str, Any] = {}
    try:
        found = summary(derived(content, computation, referee, rules_of_market(content, referee)))
        wrong = ""
    except Refusal as refusal:
        wrong = str(refusal)
    if as_json:
        print(json.dumps({"follows": not wrong, "wrong": wrong} | found))
    else:
        print(printable(wrong or _told(found)))
    return not wrong


def rules_of_market(content: dict[str, Any], referee: str) -> Rules:
    """The rules of a transcript's market: those of the genesis that the market is the digest of and the referee signed.

    Raises:
        Refusal: other-market, other-referee, or what ``opened`` and ``read_rules`` refuse.
    """
    genesis = content["genesis"]
    if digest(genesis) != content["market"]:
        raise Refusal("other-market", "the genesis is another market's")
    begun = opened(canonical(genesis.get("request") if isinstance(genesis, dict) else None), "")
    if (begun.kind, begun.party) != (GENESIS, referee) or not isinstance(begun.content, dict):
        raise Refusal("other-referee", "the market was begun by another referee")
    return read_rules(begun.content.get("rules"))


def _told(found: dict[str, Any]) -> str:
    winner = found["winner"]
    return f"the verdict follows: the {winner} wins over {where(found)}" if winner else "it follows that it is void"
