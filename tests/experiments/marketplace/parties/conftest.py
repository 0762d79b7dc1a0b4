"""A coordinator by hand: the ledger of a scene, to which peers speak in frames; and the models of its market."""

from base64 import b64encode

import msgspec
import pytest

from experiments.marketplace import messages
from experiments.marketplace.messages import Ask, Challenge, Done, Lease, Refused, Turn, Welcome, encode, from_peer
from verification.adversaries.scene import Scene
from verification.encoding.canonical import canonical
from verification.encoding.signature import signed
from verification.errors import Refusal
from verification.market.records import Lease as Record
from verification.market.records import Order


class ByHand:
    """What a coordinator tells one peer, as a test wants it; what it asks is done on the scene's ledger."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.nonce = scene, "5" * 64
        self.told: list[Ask] = []

    def challenge(self) -> bytes:
        genesis = next(self.scene.ledger.events()).request
        return encode(Challenge(messages.VERSION, self.scene.market, self.nonce, msgspec.Raw(genesis.raw)))

    def welcome(self, registered: bool = False) -> bytes:
        model = {"name": "numbers", "digest": self.scene.computation.digests["model"], "bytes": 1, "macs": 1}
        number, head = self.scene.ledger.head
        leases = list(self.scene.names("lease"))
        return encode(Welcome(self.scene.tick, 1.0, 30, [model], number, head, registered, leases))

    def proven(self, raw: bytes, key: str) -> bool:
        hello = from_peer(raw)
        content = {"nonce": self.nonce, "origin": hello.origin, "role": hello.role}
        return signed(key, messages.HELLO, self.scene.market, content, hello.signature)

    def answer(self, raw: bytes) -> bytes:
        """To what was asked: done, or refused."""
        asked = from_peer(raw)
        assert isinstance(asked, Ask)
        try:
            self.scene.ledger.perform(bytes(asked.request), asked.blobs)
        except Refusal as refusal:
            return encode(Refused(asked.id, refusal.reason, str(refusal)))
        self.told.append(asked)
        return encode(Done(asked.id, "", self.scene.ledger.head[0]))

    def lease(self, name: str) -> bytes:
        lease = self.scene.find(Record, name)
        order = self.scene.find(Order, lease.order)
        return encode(
            Lease(
                lease=name,
                state=lease.state,
                requests=[order.requests[index] for index in lease.part],
                inputs={},
                price=str(lease.price),
                stake=str(lease.stake),
                graph=lease.graph,
                layouts=lease.layouts,
                nodes=lease.nodes,
                rows=lease.rows,
                words=lease.words,
                limit=lease.limit,
                due=lease.due,
            )
        )

    def turn(self, held, lease: str, since: int = 0) -> bytes:
        """A dispute, told from one of its entries on."""
        dispute = held.dispute
        entries = [
            {
                "record": b64encode(entry.record.raw).decode(),
                "message": None if entry.message is None else b64encode(entry.message).decode(),
            }
            for entry in held.entries[since:]
        ]
        verdict = None if dispute.verdict is None else {"winner": dispute.verdict.winner}
        return encode(
            Turn(
                claim=dispute.content["claim"],
                lease=lease,
                role=dispute.turn,
                begin=msgspec.Raw(canonical_request(dispute.begin)),
                since=since,
                entries=entries,
                due=dispute.clocks.due,
                verdict=verdict,
            )
        )


def canonical_request(asked) -> bytes:
    return canonical({"content": asked.content, "kind": asked.kind, "party": asked.party, "signature": asked.signature})


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture
def by_hand(scene):
    return ByHand(scene)
