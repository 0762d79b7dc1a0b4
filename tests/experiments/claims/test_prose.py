"""Numbers in words where there are words, in digits elsewhere."""

from experiments.claims._prose import factor, number, one_in, part, percent


def test_numbers_in_prose():
    assert (number(12), number(20.0), number(13), number(0.5)) == ("twelve", "twenty", "13", "0.5")
    assert (percent(0.05), percent(0.125), percent(1.0)) == ("5 %", "12.5 %", "100 %")
    assert (part(0.5), part(0.25), part(0.1), part(1e-6)) == ("half", "a quarter", "a tenth", "a millionth")
    assert part(0.3) == "30 %"
    assert (one_in(0.05), one_in(0.1), one_in(0.01)) == ("one in twenty", "one in ten", "one in 100")
    assert (factor(2), factor(3)) == ("twice", "3 times")
