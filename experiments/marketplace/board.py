"""What watchers see of the market: a fold of the events, and of rounds what the ledger does not hold.

Collections of entries by name; a change is the whole entry, and null where it left. Until a lease is over nothing here
links it to an order, and nothing tells an audit from any other lease: who is audited shall not know it from the board.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from experiments.marketplace.desk import Desk
from experiments.marketplace.disputes import Disputes
from verification.dispute.dispute import Dispute
from verification.ledger.event import Event
from verification.ledger.state import BURNT, FUND, OUTSIDE
from verification.trace import leaves

COLLECTIONS = ("rounds", "orders", "devices", "leases", "disputes", "events")
KEPT = {"rounds": 60, "orders": 120, "devices": 200, "leases": 200, "disputes": 12, "events": 60}
"""Entries of a collection that are shown; beyond, what is over leaves first, the oldest before the others."""
MOST = 5
"""Times as many are shown where more are not over; the newest."""
HIDDEN = {
    "audited": "received",
    "confirmed": "received",
    "differs": "received",
    "absent": "received",
    "due": "received",
}
"""States of leases that would tell who is audited."""
LEFT = {"final": "final", "decline": "declined", "return": "returned", "miss": "missed", "annul": "annulled"}
"""What has become of a lease that leaves, by the event; in a verdict it has fallen, or was handed back."""
ENDS = {"cancel": "withdrawn", "expire": "expired"}
Entry = dict[str, Any]


class Board:
    """A fold of the events; ``changes`` are what came since it was last asked."""

    def __init__(self, desk: Desk, disputes: Disputes) -> None:
        self._desk, self._disputes = desk, disputes
        self._entries: dict[str, dict[str, Entry]] = {name: {} for name in COLLECTIONS}
        self._shown: dict[str, Collection[str]] = dict.fromkeys(COLLECTIONS, ())
        self._over: dict[str, dict[str, None]] = {name: {} for name in COLLECTIONS}
        self._changed: dict[str, dict[str, Entry | None]] = {}
        self._verifies: set[str] = set()
        self._served, self._paid, self._received = 0, 0, 0
        self._standing = {"waiting": 0, "leased": 0}
        desk.folds.insert(0, self.fold)  # a dispute is still at hand when its verdict comes

    def all(self) -> dict[str, Any]:
        """Everything, for whoever begins to watch."""
        return {"totals": self._totals(), **{name: self._newest(name) for name in COLLECTIONS}}

    def changes(self) -> dict[str, Any]:
        """What changed, and is then forgotten."""
        for key, entry in self._entries["devices"].items():
            if entry["connected"] != self._desk.connections.has(key):
                self._put("devices", key, connected=not entry["connected"])
        changed, self._changed = self._changed, {}
        told = {name: self._told(name, changed[name]) for name in changed}
        return {"totals": self._totals(), **told}

    def _newest(self, collection: str) -> dict[str, Entry]:
        """What is shown of a collection, of which anybody may make as much as they like."""
        entries = self._entries[collection]
        return dict(islice(entries.items(), max(0, len(entries) - MOST * KEPT[collection]), None))

    def _told(self, collection: str, changed: dict[str, Entry | None]) -> dict[str, Entry | None]:
        """Of what changed what is shown; and null for what is not any more."""
        before, newest = self._shown[collection], self._newest(collection)
        self._shown[collection] = newest.keys()
        left = dict.fromkeys((name for name in (*changed, *before) if name not in newest), None)
        return left | {name: entry for name, entry in newest.items() if name in changed or name not in before}

    def round(
        self, number: int, *, orders: int, offers: int, solver: str, mechanism: str, welfare: int, prices: Sequence[int]
    ) -> None:
        """A round was held, and led to leases at these prices."""
        ranked = sorted(prices)
        shown = {"lowest": ranked[0], "median": ranked[len(ranked) // 2], "highest": ranked[-1]} if ranked else None
        self._put(
            "rounds",
            str(number),
            tick=self._desk.tick,
            orders=orders,
            offers=offers,
            matched=len(ranked),
            solver=solver,
            mechanism=mechanism,
            welfare=str(welfare),
            bound=None,
            prices=shown and {name: str(price) for name, price in shown.items()},
        )
        self._end("rounds", str(number))

    def explained(self, number: int, bound: int, waits: Mapping[str, tuple[str, int | None]]) -> None:
        """No allocation of a round has more welfare than ``bound``; why orders wait, and which bids would have won."""
        if str(number) in self._entries["rounds"]:
            self._put("rounds", str(number), bound=str(bound))
        for order, (reason, needed) in waits.items():
            if self._entries["orders"].get(order, {}).get("state") == "waiting":
                self._put("orders", order, reason=reason, needed=None if needed is None else str(needed))

    def progressed(self, device: str, shares: Mapping[str, float]) -> None:
        """What share of a device's leases is done, by its word."""
        for lease, share in shares.items():
            if self._entries["leases"].get(lease, {}).get("device") == device:
                self._put("leases", lease, progress=min(1.0, max(0.0, share)))

    def fold(self, event: Event) -> None:
        """What an event changes."""
        for source, target, amount in event.moves:
            self._moved(source, target, amount)
        for kind, subject, value in event.facts:
            match kind:
                case "order":
                    self._order(event, subject, value)
                case "device" | "offer":
                    self._device(kind, subject, value)
                case "lease":
                    self._lease(event, subject, value)
                case "claim":
                    self._claim(event, subject, value)
                case "dispute":
                    self._dispute(event, subject, value)
        asked = event.request
        if asked.kind == "advance":  # most events are the clock's
            return
        self._put("events", str(event.number), tick=event.tick, kind=asked.kind, party=asked.party, digest=event.digest)
        self._end("events", str(event.number))

    def _moved(self, source: str, target: str, amount: int) -> None:
        kind, payer = _parts(source)
        other, owner = _parts(target)
        if source == OUTSIDE or payer == owner:
            return
        if kind in ("escrow", "fee", "bond") and target != BURNT:
            self._paid += amount
        if other == "free":
            self._received += amount

    def _totals(self) -> dict[str, Any]:
        draft = self._desk.draft
        money = {
            "paid": self._paid,
            "received": self._received,
            "burnt": draft.balance(BURNT),
            "fund": draft.balance(FUND),
        }
        return {"served": self._served, **self._standing, **{name: str(amount) for name, amount in money.items()}}

    def _order(self, event: Event, name: str, value: Entry | None) -> None:
        before = self._entries["orders"].get(name, {"state": ""})
        if before["state"] in self._standing:
            self._standing[before["state"]] -= 1
        if value is None:
            state = ENDS.get(event.request.kind, before.get("ended") or "served")
            self._served += state == "served"
            self._put("orders", name, state=state)
            self._end("orders", name)
            return
        state = "waiting" if value["waiting"] else "leased"
        self._standing[state] += 1
        fresh = {} if before["state"] else {"since": event.tick}
        known = {"requests": len(value["requests"]), "bid": str(value["bid"]), "rank": value["rank"]}
        self._put("orders", name, state=state, **known, until=value["until"], ended=value["ended"], **fresh)

    def _device(self, kind: str, key: str, value: Entry | None) -> None:
        if key == self._desk.key:
            return
        if key not in self._entries["devices"]:
            none = {"models": [], "slots": 0, "cost": "0", "served": 0, "leased": 0, "connected": False}
            self._put("devices", key, **none)
        if kind == "device" and value is not None:
            told = {"barred": value["disputed"] > 0, "removed": value["removed"], "busy": value["busy"]}
            self._put("devices", key, owner=value["owner"], **told)
            if value["removed"]:
                self._end("devices", key)
        elif kind == "offer" and value is not None:
            names = [self._desk.models[model].name for model in value["models"] if model in self._desk.models]
            self._put("devices", key, models=names, slots=value["slots"], cost=str(value["cost"]))
        elif kind == "offer":
            self._put("devices", key, models=[], slots=0)

    def _lease(self, event: Event, name: str, value: Entry | None) -> None:
        entry = self._entries["leases"].get(name)
        if value is not None:
            if value["device"] == self._desk.key:
                return
            if value["audits"]:
                self._verifies.add(name)
            state = HIDDEN.get(value["state"], value["state"])
            if entry is None:
                self._count(value["device"], "leased")
                known = {"device": value["device"], "price": str(value["price"]), "since": event.tick, "progress": 0.0}
                self._put("leases", name, **known)
            self._put("leases", name, state=state, due=value["due"])
        elif entry is not None:
            held = entry["state"] in ("offered", "held")
            state = LEFT.get(event.request.kind, "returned" if held else "fallen")
            if state == "final":
                self._count(entry["device"], "served")
            self._put("leases", name, state=state, audit=name in self._verifies)
            self._verifies.discard(name)
            self._end("leases", name)

    def _count(self, device: str, what: str) -> None:
        if (entry := self._entries["devices"].get(device)) is not None:
            self._put("devices", device, **{what: entry[what] + 1})

    def _claim(self, event: Event, name: str, value: Entry | None) -> None:
        if value is not None and name not in self._entries["disputes"]:
            asserter = self._entries["leases"].get(value["lease"], {}).get("device", "")
            known = {"lease": value["lease"], "asserter": asserter, "challenger": value["challenger"]}
            self._put("disputes", name, state="queued", path=[], messages=[], clocks=[0, 0], budgets=[0, 0], **known)
        elif value is None and (entry := self._entries["disputes"].get(name)) is not None:
            content, ours = (
                event.request.content,
                event.request.kind == "verdict" and event.request.content["claim"] == name,
            )
            path = self._descent(name) or {"path": entry["path"]}
            over = (
                {"winner": content["winner"], "reason": content["reason"]} if ours else {"reason": event.request.kind}
            )
            self._put("disputes", name, state="over", **over, **path)
            self._end("disputes", name)

    def _dispute(self, event: Event, name: str, value: Entry | None) -> None:
        entry = self._entries["disputes"].get(name)
        if value is None or entry is None:
            return
        content, clocks = event.request.content, value["clocks"]
        told: Entry = {"asserter": value["asserter"], "clocks": [clocks["asserter"], clocks["challenger"]]}
        if event.request.kind == "begin":
            told["budgets"] = [content["budgets"]["asserter"], content["budgets"]["challenger"]]
        elif event.request.kind == "play":
            raw = self._desk.ledger.blob(content["message"]) or b""
            one = {"kind": value["kind"], "by": entry["state"], "tick": event.tick, "bytes": len(raw)}
            told["messages"] = [*entry["messages"], one]
        self._put("disputes", name, state=clocks["turn"] or "awaited", **told, **self._descent(name))

    def _descent(self, claim: str) -> Entry:
        held = self._disputes.at_hand(claim)
        return {} if held is None else descent(held.dispute)

    def _put(self, collection: str, name: str, **told: Any) -> None:
        entries = self._entries[collection]
        entry = entries[name] = entries.get(name, {}) | told
        self._changed.setdefault(collection, {})[name] = entry
        self._make_room(collection)

    def _end(self, collection: str, name: str) -> None:
        """An entry is over: it stays as long as there is room."""
        self._over[collection][name] = None
        self._make_room(collection)

    def _make_room(self, collection: str) -> None:
        over, entries = self._over[collection], self._entries[collection]
        while over and len(entries) > KEPT[collection]:
            oldest = next(iter(over))
            del over[oldest], entries[oldest]
            self._changed.setdefault(collection, {})[oldest] = None


def descent(dispute: Dispute) -> Entry:
    """Which nodes, then which leaves of one, then which steps of one are in question, each [low, high) of ``size``."""
    state, computation = dispute.state, dispute.computation
    one = {"nodes": state.node, "leaves": state.leaf, "steps": state.step}
    sizes = {"nodes": len(computation.nodes)}
    found: Entry = {}
    if state.node is not None:
        sizes["leaves"] = leaves(computation.nodes[state.node])
    if state.node is not None and state.leaf is not None:
        steps = computation.steps(state.node, state.leaf)
        sizes["steps"] = len(steps)
        if state.step is not None:
            found["step"] = {"node": state.node, "leaf": state.leaf, "step": state.step, "kind": steps[state.step].kind}
    path = []
    for level, size in sizes.items():
        place = one[level]
        low, high = (place, place + 1) if place is not None else (0, size)
        if state.stage == f"descend-{level}":
            low, high = state.span
        path.append({"level": level, "size": size, "low": low, "high": high})
    return {"path": path, **found}


def _parts(account: str) -> tuple[str, str]:
    """Kind and owner of an account, the owner "" of the market's own."""
    kind, _, rest = account.partition(":")
    return kind, rest.partition(":")[0]
