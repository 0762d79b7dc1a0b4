"""Draws among the likeliest: in proportion, never beyond, in integers those that sorting finds; else refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.arithmetic import tables
from inference.generate import draw, generate
from inference.likeliest import Likeliest
from inference.ops import argmax_partial, cut, kept, sample, sample_partial
from inference.ops._drawing import scale_of
from inference.reference import Reference

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
    ("among", "temperature", "said"),
    [
        (Likeliest(0), 1.0, "--top-k 0 is not allowed"),
        (Likeliest(None, 0.0), 1.0, "--top-p 0.0 is not allowed"),
        (Likeliest(None, float("nan")), 1.0, "--top-p nan is not allowed"),
        (Likeliest(3), 0.0, "need a --temperature above 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(refusal, among, temperature, said):
    assert said in refusal(among.check, temperature)


SCALE, TABLE = scale_of(2.0**-8), tables.exponential()


def weight(distance, columns):
    """Of a logit so far below the largest, in Python's integers."""
    u = distance * SCALE["mantissa"] >> 16
    u = (u + (1 << SCALE["shift"] - 1)) >> SCALE["shift"] if SCALE["shift"] else u
    return int(TABLE[u & 255]) >> max(3, columns.bit_length() - 14) >> min(u >> 8, 31)


def sorted_out(logits, count, share):
    """Ids of the likeliest, by sorting Python's integers."""
    order = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    if count:
        return order[:count]
    weights = [weight(max(logits) - logits[i], len(logits)) for i in order]
    wanted, total = (sum(weights) * share >> 32) + 1, 0
    for at, each in enumerate(weights):
        total += each
        if total >= wanted:
            return order[: at + 1]
    raise AssertionError


def cut_of(logits, count, share):
    x = np.array([logits], np.int32)
    maxima = argmax_partial.exact(x)
    return x, maxima, cut.exact(x, maxima, TABLE, count=count, share=share, **SCALE)


@given(
    st.lists(st.integers(-(2**29), 2**29) | st.integers(0, 900), min_size=1, max_size=60),
    st.sampled_from([(1, 0), (3, 0), (99, 0), (0, 0), (0, 2**31 - 1), (0, 2**31), (0, 2**32 - 1)]),
    st.integers(0, 2**32 - 1),
)
def test_what_is_kept_in_integers_is_what_sorting_keeps_and_nothing_else_is_drawn(logits, wanted, word):
    x, maxima, last = cut_of(logits, *wanted)
    expected = sorted_out(logits, *wanted)
    assert last.tolist() == [[logits[expected[-1]], expected[-1]]]
    left = kept.exact(x, last)
    assert {i for i, word in enumerate(left[0].tolist()) if word != -(2**30)} == set(expected)
    sums = sample_partial.exact(left, maxima, TABLE, **SCALE)
    draws = np.array([word], np.uint32).view(np.int32)
    [token] = sample.exact(left, maxima, sums, draws, TABLE, **SCALE)
    weights = [weight(max(logits) - x, len(logits)) if i in expected else 0 for i, x in enumerate(logits)]
    ends = np.cumsum(weights)
    assert token == next(i for i, end in enumerate(ends) if end > word * int(ends[-1]) >> 32)


def test_half_of_two_equal_tokens_is_one_of_them():
    [(_, half)] = Likeliest(None, 0.5).cuts
    assert cut_of([7, 7], **half)[2].tolist() == [[7, 0]]
    [(_, more)] = Likeliest(None, 0.500001).cuts
    assert cut_of([7, 7], **more)[2].tolist() == [[7, 1]]


def test_exact_runs_draw_among_the_likeliest(tiny_model):
    """One token is the greedy run; of a great many all are."""
    backend = Reference(tiny_model("exact"))
    drawn = {"limit": 6, "temperature": 1.5, "seed": 3}
    greedy, free = generate(backend, [72, 105], limit=6), generate(backend, [72, 105], **drawn)
    assert greedy.tokens != free.tokens
    assert generate(backend, [72, 105], **drawn, among=Likeliest(1)).tokens == greedy.tokens
    assert generate(backend, [72, 105], **drawn, among=Likeliest(None, 1e-6)).tokens == greedy.tokens
    assert generate(backend, [72, 105], **drawn, among=Likeliest(10**6, 0.999999999)).tokens == free.tokens
    assert generate(backend, [72, 105], **drawn, among=Likeliest(5, 0.9)).tokens not in (greedy.tokens, free.tokens)
