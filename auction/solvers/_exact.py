"""Sums of money in exact integers, whatever their size."""

from auction.market import Int

SAFE = 2.0**62  # a sum of products below it, as floats tell it, fits int64


def dot(quantity: Int, price: Int) -> int:
    """sum_j quantity_j price_j of integers from 0 up, in Python's integers where int64 might not hold it."""
    if float(quantity.astype(float) @ price.astype(float)) < SAFE:
        return int(quantity @ price)
    return sum(w * p for w, p in zip(quantity.tolist(), price.tolist(), strict=True))
