"""Limits that ops set to shapes and attributes: what lies at one is taken, what lies just beyond is refused."""

import pytest

from inference import ops
from inference.ops.layer_norm import WIDEST

TOKENS, PLACES = (3, 64), (3, 2)
ROPE = TOKENS, (9, 8, 2), PLACES
ATTENTION = TOKENS, (9, 32), PLACES
CONV = (8, 8, 4), (2, 9, 4), (2,)
LIMITS = [
    ("attention", ATTENTION, {"heads": 4, "kv_heads": 1, "capacity": 9, "low": 8}, {"low": 9}),
    ("attention", ATTENTION, {"heads": 4, "kv_heads": 1, "capacity": 9, "low": 0}, {"low": -1}),
    ("attention", ATTENTION, {"heads": 4, "kv_heads": 1, "capacity": 9, "window": 0}, {"window": -1}),
    ("conv", CONV, {"stride": 2}, {"stride": 3}),
    ("conv", CONV, {"above": 3, "below": 4}, {"above": 4}),
    ("conv", CONV, {"above": 0, "below": 1}, {"above": -1}),
    ("group_mean", ((5, 4),), {"groups": 4, "count": 2**24 - 1}, {"count": 2**24}),
    ("group_mean", ((5, 4),), {"groups": 4, "count": 1}, {"count": 0}),
    ("group_roots", ((5, 4),), {"groups": 4, "count": 2**24 - 1}, {"count": 2**24}),
    ("group_roots", ((5, 4),), {"groups": 4, "count": 1}, {"count": 0}),
    ("head_norm", (TOKENS, (16,)), {"offset": 16, "heads": 2, "copied": 16}, {"offset": 17}),
    ("head_norm", (TOKENS, (16,)), {"offset": 0, "heads": 2, "copied": 16}, {"offset": -1}),
    ("head_norm", (TOKENS, (16,)), {"offset": 0, "heads": 2, "copied": 0}, {"copied": -16}),
    ("noise", ((2,), (65536,)), {"height": 1, "width": 1, "channels": 1}, {"width": 0}),
    ("rms_norm", (TOKENS, (64,)), {"first": 2}, {"first": 3}),
    ("rms_norm", (TOKENS, (64,)), {"first": 0}, {"first": -1}),
    ("rms_norm", (TOKENS, (64,), (3, 64)), {"bits": 15}, {"bits": 16}),
    ("rope", ROPE, {"offset": 16, "heads": 2, "copied": 16}, {"offset": 17}),
    ("rope", ROPE, {"offset": 0, "heads": 2, "copied": 16}, {"offset": -1}),
    ("rope", ROPE, {"offset": 0, "heads": 2, "copied": 0}, {"copied": -16}),
    ("row", (TOKENS,), {"index": 2}, {"index": 3}),
    ("row", (TOKENS,), {"index": 0}, {"index": -1}),
]
SHAPES = [
    ("layer_norm", ((9, WIDEST), (2, WIDEST)), ((9, WIDEST + 2), (2, WIDEST + 2))),
    ("text_embedding", ((7,), (99, 8), (7, 8)), ((8,), (99, 8), (7, 8))),
]


@pytest.mark.parametrize(("op", "operands", "at", "beyond"), LIMITS)
def test_attributes_end_where_they_are_said_to(refusal, op, operands, at, beyond):
    shape = ops.load(op).shape
    assert shape(*operands, **at)
    assert refusal(shape, *operands, **at | beyond)


@pytest.mark.parametrize(("op", "at", "beyond"), SHAPES)
def test_shapes_end_where_they_are_said_to(refusal, op, at, beyond):
    assert ops.load(op).shape(*at) == at[0] + at[1][1:] * (op == "text_embedding")
    assert refusal(ops.load(op).shape, *beyond)
