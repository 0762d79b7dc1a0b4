"""The market, an allocation of it, what a solver reports, and the check of feasibility (whitepaper section 4)."""

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from auction.arrays import amounts, frozen, integer, reals, within
from auction.errors import InputError

if TYPE_CHECKING:
    from auction.certificate import Certificate

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Reading = Literal["bundle", "whole"]
READINGS: tuple[Reading, ...] = ("bundle", "whole")

MICRO = 1_000_000  # micro-tokens in a token
AMOUNT_LIMIT = 2**62  # any two totals of one market can be added in int64

FIELDS = ("demand", "value", "unit_work", "alpha", "beta", "resource", "slots", "cost", "ability")


@dataclass(frozen=True, eq=False, kw_only=True)
class Market:
    """Tasks i < m, providers j < n and model types k < K of one round (section 4), validated on construction.

    Money is int64 micro-tokens. Arrays are copied where needed and made read-only.

    Raises:
        InputError: a field of the wrong shape or outside its range, or amounts whose sums would overflow.
    """

    demand: Int  # (m, K) requests of each type that a task bundles; at least one a task
    value: Int  # (m,) adjusted valuation v_i of the whole bundle, micro-tokens
    unit_work: Float  # (K,) work of one request, reference-device units
    alpha: int  # >= 2, base of the logarithm in the extra cost
    beta: int  # >= 1, constant of the extra cost, tokens
    resource: Int  # (n, K) requests of each type that one slot completes in a round, all of them together
    slots: Int  # (n,) slots w_j a provider offers
    cost: Int  # (n,) true adjusted cost c_j of one slot, micro-tokens
    ability: Float  # (n, K) Psi, benchmarked ability in [0, 1]

    def __post_init__(self) -> None:
        unit_work = reals("unit_work", self.unit_work, (None,))
        if not unit_work.size:
            raise InputError("unit_work: names no model type; at least one is needed")
        types = unit_work.size
        value = amounts("value", self.value, (None,))
        slots = amounts("slots", self.slots, (None,))
        checked = {
            "unit_work": unit_work,
            "value": value,
            "slots": slots,
            "demand": amounts("demand", self.demand, (value.size, types)),
            "resource": amounts("resource", self.resource, (slots.size, types)),
            "cost": amounts("cost", self.cost, (slots.size,)),
            "ability": reals("ability", self.ability, (slots.size, types), upper=1.0),
            "alpha": integer("alpha", self.alpha, lower=2),
            "beta": integer("beta", self.beta, lower=1),
        }
        for name, checked_value in checked.items():
            object.__setattr__(self, name, checked_value)
        empty = np.flatnonzero(~self.demand.any(axis=1))
        if empty.size:
            raise InputError(f"demand[{empty[0]}]: the task demands nothing; at least one request is needed")
        self._refuse_overflow()

    def _refuse_overflow(self) -> None:
        # Float sums are off by far less than the factor of two between AMOUNT_LIMIT and the end of int64.
        within("demand", "the sum of all requests", float(np.sum(self.demand, dtype=float)), AMOUNT_LIMIT)
        within("resource", "the sum of all requests", float(np.sum(self.resource, dtype=float)), AMOUNT_LIMIT)
        raw = self._variable_cost + float(MICRO) * self.beta
        if raw.size and not raw.max() < AMOUNT_LIMIT:
            raise InputError(f"demand[{raw.argmax()}]: its extra cost e_i is beyond {AMOUNT_LIMIT} micro-tokens")
        bids = float(np.sum(self.value, dtype=float)) + float(raw.sum())
        within("value", "the sum of all values and extra costs", bids, AMOUNT_LIMIT)
        used = np.minimum(self.slots, self.tasks).astype(float)
        within("cost", "the cost of all slots that can be used", float(used @ self.cost.astype(float)), AMOUNT_LIMIT)

    @property
    def tasks(self) -> int:
        return self.value.size

    @property
    def providers(self) -> int:
        return self.slots.size

    @property
    def types(self) -> int:
        return self.unit_work.size

    @cached_property
    def work(self) -> Float:
        """(m,) work tau_i = max(1, sum_k C_ik t_k) of a task in reference-device units; t_i in the print's e_i."""
        work = np.zeros(self.tasks)
        with np.errstate(over="ignore"):
            for k in range(self.types):  # in this order everywhere: BLAS would fuse and reassociate
                work += self.demand[:, k] * self.unit_work[k]
        return frozen(np.maximum(work, 1.0))

    @cached_property
    def _variable_cost(self) -> Float:
        with np.errstate(over="ignore"):
            return MICRO * self.work * (np.log(self.work) / math.log(self.alpha))

    @cached_property
    def extra_cost(self) -> Int:
        """(m,) e_i = tau_i log_alpha(tau_i) + beta (section 4), micro-tokens, rounded once, half to even."""
        return frozen(np.rint(self._variable_cost).astype(np.int64) + MICRO * self.beta)

    @cached_property
    def net_bid(self) -> Int:
        """(m,) b_i = v_i - e_i, micro-tokens: the bid wherever one meets an ask."""
        return frozen(self.value - self.extra_cost)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of sizes and little-endian arrays: equal for equal markets, whatever file they came from."""
        state = hashlib.sha256(b"distribute-lab market 1\n")
        state.update(repr((self.tasks, self.providers, self.types, self.alpha, self.beta)).encode())
        for name in FIELDS:
            array = getattr(self, name)
            if isinstance(array, np.ndarray):
                state.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        return state.hexdigest()


@dataclass(frozen=True, eq=False)
class Allocation:
    """The pairs (task, provider) with A_ij = 1, sorted by task, then provider; y_i = 1 for every task that occurs."""

    task: Int  # (pairs,)
    provider: Int  # (pairs,)

    @classmethod
    def of(cls, task: Any, provider: Any) -> "Allocation":
        """Sort the pairs and freeze the arrays."""
        task, provider = np.asarray(task, dtype=np.int64), np.asarray(provider, dtype=np.int64)
        width = provider.max(initial=0) + 1  # one key: sorting it is several times faster than a lexsort
        task, provider = np.divmod(np.sort(task * width + provider), width)
        return cls(frozen(task), frozen(provider))

    @classmethod
    def empty(cls) -> "Allocation":
        return cls.of([], [])


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What a solver reports of one market."""

    solver: str
    reading: Reading
    allocation: Allocation
    welfare: int  # micro-tokens
    bound: int | None  # upper bound on the optimal welfare, micro-tokens; None where the solver proves none
    proven_optimal: bool
    status: str
    seconds: float  # solving, without reading files or compiling
    seed: int
    options: dict[str, Any]
    market_digest: str
    certified_bound: int | None = None  # what the certificate proves; None without one
    proof: str | None = None  # what carries ``bound`` below ``certified_bound``, and its size
    certificate: "Certificate | None" = None  # of a solve in this process; files keep it apart

    @property
    def gap(self) -> float | None:
        """(bound - welfare) / bound; 0 when both are 0; None without a bound."""
        if self.bound is None:
            return None
        return (self.bound - self.welfare) / self.bound if self.bound else 0.0


