"""Records that are written anew: transcripts, the ledger's file, its time; and a coordinator that is killed."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from verification.adversaries.cast import COORDINATOR, PROVIDER, PURSE, STRANGERS, USER, key_of
from verification.adversaries.coordinate import settle, told
from verification.adversaries.end import End, ended
from verification.adversaries.scene import Scene, wrong
from verification.dispute.dispute import Dispute
from verification.dispute.record import Proceedings
from verification.dispute.transcript import derived, replay
from verification.encoding.request import request
from verification.errors import Refusal
from verification.ledger.inspect import inspect
from verification.ledger.store import Ledger
from verification.market.entered import check_entered
from verification.market.operations import OPERATIONS

Edit = Callable[[dict[str, Any]], Any]


def _judged() -> tuple[Scene, Proceedings]:
    """A wrong result that has fallen in a dispute."""
    scene = Scene()
    scene.parties[PROVIDER].trace = wrong(scene)
    scene.serve(drawn=True)
    settle(scene)
    (held,) = scene.decided.values()
    return scene, held


def _record(entry: dict[str, Any]) -> Any:
    return entry["record"]["content"]


EDITS: dict[str, Edit] = {
    "all messages dropped, a late look at the clock": lambda t: t["entries"].__setitem__(slice(0, -1), []),
    "the challenger's answer dropped": lambda t: t["entries"].pop(1),
    "the last record dropped": lambda t: t["entries"].pop(),
    "two messages exchanged": lambda t: t["entries"].insert(1, t["entries"].pop(2)),
    "the winner exchanged": lambda t: _record(t["entries"][-1])["verdict"].update(winner="asserter"),
    "more in the verdict": lambda t: _record(t["entries"][-1])["verdict"].update(slashed=10**9),
    "no verdict": lambda t: _record(t["entries"][-1]).update(verdict=None),
    "a tick moved beyond a budget": lambda t: _record(t["entries"][1]).update(tick=10**6),
    "ticks that are no numbers": lambda t: _record(t["entries"][0]).update(tick=float("nan")),
    "ticks that are flags": lambda t: _record(t["entries"][0]).update(tick=True),
    "another delta": lambda t: t["begin"]["content"]["rules"].update(delta=1),
    "levels below 0": lambda t: t["begin"]["content"]["rules"].update(levels=-1),
    "larger budgets": lambda t: t["begin"]["content"]["budgets"].update(challenger=10**6),
    "another challenger": lambda t: t["begin"]["content"].update(challenger=t["begin"]["content"]["asserter"]),
    "another claim": lambda t: t["claim"]["content"]["header"].update(root="0" * 64),
    "another result": lambda t: t["result"]["content"]["header"].update(root="0" * 64),
    "a message changed": lambda t: t["entries"][0]["message"]["content"]["digests"].reverse(),
    "junk sent in a party's name": lambda t: t["entries"].insert(1, {**t["entries"][0], "message": "/////w=="}),
    "junk after the end": lambda t: t["entries"].append(t["entries"][0]),
    "another referee named": lambda t: t.update(referee="0" * 64),
    "something else in it": lambda t: t.update(note="<b>"),
}


def edited_transcripts() -> End:
    """Edits a transcript in twenty-one ways so that it leads to another verdict, or to the same by another way.

    All that a verdict follows from is signed by the parties or by the referee, record by record.
    """
    scene, held = _judged()
    right = json.loads(json.dumps(told(scene, held)))
    referee = held.dispute.begin.party

    def objection(content: dict[str, Any]) -> str:
        return replay(content, scene.computation, referee, scene.rules)

    assert objection(right) == ""
    noticed = 0
    for edit in EDITS.values():
        edited = deepcopy(right)
        edit(edited)
        noticed += bool(objection(edited))
    return ended(scene, (PROVIDER,), "does-not-follow", measured={"edits": len(EDITS), "noticed": noticed})


def own_referee() -> End:
    """Conducts the dispute a second time as its own referee, and shows a transcript that follows in every record.

    That a transcript names its referee proves nothing: who replays says whose records count.
    """
    scene, held = _judged()
    own = key_of("own referee")
    begun = request(own, "begin", scene.market, held.dispute.begin.content)
    again = Proceedings(Dispute(scene.computation, begun), own)
    tick = begun.content["tick"] + begun.content["budgets"]["asserter"] + 1
    again.tick(tick)
    again.forfeit(tick)
    again.dispute.begin = begun
    content = told(scene, again)
    assert replay(content, scene.computation, content["referee"], scene.rules) == ""
    try:
        derived(content, scene.computation, held.dispute.begin.party, scene.rules)
    except Refusal as refusal:
        return ended(scene, (PROVIDER,), refusal.reason)
    raise AssertionError("another referee's records count")


def two_courses() -> End:
    """The referee conducts a dispute twice, once to the end and once as if the challenger had been silent, signs both.

    Both transcripts follow. The ledger holds one: its verdict names the last record.
    """
    scene, held = _judged()
    again = Proceedings(Dispute(scene.computation, held.dispute.begin), held.key)
    first = held.entries[0]
    assert first.message is not None
    again.receive(first.message, first.record.content["tick"])
    again.tick(again.dispute.clocks.since + again.dispute.clocks.challenger + 1)
    true, false = told(scene, held), told(scene, again)
    for content in (true, false):
        assert replay(content, scene.computation, content["referee"], scene.rules) == ""
    check_entered(scene.ledger.events(), true)
    try:
        check_entered(scene.ledger.events(), false)
    except Refusal as refusal:
        return ended(scene, (PROVIDER,), refusal.reason)
    raise AssertionError("a ledger holds both")


def far_future() -> End:
    """Names a tick of the far future, so that every deadline has passed and none comes any more.

    Only the coordinator moves time, by at most a tenth of delta at once.
    """
    scene = Scene()
    scene.serve(drawn=False)
    reasons = {scene.refused(COORDINATOR, "advance", {"since": scene.tick, "ticks": 2**53 - 1})}
    reasons.add(scene.refused(COORDINATOR, "advance", {"since": scene.tick, "ticks": 7}))
    assert scene.refused(USER, "advance", {"since": scene.tick, "ticks": 1}) == "not-the-coordinator"
    (reason,) = reasons
    settle(scene)
    return ended(scene, (), reason)


def poisoned_round() -> End:
    """Orders without money, twenty times, so that the round that they are in is refused, and the book grows.

    The bid is in escrow while an order waits: who has nothing orders nothing.
    """
    scene = Scene()
    scene.join("broke", deposit=0, serves=False)
    reasons = set()
    for _ in range(20):
        try:
            scene.order("broke")
        except Refusal as refusal:
            reasons.add(refusal.reason)
    (reason,) = reasons
    scene.serve()
    settle(scene)
    return ended(scene, ("broke",), reason)


def deposit_cycles() -> End:
    """Deposits and withdraws the largest amount again and again, until no number is left for anybody's deposit.

    What was withdrawn counts no more.
    """
    scene = Scene()
    scene.join("puppet", deposit=0, serves=False)
    largest = 2**63 - 1 - scene.state.outside
    for _ in range(5):
        scene.deposit("puppet", largest)
        scene.ask("puppet", "withdraw", {"amount": str(largest), "nonce": scene.nonce()})
        scene.parties["puppet"].deposited -= largest
    scene.deposit(USER, PURSE)
    terms = {"owner": scene.parties["puppet"].key, "amount": str(largest), "nonce": scene.nonce()}
    return ended(scene, ("puppet",), scene.refused(COORDINATOR, "deposit", terms))


def _event(connection: sqlite3.Connection) -> None:
    for number, raw in connection.execute("SELECT number, event FROM events").fetchall():
        changed = raw.replace(b'"amount":"1000000"', b'"amount":"9000000"')
        connection.execute("UPDATE events SET event = ? WHERE number = ?", (changed, number))


def _exchange(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE events SET number = -number WHERE number IN (8, 9)")
    connection.execute("UPDATE events SET number = 17 + number WHERE number < 0")


FILES: dict[str, Callable[[sqlite3.Connection], Any]] = {
    "an amount changed": _event,
    "an event deleted": lambda c: c.execute("DELETE FROM events WHERE number = 9"),
    "the last event deleted": lambda c: c.execute("DELETE FROM events WHERE number = (SELECT max(number) FROM events)"),
    "a foreign event added": lambda c: c.execute("INSERT INTO events SELECT 999, x'00', event FROM events LIMIT 1"),
    "two events exchanged": _exchange,
    "an output changed": lambda c: c.execute("UPDATE blobs SET content = x'00'"),
    "an output deleted": lambda c: c.execute("DELETE FROM blobs"),
}


def edited_file() -> End:
    """Edits the ledger's file by SQL in seven ways.

    Opening checks the chain; whoever inspects it performs every request anew.
    """
    noticed = 0
    for edit in FILES.values():
        with _file() as (scene, path):
            scene.serve(drawn=False)
            end = ended(scene, (), "broken-chain")
            with scene.ledger:
                pass
            with closing(sqlite3.connect(path)) as connection, connection:
                edit(connection)
            found = inspect(path, OPERATIONS)
            noticed += bool(found.wrong)
    return replace(end, measured={"edits": len(FILES), "noticed": noticed})


def cut_file() -> End:
    """Puts an older copy of the ledger's file in its place, so that a verdict has never been.

    The older file is right in itself; whoever holds a receipt or a record has a head that it lacks.
    """
    with _file() as (scene, path):
        scene.serve(drawn=False)
        number, head = scene.ledger.head
        settle(scene)
        known = scene.ledger.head
        measured = {"without a head": "unnoticed", "with one": "noticed"}
        end = ended(scene, (), "cut-short", measured=measured)
        with scene.ledger:
            pass
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM events WHERE number > ?", (number,))
            connection.execute("UPDATE head SET number = ?, digest = ?", (number, bytes.fromhex(head)))
        assert inspect(path, OPERATIONS).wrong == ""
        assert inspect(path, OPERATIONS, known).wrong
    return end


def restart() -> End:
    """A cheat has the coordinator killed after each message, so that the dispute is lost, or somebody's time is.

    It goes on at the last message that was taken, the clocks as they stood: time in which it stood still is made up by
    nobody.
    """
    with _file() as (scene, path):
        scene.parties[PROVIDER].trace = wrong(scene)
        lease = scene.serve(drawn=False)
        scene.publish(lease)
        scene.advance(scene.rules.delta)  # a dispute begins at any tick
        claim = scene.claim(STRANGERS[0], lease, scene.right)
        scene.parties[PROVIDER].pace = scene.parties[STRANGERS[0]].pace = 3
        killed = 0
        while not scene.verdicts:
            index = _index(scene, claim)
            settle(scene, lambda: claim in scene.decided or _index(scene, claim) > index)  # noqa: B023
            if claim in scene.disputes:
                held = scene.disputes[claim]
                plain = json.loads(json.dumps(held.dispute.stored()))
                with scene.ledger:
                    pass
                scene.ledger = Ledger(path, OPERATIONS)
                again = Dispute.restored(scene.computation, plain)
                scene.disputes[claim] = Proceedings(again, held.key, held.entries)
                killed += 1
        settle(scene)
        content, referee = told(scene, scene.decided[claim]), scene.parties[COORDINATOR].key
        assert replay(content, scene.computation, referee, scene.rules) == ""
        return ended(scene, (PROVIDER,), measured={"killed": killed})


def _index(scene: Scene, claim: str) -> int:
    return scene.disputes[claim].dispute.state.index if claim in scene.disputes else 0


@contextmanager
def _file() -> Iterator[tuple[Scene, Path]]:
    """A market in a file of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "market.ledger"
        yield Scene(path=path), path
