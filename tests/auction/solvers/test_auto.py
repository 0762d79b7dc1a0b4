"""Which solver is chosen for what, and that the outcome says so."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from auction import solvers
from auction.files import read_outcome, write_market
from auction.search import Stop
from auction.solvers import auto, solve
from auction.solvers.auto import choose


def chosen(market, reading="bundle"):
    return choose(market, reading).solver


@pytest.mark.parametrize("family, types", [("uniform", 3), ("sparse", 12), ("heavy_tailed", 8)])
def test_providers_of_several_types_are_for_column_generation(generate, family, types):
    assert chosen(generate(family, 40, 60, types)) == "column_generation"


def test_providers_of_one_type_are_for_an_integer_programme_up_to_a_size(generate):
    for market in (generate("marketplace", 80, 160, 6), generate("bundles", 60, 30, 30), generate("uniform", 5, 9, 1)):
        assert choose(market, "bundle")[:2] == ("ilp_cpsat", {"warm_start": True})
    assert chosen(generate("uniform", 250, 200, 1)) == "ilp_cpsat"
    assert chosen(generate("uniform", 251, 200, 1)) == "column_generation"


def test_only_providers_that_offer_something_count(generate):
    market = generate("uniform", 10, 40, 6, 1)
    one = np.zeros((20, 6), dtype=np.int64)
    one[np.arange(20), np.arange(20) % 6] = 5
    idle = replace(market, resource=np.vstack((one, market.resource[20:])), slots=[1] * 20 + [0] * 20)
    assert chosen(market) == "column_generation" and chosen(idle) == "ilp_cpsat"
    assert chosen(replace(market, slots=[0] * 40)) == chosen(generate("uniform", 3, 0)) == "ilp_cpsat"


def test_whole_tasks_are_matched(generate, monkeypatch):
    market = generate("uniform", 30, 40)
    assert chosen(market, "whole") == "assignment"
    monkeypatch.setattr(auto, "VECTOR_LIMIT", 3)
    assert chosen(market, "whole") == "column_generation"


@pytest.mark.parametrize("reading", ["bundle", "whole"])
@pytest.mark.parametrize("family, types", [("marketplace", 3), ("sparse", 4), ("bundles", 9)])
def test_the_outcome_is_that_of_the_solver_it_names(generate, family, types, reading):
    market = generate(family, 6, 9, types, 2)
    outcome = solve(market, "auto", reading=reading)
    choice = choose(market, reading)
    same = solve(market, choice.solver, reading=reading, options=choice.options)
    assert outcome.solver == "auto" and outcome.remark.startswith(choice.solver)
    assert outcome.remark.endswith(f": {choice.reason}")
    assert (outcome.welfare, outcome.bound, outcome.proven_optimal) == (same.welfare, same.bound, True)


def test_the_table_the_json_and_the_file_say_what_was_chosen(cli, generate, tmp_path):
    market, out = tmp_path / "market.json", tmp_path / "outcome.json"
    write_market(market, generate("uniform", 6, 9, 1))
    code, printed, _ = cli("solve", market, "--out", out)
    remark = "ilp_cpsat, warm_start=true: providers serve 1.0 of 1 types on average"
    assert code == 0 and f"auto chose {remark}" in " ".join(printed.split())
    code, printed, _ = cli("solve", market, "--json")
    assert json.loads(printed)["remark"].startswith(remark) and read_outcome(out).remark.startswith(remark)


def test_importing_what_was_chosen_is_not_solving(generate, monkeypatch):
    now, load = [0.0], solvers.load

    def slow(name):
        now[0] += 60.0
        return load(name)

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(solvers, "load", slow)
    stop = Stop(30.0)
    assert auto.solve(generate("uniform", 3, 5), "whole", stop, 0).status == "optimal"
    assert stop.elapsed == 0.0 and stop.remaining() == 30.0
