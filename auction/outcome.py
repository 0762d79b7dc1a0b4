"""What a solver reports of one market."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auction.allocation import Allocation
from auction.certificate import Certificate
from auction.errors import InputError
from auction.market import MICRO, Market, Reading
from auction.progress import History, Progress

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
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
    remark: str | None = None  # what else the solver has to say, in words
    history: History = ()  # what was known when; the last is the outcome
    certificate: Certificate | None = None  # of a solve in this process; files keep it apart
    market: Market | None = None  # likewise

    def __repr__(self) -> str:
        gap = "no bound" if self.gap is None else f"gap {self.gap:.4%}"
        tokens = f"welfare {self.welfare / MICRO:,.6f} tokens, {gap}"
        return f"Outcome({self.solver}, {self.reading}: {tokens}, {self.status}, {self.seconds:.3f} s)"

    @property
    def gap(self) -> float | None:
        """(bound - welfare) / bound; 0 when both are 0; None without a bound."""
        return Progress(self.seconds, self.welfare, self.bound).gap

    def frame(self, market: Market | None = None) -> "pd.DataFrame":
        """A row for each pair that trades: task and provider by name, and what each reported, micro-tokens.

        Columns: ``task``; ``provider``; ``bid [micro]``, b_i = v_i - e_i of the whole task; ``cost [micro]``, c_j of
        the one slot.

        Args:
            market: whose outcome it is, where that came from a file.

        Raises:
            InputError: no market, or another one.
        """
        import pandas as pd

        market = market or self.market
        if market is None or market.digest != self.market_digest:
            raise InputError("market: the one that the outcome is of is needed to name tasks and providers")
        task, provider = self.allocation.task, self.allocation.provider
        named = market.labels.tasks, market.labels.providers
        return pd.DataFrame(
            {
                "task": [named[0][i] for i in task],
                "provider": [named[1][j] for j in provider],
                "bid [micro]": market.net_bid[task],
                "cost [micro]": market.cost[provider],
            }
        )
