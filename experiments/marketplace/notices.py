"""What peers are told: of each event what concerns them, and on connecting all that they hold.

All of it follows from the ledger, so that a coordinator that was killed tells the same. Until a result is shown only
its user has its output, and nothing that is shown names an order's user.
"""

from collections import OrderedDict
from typing import Any

from msgspec import Raw

from experiments.marketplace import messages
from experiments.marketplace.connections import Peer
from experiments.marketplace.desk import Desk
from experiments.marketplace.disputes import Disputes, entries, of
from experiments.marketplace.effects import Compute
from verification.dispute.record import Proceedings
from verification.encoding.canonical import canonical
from verification.encoding.request import request
from verification.ledger.event import Event
from verification.ledger.state import FUND, owner_of
from verification.market.accounts import free
from verification.market.records import Lease, Result, find, known

OUTCOMES = {
    "final": "final",
    "decline": "declined",
    "return": "returned",
    "miss": "missed",
    "annul": "annulled",
    "void": "annulled",
}
"""Of a lease, by the event with which it leaves; in a verdict it has fallen, or was taken back."""
MOST_ENDED = 4096
"""Orders that are over of which a user that was away is still told."""
ENDS = {"final": "served", "cancel": "withdrawn", "expire": "expired"}
"""Of an order."""


