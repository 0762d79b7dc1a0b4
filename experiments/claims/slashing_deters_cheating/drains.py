"""The fund that pays for audits over many orders, against whoever would drain it, beside closed forms and a bound.

Prices are parts of the largest; audits are paid their leases' audit price, here the price, unless rules are tried that
a market does not have. A coalition orders from itself: the price goes round, work costs nothing (its answers
were kept), and what its verifiers are paid comes from the fund.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.random import Generator

from auction.market import Float
from experiments import statistics
from experiments.claims.slashing_deters_cheating.deterrence import MARKET
from verification.economics import fund

P, Q, FEE = MARKET.audit, MARKET.coalition_share, MARKET.fee
ONE = Fraction(1)
MOST = FEE / P
CHUNK = 10_000


@dataclass(frozen=True)
class Orders:
    """What is ordered, and how it is audited."""

    name: str
    price: Fraction | None = ONE
    """of each; None: drawn evenly up to the largest"""
    pay: Fraction = ONE
    """of strangers who audit, in prices"""
    friends_pay: Fraction = ONE
    """of the coalition's own"""
    wrong: bool = False
    """whether results are, so that they fall before strangers"""
    returned: bool = False
    """whether the coalition gets its fees back, by a key that falls elsewhere and takes its results along"""
    sham: bool = True
    """whether the coalition orders; else users do, and it has verifiers only"""

    def play(self, paths: int, many: int, rng: Generator) -> tuple[Float, Float]:
        """(paths, many): what each order brings the fund, and the coalition; in largest prices."""
        price = rng.random((paths, many)) if self.price is None else np.full((paths, many), float(self.price))
        audited = rng.random((paths, many)) < float(P)
        friendly = audited & (rng.random((paths, many)) < float(Q))
        fallen = audited & ~friendly & self.wrong
        fee = np.where(fallen | self.returned, 0.0, float(FEE))
        stake = float(MARKET.verifier_share * MARKET.sigma) * fallen
        paid = np.where(friendly, float(self.friends_pay), np.where(audited, float(self.pay), 0.0))
        lost = fee + float(MARKET.sigma * (1 - MARKET.challenger_share)) * fallen if self.sham else 0.0
        return price * (fee + stake - paid), price * (friendly * float(self.friends_pay) - lost)

    def expected(self) -> tuple[Fraction, Fraction]:
        """What an order brings the fund, and the coalition, on the average."""
        price = Fraction(1, 2) if self.price is None else self.price
        mean = Q * self.friends_pay + (1 - Q) * self.pay
        fee = Fraction(0) if self.returned else FEE
        if self.wrong:
            gained = fund.fallen(P, Q, fee, mean, MARKET.verifier_share, MARKET.sigma)
            lost = (1 - P * (1 - Q)) * fee + P * (1 - Q) * MARKET.sigma * (1 - MARKET.challenger_share)
        else:
            gained, lost = fund.drift(P, fee, mean), fee
        own = P * Q * self.friends_pay - (lost if self.sham else 0)
        return price * gained, price * own

    def bound(self) -> float:
        """On the chance that the fund is ever below 0."""
        if self.returned:
            return 1.0
        return fund.ruin(MARKET.fund_prices, P, FEE, max(self.pay, self.friends_pay))


SMALL = Fraction(1, 100)
STRATEGIES = (
    Orders("users' orders, of any price", None, sham=False),
    Orders("users' orders, of the largest price", sham=False),
    Orders("sham orders to fifty newcomers, right results"),
    Orders("sham orders to fifty newcomers, wrong results", wrong=True),
    Orders("users' orders, if every verifier were paid all that fees bring", pay=MOST, friends_pay=MOST, sham=False),
    Orders(
        "sham orders at a hundredth, if verifiers were paid what they ask", SMALL, pay=1 / SMALL, friends_pay=1 / SMALL
    ),
    Orders("sham orders, if their results went with a key that falls elsewhere", returned=True),
)


def play(paths: int, tasks: int, block: int = 0) -> Iterator[dict[str, object]]:
    """A row a strategy: mean change a task with its normal interval, funds that ran out with Clopper and Pearson's."""
    for number, orders in enumerate(STRATEGIES):
        rng = np.random.default_rng((number, block))
        balance, least, gained = np.full(paths, float(MARKET.fund_prices)), np.full(paths, np.inf), np.zeros(paths)
        for begun in range(0, tasks, CHUNK):
            change, own = orders.play(paths, min(CHUNK, tasks - begun), rng)
            along = balance[:, None] + change.cumsum(axis=1)
            least, balance = np.minimum(least, along.min(axis=1)), along[:, -1]
            gained += own.sum(axis=1)
        mean, low, high = statistics.normal_interval((balance - MARKET.fund_prices) / tasks)
        ruined, fewest, most = statistics.share_interval(int((least < 0).sum()), paths)
        fund_gains, coalition_gains = map(float, orders.expected())
        yield {
            "orders": orders.name,
            "tasks": tasks,
            "funds": paths,
            "fund a task": mean,
            "fund a task, low": low,
            "fund a task, high": high,
            "fund a task, closed form": fund_gains,
            "coalition a task": float(gained.mean() / tasks),
            "coalition a task, closed form": coalition_gains,
            "least": float(least.min()),
            "ran out": ruined,
            "ran out, low": fewest,
            "ran out, high": most,
            "bound": orders.bound(),
        }
