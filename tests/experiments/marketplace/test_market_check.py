"""``market check``: a ledger that holds, one whose money or verdict does not, and its exit codes."""

import json
import sqlite3
import sys
from functools import partial
from hashlib import sha256

import pytest

from auction.commands.terminal import run
from experiments import cli
from experiments.marketplace import check as checking
from experiments.marketplace.models import request_of
from verification.adversaries.cast import PROVIDER
from verification.adversaries.coordinate import settle
from verification.adversaries.scene import Scene, wrong
from verification.dispute.dispute import identity
from verification.errors import Refusal
from verification.market.leases import computation_of
from verification.numbers import PASSES, Numbers


@pytest.fixture
def market(monkeypatch, capfd):
    """Run ``market ...`` in this process: exit code, standard output, standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["experiments", "market", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            run(cli.app)
        printed = capfd.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def nothing_known(monkeypatch):
    monkeypatch.setattr(checking, "computed", partial(checking.computed, models=()))


@pytest.fixture
def disputed(tmp_path):
    """A ledger with a dispute that a cheat lost; its head."""
    path = tmp_path / "market.ledger"
    scene = Scene(path=path)
    scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.serve(drawn=False)
    scene.publish(lease)
    scene.join("challenger")
    scene.claim("challenger", lease, scene.right)
    settle(scene)
    return path, scene.ledger.head


def test_a_ledger_that_holds_says_which_disputes_were_not_played_again(market, disputed, nothing_known):
    path, (number, digest) = disputed
    code, out, _ = market("check", path, "--head", f"{number}:{digest}")
    assert code == 0 and "the ledger holds" in out and "disputes that are over: 1, of which 0" in out
    assert "not re-derived" in out and "is not at hand" in out
    code, out, _ = market("check", path, "--json")
    told = json.loads(out)
    assert code == 0 and told["holds"] and told["reasons"] == [] and told["disputes"] == 1
    assert len(told["not_rederived"]) == 1


def test_a_wrong_verdict_is_a_reason(market, disputed, monkeypatch):
    """The computation is another one than was begun, which the ledger alone cannot know."""
    monkeypatch.setattr(checking, "computed", lambda requests, inputs: Numbers(seed=6))
    code, out, _ = market("check", disputed[0], "--json")
    told = json.loads(out)
    assert code == 1 and not told["holds"] and "another computation" in told["reasons"][0]


def test_an_event_that_was_edited_is_a_reason(market, disputed):
    path, _ = disputed
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE events SET event = CAST(replace(event, 'tick', 'tock') AS BLOB) WHERE number = 3")
    connection.close()
    code, out, _ = market("check", path)
    assert code == 1 and "the ledger does not hold" in out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["check", "nothing.ledger"], "nothing.ledger"),
        (["check", __file__], "it is no ledger"),
        (["check", __file__, "--head", "12"], "N:DIGEST is expected"),
        (["check"], "Missing argument"),
    ],
)
def test_bad_input_is_one_line(market, arguments, said):
    code, out, err = market(*arguments)
    assert code == 2 and said in err and err.count("\n") == 1 and not out


def test_disputes_over_models_at_hand_are_played_again(market, disputed, monkeypatch):
    monkeypatch.setattr(checking, "computed", lambda requests, inputs: Numbers())
    code, out, _ = market("check", disputed[0])
    assert code == 0 and "disputes that are over: 1, of which 1 were played again here" in out


def test_requests_of_a_model_at_hand_run_again():
    model, raw = checking.SmallNumbers(), checking.SmallNumbers.input(4)
    name = sha256(raw).hexdigest()
    asked = request_of(model, name, limit=PASSES, seed=7)
    found = checking.computed([asked], {name: raw}, [model])
    assert (found.digests, found.terms) == (Numbers(seed=7).digests, Numbers(seed=7).terms)
    several = checking.computed([asked, asked], {name: raw}, [model])
    assert identity(several) == computation_of([asked, asked], several.digests["graph"])
    for requests, given, known, reason in (
        ([asked], None, [model], "missing-input"),
        ([asked], raw, [], "unknown-model"),
    ):
        with pytest.raises(Refusal) as refused:
            checking.computed(requests, {name: given}, known)
        assert refused.value.reason == reason
