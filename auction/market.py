"""The market of one round (whitepaper section 4): tasks, providers, model types, and what is derived from them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from auction import extra_cost
from auction.arrays import amounts, frozen, integer, reals, within
from auction.errors import InputError
from auction.names import Labels, Names

if TYPE_CHECKING:
    import pandas as pd

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Reading = Literal["bundle", "whole"]
READINGS: tuple[Reading, ...] = ("bundle", "whole")

MICRO = 1_000_000  # micro-tokens in a token
UNIT = "micro-tokens, 10^6 to a token"
AMOUNT_LIMIT = 2**62  # any two totals of one market can be added in int64

FIELDS = ("demand", "value", "unit_work", "alpha", "beta", "resource", "slots", "cost", "ability")
OPTIONAL = ("arrival", "names")  # outside the digest


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
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
    beta: int  # constant of the extra cost, tokens; 1 or more in the print, 0 where there is none
    resource: Int  # (n, K) requests of each type that one slot completes in a round, all of them together
    slots: Int  # (n,) slots w_j a provider offers
    cost: Int  # (n,) true adjusted cost c_j of one slot, micro-tokens
    ability: Float  # (n, K) Psi, benchmarked ability in [0, 1]
    arrival: Float | None = (
        None  # (m,) seconds from the first round's start; for ``rounds.simulate``, not in the digest
    )
    names: Names | None = None  # what people call tasks, providers and types; not in the digest

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
            "beta": integer("beta", self.beta, lower=0),
            "arrival": None if self.arrival is None else reals("arrival", self.arrival, (value.size,)),
            "names": None if self.names is None else Names.of(self.names),
        }
        for name, checked_value in checked.items():
            object.__setattr__(self, name, checked_value)
        empty = np.flatnonzero(~self.demand.any(axis=1))
        if empty.size:
            raise InputError(f"demand[{empty[0]}]: the task demands nothing; at least one request is needed")
        for of, count in ({} if self.names is None else self.names.sizes()).items():
            if count not in (None, there := getattr(self, of)):
                raise InputError(f"names: of {of} there are {count}; the market has {there}")
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

    def __repr__(self) -> str:
        return f"Market({self.tasks} tasks, {self.providers} providers, {self.types} types)"

    @classmethod
    def from_frames(
        cls,
        tasks: "pd.DataFrame",
        providers: "pd.DataFrame",
        *,
        types: "pd.DataFrame | None" = None,
        unit: str = "tokens",
        alpha: int = 2,
        beta: int = 0,
    ) -> "Market":
        """The market of two frames of pandas with the columns that ``auction.read`` finds in files.

        Amounts are tokens, 10^6 micro-tokens each, unless their column's name (``value [micro]``) or ``unit`` says
        otherwise: tokens, milli or micro. A float counts as the shortest decimal that is it: 0.1 is 100000
        micro-tokens. The frames' indices are not looked at.

        Raises:
            InputError: up to ten lines that each name frame, row (the first is 2, as in a file) and column.
        """
        from auction.tables.fields import fields_of
        from auction.tables.frames import sheet_of

        work = None if types is None else sheet_of(types, "types")
        fields = fields_of(sheet_of(tasks, "tasks"), sheet_of(providers, "providers"), work, unit)
        return cls(**fields, alpha=alpha, beta=beta)

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
    def labels(self) -> Labels:
        """The names, or "task 0", "provider 0", "type 0" and so on where there are none."""
        own = self.names or Names()
        return Labels(
            own.tasks or tuple(f"task {i}" for i in range(self.tasks)),
            own.providers or tuple(f"provider {j}" for j in range(self.providers)),
            own.types or tuple(f"type {k}" for k in range(self.types)),
        )

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
        """SHA-256 of sizes and little-endian arrays: equal for equal markets, whatever file or names they came with."""
        state = hashlib.sha256(b"distribute-lab market 1\n")
        state.update(repr((self.tasks, self.providers, self.types, self.alpha, self.beta)).encode())
        for name in FIELDS:
            array = getattr(self, name)
            if isinstance(array, np.ndarray):
                state.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        return state.hexdigest()
