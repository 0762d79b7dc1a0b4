"""The market of the Distribute.AI whitepaper: exact baselines, the bid-density auction, and the gap between them."""

from auction import _interrupt  # noqa: F401 - before anything that takes time

# isort: split
from auction import _compiled  # noqa: F401 - before anything is compiled
from auction.allocation import Allocation, check
from auction.errors import InputError
from auction.instances import generate
from auction.market import Market
from auction.outcome import Outcome
from auction.solvers import solve
from auction.sweeps import sweep
from auction.tables import read

__all__ = ["Allocation", "InputError", "Market", "Outcome", "check", "generate", "read", "solve", "sweep"]
