"""Names go with a market, not into it: the digest, the solvers and what is drawn from it know nothing of them."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import auction
from auction import Market, mechanisms, rounds, solve
from auction.files import read_market, read_outcome, write_market, write_outcome
from auction.incentives.misreports import lies
from auction.names import Names

NAMES = {"tasks": ["Köln", "b", "c"], "providers": ["p q", "<q>", "r", "s"], "types": ["Größe", "y"]}
TEXT = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=20).filter(str.strip)


@pytest.fixture
def market(generate):
    return generate("uniform", 3, 4, 2, 1)


def test_names_are_kept_and_outside_the_digest(market, tmp_path):
    named = replace(market, names=NAMES, arrival=[0.0, 2.5, 1.0])
    assert named.digest == market.digest
    assert named.labels == tuple(map(tuple, NAMES.values()))
    assert market.labels == (
        ("task 0", "task 1", "task 2"),
        tuple(f"provider {j}" for j in range(4)),
        ("type 0", "type 1"),
    )
    for name in ("m.json", "m.npz"):
        write_market(tmp_path / name, named)
        again = read_market(tmp_path / name)
        assert again.names == named.names and again.arrival.tolist() == [0.0, 2.5, 1.0]
    outcome = solve(named, "ilp_cpsat")
    frame = outcome.frame()
    assert set(frame["task"]) <= set(NAMES["tasks"]) and set(frame["provider"]) <= set(NAMES["providers"])
    bids = frame.drop_duplicates("task")["bid [micro]"].sum()
    assert bids - frame["cost [micro]"].sum() == outcome.welfare
    write_outcome(tmp_path / "outcome.json", outcome)
    assert read_outcome(tmp_path / "outcome.json").frame(named).equals(frame)


def test_an_outcome_of_a_file_is_named_by_its_own_market_alone(market, tmp_path, refusal, generate):
    write_outcome(tmp_path / "outcome.json", solve(market, "greedy"))
    outcome = read_outcome(tmp_path / "outcome.json")
    assert "market: the one" in refusal(outcome.frame) == refusal(outcome.frame, generate("uniform", 3, 4, 2, 2))


def test_a_settlement_as_a_frame_adds_up(market):
    settled = mechanisms.run(replace(market, names=NAMES), "whitepaper")
    frame = settled.frame()
    sides = frame.groupby("side")["price [micro]"].sum()
    assert frame["name"].tolist() == NAMES["tasks"] + NAMES["providers"]
    assert sides["task"] == sides["provider"] == settled.payment.sum()
    total = frame["surplus [micro]"].sum()
    assert total == sum(market.net_bid[list(set(settled.allocation.task.tolist()))]) - sum(
        market.cost[settled.allocation.provider]
    )


def test_what_changes_the_tasks_drops_their_names(market):
    named = replace(market, names=NAMES, arrival=np.zeros(3))
    assert [kind for kind, *_ in lies(named, 0, (2.0,))] == [kind for kind, *_ in lies(market, 0, (2.0,))]
    plain, other = (rounds.simulate(each, [0.0, 40.0, 70.0], rounds=4) for each in (market, named))
    assert plain.payment.tolist() == other.payment.tolist()


@given(st.lists(TEXT, min_size=3, max_size=3, unique=True))
def test_any_line_of_text_is_a_name(tmp_path_factory, generate, names):
    market = replace(generate("uniform", 3, 4, 2, 1), names={"tasks": names})
    for name in ("m.json", "m.npz"):
        write_market(path := tmp_path_factory.mktemp("names") / name, market)
        assert read_market(path).names == Names(tasks=tuple(names))


@pytest.mark.parametrize(
    "names, said",
    [
        ({"tasks": ["a", "b"]}, "names: of tasks there are 2; the market has 3"),
        ({"tasks": ["a", "b", "a"]}, "names: of tasks, 'a' occurs twice"),
        ({"tasks": ["a", "b", ""]}, "names: tasks[2]: '' is not allowed; text of 1 to 200 characters"),
        ({"tasks": ["a", "b", "x\ny"]}, "names: tasks[2]: 'x\\ny' is not allowed; one line of text, without control"),
        ({"tasks": ["a", "b", 7]}, "names: tasks[2]: 7 is not allowed; text of 1 to 200 characters"),
        ({"tasks": "abc"}, "names: tasks are 'abc'; a list of names is needed"),
        ({"jobs": []}, "names: {'jobs': []} is not allowed; lists of names, of tasks, providers and types"),
        ([], "names: [] is not allowed"),
    ],
)
def test_bad_names(market, refusal, names, said):
    assert refusal(replace, market, names=names).startswith(said)
    assert "arrival: has shape (1,)" in refusal(replace, market, arrival=[1.0])


def test_everything_is_shown_in_a_line(market):
    outcome, settled = solve(market, "column_generation"), mechanisms.run(market, "vcg")
    shown = [repr(each) for each in (market, outcome, outcome.allocation, outcome.certificate, settled)]
    assert shown[0] == "Market(3 tasks, 4 providers, 2 types)"
    assert all("\n" not in line and len(line) < 120 for line in shown)
    assert shown[1].startswith("Outcome(column_generation, bundle: welfare ") and "gap 0.0000%, optimal" in shown[1]


def test_pandas_is_imported_on_use():
    code = "import sys, auction.commands.cli; assert not {'pandas', 'pyarrow', 'openpyxl', 'jinja2'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_help_states_units():
    for what in (auction.read, Market.from_frames, auction.Outcome.frame, mechanisms.Settlement.frame):
        assert "micro-tokens" in what.__doc__
