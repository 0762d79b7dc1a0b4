"""What drives a party: time passes for it however much it has to do."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError

from experiments.marketplace.live import party as party_module
from experiments.marketplace.live.party import Line
from experiments.marketplace.messages import Welcome
from experiments.marketplace.session import Session


class Busy:
    """A party that has something to do again as soon as it has done it, and counts how often it sees the time."""

    def __init__(self):
        self.ticks, self.calls = 0, 0

    def reopened(self):
        pass

    def receive(self, raw, now):
        return ()

    def call(self, now):
        self.calls += 1
        return ()

    def tick(self, now):
        self.ticks += 1
        return ()


def test_signs_of_life_are_given_however_much_there_is_to_do(bounded):
    party, enough = Busy(), asyncio.Event()

    async def silent(socket):
        await socket.wait_closed()

    async def work():
        async with serve(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]

            def told(raw):
                asyncio.get_running_loop().call_soon(line.take, party.call)
                if party.ticks > 2:
                    enough.set()

            line = Line(f"ws://127.0.0.1:{port}", party, lambda effect: None, told, party.tick)
            line.take(party.call)
            running = asyncio.create_task(line.run())
            await enough.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    bounded(work)
    assert party.calls > party.ticks


class Broken:
    """A connection that breaks when anything is sent."""

    async def recv(self, decode):
        await asyncio.Event().wait()

    async def send(self, text):
        raise ConnectionClosedError(None, None)


def test_what_is_to_be_done_is_done_although_the_connection_breaks(bounded):
    party, done, seen = Busy(), [], []

    async def work():
        line = Line("ws://127.0.0.1:1", party, done.append, seen.append)
        line.take(lambda now: [b"a frame", "work"])
        with pytest.raises(ConnectionClosedError):
            await line._converse(Broken())

    bounded(work)
    assert done == ["work"] and seen == [None]


def test_who_is_cut_off_tries_again_well_within_delta(bounded, monkeypatch):
    """However long that is: a tick may be a hundredth of a second."""
    slept, within = [], [2.0, 0.3]

    async def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 12:
            raise asyncio.CancelledError

    async def work():
        for longest in within:
            line = Line("ws://127.0.0.1:1", Busy(), lambda effect: None, longest=lambda most=longest: most)
            line.connections = 1
            with pytest.raises(asyncio.CancelledError):
                await line.run()
            assert max(slept) == longest
            slept.clear()

    monkeypatch.setattr(party_module.asyncio, "sleep", sleep)
    bounded(work)


def test_a_party_knows_how_long_delta_is():
    session = Session("user", Ed25519PrivateKey.generate())
    session.welcomed(Welcome(0, 0.01, 5, [], 0, "", registered=True), 0.0)
    session.reopened()
    assert session.comeback() == session.rules.delta * 0.01 / 8


@pytest.mark.parametrize(("patience", "ends"), [(60.0, "refused"), (0.0, "timed out")])
def test_who_listens_and_does_not_answer_yet_is_waited_for(bounded, monkeypatch, patience, ends):
    """A market that begins is listening already, and answers the third connection."""
    said, answers = [], iter([TimeoutError("timed out"), TimeoutError("timed out"), OSError("refused")])

    def connecting(url, **options):
        raise next(answers)

    monkeypatch.setattr(party_module, "connect", connecting)
    monkeypatch.setattr(party_module, "BEGINNING", patience)
    line = Line("ws://127.0.0.1:9", Busy(), lambda effect: None, lost=said.append)
    with pytest.raises(ValueError, match=rf"no market answers \({ends}\)"):
        bounded(line.run)
    assert len(said) == bool(patience) and all("does not answer yet; waiting" in line for line in said)