class Notices:
    """Follows the events; what was known of a lease or an order is kept until it leaves."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.disputes: Disputes
        self._leases: dict[str, dict[str, Any]] = {}
        self._orders: dict[str, dict[str, Any]] = {}
        self._spent: dict[str, int] = {}
        self._outputs: dict[str, str] = {}
        self._served: dict[str, list[tuple[messages.Final, str]]] = {}
        """Of orders, what was said of leases that became final, and the digests of their outputs."""
        self._ended: OrderedDict[str, messages.Final] = OrderedDict()
        desk.folds.append(self.fold)

    def fold(self, event: Event) -> None:
        """Tell whom an event concerns."""
        for kind, subject, value in event.facts:
            if kind == "lease":
                self._lease(event, subject, value)
            elif kind == "result" and value is not None:
                self._result(event, subject, value)
            elif kind == "audit" and value is None and event.request.kind == "reveal":
                self._audited(subject)
        for kind, subject, value in event.facts:
            if kind == "order":
                self._order(event, subject, value)
        for owner in sorted({owner_of(each) for source, target, _ in event.moves for each in (source, target)}):
            self.account(owner)

    def account(self, owner: str) -> None:
        """Tell a user what it has, where that is shown: on a page."""
        peer = self._peer(owner)
        if peer is not None and peer.role == "user" and peer.origin:
            draft = self._desk.draft
            own = draft.balance(free(owner))
            self._desk.connections.send(peer, messages.Account(str(own), str(draft.total(owner) - own)))

    def _lease(self, event: Event, name: str, value: dict[str, Any] | None) -> None:
        before = self._leases.get(name)
        if value is None:
            if self._leases.pop(name, None) is not None:
                self._over(event, name, before or {})
            return
        self._leases[name] = value
        if before is None:
            if value["device"] == self._desk.key:
                self._compute(name)
            elif peer := self._peer(value["device"]):
                self._desk.connections.send(peer, self.lease(name))

    def _peer(self, key: str) -> Peer | None:
        return self._desk.connections.peer_of(key)

    def _compute(self, name: str) -> None:
        desk = self._desk
        draft = desk.draft
        if known(draft, Lease, name) and (found := find(draft, Lease, name)).state in ("held", "differs"):
            desk.out.append(Compute(name, desk.made_later(found)))  # else the event is only told again

    def lease(self, name: str) -> messages.Lease:
        """A lease as its device is told of it."""
        found = find(self._desk.draft, Lease, name)
        requests = self._desk.requests(found)
        return messages.Lease(
            lease=name,
            state=found.state,
            requests=requests,
            inputs=self._desk.inputs(requests),
            price=str(found.price),
            stake=str(found.stake),
            graph=found.graph,
            layouts=found.layouts,
            nodes=found.nodes,
            rows=found.rows,
            words=found.words,
            limit=found.limit,
            due=found.due,
        )

    def _result(self, event: Event, name: str, value: dict[str, Any]) -> None:
        lease = self._leases.get(name)
        if lease is None:
            return
        self._outputs[name] = value["output"]
        if event.request.kind == "result" and event.request.content["header"]["lease"] == name:
            self._received(event, name, lease, value)
        elif event.request.kind in ("publish", "reveal") and value["window"]:
            self._shown(name, lease, value)

    def _audited(self, name: str) -> None:
        lease = self._leases[name]
        order = self._orders[lease["order"]]
        self._desk.connections.tell(order["user"], messages.Audited(lease["order"], name, lease["part"]))

    def ended(self, order: str) -> list[messages.Message]:
        """What its user was told, perhaps while it was away, of an order that is over and not forgotten."""
        found: list[messages.Message] = []
        for final, output in self._served.get(order, []) if order in self._ended else []:
            if (raw := self._desk.ledger.blob(output)) is not None:
                found.append(messages.Output(order, final.lease, final.part, raw))
            found.append(final)
        return [*found, *([self._ended[order]] if order in self._ended else [])]

    def _received(self, event: Event, name: str, lease: dict[str, Any], value: dict[str, Any]) -> None:
        desk = self._desk
        if peer := self._peer(lease["device"]):
            desk.connections.send(peer, self.receipt(event, name, value["header"]))
        if not lease["audits"] and (peer := self._peer(self._orders[lease["order"]]["user"])):
            raw = desk.ledger.blob(value["output"])
            if raw is not None:
                desk.connections.send(peer, messages.Output(lease["order"], name, lease["part"], raw))

    def receipt(self, event: Event, name: str, header: str) -> messages.Receipt:
        """That a result came in time; its head is the ledger's after the event."""
        content = {"lease": name, "tick": event.tick, "header": header, "number": event.number, "head": event.digest}
        return messages.Receipt(Raw(request(self._desk.signing, "receipt", self._desk.market, content).raw))

    def _shown(self, name: str, lease: dict[str, Any], value: dict[str, Any]) -> None:
        peers = self._desk.connections.watching()
        user = self._peer(self._orders[lease["order"]]["user"])
        self._desk.connections.send_all([*peers, *([user] if user else [])], self.shown(name, lease, value))

    def shown(self, name: str, lease: dict[str, Any], value: dict[str, Any]) -> messages.Shown:
        """A result that can be claimed against."""
        order = self._orders[lease["order"]]
        return messages.Shown(
            lease=name,
            root=value["root"],
            header=value["header"],
            window=value["window"],
            requests=[order["requests"][index] for index in lease["part"]],
            graph=lease["graph"],
            audit_price=str(lease["audit_price"]),
        )

    def _over(self, event: Event, name: str, lease: dict[str, Any]) -> None:
        kind = event.request.kind
        outcome = OUTCOMES.get(
            kind, "fallen" if "due" not in lease["state"] and lease["state"] != "held" else "returned"
        )
        got = sum(amount for _, target, amount in event.moves if target == free(lease["owner"]))
        stake = sum(amount for source, _, amount in event.moves if source == f"stake:{lease['owner']}:{name}")
        received = max(0, got - stake) if outcome == "final" else 0
        send, peer = self._desk.connections.send, self._peer(lease["device"])
        output = self._outputs.pop(name, "")
        send(peer, messages.Final("", name, lease["part"], outcome, str(received)))
        if lease["audits"]:
            return
        order, user = lease["order"], self._orders[lease["order"]]["user"]
        if outcome == "final":
            fees = sum(amount for source, target, amount in event.moves if source.startswith("fee:") and target == FUND)
            self._spent[order] = self._spent.get(order, 0) + received + fees
            final = messages.Final(order, name, lease["part"], outcome, str(received + fees))
            self._served.setdefault(order, []).append((final, output))
            send(self._peer(user), final)
        else:
            send(self._peer(user), messages.Strike(order, name, lease["part"], outcome))

    def _order(self, event: Event, name: str, value: dict[str, Any] | None) -> None:
        if value is not None:
            self._orders[name] = value
            return
        before = self._orders.pop(name, None)
        if before is not None:
            spent = self._spent.pop(name, 0)
            outcome = before["ended"] or ENDS.get(event.request.kind, "withdrawn")
            part = list(range(len(before["requests"])))
            self._ended[name] = messages.Final(name, "", part, outcome, str(spent))
            if len(self._ended) > MOST_ENDED:
                oldest, _ = self._ended.popitem(last=False)
                self._served.pop(oldest, None)
            self._desk.connections.send(self._peer(before["user"]), self._ended[name])

    def told(self, claim: str, lease: str, held: Proceedings) -> None:
        """A dispute has gone on: both who play in it are told."""
        dispute = held.dispute
        keys = {dispute.content["asserter"], dispute.key("asserter"), dispute.key("challenger")}
        for key in sorted(keys):
            if peer := self._peer(key):
                since = min(peer.told.get(claim, 0), len(held.entries))  # a void dispute begins again
                self.turn(peer, claim, lease, held, since)
                peer.told[claim] = len(held.entries)
                if dispute.verdict is not None:
                    del peer.told[claim]

    def turn(self, peer: Peer, claim: str, lease: str, held: Proceedings, since: int) -> None:
        """Tell a peer what happened in a dispute since so many entries."""
        dispute = held.dispute
        role = dispute.turn if dispute.turn is not None and dispute.key(dispute.turn) == peer.key else None
        verdict = dispute.verdict
        self._desk.connections.send(
            peer,
            messages.Turn(
                claim=claim,
                lease=lease,
                role=role,
                begin=Raw(dispute.begin.raw),
                since=since,
                entries=entries(held, since),
                due=dispute.clocks.due if verdict is None else None,
                verdict=None if verdict is None else {"winner": verdict.winner, "reason": verdict.reason},
            ),
        )

    def welcome(self, peer: Peer, seconds_per_tick: float, round_ticks: int) -> None:
        """What a peer has to know that has just said whose it is."""
        desk = self._desk
        number, head = desk.ledger.head
        draft = desk.draft
        registered = any(draft.fact(kind, peer.key) is not None for kind in ("device", "owner"))
        models = [
            {"name": model.name, "digest": model.digest, "bytes": model.memory, "macs": model.macs}
            for model in desk.models.values()
        ]
        leases = list(draft.subjects(f"open:{peer.key}")) if peer.role == "device" else []
        desk.connections.send(
            peer,
            messages.Welcome(desk.tick, seconds_per_tick, round_ticks, models, number, head, registered, leases),
        )
        for name in leases:
            desk.connections.send(peer, self.lease(name))
        if peer.role != "watch":
            for claim in of(self.disputes, peer.key):
                held = self.disputes.find(claim)
                assert held is not None
                self.turn(peer, claim, self.disputes.lease_of(claim), held, 0)
                peer.told[claim] = len(held.entries)
        if peer.role == "user":
            self.account(peer.key)
            self._holdings(peer)

    def _holdings(self, peer: Peer) -> None:
        """What a user's open leases have given so far."""
        draft = self._desk.draft
        for name, lease in self._leases.items():
            if lease["audits"] or self._orders[lease["order"]]["user"] != peer.key or not known(draft, Result, name):
                continue
            found = find(draft, Result, name)
            raw = self._desk.ledger.blob(found.output)
            if raw is not None:
                self._desk.connections.send(peer, messages.Output(lease["order"], name, lease["part"], raw))
            if found.window:
                plain = {"root": found.root, "header": found.header, "window": found.window}
                self._desk.connections.send(peer, self.shown(name, lease, plain))


def genesis(desk: Desk) -> Raw:
    """The first event's request, which says what market it is."""
    return Raw(canonical(_envelope(next(desk.ledger.events()))))


def _envelope(event: Event) -> dict[str, Any]:
    asked = event.request
    return {"content": asked.content, "kind": asked.kind, "party": asked.party, "signature": asked.signature}
