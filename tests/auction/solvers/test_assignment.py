"""The flow through the lattice against SciPy's assignment on all slots, and its process apart."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from auction import instances
from auction.search import Stop
from auction.solvers import assignment, solve


def matched(market):
    """The weight of the best assignment of tasks to slots; a pair that does not cover or does not pay weighs 0."""
    slot = np.repeat(np.arange(market.providers), np.minimum(market.slots, market.tasks))
    covers = (market.resource[slot] >= market.demand[:, None]).all(axis=2)
    weight = np.where(covers, np.maximum(market.net_bid[:, None] - market.cost[slot], 0), 0)
    return int(weight[linear_sum_assignment(weight, maximize=True)].sum())


def mixed(generate, family, seed, tasks=60, providers=80):
    market = generate(family, tasks, providers, 1 + seed % 3, seed)
    slots = np.random.default_rng(seed).integers(0, 4, providers) if seed % 2 else market.slots
    return replace(market, slots=slots)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", instances.names())
def test_welfare_is_that_of_the_assignment(generate, family, seed):
    market = mixed(generate, family, seed)
    outcome = solve(market, "assignment", reading="whole")
    assert outcome.welfare == outcome.bound == matched(market)
    assert outcome.status == "optimal"


@pytest.mark.parametrize("seed", range(4))
def test_process_apart_finds_the_same(generate, monkeypatch, seed):
    market = mixed(generate, "uniform", seed)
    within = solve(market, "assignment", reading="whole")
    monkeypatch.setattr(assignment, "IN_PROCESS_ARCS", 0)
    apart = solve(market, "assignment", reading="whole")
    assert apart.welfare == within.welfare == matched(market) > 0
    assert apart.allocation.provider.tolist() == within.allocation.provider.tolist()


@pytest.fixture
def endless(tmp_path, monkeypatch):
    """A process apart that never answers."""
    program = tmp_path / "endless"
    program.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    program.chmod(0o700)
    monkeypatch.setattr(assignment, "IN_PROCESS_ARCS", 0)
    monkeypatch.setattr(assignment.sys, "executable", str(program))


def test_process_apart_is_ended_by_the_time_limit(generate, endless):
    market = generate("uniform", 30, 30)
    outcome = solve(market, "assignment", reading="whole", time_limit=0.05)
    assert (outcome.welfare, outcome.status, outcome.proven_optimal) == (0, "time limit", False)
    assert outcome.bound == market.net_bid.clip(0).sum() > 0


def test_process_apart_is_ended_by_an_interrupt(generate, endless):
    stop = Stop(None)
    stop.interrupt()
    assert assignment.solve(generate("uniform", 30, 30), "whole", stop, 0).allocation.task.size == 0


def test_what_it_refuses(generate, refusal):
    market = generate("uniform", 22, 22, 6)
    steps = np.tile(np.arange(1, 23)[:, None], 6)  # 23 levels a type, 0 among them
    wide = refusal(solve, replace(market, demand=steps, value=[10**9] * 22), "assignment", reading="whole")
    assert wide.startswith(f"market: its lattice of demands has {23**6} points in 6 types; assignment takes at most")
    few = generate("uniform", 22, 22, 3)
    dear = refusal(solve, replace(few, value=[2**57] * 22), "assignment", reading="whole")
    assert dear.startswith("market: amounts of ") and dear.endswith("their product must stay below 2^62")


@pytest.mark.parametrize("seed", range(4))
def test_relaxation_is_tight_under_whole(generate, seed):
    market = mixed(generate, "uniform", seed)
    assert solve(market, "lp_bound", reading="whole").bound == matched(market)
