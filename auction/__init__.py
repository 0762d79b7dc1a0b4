"""The market of the Distribute.AI whitepaper: exact baselines, the bid-density auction, and the gap between them."""

from auction.errors import InputError
from auction.instances import generate
from auction.market import Allocation, Market, Outcome, check
from auction.solvers import solve

__all__ = ["Allocation", "InputError", "Market", "Outcome", "check", "generate", "solve"]
