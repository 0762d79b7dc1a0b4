"""What is due of an honest coordinator is done step by step; what it waits for is not forced."""

import pytest

from verification.adversaries.cast import PROVIDER, USER
from verification.adversaries.coordinate import settle
from verification.adversaries.scene import Scene, wrong
from verification.dispute.state import Verdict
from verification.encoding.canonical import digest
from verification.encoding.signature import public
from verification.market import auditors, duties
from verification.market.records import Audit, Claim, Dispute, Lease, Result


def kinds(scene, since):
    return [event.request.kind for event in scene.ledger.events(since)]


@pytest.fixture
def scene():
    return Scene()


def test_a_result_that_is_not_drawn_is_shown(scene):
    lease = scene.serve(drawn=False)
    duties.received(scene, lease)
    assert scene.find(Lease, lease).state == "published" and scene.find(Result, lease).window > scene.tick


def test_a_result_that_is_drawn_has_its_first_lot_and_a_verifier_once(scene):
    lease = scene.serve(drawn=True)
    listed = auditors.listing(scene.draft, lease)
    duties.received(scene, lease)
    audit = scene.find(Audit, lease)
    assert scene.lists[lease] == listed and audit.listed == digest(listed) and len(audit.lots) == 1
    assert not scene.find(Result, lease).window
    duties.audit(scene, lease)
    verifier = scene.find(Audit, lease).verifier
    assert scene.find(Lease, verifier).owner == audit.lots[0] != scene.parties[PROVIDER].key
    head = scene.ledger.head
    duties.audit(scene, lease)
    assert scene.ledger.head == head, "its verifier is at work"


def test_an_audit_that_is_over_is_revealed_with_its_list(scene):
    lease = scene.serve(drawn=True)
    duties.received(scene, lease)
    duties.audit(scene, lease)
    verifier = scene.find(Audit, lease).verifier
    scene.ask(scene.party(scene.find(Lease, verifier).device).name, "accept", {"lease": verifier})
    scene.deliver(verifier)
    before = scene.state.number + 1
    duties.audit(scene, lease)
    assert kinds(scene, before) == ["reveal"] and scene.find(Lease, lease).state == "published"


def test_a_bought_audit_is_sealed_before_a_lot_is_drawn(scene):
    lease = scene.serve(drawn=False)
    duties.received(scene, lease)
    scene.ask(USER, "challenge", {"lease": lease})
    before = scene.state.number + 1
    duties.audit(scene, lease)
    assert kinds(scene, before) == ["seal"] and scene.sealed[lease] + 1 == scene.number
    duties.audit(scene, lease)
    assert kinds(scene, before) == ["seal", "lot"]


def test_the_next_lot_waits_for_the_last_one_s_time(scene, monkeypatch):
    lease = scene.serve(drawn=True)
    duties.received(scene, lease)
    monkeypatch.setattr(scene, "device_of", lambda owner, lease: "")
    head = scene.ledger.head
    duties.audit(scene, lease)
    assert scene.ledger.head == head and len(scene.find(Audit, lease).lots) == 1
    scene.advance(scene.find(Lease, lease).limit + 1)
    duties.audit(scene, lease)
    lots = scene.find(Audit, lease).lots
    assert len(lots) == 2 == len(set(lots))


def test_a_dispute_in_which_the_referee_failed_ends_and_waits_again(scene):
    scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.serve(drawn=False)
    duties.received(scene, lease)
    scene.join("challenger")
    claim = scene.claim("challenger", lease, scene.right)
    begun = duties.begin(scene, claim)
    assert begun.content["asserter"] == public(scene.parties[PROVIDER].device) and scene.known(Dispute, claim)
    before = scene.state.number + 1
    duties.conclude(scene, claim, Verdict(None, "void", None, None, None, 0), "0" * 64)
    assert kinds(scene, before) == ["void"] and scene.known(Claim, claim) and not scene.known(Dispute, claim)


def test_nobody_is_summoned_where_nobody_is_absent(scene):
    lease = scene.serve(drawn=False)
    duties.received(scene, lease)
    head = scene.ledger.head
    assert not duties.deputize(scene, lease) and scene.ledger.head == head
    settle(scene)
    assert not scene.names("lease")
