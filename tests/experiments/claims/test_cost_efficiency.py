"""Costs by hand, and the criterion on tables built by hand."""

import numpy as np
import pandas as pd
import pytest

from auction.data import hardware, traces
from auction.data.hardware import REFERENCE_REQUEST
from experiments import published
from experiments.claims import cost_efficiency as claim


def test_one_request_at_once_takes_what_the_market_reckons():
    cards = hardware.catalogue()
    for model in claim.LANGUAGE:
        prompt, generated = REFERENCE_REQUEST[model.trace]
        whole = hardware.seconds(model, np.array((prompt, generated)), cards.compute, cards.bandwidth)
        np.testing.assert_allclose(claim.seconds(model, cards) * generated, whole)


def test_a_batch_reads_the_weights_once_until_arithmetic_is_all_it_does():
    cards, model = hardware.catalogue(), claim.LANGUAGE[0]
    one, few, many = (claim.seconds(model, cards, batch) for batch in (1, 2, 10**6))
    assert (few < one).all()
    compute = model.flop / (hardware.COMPUTE_EFFICIENCY * cards.compute)
    np.testing.assert_allclose(many, compute * (1 + 512 / 128), rtol=1e-3)


def test_an_hour_costs_power_waiting_and_wear():
    assert claim.idle_hour(400.0, 0.0, 0.15, 1.0) == pytest.approx(0.06)
    assert claim.idle_hour(400.0, 0.0, 0.15, 0.5) == pytest.approx(0.066)  # an hour waited at a tenth of the power
    assert claim.idle_hour(0.0, 1000.0, 0.15, 1.0) == pytest.approx(0.05)


def results(wear, one, batched, held=("chat 8B", "chat 1B")):
    rows = []
    for model in (*held, "chat 70B"):
        for card, factor in (("a", 1.0), ("b", 1.0), ("c", 9.0)):
            if model in held:
                for tariff in claim.TARIFFS:
                    for used in claim.UTILISATIONS:
                        here = wear[model] * factor if (tariff, used) == (claim.ELECTRICITY, 1.0) else 50.0
                        rows.append((model, card, "idle, power", 1, tariff, used, here / 2))
                        rows.append((model, card, "idle, power and wear", 1, tariff, used, here))
            rows.append((model, card, "rented", 1, np.nan, np.nan, one * factor))
            rows.append((model, card, "rented", claim.BATCH, np.nan, np.nan, batched * factor))
    costs = pd.DataFrame(rows, columns=["model", "card", "kind", "batch", "tariff", "utilisation", "dollars"])
    return {"costs": costs, "auction": pd.DataFrame({"seed": [0, 1], "winners": [1, 1], "dollars": [2.0, 2.0]})}


@pytest.mark.parametrize(
    "wear, one, batched, verdict",
    [
        ((0.9, 0.9), 2.0, 1.0, "upheld"),
        ((0.9, 1.0), 2.0, 1.0, "qualified"),  # one model that is no cheaper than a batch
        ((1.9, 1.9), 2.0, 1.0, "qualified"),
        ((0.9, 2.0), 2.0, 1.0, "refuted"),
    ],
)
def test_the_criterion_asks_every_model_that_an_idle_card_holds(wear, one, batched, verdict):
    own = results(dict(zip(("chat 8B", "chat 1B"), wear, strict=True)), one, batched)
    found = claim.check(own)
    assert found.verdict == verdict
    assert "No consumer card at hand holds chat 70B" in found.explanation
    assert f"{wear[0]:.2f} dollars on the median idle card" in found.figure


def test_every_listed_card_is_in_the_catalogue_and_rented():
    offers = traces.load_offers(None)
    assert set(claim.LIST_PRICE) <= set(hardware.catalogue().name)
    assert set(claim.LIST_PRICE) <= set(offers)


def test_dollars_are_those_that_were_published(monkeypatch):
    """Of the same markets; what idle and rented cards cost is in every size the same."""
    monkeypatch.delenv(traces.VARIABLE, raising=False)
    for name, found in claim.run("tiny").items():
        pd.testing.assert_frame_equal(found, published.results("cost_efficiency")[name].head(len(found)))
