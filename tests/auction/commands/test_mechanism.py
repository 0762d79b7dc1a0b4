"""The commands about mechanisms: formats other tools rely on, exit codes, one clear line for bad input."""

import json

import pytest

from auction import generate, mechanisms
from auction.files import write_market

MECHANISM_KEYS = {"mechanism", "welfare", "task", "provider", "payment", "receipt", "budget_surplus"}
PROPERTY_KEYS = {
    "users_losing", "providers_losing", "worst_loss", "budget_surplus", "welfare", "optimum_or_bound", "user_surplus",
    "provider_surplus", "regret_mean", "regret_max", "share_gaining", "epsilon",
}  # fmt: skip


@pytest.fixture
def market(tmp_path):
    path = tmp_path / "market.json"
    write_market(path, generate("uniform", 6, 10, seed=3))
    return path


def refused(answer):
    code, out, err = answer
    assert code == 2 and out == ""
    assert err.count("\n") == 1 and "Traceback" not in err
    return err


@pytest.mark.parametrize("mechanism", [name for name in mechanisms.names() if name != "mcafee"])
def test_mechanism_prints_a_settlement_and_nothing_else(cli, market, tmp_path, mechanism):
    out = tmp_path / "settlement.json"
    code, printed, _ = cli("mechanism", market, "--mechanism", mechanism, "--seed", 2, "--out", out, "--json")
    settled = json.loads(printed)
    assert code == 0 and set(settled) == MECHANISM_KEYS
    assert len(settled["payment"]) == 6 and len(settled["receipt"]) == 10
    assert len(settled["task"]) == len(settled["provider"])
    assert sum(settled["payment"]) - sum(settled["receipt"]) == settled["budget_surplus"]
    assert json.loads(out.read_text()) == settled


def test_mechanism_takes_options_and_shows_a_table(cli, market):
    code, printed, _ = cli("mechanism", market, "--mechanism", "whitepaper", "--option", "printed=true")
    assert code == 0 and "payments" in printed and "whitepaper" in printed


def test_properties_prints_its_keys(cli, market):
    arguments = ("properties", market, "--mechanism", "posted_price", "--misreports", "0.5,2", "--sample", 2)
    code, printed, _ = cli(*arguments, "--json")
    assert code == 0 and set(json.loads(printed)) >= PROPERTY_KEYS
    code, printed, _ = cli(*arguments)
    assert code == 0 and "regret mean" in printed


def test_mechanisms_lists_every_one_with_its_options(cli):
    code, printed, _ = cli("mechanisms")
    assert code == 0 and set(mechanisms.names()) <= set(printed.splitlines())


def test_bad_input_is_refused_in_one_line(cli, market, tmp_path):
    run = ("mechanism", market, "--mechanism")
    assert "unknown mechanism" in refused(cli(*run, "english"))
    assert "epsilon" in refused(cli(*run, "private", "--option", "epsilon=0"))
    assert "epsilon" in refused(cli(*run, "private", "--option", "epsilon=-1"))
    assert "grid" in refused(cli(*run, "private", "--option", "grid="))
    assert "grid" in refused(cli(*run, "private", "--option", "grid=1,-2"))
    assert "reading" in refused(cli(*run, "mcafee", "--reading", "bundle"))
    assert "types" in refused(cli(*run, "mcafee"))
    assert "time_limit" in refused(cli(*run, "vcg", "--option", "time_limit=0"))
    assert "markup" in refused(cli(*run, "posted_price", "--option", "markup=0"))
    assert "seed" in refused(cli(*run, "vcg", "--seed", -1))
    assert "misreports" in refused(cli("properties", market, "--mechanism", "vcg", "--misreports", "half"))
    assert "sample" in refused(cli("properties", market, "--mechanism", "vcg", "--sample", 0))
    assert "nowhere" in refused(cli("mechanism", tmp_path / "nowhere.json", "--mechanism", "vcg"))
    assert refused(cli(*run, "posted_price", "--out", tmp_path / "missing" / "settlement.json"))
    assert not (tmp_path / "missing").exists()


def test_vcg_refuses_an_unproven_optimum(cli, tmp_path):
    path = tmp_path / "large.json"
    write_market(path, generate("uniform", 200, 400, seed=0))
    line = refused(cli("mechanism", path, "--mechanism", "vcg", "--option", "time_limit=0.05"))
    assert "proven" in line and "time_limit" in line
