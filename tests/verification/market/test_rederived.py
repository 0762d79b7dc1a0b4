"""The disputes of a ledger, derived again from its file alone."""

from dataclasses import replace

import pytest

from verification.adversaries.break_dispute import ADVERSARIES
from verification.adversaries.cast import PROVIDER
from verification.adversaries.coordinate import begin, message, settle
from verification.adversaries.scene import Scene, wrong
from verification.dispute.state import Verdict
from verification.errors import Refusal
from verification.market.duties import conclude
from verification.market.rederived import rederived
from verification.numbers import Numbers

SILENT = ADVERSARIES["silent-at-node"][0]
GARBAGE = ADVERSARIES["garbage"][0]


def numbers(requests, inputs):
    """What every request of a scene runs."""
    assert [asked["input"] for asked in requests] == list(inputs)
    return Numbers()


def forgotten(requests, inputs):
    raise Refusal("forgotten", "the input is kept no longer")


@pytest.fixture
def scene(tmp_path):
    return Scene(path=tmp_path / "market.ledger")


def shown(scene, *, cheats=True):
    if cheats:
        scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.serve(drawn=False)
    scene.publish(lease)
    return lease


def found(scene, computed=numbers):
    return list(rederived(scene.ledger._path, computed))


@pytest.mark.parametrize(
    "cheats, wrap, winner, reason",
    [
        (True, None, "challenger", "step-wrong"),
        (False, None, "asserter", "step-right"),
        (True, SILENT, "challenger", "silent"),
        (True, GARBAGE, "challenger", "malformed"),
    ],
)
def test_a_dispute_leads_to_its_verdict_again(scene, cheats, wrap, winner, reason):
    lease = shown(scene, cheats=cheats)
    scene.parties[PROVIDER].wrap = wrap
    scene.join("challenger")
    scene.claim("challenger", lease, scene.right if cheats else wrong(scene))
    settle(scene)
    [each] = found(scene)
    assert (each.winner, each.reason, each.wrong, each.lacks) == (winner, reason, "", "")
    [lost] = found(scene, forgotten)
    assert (lost.wrong, lost.lacks) == ("", "the input is kept no longer")


def test_a_verdict_that_does_not_follow_is_told(scene):
    """The referee takes every message, and at the end says that the cheat was right."""
    lease = shown(scene)
    scene.join("challenger")
    claim = scene.claim("challenger", lease, scene.right)
    settle(scene, until=lambda: claim in scene.disputes and scene.disputes[claim].dispute.expects == "open")
    held = scene.disputes[claim]
    play_last(scene, claim, held)
    conclude(scene, claim, replace(held.dispute.verdict, winner="asserter", reason="step-right"), "0" * 64)
    [each] = found(scene)
    assert each.wrong == "it leads to challenger (step-wrong), not asserter (step-right)" and not each.lacks


def play_last(scene, claim, held):
    raw = message(scene, claim, held.dispute)
    scene.advance(1)
    held.receive(raw, scene.tick)
    told = held.entries[-1].record.content
    content = {"claim": claim, "message": told["message"], "clocks": told["clocks"]}
    scene.order_of("play", content, {told["message"]: raw})


def test_that_the_referee_failed_is_told_and_convicts_nobody(scene):
    lease = shown(scene)
    scene.join("challenger")
    claim = scene.claim("challenger", lease, scene.right)
    begin(scene, claim)
    conclude(scene, claim, Verdict(None, "void", None, None, None, 0), "0" * 64)
    [each] = found(scene)
    assert (each.winner, each.reason, each.wrong) == ("", "void", "")
    assert each.lacks == "the referee's code failed, and does not here"


def test_another_computation_than_was_begun_does_not_follow(scene):
    lease = shown(scene)
    scene.join("challenger")
    scene.claim("challenger", lease, scene.right)
    settle(scene)
    [each] = found(scene, lambda requests, inputs: Numbers(seed=6))
    assert each.wrong == "the dispute is about another computation"
