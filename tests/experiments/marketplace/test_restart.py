"""The coordinator is killed after events, and another one goes on from the ledger: everything ends as it would have."""

import pytest
from test_checks import ALWAYS, cheating
from town import Town, outcomes

from experiments.marketplace import messages
from verification.encoding.signature import public


def played(kill_after=lambda event: False):
    """Orders right and wrong, all audited, by four strangers or the coordinator itself; the town at their end."""
    town = Town(rules=ALWAYS, work_limit=20)
    user, cheat = town.join("user"), town.join("rogue", device=True, cost=1, slots=1)
    cheat.change = cheating
    devices = [town.join(f"device {at}", device=True, cost=2 + at) for at in range(4)]
    town.kill_after = kill_after
    town.order(user, bid=6_000)
    town.order(user, inputs=(5,), bid=5_000)
    town.run(600)
    town.ledger.state.check()
    assert outcomes(cheat)[-1:] in (["fallen"], [])  # it may have been away when it was told
    assert town.ledger.state.facts["device"][public(cheat.device)]["removed"]
    kinds = [event.request.kind for event in town.ledger.events()]
    served = kinds.count("order") - kinds.count("expire")
    removed = [key for key, device in town.ledger.state.facts["device"].items() if device["removed"]]
    assert served == 2 and removed == [public(cheat.device)] and len(devices) == 4
    return town, kinds


def once(number):
    left = {number}

    def kill_after(event):
        if event.number not in left:
            return False
        left.remove(event.number)
        return True

    return kill_after


@pytest.fixture(scope="module")
def undisturbed():
    return played()


def test_what_is_played_has_a_dispute_and_audits(undisturbed):
    _, kinds = undisturbed
    assert {"lot", "audit", "reveal", "begin", "play", "verdict", "publish" if "publish" in kinds else "final"} <= set(
        kinds
    )


@pytest.mark.parametrize("kind", ["order", "assign", "accept", "result", "lot", "audit", "begin", "play", "reveal"])
def test_killed_after_the_first_of_a_kind(undisturbed, kind):
    town, _ = undisturbed
    number = next(event.number for event in town.ledger.events() if event.request.kind == kind)
    again, _ = played(once(number))
    assert again.ledger.state.balances.keys() == town.ledger.state.balances.keys()


def test_killed_between_the_message_that_decides_and_the_verdict(undisturbed):
    town, kinds = undisturbed
    again, _ = played(once(kinds.index("verdict") - 1))
    assert again.ledger.state.balances == town.ledger.state.balances


def test_killed_after_every_third_event():
    seen = set()

    def kill_after(event):
        new = event.number not in seen
        seen.add(event.number)
        return new and event.number % 3 == 0

    played(kill_after)


@pytest.mark.slow
def test_killed_after_each_event(undisturbed):
    town, _ = undisturbed
    for event in town.ledger.events():
        if event.request.kind != "advance":
            played(once(event.number))


def worked(back):
    """A device is at work when the coordinator ends, as its result is due, and is back after so many seconds."""
    town = Town(work_limit=12)
    user, device = town.join("user"), town.join("device", device=True)
    device.computes = False
    town.order(user)
    while not device.of(messages.Lease):
        town.pass_time(1)
    town.pass_time(12)
    assert town.ledger.state.facts["lease"][device.last(messages.Lease).lease]["due"] == town.ledger.state.tick
    town.peers.clear()
    town.start()
    town.pass_time(back)
    device.computes = True
    user.connect()
    device.connect()
    town.run()
    return town, user, device


@pytest.mark.parametrize("back", [0, 1, 5, 59])
def test_no_deadline_passes_before_who_was_there_can_be_back(back):
    town, user, device = worked(back)
    assert outcomes(user) == ["final", "served"] and outcomes(device) == ["final"]
    assert "miss" not in [event.request.kind for event in town.ledger.events()]


def test_who_does_not_come_back_in_time_is_late():
    town, _, _ = worked(62)
    assert "miss" in [event.request.kind for event in town.ledger.events()]
