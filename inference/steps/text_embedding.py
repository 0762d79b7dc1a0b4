"""Columns of a token's row of an embedding, plus those of its place.

sources: the token, one word, or none. numbers: ``token``, where there is no source; ``place``; ``columns``; ``table``
and ``positions``, constants of (vocabulary, d) and (places, d). For column c

    y = i32(table[token, c] + positions[place, c])

0 <= token < vocabulary.
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers, i32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import one, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    token, place = int(one(inputs[0])[0]) if inputs else numbers["token"], numbers["place"]
    row = window(constants, numbers["table"], [token, token + 1], numbers["columns"])[0]
    return embedded(row, window(constants, numbers["positions"], [place, place + 1], numbers["columns"])[0])


def embedded(row: Integers, place: Integers) -> Integers:
    """A token's words at a place."""
    return i32(row + place)
