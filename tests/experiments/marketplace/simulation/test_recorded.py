"""Requests that orders draw from: one right trace each, and wrong ones in every way, which are others."""

import numpy as np
import pytest

from experiments.marketplace import models
from experiments.marketplace.models import computation_of, table
from experiments.marketplace.simulation.recorded import WAYS, Recorded
from experiments.marketplace.simulation.strategies import STRATEGIES
from inference.errors import InputError
from verification.dispute.dispute import identity
from verification.errors import Refusal
from verification.market import leases
from verification.trace import record


@pytest.fixture(scope="module")
def recorded():
    return Recorded(np.random.default_rng(0))


def test_a_lease_asks_for_the_run_of_its_request(recorded):
    for runs in recorded.runs:
        run = runs[3]
        assert recorded.of([dict(run.request)]) is run
        assert recorded.of_computation(run.computation) is run
    digests = {run.request["input"] for run in recorded.runs[0]}
    assert len(digests) == len(recorded.runs[0])


def test_the_right_trace_is_what_the_models_run(recorded):
    for runs in recorded.runs:
        run = runs[1]
        made = computation_of(
            table([run.model.model]), [run.request], {run.request["input"]: run.raw}
        )  # anew, not the one that is kept
        assert made is not run.computation
        assert record(made).tree.root.hex() == run.root


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_cheating_gives_another_root_and_leaves_the_right_one(recorded, way):
    for model in (0, 2, 3):
        run = recorded.runs[model][2]
        right = run.root
        roots = {run.wrong(way, variant).tree.root.hex() for variant in range(2)}
        assert right not in roots and run.root == right
        assert run.wrong(way, 0) is run.wrong(way, 4), "variants are few, and made once"
        assert run.wrong(way, 0).computation is run.computation


def test_the_ledger_and_the_referee_mean_the_same_computation(recorded):
    for runs in recorded.runs:
        run = runs[2]
        graph = run.model.shape(run.request, run.raw).graph
        assert leases.computation_of([run.request], graph) == identity(run.computation)


def test_what_is_drawn_does_not_follow_from_the_text_of_kernels(monkeypatch):
    """Leases hold the digest of what a device is sent of a model; here nobody is sent anything."""
    monkeypatch.setattr(models, "layouts_of", lambda name: pytest.fail(f"the kernels of {name}"))
    assert Recorded(np.random.default_rng(1)).runs


def roots_of(trace):
    return [tree.root for tree in trace.trees if tree is not None]


def test_a_fault_that_cannot_be_followed_stands_alone(recorded, monkeypatch):
    def beyond_bounds(run, generator):
        raise InputError("a replaced output takes a node beyond its bounds")

    monkeypatch.setitem(WAYS, "beyond bounds", beyond_bounds)
    run = recorded.runs[0][3]
    found = run.wrong("beyond bounds", 0)
    assert found.tree.root.hex() != run.root
    assert sum(a != b for a, b in zip(roots_of(found), roots_of(run.right), strict=True)) == 1


def test_strategies_name_ways_that_there_are():
    assert {way for strategy in STRATEGIES for way in strategy.ways} <= set(WAYS)


def test_a_model_that_is_remembered_refuses_what_it_cannot_run(recorded):
    run = recorded.runs[0][0]
    with pytest.raises(Refusal, match="the limit is"):
        run.model.shape(run.request | {"limit": 9}, run.raw)


def test_a_picture_is_a_whole_reference_request_of_stable_diffusion_xl(recorded):
    *_, pictures = recorded.runs
    assert recorded.stands_for[-1].name == "image SDXL" and {run.work for run in pictures} == {1.0}
    [work] = {tuple(run.row) for run in pictures}
    assert work == (1, 30), "images and steps"
    assert len({run.root for run in pictures[:3]}) == 3


def test_markets_share_what_was_recorded_of_a_request(recorded):
    others = Recorded(np.random.default_rng(1))
    for own, other in ((runs[2], others.runs[model][2]) for model, runs in enumerate(recorded.runs)):
        assert own is not other and own.right is other.right
        assert own.wrong("flipped-bit", 1) is other.wrong("flipped-bit", 1)
