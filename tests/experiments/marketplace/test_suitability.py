"""What a device could offer: from what it holds and measured, and why not where not."""

from types import SimpleNamespace

from experiments.marketplace.messages import Preflight
from experiments.marketplace.suitability import LEAST, REQUEST, suitable

SMALL, LARGE = (SimpleNamespace(name=name, memory=size, macs=size) for name, size in (("small", 100), ("large", 1000)))
DEVICE = Preflight("adapter", 500)


def told(speeds, *, psi=1.0):
    return suitable([SMALL, LARGE], DEVICE, speeds, round_seconds=10, limit_seconds=40, psi=psi)


def test_what_does_not_fit_is_told_with_its_reason():
    found = told({})
    assert found.fits == {"small": LEAST} and found.reasons == {"large": "it needs 1000 bytes, the device has 500"}


def test_a_round_has_room_for_what_speed_allows():
    speed = 100 * REQUEST  # a request a second
    assert told({"small": speed}).fits == {"small": 10}
    assert told({"small": speed}, psi=0.25).fits == {"small": 10} and told({}, psi=0.25).psi == 0.25
    assert told({"small": speed / 20}).fits == {"small": LEAST}


def test_what_no_lease_has_time_for_is_refused():
    for slow in (100 * REQUEST / 41, 0.0, float("nan")):
        assert told({"small": slow}).fits == {} and "longer" in told({"small": slow}).reasons["small"]
    assert f"{REQUEST} tokens would take 41 s" in told({"small": 100 * REQUEST / 41}).reasons["small"]
