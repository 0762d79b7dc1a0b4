"""Rounds as they are held: the market of who waits and who offers, its answer, and the leases that follow."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.marketplace import auctioneer
from experiments.marketplace.auctioneer import Answer, Pair, Round
from experiments.marketplace.board import Board
from experiments.marketplace.desk import Desk
from verification.errors import Refusal
from verification.ledger.state import FUND
from verification.market import audits
from verification.market.leases import ENOUGH, auditor, coordinator_could
from verification.market.records import Order, find
from verification.market.returns import owed

if TYPE_CHECKING:
    from experiments.marketplace.coordinator import Settings

TOGETHER = 64
"""Leases of one request to the ledger, whose envelope is limited."""


class Rounds:
    """One after another, every ``round_ticks``."""

    def __init__(self, desk: Desk, settings: "Settings", board: Board) -> None:
        self._desk, self._settings, self._board = desk, settings, board
        self._last = desk.tick // settings.round_ticks
        self._held: Round | None = None
        """That waits for its answer."""

    def tick(self) -> None:
        """Hold a round where it is time; where an answer has not come in half a round, take the next best."""
        tick, every = self._desk.tick, self._settings.round_ticks
        if self._held is not None and tick > self._held.solve.round * every + every // 2:
            self.solved(self._held.solve.round, auctioneer.by_bid_density(self._held.solve))
        if tick // every > self._last:
            self._last = tick // every
            self._hold(self._last)

    def _hold(self, number: int) -> None:
        desk, settings = self._desk, self._settings
        draft = desk.draft
        if draft.balance(FUND) < owed(draft):
            return  # the ledger leases nothing then
        offers = {
            key: offer
            for key, offer in desk.offers.live.items()
            if desk.connections.has(key) and desk.tick <= offer["expires"] and not draft.fact("device", key)["disputed"]
        }
        self._held = auctioneer.held(
            number,
            draft,
            desk.rules,
            dict(desk.orders.waiting),
            offers,
            desk.offers.psi,
            desk.offers.owner,
            solver=settings.solver,
            options=settings.options,
            mechanism=settings.mechanism,
            limit=settings.solve_limit,
        )
        if self._held is not None:
            desk.out.append(self._held.solve)

    def solved(self, number: int, given: Answer) -> None:
        """An answer, if its round still waits for one; one that does not hold is not taken."""
        held = self._held
        if held is None or held.solve.round != number:
            return
        if auctioneer.faults(held.solve, given):
            given = auctioneer.by_bid_density(held.solve)
        self._held = None
        then = set(held.orders)
        orders = {name: value for name, value in self._desk.orders.waiting.items() if name in then}
        now = [pair for pair in auctioneer.pairs(held, given) if self._waits(orders, pair)]
        self._board.round(
            number,
            orders=len(held.orders),
            offers=len(held.devices),
            solver=held.solve.solver,
            mechanism=held.solve.mechanism,
            welfare=auctioneer.welfare_of(held, given),
            prices=[pair.price for pair in now],
        )
        for first in range(0, len(now), TOGETHER):
            self._assign(now[first : first + TOGETHER])

    def _waits(self, orders: dict[str, Any], pair: Pair) -> bool:
        """Whether the order still waits, and the device still offers."""
        live = pair.device in self._desk.offers.live
        return live and pair.order in orders and set(pair.part) <= set(orders[pair.order]["waiting"])

    def _assign(self, pairs: Sequence[Pair]) -> None:
        """Lease them together; where the ledger refuses, one by one, so that who cannot pay is left out alone."""
        try:
            self._desk.order_of("assign", {"leases": self._terms(pairs)})
        except Refusal:
            if len(pairs) > 1:
                for pair in pairs:
                    self._assign([pair])

    def _terms(self, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
        number = self._desk.draft.fact("count", "number") or 0
        costs = dict[tuple[str, ...], list[tuple[int, str, int]]]()
        return [self._lease(pair, number + at, costs) for at, pair in enumerate(pairs)]

    def _lease(self, pair: Pair, number: int, known: dict[tuple[str, ...], Any]) -> dict[str, Any]:
        """A lease's terms; ``known`` are costs by models, which no lease of the same round changes."""
        desk = self._desk
        draft = desk.draft
        order = find(draft, Order, pair.order)
        models = order.models(pair.part)
        owner = desk.offers.owner(pair.device)
        least = max(pair.price, desk.offers.live[pair.device]["cost"])
        if (kind := tuple(models)) not in known:
            known[kind] = audits.costs_of(draft, models)
        audit_price = audits.fair_price(known[kind], owner, least)
        requests = [order.requests[index] for index in pair.part]
        shape = desk.shape(requests)
        return {
            "order": pair.order,
            "part": pair.part,
            "device": pair.device,
            "price": str(pair.price),
            "audit_price": str(audit_price),
            "graph": shape.graph,
            "layouts": desk.models[models[0]].layouts,
            "limit": self._settings.limit,
            "nodes": shape.nodes,
            "rows": shape.rows,
            "words": shape.words,
            "number": number,
            "seal": desk.seal(number),
            "auditors": self._auditors(models, owner, audit_price),
        }

    def _auditors(self, models: Sequence[str], owner: str, audit_price: int) -> list[str]:
        """Devices of other owners that could audit, where the coordinator could not."""
        desk = self._desk
        draft = desk.draft
        if coordinator_could(draft, models):
            return []
        found = dict[str, str]()
        for key in draft.subjects(f"model:{models[0]}"):
            if (other := auditor(draft, key, models, owner, audit_price)) and other not in found:
                found[other] = key
            if len(found) == ENOUGH:
                break
        return list(found.values())
