"""Sizes of buffers against arithmetic on the models' published shapes, and the criterion on tables built by hand."""

import pandas as pd
import pytest

from experiments.claims import idle_hardware_suffices as claim
from experiments.claims.idle_hardware_suffices import MODEL, POSITIONS
from inference.planning import language


@pytest.mark.parametrize(
    "model, layered, vocabulary, heads, cache",
    [
        ("Llama-3-8B", 6_979_321_856, 525_336_576, 2, 2 * 32 * 8 * 128 * 2),  # published: 8,030 million in all
        ("Llama-3.2-1B", 973_078_528, 262_668_288, 1, 2 * 16 * 8 * 64 * 2),  # 1,236 million
    ],
)
def test_buffers_hold_four_bits_a_weight_and_two_numbers_a_word_of_the_cache(model, layered, vocabulary, heads, cache):
    sizes = claim.buffers(model, 1000)
    steps = {name: size for name, size in sizes.items() if name.endswith("pack_blocks")}
    digits = {name: size for name, size in sizes.items() if name.endswith(("pack_q4", "pack_q8"))}
    assert sum(digits.values()) == layered // 2 + heads * vocabulary
    assert sum(steps.values()) == 4 * layered // 32 + 2 * heads * vocabulary // 32
    assert sum(size for name, size in sizes.items() if name.startswith("state ")) == 1000 * cache


def test_what_larger_models_in_a_browser_plans_is_what_fits():
    """Both claims tell of the same model's largest buffer under what WebGPU promises everywhere."""
    model, name = "Llama-3-8B", "llama-3-8b"
    planned = max(language.plan(language.shape(name), POSITIONS).buffers().values())
    assert max(claim.buffers(model, POSITIONS).values()) == planned <= claim.LIMITS["defaults"][0]


def results(cards, allowed=True, of=100):
    rows = [
        (model, POSITIONS, 2**30 * 6, "weight embedding.q pack_q8", 2**29, limits, fits, count, of)
        for model, count in ((MODEL, cards), ("Llama-3.2-1B", of), ("Llama-3-70B", 3))
        for limits, fits in (("desktop", allowed), ("defaults", model == "Llama-3.2-1B"))
    ]
    columns = ["model", "positions", "bytes", "buffer", "largest", "limits", "allowed", "cards", "of"]
    return {"models": pd.DataFrame(rows, columns=columns), "memories": pd.DataFrame({"memory": [1.0, 2.0]})}


@pytest.mark.parametrize(
    "cards, allowed, verdict",
    [
        (50, True, "upheld"),
        (49, True, "qualified"),
        (20, True, "qualified"),
        (19, True, "refuted"),
        (90, False, "refuted"),
    ],
)
def test_the_criterion_counts_cards_that_hold_the_model(cards, allowed, verdict):
    found = claim.check(results(cards, allowed))
    assert found.verdict == verdict
    assert "everywhere Llama-3.2-1B would run" in found.explanation


def test_more_positions_fit_no_more_cards():
    models = claim.run("tiny")["models"]
    for _, own in models.groupby(["model", "limits"]):
        by_length = own.sort_values("positions")
        assert by_length["bytes"].is_monotonic_increasing
        assert by_length["cards"].is_monotonic_decreasing
