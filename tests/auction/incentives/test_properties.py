"""Properties of mechanisms whose promises are known, and factors that make no sense."""

import pytest

from auction import mechanisms
from auction.incentives.properties import properties
from auction.market import MICRO

KEYS = {
    "users_losing", "providers_losing", "worst_loss", "budget_surplus", "welfare", "optimum_or_bound", "user_surplus",
    "provider_surplus", "regret_mean", "regret_max", "share_gaining", "epsilon",
}  # fmt: skip


@pytest.fixture(scope="module")
def market(request):
    generate = request.getfixturevalue("generate")
    return generate("uniform", 8, 16, 2, 3)


@pytest.mark.parametrize("mechanism", [name for name in mechanisms.names() if name != "mcafee"])
def test_surplus_adds_up_to_welfare_and_the_optimum_bounds_it(market, mechanism):
    found = properties(market, mechanism, sample=3, misreports=(0.5, 1.5))
    assert set(found) >= KEYS
    assert found["user_surplus"] + found["provider_surplus"] + found["budget_surplus"] == found["welfare"]
    assert found["welfare"] <= found["optimum_or_bound"]
    assert (found["epsilon"] is not None) is (mechanism == "private")
    assert found["users_losing"] == found["providers_losing"] == found["worst_loss"] == 0


def test_vcg_is_optimal_without_regret_and_the_midpoint_is_neither(market):
    vcg = properties(market, "vcg", sample=3)
    assert vcg["welfare"] == vcg["optimum_or_bound"] > 0
    assert vcg["regret_max"] == vcg["share_gaining"] == 0
    options = {"backfill": True, "task_order": "ratio", "provider_order": "ratio"}
    midpoint = properties(market, "whitepaper", sample=8, options=options)
    assert midpoint["regret_max"] > MICRO and 0 < midpoint["share_gaining"] <= 1
    assert midpoint["regret_mean"] <= midpoint["regret_max"]


def test_without_a_seed_it_is_that_of_0(market):
    def found(**seed):
        return properties(market, "posted_price", sample=2, misreports=(0.5, 2.0), **seed)

    assert found() == found(seed=0) != found(seed=1)


def test_printed_prices_make_users_lose(generate, monkeypatch):
    monkeypatch.setattr("auction.incentives.properties.BOUND_SECONDS", 0.5)
    market = generate("marketplace", 30, 60, 3, 0)
    options = {"backfill": True, "task_order": "ratio", "provider_order": "ratio", "printed": True}
    found = properties(market, "whitepaper", sample=1, misreports=(2.0,), options=options)
    assert found["users_losing"] > 0 and found["worst_loss"] > 0 and found["providers_losing"] == 0


def test_refuses_factors_and_samples_that_make_no_sense(market, refusal):
    for misreports in ((), (0.0,), (-1.0, 2.0), (float("nan"),), (float("inf"),)):
        assert "misreports" in refusal(properties, market, "posted_price", misreports=misreports)
    assert "sample" in refusal(properties, market, "posted_price", sample=0)
