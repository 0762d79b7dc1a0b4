"""An offer says what a device would run; it is live until it expires, lapses, or three leases in a row are declined."""

import pytest

MODEL, OTHER = "ab" * 32, "cd" * 32


def test_an_offer_stands_in_place_of_the_one_before(market, records):
    device = market.devices[0]
    market.offer(device, models=[(MODEL, 3), (OTHER, 1)])
    assert list(market.draft.subjects(f"model:{OTHER}")) == [device]
    market.offer(device, models=[(MODEL, 2)])
    assert not list(market.draft.subjects(f"model:{OTHER}"))
    assert market.draft.fact(f"model:{MODEL}", device) == market.owners[0]
    assert market.find(records["offer"], device).models == {MODEL: 2}
    market.offer(device, models=[])
    assert device not in market.names("offer") and device not in list(market.draft.subjects(f"model:{MODEL}"))


@pytest.mark.parametrize(
    "reason, changed",
    [
        ("repeated-model", {"models": [{"model": MODEL, "s": 1}] * 2}),
        ("malformed", {"models": [{"model": MODEL, "s": 0}]}),
        ("malformed", {"slots": 0}),
        ("malformed", {"expiry": 1.5}),
        ("malformed", {"cost": "0"}),
        ("beyond-largest-price", {"cost": "1000001"}),
    ],
)
def test_an_offer_is_of_a_device_and_well_formed(market, refused, reason, changed):
    content = {"models": [], "slots": 1, "cost": "1", "expiry": 1, "nonce": market.nonce()} | changed
    assert refused(market.ask, market.devices[0], "offer", content) == reason
    assert refused(market.ask, market.owners[0], "offer", content) in (reason, "no-such-device")


def test_what_is_leased_is_offered(market, refused, records):
    device = market.devices[0]
    market.offer(device, models=[(MODEL, 1)], slots=2, expiry=10)
    order = market.order(requests=3, bid=5_000)
    assert refused(market.assign, order, device, part=[0, 1]) == "no-offer"
    market.assign(order, device, part=[0])
    market.advance(10)
    market.assign(order, device, part=[1])
    assert market.find(records["device"], device).busy == 2
    assert refused(market.assign, order, device, part=[2]) == "no-slot"
    market.offer(device, slots=3, expiry=1)
    market.advance(2)
    assert refused(market.assign, order, device, part=[2]) == "no-offer"


def test_an_offer_of_a_device_that_is_gone_lapses(market, refused):
    content = {"device": market.devices[0], "nonce": market.nonce()}
    assert refused(market.ask, market.devices[1], "lapse", content) == "not-the-coordinator"
    market.order_of("lapse", content)
    assert refused(market.order_of, "lapse", content | {"nonce": market.nonce()}) == "no-such-offer"
    assert refused(market.lend, market.devices[0]) == "no-offer"


def test_the_third_decline_in_a_row_lapses_the_offer(market, refused):
    device = market.devices[0]
    for accepted in (False, False, True, False, False, False):
        lease = market.assign(market.order(), device)
        market.ask(device, "accept" if accepted else "decline", {"lease": lease})
    assert device not in market.names("offer")
    market.offer(device)
    market.lend(device)


def test_no_order_is_leased_to_the_coordinators_own_offer(market, refused):
    (coordinator,) = set(market.names("device")) - set(market.devices)
    assert refused(market.assign, market.order(), coordinator) == "no-offer"
