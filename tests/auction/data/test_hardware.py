"""Cards: the roofline, what fits, and prices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.data import hardware, traces
from auction.data.hardware import MODELS, REFERENCE_REQUEST, catalogue
from auction.errors import InputError

CHAT, CODE, IMAGE = MODELS[:3]
REAL = st.floats(1e9, 1e15)


def test_reference_card_runs_the_reference_requests_in_seconds_worked_out_by_hand():
    prompt = 512 * 2 * 8.03e9 / (0.4 * 82.58e12)
    decode = 128 * 0.5625 * 8.03e9 / (0.6 * 1010e9)  # bound by bandwidth
    assert hardware.reference_seconds(CHAT, np.array([512, 128])) == pytest.approx(prompt + decode)
    assert hardware.reference_seconds(IMAGE, np.array([1, 30])) == pytest.approx(30 * 2 * 5.98e12 / (0.4 * 82.58e12))


def test_requests_are_the_rounded_up_quotient_of_work():
    # (1024, 256) is exactly two references, one more token a third; small rows still count as one.
    rows = np.array([[512, 128], [1024, 256], [1024, 257], [3, 6], [0, 0]])
    assert hardware.reference_requests(CHAT, rows).tolist() == [1, 2, 3, 1, 1]
    images = np.array([[1, 30], [1, 31], [8, 30], [4, 40], [1, 1], [7, 30]])
    assert hardware.reference_requests(IMAGE, images).tolist() == [1, 2, 8, 6, 1, 7]


@given(st.sampled_from(MODELS), REAL, REAL, st.floats(1.0, 100.0), st.integers(0, 10_000), st.integers(1, 2000))
def test_time_falls_with_the_card_and_rises_with_the_request(model, compute, bandwidth, factor, first, second):
    row = np.array([first, second])
    time = hardware.seconds(model, row, compute, bandwidth)
    assert hardware.seconds(model, row, factor * compute, bandwidth) <= time
    assert hardware.seconds(model, row, compute, factor * bandwidth) <= time
    assert hardware.seconds(model, row + 1, compute, bandwidth) >= time
    # Both rooflines at once scale time exactly.
    assert hardware.seconds(model, row, factor * compute, factor * bandwidth) == pytest.approx(time / factor)


def test_rates_are_zero_exactly_where_memory_is_too_small():
    cards, rates = catalogue(), hardware.rates(MODELS, catalogue())
    for k, model in enumerate(MODELS):
        assert ((rates[:, k] > 0) == (0.9 * cards.memory >= model.weights + model.working)).all()
    fast = cards.index("GeForce RTX 4090")
    one = hardware.reference_seconds(CHAT, np.array(REFERENCE_REQUEST["chat"]))
    assert rates[fast, 0] == pytest.approx(1 / float(one))
    assert rates[fast, MODELS.index(next(m for m in MODELS if m.name == "chat 70B"))] == 0  # 42 GB do not fit 24


def test_two_models_fit_only_if_their_memories_do_together():
    cards = catalogue()
    both = hardware.fits((CHAT, CODE), cards)
    assert not (both & ~hardware.fits((CHAT,), cards)).any()
    assert hardware.fits((CHAT,), cards)[cards.index("GeForce RTX 3070")] and not both[cards.index("GeForce RTX 3070")]
    assert both[cards.index("GeForce RTX 3060 12 GB")]


def test_catalogue_holds_complete_cards_of_eight_years():
    cards = catalogue()
    assert len(set(cards.name)) == len(cards.name) > 400
    for column in (cards.compute, cards.bandwidth, cards.memory, cards.power):
        assert (column > 0).all() and not column.flags.writeable
    assert cards.name == tuple(sorted(cards.name))
    assert "GeForce GTX 1080 Ti" not in cards.name  # March 2017
    assert cards.offered[cards.index("GeForce RTX 4090")] and cards.offered[cards.index("RTX A6000")]
    assert not cards.offered[cards.index("H100 SXM5 80 GB")]
    # 16-bit figures of 1/64 (emulated) and of 4 times the 32-bit rate (matrix units) are both put right.
    assert cards.compute[cards.index("GeForce GTX 1060 5 GB")] == pytest.approx(4.375e12)
    assert cards.compute[cards.index("H100 SXM5 80 GB")] == pytest.approx(2 * 66.91e12)


def test_prices_are_the_offers_then_a_fit_then_the_power():
    cards = catalogue()
    offers = traces.load_offers(None)
    price = hardware.hourly_price(offers, cards)
    for name, dollars in offers.items():
        assert price[cards.index(name)] == max(dollars, 0.15 * cards.power[cards.index(name)] / 1000)
    assert (price >= 0.15 * cards.power / 1000).all()
    laptop = cards.index("GeForce RTX 4060 Mobile")
    assert 0.05 < price[laptop] < price[cards.index("GeForce RTX 4090")]


def test_fit_recovers_a_law_and_ignores_one_odd_offer():
    cards = catalogue()
    law = 0.001 * (cards.bandwidth / 1e9) ** 0.5 * (cards.memory / 2**30) ** 0.75
    known = [name for name, _ in traces.CARDS.values()]
    offers = {name: float(law[cards.index(name)]) for name in known}
    offers["RTX A2000"] *= 10
    drawn = hardware.hourly_price(offers, cards)
    free = np.array([name not in known for name in cards.name]) & (law > 0.16 * cards.power / 1000)
    assert free.sum() > 100
    assert np.abs(drawn[free] - law[free]).max() <= 0.0006


@pytest.mark.parametrize("names", [[], ["GeForce RTX 4090"], ["GeForce RTX 4090", "GeForce RTX 3090"]])
def test_too_few_prices_to_fit(names):
    with pytest.raises(InputError, match="at least three"):
        hardware.hourly_price(dict.fromkeys(names, 0.4), catalogue())
