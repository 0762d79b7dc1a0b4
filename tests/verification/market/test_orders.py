"""Orders wait, are withdrawn or expire; what comes back waits again; every bid returns or is paid."""

from hashlib import sha256

import pytest


def test_a_bid_is_in_escrow_until_it_returns(market, refused, records):
    order = market.order(bid=2_000)
    assert market.free(market.user) == 998_000 and market.draft.total(market.user) == 1_000_000
    assert refused(market.ask, market.owners[0], "cancel", {"order": order}) == "not-the-user"
    market.ask(market.user, "cancel", {"order": order})
    assert market.free(market.user) == 1_000_000
    assert refused(market.find, records["order"], order) == "no-such-order"


def test_an_order_is_one_however_often_it_is_sent(market):
    part = {"model": "ab" * 32, "input": "ef" * 32, "limit": 16, "temperature": 0, "seed": "7"}
    content = {"requests": [part], "bid": "5", "patience": 9, "unaudited": False, "nonce": market.nonce()}
    assert market.ask(market.user, "order", content) == market.ask(market.user, "order", content)
    assert len(market.names("order")) == 1 and market.free(market.user) == 1_000_000 - 5


@pytest.mark.parametrize(
    "reason, changed",
    [
        ("malformed", {"bid": 5}),
        ("malformed", {"patience": 0}),
        ("malformed", {"unaudited": None}),
        ("malformed", {"nonce": "A" * 64}),
        ("malformed", {"requests": {}}),
        ("malformed", {"requests": [{}]}),
        ("empty-order", {"requests": []}),
        ("beyond-free", {"bid": "1000001"}),
        ("beyond-free", {"bid": str(2**53 - 1)}),
        ("beyond-largest", {"bid": str(2**53)}),
    ],
)
def test_an_order_says_all_in_one_spelling(market, refused, reason, changed):
    part = {"model": "ab" * 32, "input": "ef" * 32, "limit": 16, "temperature": 0, "seed": "7"}
    content = {"requests": [part], "bid": "5", "patience": 9, "unaudited": False, "nonce": market.nonce()}
    assert refused(market.ask, market.user, "order", content | changed) == reason
    with_float = [part | {"temperature": "0.7"}]
    assert refused(market.ask, market.user, "order", content | {"requests": with_float}) == "malformed"
    for among in ({"top_p": 1_000_000}, {"top_k": 0}, {"top_q": 1}):
        assert refused(market.ask, market.user, "order", content | {"requests": [part | among]}) == "malformed"
    assert refused(market.ask, market.key("stranger"), "order", content) == "no-such-owner"


def test_inputs_of_the_longest_prompt_are_kept_and_no_longer_ones(market, refused, records):
    for words, reason in ((2**20, None), (2**20 + 1, "oversized")):
        raw = bytes(4 * words)
        part = {"model": "ab" * 32, "input": sha256(raw).hexdigest(), "limit": 16, "temperature": 0, "seed": "7"}
        content = {"requests": [part], "bid": "5", "patience": 9, "unaudited": False, "nonce": market.nonce()}
        asked = market.user, "order", content, {part["input"]: raw}
        if reason is None:
            assert market.find(records["order"], market.ask(*asked))
        else:
            assert refused(market.ask, *asked) == reason


def test_an_order_expires_after_its_patience(market, refused):
    order = market.order(patience=30)
    market.advance(30)
    assert refused(market.order_of, "expire", {"order": order}) == "too-early"
    market.advance(1)
    assert refused(market.ask, market.user, "expire", {"order": order}) == "not-the-coordinator"
    market.order_of("expire", {"order": order})
    assert market.free(market.user) == 1_000_000 and not market.names("order")


def test_a_leased_order_does_not_wait(market, refused):
    order = market.order()
    market.assign(order, market.devices[0])
    assert refused(market.ask, market.user, "cancel", {"order": order}) == "nothing-waits"


def test_what_comes_back_at_a_cost_is_ranked_higher(market, records):
    """Else a user would go before all others by declines and free returns of devices of its own."""
    order = market.order()

    def lease(device):
        name = market.assign(order, market.devices[device])
        market.accept(name)
        return name

    def rank():
        return market.find(records["order"], order).rank

    market.ask(market.devices[0], "decline", {"lease": market.assign(order, market.devices[0])})
    market.ask(market.devices[1], "return", {"lease": lease(1)})
    assert rank() == 0
    late = lease(2)
    market.advance(61)
    market.ask(market.devices[2], "return", {"lease": late})
    assert rank() == 1
    late = lease(3)
    market.advance(101)
    market.order_of("miss", {"lease": late, "why": "late"})
    assert rank() == 2


def test_what_comes_back_waits_and_not_for_the_device_that_failed(market, refused, records):
    order = market.order()
    lease = market.assign(order, market.devices[0])
    market.ask(market.devices[0], "decline", {"lease": lease})
    found = market.find(records["order"], order)
    assert (found.waiting, found.rank, found.leases, found.failed) == ([0], 0, 0, [market.devices[0]])
    assert refused(market.assign, order, market.devices[0]) == "failed-before"
    lease = market.assign(order, market.devices[1])
    market.accept(lease)
    market.result(lease)


def test_what_comes_back_of_a_withdrawn_order_does_not_wait(market):
    order = market.order(requests=3, bid=5_000)
    first = market.assign(order, market.devices[0], part=[1])
    second = market.assign(order, market.devices[1], part=[0])
    market.ask(market.user, "cancel", {"order": order})
    for device, lease in ((0, first), (1, second)):
        assert market.names("order") == [order] and market.free(market.user) == 995_000
        market.ask(market.devices[device], "decline", {"lease": lease})
    assert market.free(market.user) == 1_000_000 and not market.names("order")


def test_a_bundle_is_shared_out_and_each_lease_settles_alone(market, refused, records):
    order = market.order(requests=3, bid=4_000)
    assert refused(market.assign, order, market.devices[0], part=[2, 1]) == "not-waiting"
    assert refused(market.assign, order, market.devices[0], part=[1, 1]) == "not-waiting"
    assert refused(market.assign, order, market.devices[0], part=[]) == "not-waiting"
    assert refused(market.assign, order, market.devices[0], part=[3]) == "not-waiting"
    first = market.served(market.devices[0], order=order, part=[0, 2], price=2_000)
    assert refused(market.assign, order, market.devices[1], part=[0, 1]) == "not-waiting"
    second = market.assign(order, market.devices[1], part=[1])
    market.publish(first)
    market.end(first)
    assert market.find(records["order"], order).leases == 1
    assert market.free(market.user) == 996_000  # the rest of the bid waits for what may come back
    market.ask(market.devices[1], "decline", {"lease": second})
    third = market.served(market.devices[2], order=order, part=[1], price=1_200)
    market.publish(third)
    market.end(third)
    assert market.free(market.user) == 1_000_000 - 3_200 - 440 - 264
