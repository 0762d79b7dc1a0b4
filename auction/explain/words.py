"""Amounts, thresholds and totals of a report in words, for terminal and page alike."""

from collections.abc import Iterable

import numpy as np

from auction.explain.report import Report
from auction.explain.thresholds import Threshold
from auction.market import Int, Market
from auction.mechanisms import Settlement
from auction.tables.notes import tokens
from auction.welfare import provider_utility, user_utility

PLACES = 6


def decimals(amounts: Int) -> int:
    """The decimal places that exact tokens need, of all these micro-tokens."""
    return next((p for p in range(PLACES) if not (amounts % 10 ** (PLACES - p)).any()), PLACES)


def places_of(market: Market) -> int:
    """The decimal places in which people stated their amounts, two at least where there are any."""
    places = decimals(np.concatenate((market.value, market.cost, market.extra_cost)))
    return max(2, places) if places else 0


def fixed(micro: int, places: int = PLACES) -> str:
    """Tokens with so many decimal places, rounded half to even."""
    unit = 10 ** (PLACES - places)
    quotient, rest = divmod(abs(int(micro)), unit)
    rounded = quotient + (2 * rest > unit or (2 * rest == unit and quotient % 2 == 1))
    whole, part = divmod(rounded, 10**places)
    return f"{'-' if micro < 0 and rounded else ''}{whole:,}" + (f".{part:0{places}d}" if places else "")


def aligned(amounts: Iterable[int | None], places: int = 0) -> list[str]:
    """A column of exact tokens with one number of decimal places, so many at the least; empty where there is none."""
    listed = list(amounts)
    places = max(places, decimals(np.array([amount for amount in listed if amount is not None], dtype=np.int64)))
    return ["" if amount is None else fixed(amount, places) for amount in listed]


def exact(micro: int, places: int) -> str:
    """Exact tokens, with so many decimal places at the least."""
    return fixed(micro, max(places, decimals(np.array([micro]))))


def wins_above(found: Threshold, extra: int, places: int) -> str:
    """The value above which a task wins in every optimum, or what is proven of it."""
    return "never" if found.never else _between(found, extra, places)


def trades_below(found: Threshold, places: int) -> str:
    """The cost below which a provider trades in every optimum, or what is proven of it."""
    return "never" if found.most is not None and found.most <= 0 else _between(found, 0, places)


def _between(found: Threshold, added: int, places: int) -> str:
    least, most = (None if each is None else each + added for each in (found.least, found.most))
    if least is not None and least <= 0 and not found.exact:
        least = None  # that an amount is not below 0 is no news
    if most is None:
        return "" if least is None else f"at least {exact(least, places)}"
    if least is None:
        return f"at most {exact(most, places)}"
    return exact(most, places) if found.exact else f"{exact(least, places)} to {exact(most, places)}"


def gains(market: Market, settled: Settlement) -> tuple[int, int, int]:
    """What tasks, providers and the platform gain together, micro-tokens."""
    users = user_utility(market, settled.allocation, settled.payment).sum()
    sellers = provider_utility(market, settled.allocation, settled.receipt).sum()
    return int(users), int(sellers), settled.budget_surplus


def proof(report: Report) -> str:
    """What is known of the optimum."""
    outcome = report.outcome
    if outcome.proven_optimal:
        return "proven optimal"
    if outcome.bound is None:
        return "nothing is proven of the optimum"
    return f"the optimum is at most {tokens(outcome.bound)}, so that at most {outcome.gap:.2%} of it is missing"


def certified(report: Report) -> str:
    """What prices alone prove, for anybody to derive again; empty without a certificate."""
    bound = report.outcome.certified_bound
    return "" if bound is None else f"prices certify that no allocation is worth more than {tokens(bound)}"


def lost(report: Report) -> str:
    """What the mechanism loses, of the optimum or of what is known of it; empty where nothing is."""
    if report.auction_gap is None or not report.outcome.bound:
        return ""
    if report.outcome.proven_optimal:
        return f"{report.auction_gap:.1%} of the optimum is lost"
    least = (report.outcome.welfare - report.auction_welfare) / report.outcome.bound
    return f"{max(0.0, least):.1%} to {report.auction_gap:.1%} of the optimum is lost"


def share(amount: int, whole: int) -> float:
    """Per cent, for a bar; 0 of nothing."""
    return round(100 * amount / whole, 3) if whole > 0 else 0.0
