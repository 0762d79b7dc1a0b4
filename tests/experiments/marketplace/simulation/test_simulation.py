"""A small market simulated from its first order to its last: money, verdicts, catches, and the same head once more."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from typer.testing import CliRunner

from auction.errors import InputError
from auction.solvers import solve
from experiments.cli import app
from experiments.marketplace.settings import Settings
from experiments.marketplace.simulation import fleet, strategies
from experiments.marketplace.simulation.fleet import ROUND
from experiments.marketplace.simulation.simulate import simulated
from experiments.marketplace.simulation.summary import bound_of, by_strategy, drawn_share, summary
from experiments.marketplace.simulation.world import PURSE, World
from verification.ledger.inspect import inspect
from verification.market.operations import OPERATIONS

KEYS = ["orders", "served", "welfare", "certified_bound", "wrong_results", "caught", "right_parties_that_lost"]
KEYS += ["paid", "received", "burnt", "head"]


def world(path, seed=3, orders=120, devices=40, dishonest=0.4):
    made = World(
        path,
        orders=orders,
        devices=devices,
        dishonest=dishonest,
        seed=seed,
        settings=Settings(round_ticks=ROUND, work_limit=4 * ROUND),
    )
    made.run()
    return made


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A market with many who cheat."""
    made = world(tmp_path_factory.mktemp("market") / "ledger.sqlite")
    yield made
    made.ledger.__exit__()


def test_every_order_ends_and_nothing_stays_locked(ran):
    outcomes = [life.outcome for life in ran.measures.lives.values()]
    assert len(outcomes) == 120 and set(outcomes) <= {"served", "expired"}
    assert outcomes.count("served") > 60
    locked = {account for account in ran.state.balances if ":" in account and not account.startswith("free:")}
    assert not locked and not ran.state.facts["lease"] and not ran.state.facts["order"]


def test_money_is_conserved_to_the_micro_token(ran):
    money = ran.money()
    assert money.paid == money.received + money.burnt + money.fund > 0
    assert sum(money.by.values()) == money.received - money.paid
    assert sum(total - PURSE for total in ran.state.totals.values()) == sum(money.by.values())


def test_wrong_results_are_caught_and_nobody_who_is_right_loses(ran):
    wrong = [result for result in ran.measures.results.values() if not result.right]
    assert wrong and any(result.fell for result in wrong)
    assert not any(result.fell for result in ran.measures.results.values() if result.right)
    assert not ran.measures.right_that_lost
    assert ran.measures.disputes and all(each.right_won for each in ran.measures.disputes)
    assert all(each.messages for each in ran.measures.disputes if each.reason.startswith("step"))
    share, low, high = drawn_share(ran.measures)
    assert low <= share <= high


def test_honest_devices_give_right_results_alone_and_their_owners_gain(ran):
    table = by_strategy(ran).set_index("strategy")
    assert table.loc["honest", "wrong"] == 0 and table.loc["honest", "gained"] > 0
    assert table["wrong"].sum() == sum(not result.right for result in ran.measures.results.values())


def test_the_bound_of_a_round_is_its_optimum(ran):
    taken = max(ran.rounds, key=lambda each: each.matched)
    small = replace(
        taken.market,
        demand=taken.market.demand[:12],
        value=taken.market.value[:12],
        resource=taken.market.resource[:12],
        slots=taken.market.slots[:12],
        cost=taken.market.cost[:12],
        ability=taken.market.ability[:12],
    )
    assert bound_of(replace(taken, market=small)) == solve(small, "ilp_pulp").welfare
    assert all(each.welfare <= bound_of(each) for each in ran.rounds)


def test_the_same_seed_ends_at_the_same_head_and_the_file_holds(tmp_path):
    heads, found = [], []
    for number in range(2):
        path = tmp_path / f"{number}.sqlite"
        made = world(path, orders=30, devices=12)
        heads.append(made.ledger.head)
        made.ledger.__exit__()
        found.append(inspect(path, OPERATIONS))
    assert heads[0] == heads[1]
    assert not any(each.wrong for each in found)


def test_the_command_keeps_ledger_rounds_and_page(tmp_path):
    out = tmp_path / "out"
    asked = ["market", "simulate", "--orders", "20", "--devices", "12", "--seed", "5", "--out", str(out), "--json"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert list(found) == KEYS
    rounds = pd.read_parquet(out / "rounds.parquet")
    assert rounds["welfare"].sum() == found["welfare"] <= found["certified_bound"] == rounds["bound"].sum()
    page = (out / "page.html").read_text("utf-8")
    assert found["head"] in page and page.count("<svg") == 6
    assert "<script" not in page and "src=" not in page, "it loads nothing"
    assert (out / "ledger.sqlite").exists()
    again = CliRunner().invoke(app, asked)
    assert isinstance(again.exception, InputError) and "another folder" in str(again.exception)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"orders": 0}, "--orders: 0"),
        ({"devices": 3}, "--devices: 3"),
        ({"dishonest": 1.5}, "--dishonest: 1.5"),
        ({"seed": -1}, "--seed: -1"),
        ({"solver": "none"}, "unknown solver 'none'"),
        ({"mechanism": "none"}, "unknown mechanism 'none'"),
        ({"solver": "assignment"}, "assignment cannot take the reading 'bundle'"),
        ({"mechanism": "mcafee"}, "mcafee cannot take the reading 'bundle'"),
    ],
)
def test_bad_input_is_refused(given, said):
    asked = {"orders": 10, "devices": 10, "dishonest": 0.1, "seed": 0, "solver": "auto", "mechanism": "whitepaper"}
    with pytest.raises(InputError, match=said):
        simulated(**asked | given, out=None)


def test_parts_of_the_dishonest_sum_to_one_and_the_fleet_has_them(ran):
    assert sum(strategy.part for strategy in strategies.STRATEGIES) == pytest.approx(1)
    plans = [provider.plan for provider in ran.providers]
    part = sum(plan.strategy.name != "honest" for plan in plans) / len(plans)
    assert 0.2 <= part <= 0.6
    assert len({plan.strategy for plan in plans if plan.owner == plans[0].owner}) == 1
    assert all(fleet.seconds(plan, ran.recorded.runs[plan.model][0], ran.recorded) > 0 for plan in plans)


def test_the_summary_is_what_the_measures_say(ran):
    rounds = pd.DataFrame({"welfare": [1, 2], "bound": [2, 2]})
    found = summary(ran, rounds)
    assert (found["welfare"], found["certified_bound"], found["orders"]) == (3, 4, 120)
    assert found["head"] == "{}:{}".format(*ran.ledger.head)


def test_a_wrong_result_that_is_drawn_stands_where_a_stranger_cheats_alike(tmp_path):
    """And nowhere else; before it was drawn, that could be told."""
    made = world(tmp_path / "ledger.sqlite", orders=60, devices=60, dishonest=0.8)
    made.ledger.__exit__()
    measures = made.measures
    wrong = {name: result for name, result in measures.results.items() if not result.right}
    stood = {name for name, result in wrong.items() if result.audited == "drawn" and not result.fell}
    audits = [lease for lease in measures._leases.values() if lease.audits]
    confirmed = {audit.audits for audit in audits if audit.root == measures._leases[audit.audits].root}
    assert stood and stood == confirmed & set(wrong)
    assert all(wrong[name].alike > 0 for name in stood)
