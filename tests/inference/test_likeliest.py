"""Draws among the likeliest: in proportion, never beyond; what cannot be drawn so is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.generate import draw
from inference.likeliest import Likeliest

LOGITS = np.log(np.array([0.1, 0.4, 0.2, 0.3], np.float32))


def test_tokens_come_as_often_as_they_are_likely():
    drawn = [Likeliest(3).drawn(LOGITS, 1.0, draw(5, i)) for i in range(4000)]
    assert np.abs(np.bincount(drawn, minlength=4) / 4000 - [0, 4 / 9, 2 / 9, 3 / 9]).max() < 0.03


@pytest.mark.parametrize(
    ("among", "allowed"),
    [
        (Likeliest(1), {1}),
        (Likeliest(2), {1, 3}),
        (Likeliest(None, 0.39), {1}),
        (Likeliest(None, 0.41), {1, 3}),
        (Likeliest(None, 0.95), {0, 1, 2, 3}),
        (Likeliest(2, 0.5), {1}),
        (Likeliest(99, 1.0), {0, 1, 2, 3}),
    ],
)
def test_no_token_beyond_them_is_drawn_and_each_of_them_is(among, allowed):
    assert {among.drawn(LOGITS, 1.0, draw(1, i)) for i in range(300)} == allowed


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_any_word_draws_a_token(logits, word):
    token = Likeliest(7, 0.9).drawn(np.array(logits, np.float32), 0.05, np.array([word], np.uint32).view(np.int32))
    assert 0 <= token < len(logits) and sorted(logits)[-7:][0] <= logits[token]


@pytest.mark.parametrize(
    ("among", "arithmetic", "temperature", "said"),
    [
        (Likeliest(0), "float32", 1.0, "--top-k 0 is not allowed"),
        (Likeliest(None, 0.0), "float32", 1.0, "--top-p 0.0 is not allowed"),
        (Likeliest(None, float("nan")), "float32", 1.0, "--top-p nan is not allowed"),
        (Likeliest(3), "exact", 1.0, "exact arithmetic draws among all tokens"),
        (Likeliest(3), "float32", 0.0, "need a --temperature above 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(refusal, among, arithmetic, temperature, said):
    assert said in refusal(among.check, arithmetic, temperature)
