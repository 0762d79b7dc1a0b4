"""McAfee's trade reduction: truthful on both sides and never a deficit, for tasks and slots that are all alike."""

import numpy as np

from auction.allocation import Allocation
from auction.errors import InputError
from auction.market import Market, Reading
from auction.mechanisms import Settlement
from auction.search import Stop

__all__ = ["READINGS", "run"]

READINGS: tuple[Reading, ...] = ("whole",)


def run(market: Market, reading: Reading, stop: Stop, seed: int) -> Settlement:
    """Pair the highest bids with the lowest costs, and let the first pair that stays out price those that trade.

    McAfee (1992), 'A dominant strategy double auction': bids b_1 >= b_2 >= ... and costs c_1 <= c_2 <= ..., ties by
    index; the first k pairs are efficient: b_k >= c_k, b_{k+1} < c_{k+1}. With p = (b_{k+1} + c_{k+1}) / 2, rounded
    down: if c_k <= p <= b_k all k trade at p; otherwise pair k is given up, buyers pay b_k and sellers receive c_k.
    Where no pair k + 1 sets p, pair k is given up too (McAfee puts the ends of the distributions there).

    Raises:
        InputError: a market with more than one type, a task that demands more than one request, or a provider with more
            than one slot, or with one that serves no task.
    """
    _refuse_unlike(market)
    buyers = np.argsort(-market.net_bid, kind="stable")
    sellers = np.argsort(market.cost, kind="stable")
    sellers = sellers[market.slots[sellers] > 0]
    pairs = min(buyers.size, sellers.size)
    bid, cost = market.net_bid[buyers], market.cost[sellers]
    efficient = int(np.count_nonzero(bid[:pairs] >= cost[:pairs]))

    payment, receipt = np.zeros(market.tasks, dtype=np.int64), np.zeros(market.providers, dtype=np.int64)
    trading = max(0, efficient - 1)
    if 0 < efficient < pairs and cost[trading] <= (price := (bid[efficient] + cost[efficient]) >> 1) <= bid[trading]:
        trading = efficient
        payment[buyers[:trading]] = receipt[sellers[:trading]] = price
    elif trading:
        payment[buyers[:trading]], receipt[sellers[:trading]] = bid[trading], cost[trading]
    return Settlement(Allocation.of(buyers[:trading], sellers[:trading]), payment, receipt)


def _refuse_unlike(market: Market) -> None:
    refusal = "mcafee applies where every task demands one request of one type and every provider has one slot for it"
    if market.types != 1:
        raise InputError(f"{refusal}; the market has {market.types} types")
    for name, row, unlike in (
        ("demand", market.demand[:, 0], market.demand[:, 0] != 1),
        ("slots", market.slots, market.slots > 1),
        ("resource", market.resource[:, 0], (market.slots > 0) & (market.resource[:, 0] < 1)),
    ):
        if unlike.any():
            index = int(unlike.argmax())
            raise InputError(f"{refusal}; {name}[{index}] is {row[index]}")
