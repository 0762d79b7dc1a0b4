"""Owners and devices: who registers whom, what is withdrawn, which keys are replaced, removed and never come back."""

import pytest

from verification.encoding.signature import public


def device_content(market, owner, name):
    device = market.key(name)
    return {"device": device, "consent": market.consent(device, owner)}


def test_an_owner_deposits_by_the_coordinator_and_withdraws_itself(market, refused):
    owner = market.owner("new", 700)
    content = {"owner": owner, "amount": "1", "nonce": market.nonce()}
    assert refused(market.ask, owner, "deposit", content) == "not-the-coordinator"
    assert refused(market.ask, owner, "withdraw", {"amount": "701", "nonce": market.nonce()}) == "beyond-free"
    market.ask(owner, "withdraw", {"amount": "700", "nonce": market.nonce()})
    assert market.free(owner) == 0


def test_a_withdrawal_that_is_sent_twice_is_one(market):
    content = {"amount": "100", "nonce": market.nonce()}
    market.ask(market.user, "withdraw", content)
    market.ask(market.user, "withdraw", content)
    assert market.free(market.user) == 1_000_000 - 100


def test_what_the_coordinator_deposits_for_itself_is_the_funds(market):
    before = market.fund
    market.deposit(public(market.coordinator), 5)
    assert market.fund == before + 5


@pytest.mark.parametrize("amount", ["0", "-1", "01", "1.0", 1, "9223372036854775808", "٣"])
def test_an_amount_has_one_spelling(market, refused, amount):
    assert refused(market.ask, market.user, "withdraw", {"amount": amount, "nonce": market.nonce()}) == "malformed"


def test_deposits_are_within_63_bits(market, refused):
    assert refused(market.deposit, market.user, 2**63 - 1) == "beyond-int64"


def test_a_key_registers_once_as_owner_or_device(market, refused):
    device, owner = market.devices[0], market.owners[0]
    head = market.ledger.head
    market.ask(owner, "register", {})
    assert market.ledger.head == head
    assert refused(market.ask, device, "register", {}) == "known-key"
    assert refused(market.ask, device, "register", {"name": "more"}) == "malformed"
    content = {"device": device, "consent": market.consent(device, market.user)}
    assert refused(market.ask, market.user, "device", content) == "known-key"
    content = {"device": owner, "consent": market.consent(owner, market.user)}
    assert refused(market.ask, market.user, "device", content) == "known-key"


def test_owner_and_device_both_sign(market, refused):
    content = device_content(market, market.user, "new")
    assert refused(market.ask, market.owners[0], "device", content) == "no-consent"
    assert refused(market.ask, market.user, "device", content | {"consent": "0" * 128}) == "no-consent"
    assert refused(market.ask, market.key("stranger"), "device", content) == "no-such-owner"
    market.ask(market.user, "device", content)


def test_the_coordinator_is_its_only_device(market, refused):
    coordinator = public(market.coordinator)
    content = device_content(market, coordinator, "new")
    assert refused(market.ask, coordinator, "device", content) == "coordinators-key"
    assert refused(market.ask, coordinator, "remove", {"device": coordinator}) == "coordinators-key"
    content = {"device": coordinator, "by": content["device"], "consent": content["consent"]}
    assert refused(market.ask, coordinator, "replace", content) == "coordinators-key"


def test_a_key_is_replaced_when_nothing_of_it_is_open(market, refused, records):
    device, owner = market.devices[0], market.owners[0]
    new = market.key("new")
    content = {"device": device, "by": new, "consent": market.consent(new, owner)}
    assert refused(market.ask, market.user, "replace", content) == "not-the-owner"
    lease = market.shown(device)
    assert refused(market.ask, owner, "replace", content) == "still-open"
    market.end(lease)
    market.ask(owner, "replace", content)
    assert market.find(records["device"], device).removed and not market.find(records["device"], new).removed
    assert refused(market.offer, device) == "removed-device"
    assert refused(market.ask, owner, "remove", {"device": device}) == "removed-device"
    back = {"device": device, "consent": market.consent(device, market.user)}
    assert refused(market.ask, market.user, "device", back) == "known-key"
    market.offer(new)
    market.lend(new)


def test_a_removed_key_leaves_its_owner_what_is_free(market, refused):
    device, owner = market.devices[0], market.owners[0]
    market.ask(owner, "remove", {"device": device})
    assert refused(market.lend, device) == "removed-device"
    assert device not in market.names("offer")
    market.ask(owner, "withdraw", {"amount": "1000000", "nonce": market.nonce()})
