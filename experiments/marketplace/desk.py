"""What an honest coordinator has at hand: the ledger, its key and secrets, models, the agenda, who is connected."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace.agenda import Agenda
from experiments.marketplace.connections import Connections
from experiments.marketplace.effects import Effect
from experiments.marketplace.lists import Listed
from experiments.marketplace.models import Known, Shape, computation_of, shape_of, table
from experiments.marketplace.offers import Offers
from experiments.marketplace.orders import Orders
from experiments.marketplace.trust import Trust
from verification.computation import Computation
from verification.encoding.request import Request, request
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.ledger.event import Event
from verification.ledger.state import Draft, State
from verification.ledger.store import Ledger
from verification.market import auditors
from verification.market.offers import taking
from verification.market.records import Lease, Order, find
from verification.market.rules import rules_of

MOST_REQUESTS = 256
"""Of an order."""


class Desk:
    """The coordinator's office, see ``verification.market.duties``."""

    def __init__(self, ledger: Ledger, key: Ed25519PrivateKey, secret: bytes, models: Sequence[Known]) -> None:
        self.ledger, self.signing, self._secret = ledger, key, secret
        self.key = public(key)
        self.rules = rules_of(self.draft)
        self.models = table(models)
        self.out: list[Effect] = []
        self.connections = Connections(self.out)
        self.agenda = Agenda()
        self.orders, self.offers, self.trust = Orders(), Offers(self.key), Trust()
        self.lists: dict[str, list[list[str]]] = {}
        self.sealed: dict[str, int] = {}
        self.listed = Listed(self.lists, self.sealed)
        self.folds: list[Callable[[Event], None]] = [
            self.orders.fold,
            self.offers.fold,
            self.trust.fold,
            self.listed.fold,
        ]
        """What follows each event, in order."""

    @property
    def draft(self) -> Draft:
        """The ledger as it stands."""
        return Draft(self.ledger.state, self.ledger.blob)

    @property
    def state(self) -> State:
        return self.ledger.state

    @property
    def tick(self) -> int:
        return self.ledger.state.tick

    @property
    def market(self) -> str:
        return self.ledger.market

    def secret(self, number: int) -> str:
        """A keyed hash of the number: there is nothing to be stored, nor lost."""
        return self.keyed(f"draw {number}")

    def seal(self, number: int) -> str:
        """The secret's SHA-256."""
        return sha256(bytes.fromhex(self.secret(number))).hexdigest()

    def keyed(self, text: str) -> str:
        """What nobody else can foretell."""
        return hmac.new(self._secret, f"{self.market} {text}".encode(), sha256).hexdigest()

    def device_of(self, owner: str, lease: str) -> str:
        """A device of an owner that is connected and has a slot for a lease's requests; "" where there is none."""
        if owner == self.key:
            return owner
        draft = self.draft
        models = auditors.models_of(draft, find(draft, Lease, lease))
        able = (key for key in self.offers.of(owner) if self.computes(key) >= len(models))
        return next((key for key in able if _takes(draft, key, models)), "")

    def computes(self, device: str) -> int:
        """Requests of a lease that a device computes at a time, by its word; 0 where it is not connected."""
        peer = self.connections.peer_of(device)
        if peer is None:
            return 0
        return MOST_REQUESTS if peer.preflight is None else peer.preflight.requests

    def order_of(self, kind: str, content: Any, blobs: Mapping[str, bytes] | None = None) -> Request:
        """A request of the coordinator's own, performed.

        Raises:
            Refusal: see ``Ledger.perform``.
        """
        made = request(self.signing, kind, self.market, content)
        self.ledger.perform(made, blobs)
        return made

    def fold(self, event: Event) -> None:
        """What follows an event."""
        for fold in self.folds:
            fold(event)

    def requests(self, lease: Lease) -> list[dict[str, Any]]:
        """Of a lease, as its user signed them."""
        order = find(self.draft, Order, lease.order)
        return [order.requests[index] for index in lease.part]

    def inputs(self, requests: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
        """Of requests, by digest.

        Raises:
            Refusal: missing-input.
        """
        found = {}
        for asked in requests:
            raw = self.ledger.blob(asked["input"])
            if raw is None:
                raise Refusal("missing-input", f"{asked['input']} is not kept beside the ledger")
            found[asked["input"]] = raw
        return found

    def words(self, requests: Sequence[Mapping[str, Any]]) -> list[int]:
        """Of the outputs of requests.

        Raises:
            Refusal: missing-input.
        """
        inputs = self.inputs(requests)
        return [self.models[asked["model"]].words(asked, inputs[asked["input"]]) for asked in requests]

    def shape(self, requests: Sequence[Mapping[str, Any]]) -> Shape:
        """What a lease of requests comes to.

        Raises:
            Refusal: missing-input.
        """
        return shape_of(self.models, requests, self.inputs(requests))

    def computation(self, lease: Lease) -> Computation:
        """What a lease runs.

        Raises:
            Refusal: missing-input.
        """
        return self.made_later(lease)()

    def made_later(self, lease: Lease) -> Callable[[], Computation]:
        """The same, made when it is asked for, by whichever thread.

        Raises:
            Refusal: missing-input.
        """
        requests = self.requests(lease)
        return partial(computation_of, self.models, requests, self.inputs(requests))


def _takes(draft: Draft, key: str, models: Sequence[str]) -> bool:
    try:
        taking(draft, key, models)
    except Refusal:
        return False
    return True
