"""The market of one round (whitepaper section 4): tasks, providers, model types, and what is derived from them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from auction import extra_cost
from auction.arrays import amounts, frozen, integer, reals, within
from auction.errors import InputError

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Reading = Literal["bundle", "whole"]
READINGS: tuple[Reading, ...] = ("bundle", "whole")

MICRO = 1_000_000  # micro-tokens in a token
UNIT = "micro-tokens, 10^6 to a token"
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
        value = amounts("value", self.value, (None,), UNIT)
        slots = amounts("slots", self.slots, (None,))
        checked = {
            "unit_work": unit_work,
            "value": value,
            "slots": slots,
            "demand": amounts("demand", self.demand, (value.size, types)),
            "resource": amounts("resource", self.resource, (slots.size, types)),
            "cost": amounts("cost", self.cost, (slots.size,), UNIT),
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
        raw = extra_cost.in_floats(self.work, self.alpha, MICRO) + float(MICRO) * self.beta
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
    def extra_cost(self) -> Int:
        """(m,) e_i = tau_i log_alpha(tau_i) + beta (section 4), to the nearest micro-token: there are no ties."""
        return frozen(extra_cost.rounded(self.work, self.alpha, MICRO) + MICRO * self.beta)

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
