"""What counts as a result, when it is shown, and who is paid when it is final."""

from hashlib import sha256

import pytest

from verification.encoding.schema import proof_text


def test_an_honest_result_that_is_not_drawn_is_paid_after_its_window(market):
    device, owner = market.devices[0], market.owners[0]
    fund, before, paid = market.fund, market.free(owner), market.free(market.user)
    lease = market.served(device)
    assert market.free(owner) == before - 8_000 and market.free(market.user) == paid - 2_000
    market.publish(lease)
    market.end(lease)
    assert market.free(owner) == before + 1_000
    assert market.free(market.user) == paid - 1_220
    assert market.fund == fund + 220
    assert not market.names("order") + market.names("lease") + market.names("result")
    assert market.ledger.state.retired["lease"][0] == 1


def test_a_result_is_final_one_tick_after_its_window(market, refused):
    lease = market.shown(market.devices[0])
    market.advance(market.rules.window)
    assert refused(market.final, lease) == "too-early"
    market.advance()
    market.final(lease)


def test_a_drawn_result_is_not_shown_before_its_audit(market, refused):
    lease = market.served(market.devices[0], drawn=True)
    assert refused(market.publish, lease) == "drawn"
    assert refused(market.final, lease) == "wrong-state"


def test_what_is_not_shown_within_delta_is_audited(market, refused):
    lease = market.served(market.devices[0])
    market.advance(market.rules.delta)
    other = market.served(market.devices[1])
    market.publish(other)
    market.advance()
    assert refused(market.publish, lease) == "late"
    market.conclude(lease)
    market.end(lease)


def test_only_the_seals_own_secret_shows_a_result(market, refused):
    lease = market.served(market.devices[0])
    content = {"lease": lease, "secret": market.secret(99)}
    assert refused(market.order_of, "publish", content) == "wrong-secret"


@pytest.mark.parametrize(
    "reason, changed",
    [
        ("other-market", {"market": "0" * 64}),
        ("wrong-output", {"root": "0" * 64}),
        ("not-the-device", {"provider": "device 1"}),
        ("no-such-lease", {"lease": "0" * 64}),
        ("malformed", {"lease": "A" * 64}),
        ("malformed", {"more": 1}),
    ],
)
def test_a_header_says_what_the_lease_is(market, refused, reason, changed):
    if "provider" in changed:
        changed = {"provider": market.devices[1]}
    lease = market.lend(market.devices[0])
    before = market.ledger.head
    assert refused(market.result, lease, **changed) == reason
    assert market.ledger.head == before


def test_another_device_gives_no_result_for_it(market, refused):
    lease = market.lend(market.devices[0])
    assert refused(market.result, lease, party=market.devices[1]) == "not-the-device"
    assert refused(market.result, lease, party=market.devices[1], provider=market.devices[1]) == "not-the-device"


def test_output_and_path_have_to_lead_to_the_root(market, refused):
    lease = market.lend(market.devices[0])
    content, output = market.result_of(lease, market.devices[0], 1)
    device, name = market.devices[0], content["output"]
    other = bytes([output[0] ^ 1, *output[1:]])
    longer = output + b"0000"
    for reason, changed, blobs in [
        ("missing-output", {}, {}),
        ("wrong-output", {"output": sha256(other).hexdigest()}, {sha256(other).hexdigest(): other}),
        ("wrong-output", {"output": sha256(longer).hexdigest()}, {sha256(longer).hexdigest(): longer}),
        ("wrong-output", {"path": proof_text([bytes(32)])}, {name: output}),
        ("wrong-output", {"path": ""}, {name: output}),
    ]:
        assert refused(market.ask, device, "result", content | changed, blobs) == reason
    market.ask(device, "result", content, {name: output})


def test_the_first_result_that_counts_is_the_only_one(market, refused):
    lease = market.served(market.devices[0])
    head = market.ledger.head
    market.result(lease)  # the same one again: nothing happens
    assert market.ledger.head == head
    assert refused(market.result, lease, 2) == "wrong-state"


def test_a_late_result_does_not_count(market, refused):
    lease = market.lend(market.devices[0])
    market.advance(100)
    other = market.lend(market.devices[1])
    market.advance(1)
    assert refused(market.result, lease) == "late"
    market.order_of("miss", {"lease": lease, "why": "late"})
    assert refused(market.ask, market.devices[0], "result", market.result_of(lease, market.devices[0], 1)[0]) == (
        "no-such-lease"
    )
    market.result(other)


def test_a_result_frees_its_slot_at_once(market, refused, records):
    market.offer(market.devices[0], slots=1)
    lease = market.lend(market.devices[0])
    assert refused(market.lend, market.devices[0]) == "no-slot"
    market.result(lease)
    assert market.find(records["device"], market.devices[0]).busy == 0
    market.lend(market.devices[0])