def check(market: Market, allocation: Allocation, reading: Reading) -> list[str]:
    """Every constraint of the exact model that the allocation violates, each with its task or provider.

    Covering: sum_j s_jk A_ij >= C_ik for every task that occurs; slots: sum_i A_ij <= w_j; A binary; and under
    ``whole`` one provider a task. An empty list means feasible.
    """
    task, provider = allocation.task, allocation.provider
    faults = [
        f"pair {p}: {name} {index[p]} does not exist; the market has {count}"
        for name, index, count in (("task", task, market.tasks), ("provider", provider, market.providers))
        for p in np.flatnonzero((index < 0) | (index >= count))
    ]
    if faults:
        return faults

    ordered = np.lexsort((provider, task))
    task, provider = task[ordered], provider[ordered]
    repeated = np.flatnonzero((task[1:] == task[:-1]) & (provider[1:] == provider[:-1]))
    faults += [f"task {task[p]} takes provider {provider[p]} more than once" for p in repeated]

    used = np.bincount(provider, minlength=market.providers)
    faults += [
        f"provider {j} serves {used[j]} tasks with {market.slots[j]} slots" for j in np.flatnonzero(used > market.slots)
    ]

    winners, start, served_by = np.unique(task, return_index=True, return_counts=True)
    if winners.size:
        supply = np.add.reduceat(market.resource[provider], start, axis=0)
        short = market.demand[winners] - supply
        faults += [
            f"task {winners[w]} is short of {short[w, k]} requests of type {k}" for w, k in np.argwhere(short > 0)
        ]
    if reading == "whole":
        faults += [f"task {winners[w]} is split over {served_by[w]} providers" for w in np.flatnonzero(served_by > 1)]
    return faults
