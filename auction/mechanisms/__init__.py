"""Mechanisms, one file each, and ``run``, which checks what any of them returns: an allocation and who pays what.

A mechanism is a module with ``READINGS``, the first its default, and a function::

    run(market, reading, stop, seed, *, option=default, ...) -> Settlement

whose keyword-only parameters are its options. One that does not apply to a market raises InputError and says why.
Another distribution adds one by an entry point of the group ``distribute_lab.mechanisms`` that names such a module.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from auction import registry
from auction.allocation import Allocation, check
from auction.arrays import integer
from auction.errors import InputError, unknown
from auction.market import MICRO, READINGS, Int, Market
from auction.search import Stop
from auction.welfare import provider_utility, user_utility, welfare

if TYPE_CHECKING:
    import pandas as pd

ENTRY_POINTS, REQUIRED = "distribute_lab.mechanisms", ("READINGS", "run")


@dataclass(frozen=True, eq=False, repr=False)
class Settlement:
    """An allocation and its prices, integer micro-tokens; payments exclude the extra costs e_i."""

    allocation: Allocation
    payment: Int  # (m,) by task; 0 where it loses
    receipt: Int  # (n,) by provider, for all its slots together
    epsilon: float | None = None  # what of the settlement is differentially private, the mechanism says
    market: Market | None = None  # as reported; of ``run`` in this process

    def __repr__(self) -> str:
        paid, received = int(self.payment.sum()) / MICRO, int(self.receipt.sum()) / MICRO
        won = np.unique(self.allocation.task).size
        return f"Settlement({won} tasks win, {paid:,.6f} tokens paid, {received:,.6f} received)"

    def frame(self) -> "pd.DataFrame":
        """A row for each task and provider: what it trades and pays or receives, amounts in micro-tokens.

        Columns: ``side``, task or provider; ``name``; ``slots``, how many it takes or gives; ``reported [micro]``, of a
        task its bid b_i = v_i - e_i, of a provider the cost of one slot; ``price [micro]``, what it pays or receives
        for all its slots; ``surplus [micro]``, what it gains: bid less payment where it wins, receipt less costs.

        Raises:
            InputError: a settlement that does not come from ``run``.
        """
        import pandas as pd

        if (market := self.market) is None:
            raise InputError("market: only a settlement that comes from auction.mechanisms.run knows its own")
        sides = ("task", "provider")
        names, pairs = (market.labels.tasks, market.labels.providers), (self.allocation.task, self.allocation.provider)
        counts, reported = (market.tasks, market.providers), (market.net_bid, market.cost)
        prices = self.payment, self.receipt
        gains = (
            user_utility(market, self.allocation, self.payment),
            provider_utility(market, self.allocation, self.receipt),
        )
        parts = [
            pd.DataFrame(
                {
                    "side": sides[s],
                    "name": names[s],
                    "slots": np.bincount(pairs[s], minlength=counts[s]),
                    "reported [micro]": reported[s],
                    "price [micro]": prices[s],
                    "surplus [micro]": gains[s],
                }
            )
            for s in range(2)
        ]
        return pd.concat(parts, ignore_index=True)

    @property
    def budget_surplus(self) -> int:
        """Payments less receipts: what the platform keeps, or puts in where it is negative."""
        return int(self.payment.sum()) - int(self.receipt.sum())


def names() -> list[str]:
    """Every mechanism there is."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Any:
    """A mechanism's module.

    Raises:
        InputError: no mechanism of that name, or one of another distribution that does not work.
    """
    return registry.load(sys.modules[__name__], name, "mechanism")


def prepare(
    mechanism: str, reading: str | None, seed: int, options: Mapping[str, Any]
) -> tuple[Any, Any, dict[str, Any]]:
    """The mechanism's module, the reading and its complete options, everything a caller can get wrong checked.

    Raises:
        InputError: unknown mechanism, reading or option, or a reading the mechanism cannot take.
    """
    module = load(mechanism)
    if reading is None:
        reading = module.READINGS[0]
    if reading not in READINGS:
        raise unknown("reading", reading, READINGS)
    if reading not in module.READINGS:
        raise InputError(f"{mechanism} cannot take the reading {reading!r}; it takes {', '.join(module.READINGS)}")
    integer("seed", seed, 0, 2**31 - 1)
    return module, reading, registry.parse_options(module.run, options, mechanism)


def run(
    market: Market,
    mechanism: str,
    *,
    reading: str | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    stop: Stop | None = None,
) -> Settlement:
    """Run one mechanism on one market; the allocation is checked before it leaves.

    Args:
        market: the market, as reported.
        mechanism: a name from ``names()``.
        reading: ``bundle`` or ``whole``; None for the mechanism's default.
        seed: same seed, same settlement.
        options: the mechanism's options, typed or as text.
        stop: what ends its solvers early; a mechanism that needs a proven optimum then refuses.

    Raises:
        InputError: see ``prepare``, or a market the mechanism does not apply to.
    """
    module, chosen, complete = prepare(mechanism, reading, seed, options or {})
    settlement: Settlement = module.run(market, chosen, stop or Stop(None), int(seed), **complete)
    violated = check(market, settlement.allocation, chosen)
    if violated:
        raise AssertionError(f"{mechanism} returned an infeasible allocation: {violated[0]}")
    return replace(settlement, market=market)


def summary(mechanism: str, market: Market, settlement: Settlement) -> dict[str, Any]:
    """What ``mechanism --json`` prints."""
    return {
        "mechanism": mechanism,
        "welfare": welfare(market, settlement.allocation),
        "task": settlement.allocation.task.tolist(),
        "provider": settlement.allocation.provider.tolist(),
        "payment": settlement.payment.tolist(),
        "receipt": settlement.receipt.tolist(),
        "budget_surplus": settlement.budget_surplus,
    }
