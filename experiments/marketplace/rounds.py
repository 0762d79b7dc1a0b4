"""Rounds as they are held: the market of who waits and who offers, its answer, and the leases that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from experiments.marketplace import auctioneer, messages
from experiments.marketplace.auctioneer import Answer, Pair, Round
from experiments.marketplace.board import Board
from experiments.marketplace.desk import Desk
from experiments.marketplace.effects import Explain
from experiments.marketplace.explanation import Explained, reason, winning_bid, with_fee
from experiments.marketplace.messages import MOST_OUTPUT
from experiments.marketplace.orders import check_bid, check_requests
from experiments.marketplace.refusals import Refusals
from experiments.marketplace.settings import Settings
from verification.encoding.schema import amount, read
from verification.errors import Refusal
from verification.ledger.state import FUND, OUTSIDE, Draft
from verification.market import auditors
from verification.market.accounts import escrow, rounded_up
from verification.market.leases import ENOUGH, auditor, coordinator_could
from verification.market.orders import ORDER
from verification.market.records import Order, find
from verification.market.returns import owed

AGAIN = 8
"""Times that a round is held again for slots whose leases were refused."""
TOGETHER = 64
"""Leases of one request to the ledger, whose envelope is limited."""


UNTRADED = "its model is not traded here any more"
NOBODY = "no device that is here offers its models"
DEAR = "the fee for its audit, which is reckoned by what other devices cost, is more than it bids beside the price"
QUOTED = "quoted"
"""The order that an estimate is asked for, which has no name yet."""


class Rounds:
    """One after another, every ``round_ticks``."""

    def __init__(self, desk: Desk, settings: Settings, board: Board) -> None:
        self._desk, self._settings, self._board = desk, settings, board
        self._last = desk.tick // settings.round_ticks
        self._held: Round | None = None
        """That waits for its answer."""
        self._costs: dict[tuple[str, ...], list[tuple[int, str, int]]] = {}
        self._refusals = Refusals()
        self._untraded: set[str] | None = None
        """Orders of models that this coordinator does not know."""

    def tick(self) -> None:
        """Hold a round where it is time; where an answer has not come in half a round, take the next best."""
        tick, every = self._desk.tick, self._settings.round_ticks
        if self._held is not None and tick > self._held.solve.round * every + every // 2:
            self.solved(self._held.solve.round, auctioneer.by_bid_density(self._held.solve))
        if tick // every > self._last:
            self._last = tick // every
            self._hold(self._last)

    def _hold(self, number: int) -> None:
        draft = self._desk.draft
        self._refusals.forget(self._desk.orders.waiting)
        if draft.balance(FUND) < owed(draft):
            return self._all_wait(
                "the fund that pays for audits holds less than it owes: nothing is leased until fees come"
            )
        self._held = self._market(number, draft, self._waiting())
        for name in self._untraded or ():
            if name in self._desk.orders.waiting:
                self._wait(name, UNTRADED)
        if self._held is None:
            return self._all_wait(NOBODY)
        self._desk.out.append(self._held.solve)
        return None

    def _waiting(self) -> Mapping[str, dict[str, Any]]:
        """Orders that wait of models that are traded: one of now is refused, one of before a restart may be another."""
        waiting, traded = self._desk.orders.waiting, self._desk.models.keys()
        if self._untraded is None:
            self._untraded = {
                name for name, order in waiting.items() if not {asked["model"] for asked in order["requests"]} <= traded
            }
        if not self._untraded:
            return waiting
        return {name: order for name, order in waiting.items() if name not in self._untraded}

    def _all_wait(self, reason: str) -> None:
        for name in self._desk.orders.waiting:
            self._wait(name, reason)

    def _wait(self, name: str, reason: str, bid: int | None = None) -> None:
        """Tell an order's user why it waits, and which bid would have won, where that is known."""
        order = self._desk.orders.waiting[name]
        told = messages.Waits(name, reason, None if bid is None else str(bid))
        self._desk.connections.tell(order["user"], told)

    def _market(self, number: int, draft: Draft, orders: Mapping[str, dict[str, Any]]) -> Round | None:
        desk, settings = self._desk, self._settings
        return auctioneer.held(
            number,
            draft,
            desk.rules,
            orders,
            {key: offer for key, offer in desk.offers.live.items() if self._may_take(draft, key, offer)},
            desk.offers.psi,
            desk.offers.owner,
            room=desk.trust.room,
            refused=self._refusals.barred(number),
            solver=settings.solver,
            options=settings.options,
            mechanism=settings.mechanism,
            limit=settings.solve_limit,
        )

    def _may_take(self, draft: Draft, key: str, offer: Mapping[str, Any]) -> bool:
        connected = self._desk.connections.has(key) and draft.tick <= offer["expires"]
        return connected and not draft.fact("device", key)["disputed"]

    def quote(self, number: int, requests: list[Any], bid: str, came: Mapping[str, bytes]) -> messages.Quote:
        """What an order would come to, were the next round now: it is put into a draft that is thrown away.

        Raises:
            Refusal: malformed, or see ``check_requests``.
        """
        desk, every = self._desk, self._settings.round_ticks
        wanted = read({"requests": ORDER["requests"], "bid": amount()}, {"requests": requests, "bid": bid})
        check_requests(desk.models, wanted["requests"], came)
        check_bid(wanted["requests"], wanted["bid"])
        order = {"user": "", "requests": requests, "bid": wanted["bid"], "rank": 0, "failed": []}
        order |= {"waiting": list(range(len(requests)))}
        draft, wait = desk.draft, every - desk.tick % every
        draft.move(OUTSIDE, escrow("", QUOTED), wanted["bid"])
        models = [asked["model"] for asked in requests]
        offers = [key for key, offer in desk.offers.live.items() if self._may_take(draft, key, offer)]
        able = sum(any(model in desk.offers.live[key]["models"] for model in models) for key in offers)
        held = self._market(0, draft, {**self._waiting(), QUOTED: order})
        if held is None or not able:
            return messages.Quote(number, None, wait, able, NOBODY)
        solve = replace(held.solve, solver="bid_density", options={}, mechanism=auctioneer.OWN)
        found = auctioneer.answer(solve)
        mine = [pair for pair in auctioneer.pairs(held, found) if pair.order == QUOTED]
        if mine:
            mine = [self._priced(held, draft, pair) for pair in mine]
            self._costs.clear()
            total = sum(pair.price + rounded_up(pair.audit_price, desk.rules.fee) for pair in mine)
            if total > wanted["bid"]:
                return messages.Quote(number, None, wait, able, DEAR, str(total))
            return messages.Quote(number, str(total), wait, able)
        task = held.orders.index(QUOTED)
        wins = winning_bid(solve, task)
        least = None if wins is None else str(with_fee(wins, desk.rules.fee))
        return messages.Quote(number, None, wait, able, reason(held.solve.market, task), least)

    def solved(self, number: int, given: Answer) -> None:
        """An answer, if its round still waits for one; one that does not hold is not taken."""
        held = self._held
        if held is None or held.solve.round != number:
            return
        if auctioneer.faults(held.solve, given):
            given = auctioneer.by_bid_density(held.solve)
        self._held = None
        leased, refused = self._lease_all(held, given)
        for _ in range(AGAIN):
            again = self._market(number, self._desk.draft, self._waiting()) if refused else None
            if again is None:
                break
            more, refused = self._lease_all(again, auctioneer.by_bid_density(again.solve))
            leased += more
        self._board.round(
            number,
            orders=len(held.orders),
            offers=len(held.devices),
            solver=held.solve.solver,
            mechanism=held.solve.mechanism,
            welfare=auctioneer.welfare_of(held, given),
            prices=[pair.price for pair in leased],
        )
        self._desk.out.append(Explain(held.solve, given.allocation, held.orders, self._desk.rules.fee))

    def _lease_all(self, held: Round, given: Answer) -> tuple[list[Pair], bool]:
        """What is leased of an answer, and whether anything is not, whose slot is free for others: the ledger refused
        it, or it was withdrawn meanwhile."""
        self._costs.clear()
        matched = auctioneer.pairs(held, given)
        pairs = [self._fitting(pair) for pair in matched if self._waits(pair)]
        pairs = [self._priced(held, self._desk.draft, pair) for pair in pairs]
        leased = list[Pair]()
        for first in range(0, len(pairs), TOGETHER):
            leased += self._assign(held, pairs[first : first + TOGETHER])
        return leased, len(leased) < len(matched)

    def _fitting(self, pair: Pair) -> Pair:
        """As many of its requests as its device computes at a time and one result has room for; the rest waits."""
        desk = self._desk
        if len(pair.part) == 1:
            return pair
        asked = find(desk.draft, Order, pair.order).requests
        words = desk.words([asked[index] for index in pair.part])
        room = sum(4 * count * max(words[:count]) <= MOST_OUTPUT for count in range(1, len(words) + 1))
        part = pair.part[: max(1, min(desk.computes(pair.device), room))]
        price = max(desk.offers.live[pair.device]["cost"], pair.price * len(part) // len(pair.part))
        return replace(pair, part=part, price=price)

    def _waits(self, pair: Pair) -> bool:
        """Whether the order still waits, and the device still offers."""
        order = self._desk.orders.waiting.get(pair.order)
        live = pair.device in self._desk.offers.live
        return live and order is not None and set(pair.part) <= set(order["waiting"])

    def _assign(self, held: Round, pairs: Sequence[Pair]) -> list[Pair]:
        """Lease them together; where the ledger refuses, one by one, so that who cannot pay is left out alone."""
        try:
            self._desk.order_of("assign", {"leases": self._terms(held, pairs)})
        except Refusal as refusal:
            if len(pairs) > 1:
                return [leased for pair in pairs for leased in self._assign(held, [pair])]
            [pair], why = pairs, f"it was matched, but could not be leased: {refusal}"
            self._refusals.note(pair.order, pair.device, held.solve.round, why)
            if pair.order in self._desk.orders.waiting:
                self._wait(pair.order, why)
            return []
        return list(pairs)

    def _terms(self, held: Round, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
        number = self._desk.draft.fact("count", "number") or 0
        return [self._lease(held, pair, number + at) for at, pair in enumerate(pairs)]

    def _lease(self, held: Round, pair: Pair, number: int) -> dict[str, Any]:
        desk = self._desk
        order = find(desk.draft, Order, pair.order)
        models = order.models(pair.part)
        requests = [order.requests[index] for index in pair.part]
        shape = desk.shape(requests)
        return {
            "order": pair.order,
            "part": pair.part,
            "device": pair.device,
            "price": str(pair.price),
            "audit_price": str(pair.audit_price),
            "graph": shape.graph,
            "layouts": desk.models[models[0]].layouts,
            "limit": self._settings.limit,
            "nodes": shape.nodes,
            "rows": shape.rows,
            "words": shape.words,
            "number": number,
            "seal": desk.seal(number),
            "auditors": self._auditors(models, desk.offers.owner(pair.device), pair.audit_price),
        }

    def _priced(self, held: Round, draft: Draft, pair: Pair) -> Pair:
        """With what its audit costs; where that is more than its price, so that the bid covers the fee for it too."""
        order, cost = held.facts[pair.order], self._desk.offers.live[pair.device]["cost"]
        models = [order["requests"][index]["model"] for index in pair.part]
        audit = auditors.fair_price(self._costs_of(models), self._desk.offers.owner(pair.device), max(pair.price, cost))
        if audit == pair.price:
            return replace(pair, audit_price=audit)
        share = draft.balance(escrow(order["user"], pair.order)) * len(pair.part) // len(order["waiting"])
        left = max(cost, share - rounded_up(audit, self._desk.rules.fee))
        return replace(pair, price=min(pair.price, left), audit_price=audit)

    def _costs_of(self, models: Sequence[str]) -> list[tuple[int, str, int]]:
        """Once a round: the ledger does not ask for the deposits of the last lease."""
        found = tuple(sorted(models))
        if found not in self._costs:
            self._costs[found] = auditors.costs_of(self._desk.draft, found)
        return self._costs[found]

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

    def explained(self, given: Explained) -> None:
        """What a round came to beside the optimum, and why who waits does."""
        self._board.explained(given.round, given.bound, given.waits)
        refused = self._refusals.reasons(given.round)
        for name, (why, bid) in given.waits.items():
            if name in self._desk.orders.waiting:
                self._wait(name, refused.get(name, why), None if name in refused else bid)
