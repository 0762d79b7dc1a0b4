"""What devices offer, whether they are there, and what became of their leases."""

from experiments.marketplace import messages
from experiments.marketplace.desk import MOST_REQUESTS
from verification.encoding.signature import public


def test_a_device_that_is_away_computes_nothing_though_its_offer_stands(town):
    user, device = town.join("user"), town.join("provider", device=True)
    device.accepts = False
    town.order(user)
    town.pass_time(town.settings.round_ticks)
    lease = device.last(messages.Lease).lease
    desk, owner, key = town.coordinator.desk, public(device.owner), public(device.device)
    assert desk.computes(key) == MOST_REQUESTS and desk.device_of(owner, lease) == key
    town.do(town.coordinator.closed(device.connection, town.now))
    assert desk.computes(key) == 0 and desk.device_of(owner, lease) == "" and key in desk.offers.of(owner)


def test_a_device_is_remembered_by_what_became_of_its_leases(town):
    """Psi is (served + 1) / (leased + 1)."""
    user, device = town.join("user"), town.join("provider", device=True)
    key, psi = public(device.device), [1.0]
    for computes in (True, False, True):
        device.computes = computes
        town.order(user, inputs=(len(psi),), patience=30)
        town.run()
        psi.append(town.coordinator.desk.offers.psi(key))
    assert psi == [1, 1, 2 / 3, 3 / 4]
