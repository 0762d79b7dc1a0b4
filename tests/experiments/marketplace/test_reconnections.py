"""Disputes whose connections are cut and whose coordinator is killed at every message: they end as they would have."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from test_checks import ALWAYS, HARDLY, cheating
from wire import Wire

from experiments.marketplace.models import Language
from verification.encoding.request import opened
from verification.trace import record

LANGUAGE = Language("tiny")
CUTS = ["asserter", "challenger", "coordinator"]


@dataclass
class Played:
    """What came of a dispute."""

    verdicts: list[tuple[str, str]]
    said: list[tuple[str, str]]
    """Who said what kind of message, in order."""
    removed: set[str]
    balances: dict[str, int]
    kinds: Counter[str]
    cuts: int


def claimed(path, lies, **cut: Any):
    """A user claims that a result is wrong which is, or which is right."""
    town = Wire(path, rules=HARDLY, **cut)
    user = town.user("user")
    device = town.device("device", 500, cheating if lies else lambda trace: trace)
    traces = []

    def claims(shown):
        if traces:
            return []
        trace = record(town.known[0].computation(shown.requests[0], b"4"))
        traces.append(trace if lies else cheating(trace))
        return user.party.claim(shown, traces[0], 4 * int(shown.audit_price))

    user.claims = claims
    town.ordered(user)
    if lies:
        town.device("other", 600)
    return town, {device.key} if lies else set()


def audited(path, **cut: Any):
    """A stranger that audits a language model's wrong result differs."""
    town = Wire(path, rules=ALWAYS, models=(LANGUAGE,), **cut)
    user, cheat = town.user("user"), town.device("cheat", 1, cheating)
    for at in range(4):
        town.device(f"device {at}", 500)
    town.ordered(user, "Hello")
    return town, {cheat.key}


CASES = {
    "a right claim": lambda path, **cut: claimed(path, True, **cut),
    "a false claim": lambda path, **cut: claimed(path, False, **cut),
    "an audit": audited,
}


def played(case, path, **cut: Any) -> Played:
    town, liars = CASES[case](path, **cut)
    town.run(800)
    town.ledger.state.check()
    events = list(town.ledger.events())
    facts = town.ledger.state.facts
    removed = {key for key, device in facts["device"].items() if device["removed"]}
    assert removed == liars
    of = [(event.request.kind, event.request.content) for event in events]
    said = [opened(town.ledger.blob(content["message"]), town.market) for kind, content in of if kind == "play"]
    return Played(
        [(content["winner"], content["reason"]) for kind, content in of if kind == "verdict"],
        [(message.party, message.kind) for message in said],
        removed,
        dict(town.ledger.state.balances),
        Counter(kind for kind, _ in of if kind not in ("advance", "offer")),
        town.cuts,
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return {case: played(case, tmp_path_factory.mktemp("undisturbed") / "ledger") for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_what_is_disturbed_is_a_dispute_of_every_kind_of_message(undisturbed, case):
    found = undisturbed[case]
    kinds = {"descend", "node", "open", *(["steps"] if case == "an audit" else [])}
    assert {kind for _, kind in found.said} == kinds and len(found.verdicts) == 1
    assert found.verdicts[0][0] == ("asserter" if case == "a false claim" else "challenger")


@pytest.mark.parametrize("how", ["lose", "hide"])
@pytest.mark.parametrize("what", CUTS)
@pytest.mark.parametrize("case", CASES)
def test_cut_at_every_message_it_ends_as_it_would_have(undisturbed, tmp_path, case, what, how):
    """Each message is lost at first with the connection, or taken and nobody told of it."""
    found, expected = played(case, tmp_path / "ledger", **{how: what}), undisturbed[case]
    by = {"asserter": 0, "challenger": 1}.get(what) if how == "lose" else None  # who asserts begins
    mine = [who for who, _ in expected.said if by is None or who == expected.said[by][0]]
    assert found.cuts == len(mine)
    assert (found.verdicts, found.said, found.kinds) == (expected.verdicts, expected.said, expected.kinds)
    assert found.balances == expected.balances


@pytest.mark.parametrize("what", ["asserter restarts", "challenger restarts"])
def test_a_device_that_begins_again_at_every_message_makes_its_trace_again(undisturbed, tmp_path, what):
    found, expected = played("an audit", tmp_path / "ledger", hide=what), undisturbed["an audit"]
    assert found.cuts == len(expected.said)
    assert (found.verdicts, found.said, found.balances) == (expected.verdicts, expected.said, expected.balances)


@pytest.mark.parametrize("case", CASES)
def test_whatever_is_asked_is_lost_at_first_and_it_ends_as_it_would_have(undisturbed, tmp_path, case):
    """Registrations, orders, whether a lease is taken, results, claims."""
    found, expected = played(case, tmp_path / "ledger", lose="asks"), undisturbed[case]
    asked = ("register", "device", "order", "accept", "result", "claim")
    assert found.cuts == sum(expected.kinds[kind] for kind in asked) - own(expected)
    assert (found.verdicts, found.said, found.kinds) == (expected.verdicts, expected.said, expected.kinds)
    assert found.balances == expected.balances


def own(played):
    """Results of the coordinator's, which is not cut off from itself."""
    return played.kinds["result"] - played.kinds["accept"]
