"""What counts as a result, when it is shown, and who is paid when it is final."""


def test_an_honest_result_that_is_not_drawn_is_paid_after_its_window(market):
    device, owner = market.devices[0], market.owners[0]
    fund, before, paid = market.fund, market.free(owner), market.free(market.user)
    lease = market.order(bid=2_000)
    lease = market.assign(lease, device, price=1_000)
    market.accept(lease)
    assert market.free(owner) == before - 8_000
    market.result(lease)
    market.drop(lease)
    assert market.free(owner) == before + 1_000
    assert market.free(market.user) == paid - 1_220
    assert market.fund + sum(map(market.free, market.owners[1:])) == fund + 220 + 4_000_000
    assert not market.names("order") + market.names("lease") + market.names("result")


def test_a_drawn_result_is_audited_and_its_verifier_is_paid_with_it(market, refused):
    lease = market.served(market.devices[0], drawn=True)
    assert refused(market.publish, lease) == "drawn"
    verifier = market.conclude(lease)
    assert market.lease(lease).state == "published" and market.lease(verifier).state == "confirmed"
    assert refused(market.final, verifier) == "wrong-state"
    assert refused(market.final, lease) == "too-early"
    market.advance(601)
    market.final(lease)
    fund = market.fund
    market.final(verifier)
    assert market.fund == fund - 1_000
    assert not market.names("lease") + market.names("order") + market.names("audit")
