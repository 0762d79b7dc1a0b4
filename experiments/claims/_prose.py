"""Numbers as a criterion's prose has them, so that it is made of the very constants that ``check`` compares with."""

_NUMBERS: dict[float, str] = {2: "two", 4: "four", 10: "ten", 12: "twelve", 20: "twenty", 40: "forty"}
_PARTS = {0.5: "half", 0.25: "a quarter", 0.2: "a fifth", 0.1: "a tenth", 1e-6: "a millionth"}
_FACTORS: dict[float, str] = {2: "twice"}


def number(value: float) -> str:
    """A number, in a word where there is one: "twelve"; 13."""
    return _NUMBERS.get(value, f"{value:,g}")


def percent(share: float) -> str:
    """A share of a whole: "5 %"."""
    return f"{100 * share:g} %"


def part(share: float) -> str:
    """A share of a whole, in a word where there is one: "a quarter"; "30 %"."""
    return _PARTS.get(share, percent(share))


def one_in(share: float) -> str:
    """A share as one of so many: "one in twenty"."""
    return f"one in {number(1 / share)}"


def factor(value: float) -> str:
    """How many times: "twice"; "3 times"."""
    return _FACTORS.get(value, f"{value:g} times")
