"""The market of cards and traces: shares, memory, the money it is counted in."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction.data import hardware, traces
from auction.data.hardware import MODELS
from auction.errors import InputError
from auction.instances import generate, marketplace
from auction.market import MICRO
from auction.solvers import solve

EMBEDDED = {"data": "embedded"}


def draw(tasks=200, providers=120, types=3, seed=0, **options):
    return generate("marketplace", tasks, providers, types, seed, EMBEDDED | options)


def write_files(root):
    tokens = "TIMESTAMP,ContextTokens,GeneratedTokens\nnow,512,128\n"
    files = {
        traces.TRACES["chat"][0]: tokens,
        traces.TRACES["code"][0]: tokens,
        traces.TRACES["image"][0]: "predict_status,num_images_per_prompt,num_inference_steps\nSUCCEED,1,30\n",
        traces.OFFERS: "gpu,count,price_usd_hr\nRTX_4090,1,0.4\nA40,2,1.2\nRTX_3060,1,0.1\nRTX_3070,1,0.1\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize("types", range(1, len(MODELS) + 1))
def test_every_number_of_types(types):
    market = draw(types=types)
    assert market.types == types and (market.resource.any(axis=1)).all()
    assert (market.demand.sum(axis=0) > 0).all()
    assert ((market.ability > 0) >= (market.resource > 0)).all()
    assert market.digest == draw(types=types).digest != draw(types=types, seed=1).digest


def test_more_types_than_models():
    with pytest.raises(InputError, match="^types: 7 is not allowed; marketplace knows 1 to 6 model types$"):
        draw(types=7)


@pytest.mark.parametrize("sizes", [(0, 0), (0, 7), (7, 0), (1, 1)])
def test_small_sizes(sizes):
    market = draw(*sizes)
    assert (market.tasks, market.providers) == sizes


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    seconds=st.floats(1.0, 500.0),
    second_type=st.floats(0, 1),
    least_share=st.floats(0, 0.5),
    types=st.integers(1, len(MODELS)),
)
def test_slots_stay_within_the_round_and_the_memory(seed, seconds, second_type, least_share, types):
    models = MODELS[:types]
    cards = hardware.catalogue()
    alone = hardware.rates(models, cards) * seconds
    rng = np.random.default_rng(seed)
    card = rng.choice(np.flatnonzero((alone >= 1).any(axis=1)), 300)
    resource = marketplace.loaded(models, cards, card, alone, np.ones(types), second_type, least_share, rng)
    used = np.divide(resource, alone[card], out=np.zeros(resource.shape), where=alone[card] > 0).sum(axis=1)
    assert (used <= 1 + 1e-12).all()
    assert (resource[alone[card] == 0] == 0).all()
    kept = resource > 0
    assert np.isin(kept.sum(axis=1), (1, 2)).all()
    memory = kept @ np.array([model.memory for model in models])
    assert (memory <= 0.9 * cards.memory[card] + 1).all()
    single = kept.sum(axis=1) == 1
    assert (resource[single].max(axis=1) == np.floor((alone[card] * kept)[single].max(axis=1))).all()


def test_shares_options():
    assert ((draw(second_type=0.0).resource > 0).sum(axis=1) == 1).all()
    assert ((draw(providers=500, second_type=1.0).resource > 0).sum(axis=1) == 2).mean() > 0.2


def test_longer_rounds_complete_more():
    short, long = draw(second_type=0.0, types=1), draw(second_type=0.0, types=1, round_seconds=60.0)
    assert np.median(long.resource) > 1.5 * np.median(short.resource)
    assert np.median(long.cost) > 1.5 * np.median(short.cost)


def test_files_give_the_market_worked_out_by_hand(tmp_path, monkeypatch):
    write_files(tmp_path)
    options = {"requests": 1, "markup_spread": 0.0, "price_spread": 0.0, "slots": 2, "markup": 2.0}
    monkeypatch.setenv(traces.VARIABLE, str(tmp_path))
    market = generate("marketplace", 60, 200, 3, 3, options)
    # One row a task, each exactly one reference request.
    assert (market.demand.sum(axis=1) == 1).all()
    assert (market.value == np.rint(2.0 * MICRO * (market.demand @ market.unit_work))).all()
    assert (market.slots == 2).all()
    # The reference card costs a token a second; half of 1.2 dollars an hour is 1.5 times as much.
    cards = hardware.catalogue()
    price = hardware.hourly_price(traces.load_offers(tmp_path), cards)
    assert price[cards.index("GeForce RTX 4090")] == 0.4 and price[cards.index("A40 PCIe")] == 0.6
    offered = 30 * price[cards.offered] / 0.4
    assert np.isin(market.cost, np.rint(MICRO * offered)).all()
    assert market.digest == generate("marketplace", 60, 200, 3, 3, options | {"data": str(tmp_path)}).digest
    assert market.digest != generate("marketplace", 60, 200, 3, 3, options | EMBEDDED).digest


def test_embedded_market_does_not_depend_on_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv(traces.VARIABLE, raising=False)
    plain = generate("marketplace", 50, 50, 3, 0)
    write_files(tmp_path)
    monkeypatch.setenv(traces.VARIABLE, str(tmp_path))
    assert draw(50, 50).digest == plain.digest != generate("marketplace", 50, 50, 3, 0).digest


def test_price_of_the_reference_card_is_needed(tmp_path):
    write_files(tmp_path)
    (tmp_path / traces.OFFERS).write_text("gpu,count,price_usd_hr\nA40,1,0.5\n")
    with pytest.raises(InputError, match="has no offer of GeForce RTX 4090"):
        draw(data=str(tmp_path))


def test_demand_is_cut():
    free, cut = draw(requests=40, largest=100_000), draw(requests=40, largest=5)
    assert free.demand.max() > 5
    assert (cut.demand == np.minimum(free.demand, 5)).all()


def test_extra_cost_is_the_share_asked_for():
    for share in (0.1, 0.2, 0.3):
        market = draw(2000, 10, extra_cost_share=share)
        tau, value = np.median(market.work), np.median(market.value) / MICRO
        extra = tau * np.log(tau) / np.log(float(market.alpha)) + 1
        assert extra / value == pytest.approx(share, rel=0.01)
    assert draw(extra_cost_share=0.001).alpha == 10**18


@pytest.mark.parametrize("supply", [0.25, 1.0, 3.0])
def test_supply(supply):
    market = draw(2000, 1500, supply=supply)
    offered = (market.slots[:, None] * market.resource @ market.unit_work).sum()
    assert offered / (market.demand @ market.unit_work).sum() == pytest.approx(supply, rel=0.1)


@pytest.mark.parametrize("name", marketplace.RANGES)
def test_options_outside_their_range(name):
    low, high = marketplace.RANGES[name]
    for value in (low - 1, high * 2 + 1):
        with pytest.raises(InputError, match=f"^option {name}: .* is not allowed; a number from"):
            draw(**{name: value})


def test_round_too_short_for_any_card():
    with pytest.raises(InputError, match="round_seconds"):
        marketplace.generate(5, 5, 3, np.random.default_rng(0), data="embedded", round_seconds=0.5)


def test_nobody_completes_a_70b_request_on_a_small_card():
    market = draw(50, 2000, types=6)
    able = market.ability[:, 5] > 0
    assert 0 < able.mean() < 0.2
    assert (market.resource[~able, 5] == 0).all()


def test_the_auction_serves_some_but_not_all():
    market = draw(400, 300)
    for options in ({}, {"backfill": True}):
        outcome = solve(market, "bid_density", options=options)
        winners = np.unique(outcome.allocation.task).size
        assert outcome.welfare > 0 and 0 < winners < market.tasks


def test_measured_machines_become_providers(tmp_path):
    model = {"name": "m", "family": "llama", "arithmetic": "exact", "parameters": 10**9, "weight_bytes": 6 * 10**8}
    model |= {"prefill_tokens_per_second": 50.0, "decode_tokens_per_second": 20.0}
    slow = {"name": "slow", "adapter": "a", "backend": "wgpu", "date": "2026-11-25", "memory_bytes": 16 * 2**30}
    slow["models"] = [model]
    fast = slow | {"name": "fast", "models": [model | {name: 2 * model[name] for name in list(model)[5:]}]}
    path = tmp_path / "devices.json"
    path.write_text(json.dumps({"devices": [slow, fast]}))
    options = {"devices": str(path), "round_seconds": 3600.0, "second_type": 0.0, "price_spread": 0.0}
    market = draw(50, 400, 4, **options)
    chat = hardware.MODELS[3]
    one = 512 * chat.flop / (2e9 * 50) + 128 * chat.weights / (6e8 * 20)
    served = market.resource[:, 3][market.resource[:, 3] > 0]
    assert set(served) == {int(3600 / one), int(7200 / one)}
    assert set(market.ability.ravel()) == {0.5, 1.0} and np.unique(market.cost).size == 2
    assert (market.demand == draw(50, 400, 4).demand).all()
    with pytest.raises(InputError, match="round_seconds: 30 is not allowed; no card .* the quickest takes"):
        draw(devices=str(path))
    with pytest.raises(InputError, match="cannot be read"):
        draw(devices=str(tmp_path))
