"""Winner determination as a market, and the text in which CATS writes its bids.

A bid is a task that demands one of each of its goods; a provider sells one good and asks nothing.
"""

import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np

from auction.arrays import shown
from auction.errors import InputError
from auction.market import AMOUNT_LIMIT, MICRO, Int, Market
from auction.readers import LARGEST_TEXT, opened

LARGEST_ARRAYS = 2**28  # bytes of a market: some arrays are there twice while it is made
HEAD = ("goods", "bids", "dummy")
WHOLE, DECIMAL = re.compile(r"[0-9]{1,18}"), re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
DEAREST = AMOUNT_LIMIT / MICRO  # tokens


def market_of_goods(bundle: Int, price: Int, sold: Int) -> Market:
    """The market in which net bids are the prices and every good costs nothing: its welfare is the auction's revenue.

    Args:
        bundle: (m, K) 1 where bid i names good k, else 0.
        price: (m,) micro-tokens; a value is that and one token more, which e_i takes.
        sold: (n,) the good that each provider has one of.
    """
    goods = bundle.shape[1]
    return Market(
        demand=bundle,
        value=price + MICRO,
        unit_work=np.zeros(goods),  # no work: e_i = beta for everyone
        alpha=2,
        beta=1,
        resource=(np.arange(goods) == sold[:, None]).astype(np.int64),
        slots=np.ones(sold.size, dtype=np.int64),
        cost=np.zeros(sold.size, dtype=np.int64),
        ability=np.full((sold.size, goods), 0.5),
    )


def read_bids(path: Path) -> Market:
    """A file of CATS: ``goods N``, ``bids M``, ``dummy D``, then M times ``id price good good ... #``.

    Prices are tokens; lines that begin with % are comments. Goods from N on are dummies: a bidder's bids share one, so
    that at most one of them wins. Files for several units of a good (``maximums``) are not read.

    Raises:
        InputError: anything else, with its line; a market beyond LARGEST_ARRAYS bytes.
    """
    with opened(path, LARGEST_TEXT) as file:
        words = _Words(path, file.read(LARGEST_TEXT).splitlines())
    goods, bids, dummies = (words.count_of(label) for label in HEAD)
    types = goods + dummies
    if (size := 8 * (bids + 2 * types) * types) > LARGEST_ARRAYS:
        words.refuse(f"{bids} bids for {types} goods take {size} bytes; at most {LARGEST_ARRAYS} are made")
    prices, bid, good = array("d"), array("q"), array("q")
    for number in range(bids):
        words.whole(f"the number of a bid; {number} of {bids} were read")
        prices.append(words.price())
        named: set[int] = set()
        while (one := words.good(types)) is not None:
            if one in named:
                words.refuse(f"good {one} is named twice in a bid")
            named.add(one)
        if not named:
            words.refuse("a bid names no good")
        bid.extend([number] * len(named))
        good.extend(named)
    if (word := words.rest()) is not None:
        words.refuse(f"{shown(word)} follows the last of {bids} bids")
    bundle = np.zeros((bids, types), dtype=np.int64)
    bundle[np.array(bid), np.array(good)] = 1
    try:
        return market_of_goods(bundle, np.rint(MICRO * np.array(prices)).astype(np.int64), np.arange(types))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


class _Words:
    """What is written between spaces, comments apart, and on which line."""

    def __init__(self, path: Path, lines: list[bytes]) -> None:
        self._path, self._line, self._words = path, 0, self._each(lines)

    def _each(self, lines: list[bytes]) -> Iterator[str]:
        for number, line in enumerate(lines, 1):
            if not line.lstrip().startswith(b"%"):
                self._line = number
                yield from line.decode("ascii", "backslashreplace").split()

    def refuse(self, what: str) -> NoReturn:
        raise InputError(f"{self._path}: line {self._line}: {what}")

    def rest(self) -> str | None:
        """A further word, if there is one."""
        return next(self._words, None)

    def next(self, needed: str) -> str:
        if (word := self.rest()) is None:
            raise InputError(f"{self._path}: ends where there should be {needed}")
        return word

    def whole(self, needed: str) -> int:
        word = self.next(needed)
        if not WHOLE.fullmatch(word):
            self.refuse(f"{shown(word)} is not allowed; {needed}")
        return int(word)

    def count_of(self, label: str) -> int:
        word = self.next(f"{label!r}; a file of CATS begins with {', '.join(HEAD)}")
        if word.lower() != label:
            self.refuse(f"{shown(word)} is not allowed; a file of CATS begins with {', '.join(HEAD)}")
        return self.whole(f"how many {label} there are")

    def price(self) -> float:
        word = self.next("a price")
        if not DECIMAL.fullmatch(word) or not float(word) <= DEAREST:
            self.refuse(f"{shown(word)} is not allowed; a price, a number of tokens from 0 to {DEAREST:g}")
        return float(word)

    def good(self, goods: int) -> int | None:
        """A good, or None at the end of the bid."""
        needed = f"a good below {goods}, or # at the end of the bid"
        word = self.next(needed)
        if word == "#":
            return None
        if not WHOLE.fullmatch(word) or int(word) >= goods:
            self.refuse(f"{shown(word)} is not allowed; {needed}")
        return int(word)
