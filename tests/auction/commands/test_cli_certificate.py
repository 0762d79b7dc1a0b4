"""Certificates on the command line: written, re-derived, and refused when anything about them is changed."""

import json

import pytest

from auction import generate
from auction.files import write_market


@pytest.fixture(params=["providers", "vectors"])
def solved(cli, tmp_path, request):
    """A market, its outcome and its certificate, prices by provider or by slot vector."""
    paths = [tmp_path / name for name in ("market.json", "outcome.json", "certificate.json")]
    write_market(paths[0], generate("uniform", 6, 10, seed=8))  # its certificates leave a gap
    code, _, error = cli("solve", paths[0], "--solver", "column_generation", "--option", f"rows={request.param}",
                         "--out", paths[1], "--certificate", paths[2])  # fmt: skip
    assert code == 0, error
    return paths


def test_where_there_is_no_certificate_the_outcome_is_shown_and_kept_all_the_same(cli, solved, tmp_path):
    outcome, certificate = tmp_path / "own.json", tmp_path / "none.json"
    arguments = ("--solver", "ilp_cpsat", "--time-limit", 20, "--out", outcome, "--certificate", certificate)
    code, printed, error = cli("solve", solved[0], *arguments)
    assert code == 2 and "welfare" in printed and json.loads(outcome.read_text())["proven_optimal"]
    assert "ilp_cpsat proves no bound by prices" in error and not certificate.exists()


def test_a_certificate_is_derived_again(cli, solved):
    code, printed, _ = cli("check", solved[0], solved[1], "--certificate", solved[2])
    assert code == 0
    certificate = json.loads(solved[2].read_text())
    assert f"bound {certificate['bound']} micro-tokens derived again" in printed
    assert json.loads(solved[1].read_text())["certified_bound"] == certificate["bound"]


def test_a_bound_that_its_prices_do_not_give_fails(cli, solved):
    market, outcome, certificate = solved
    stated = json.loads(certificate.read_text())
    certificate.write_text(json.dumps(stated | {"bound": stated["bound"] - 1}))
    code, printed, _ = cli("check", market, outcome, "--certificate", certificate)
    assert code == 1
    assert f"its prices prove {stated['bound']}" in printed


def test_an_outcome_one_micro_token_below_its_certificate_fails(cli, solved):
    market, outcome, certificate = solved
    claimed = json.loads(outcome.read_text())
    outcome.write_text(json.dumps(claimed | {"certified_bound": claimed["certified_bound"] - 1}))
    code, printed, _ = cli("check", market, outcome, "--certificate", certificate)
    assert code == 1
    assert "certified_bound is" in printed


def test_a_bound_below_the_certified_one_needs_a_proof(cli, solved):
    market, outcome, certificate = solved
    claimed = json.loads(outcome.read_text())
    bound = claimed["certified_bound"] - 1
    gap = (bound - claimed["welfare"]) / bound
    without = claimed | {"bound": bound, "gap": gap, "proven_optimal": False, "proof": None}
    outcome.write_text(json.dumps(without))
    code, printed, _ = cli("check", market, outcome, "--certificate", certificate)
    assert code == 1
    assert "without proof" in printed
    outcome.write_text(json.dumps(without | {"proof": "enumeration: 7 columns"}))
    code, printed, _ = cli("check", market, outcome, "--certificate", certificate)
    assert code == 0
    assert "not derived again: enumeration: 7 columns" in printed


@pytest.mark.parametrize(
    "change, named",
    [
        (lambda c: {"price": c["price"][1:]}, "price"),
        (lambda c: {"price": [-1, *c["price"][1:]]}, "price[0]: -1"),
        (lambda c: {"price": [0.5, *c["price"][1:]]}, "price[0]: 0.5"),
        (lambda _: {"market_digest": "0" * 64}, "market_digest"),
        (lambda _: {"reading": "whole"}, "reading"),
        (lambda _: {"reading": "hole"}, "reading"),
        (lambda c: {"price": [2**62] * len(c["price"])}, "int64"),
        (lambda _: {"unit": [1]}, "unit: has 1 entries"),
        (lambda _: {"unit": [1, -1, 1]}, "unit[1]: -1"),
    ],
)
def test_what_is_no_certificate_of_this_market_is_one_line_and_exit_code_2(cli, solved, change, named):
    market, outcome, certificate = solved
    stated = json.loads(certificate.read_text())
    certificate.write_text(json.dumps(stated | change(stated)))
    code, _, error = cli("check", market, outcome, "--certificate", certificate)
    assert code == 2
    assert named in error
    assert error.count("\n") == 1


def test_a_solver_without_prices_has_no_certificate_to_write(cli, solved, tmp_path):
    code, _, error = cli("solve", solved[0], "--solver", "greedy", "--certificate", tmp_path / "none.json")
    assert code == 2
    assert "greedy" in error
    assert not (tmp_path / "none.json").exists()
