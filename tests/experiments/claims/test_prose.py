"""Shares in words where there are words, in per cent elsewhere."""

from experiments.claims._prose import part


def test_shares_in_prose():
    assert (part(0.5), part(0.25), part(0.1), part(1e-6)) == ("half", "a quarter", "a tenth", "a millionth")
    assert (part(0.3), part(0.125), part(1.0)) == ("30 %", "12.5 %", "100 %")
