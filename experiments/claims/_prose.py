"""Shares as prose has them."""

_PARTS = {0.5: "half", 0.25: "a quarter", 0.2: "a fifth", 0.1: "a tenth", 1e-6: "a millionth"}


def part(share: float) -> str:
    """A share of a whole, in a word where there is one: "a quarter"; "30 %"."""
    return _PARTS.get(share, f"{100 * share:g} %")
