"""The bounds hold for evaluations in drawn orders and roundings and on every adapter, and are attained to a factor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.claims.determinism_makes_disputes_decidable.float32_disputes import nodes, recompute, record
from inference import ops
from inference.arithmetic import tolerance
from inference.device.runtime import Runtime
from inference.files.blocks import BLOCK
from inference.ops import attention as attention_op
from inference.ops import head_norm as head_norm_op
from inference.ops import rope as rope_op
from inference.ops.argmax_partial import SPAN
from inference.reference import Reference

FLOAT32 = [op for op in ops.names() if hasattr(ops.load(op), "float32")]


class Arithmetic:
    """Float32 as WGSL allows it: each result rounded to either neighbour, drawn, or always up; sums in drawn order.

    Without a generator always up, and in the order of the terms.
    """

    def __init__(self, generator=None, upwards=True):
        self.generator, self.upwards = generator, upwards

    def either(self):
        """Which of two ways."""
        return self.generator is not None and self.generator.random() < 0.5

    def rounded(self, exact, ulps=0):
        """A float32 within ``ulps`` of a real number, or either neighbour of it."""
        exact = np.asarray(exact, np.float64)
        away = ulps * (1 if self.upwards else self.generator.uniform(-1, 1, exact.shape))
        value = exact + away * np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
        nearest = value.astype(np.float32)
        low = np.where(nearest > value, np.nextafter(nearest, np.float32(-np.inf)), nearest)
        high = np.where(nearest < value, np.nextafter(nearest, np.float32(np.inf)), nearest)
        if np.any(ulps):  # the neighbour nearer to the real number is within the ulps
            return np.where(value > exact, low, high)
        return high if self.upwards else np.where(self.generator.random(exact.shape) < 0.5, high, low)

    def add(self, a, b):
        return self.rounded(np.float64(a) + np.float64(b))

    def multiply(self, a, b):
        return self.rounded(np.float64(a) * np.float64(b))

    def divide(self, a, b):
        return self.rounded(np.float64(a) / np.float64(b), 2.5)

    def inverse_root(self, x):
        return self.rounded(1 / np.sqrt(np.float64(x)), 2)

    def exp(self, x):
        return self.rounded(np.exp(np.float64(x)), 3 + 2 * np.abs(np.float64(x)))

    def total(self, terms):
        """The sum over the last axis: terms in a drawn order, one by one or, half the time, in pairs."""
        if self.generator is not None:
            terms = terms[..., self.generator.permutation(terms.shape[-1])]
        if self.either():
            while terms.shape[-1] > 1:
                pairs = self.add(terms[..., 0:-1:2], terms[..., 1::2])
                terms = np.concatenate((pairs, terms[..., terms.shape[-1] - terms.shape[-1] % 2 :]), axis=-1)
            return terms[..., 0]
        sum_ = terms[..., 0]
        for index in range(1, terms.shape[-1]):
            sum_ = self.add(sum_, terms[..., index])
        return sum_

    def dot(self, a, b):
        return self.total(self.multiply(a, b))


def evaluate_embedding(f, tokens, q, blocks, *, first):
    at = tokens - max(first, 0)
    inside = (at >= 0) & (at < len(q))
    d, m = steps_of(blocks[at * inside])
    rows = f.multiply(q[at * inside], np.repeat(d, q.shape[1] // d.shape[1], axis=1))
    rows = rows if m is None else f.add(rows, np.repeat(m, BLOCK, axis=1))
    return np.where(inside[:, None], rows, np.float32(0))


def steps_of(blocks):
    """One step a block, or one of each half; and what is added, if anything is."""
    return (blocks, None) if blocks.ndim == 2 else (blocks[..., :-1].reshape(len(blocks), -1), blocks[..., -1])


def evaluate_product(f, a, q, blocks, residual=None, **_):
    d, m = steps_of(blocks)
    digits, x = q.reshape(*d.shape, -1), a.reshape(len(a), 1, d.shape[1], -1)
    if f.either():  # by blocks
        parts = f.multiply(f.dot(digits[None], x), d)
        if m is not None:
            parts = np.concatenate((parts, f.multiply(f.total(a.reshape(len(a), 1, -1, BLOCK)), m)), axis=2)
        y = f.total(parts)
    else:  # weights first
        weights = f.multiply(digits, d[..., None])
        weights = weights if m is None else f.add(weights.reshape(*m.shape, BLOCK), m[..., None])
        y = f.dot(weights.reshape(q.shape), a[:, None])
    return y if residual is None else f.add(residual, y)


def evaluate_rms_norm(f, x, gain, *, first=0, epsilon):
    x = x[first:]
    v = f.add(f.divide(f.dot(x, x), x.shape[1]), np.float32(epsilon))
    if f.either():
        scale = f.inverse_root(v)
    else:
        scale = f.divide(1, f.divide(1, f.inverse_root(v)))
    return f.multiply(f.multiply(x, scale[:, None]), gain)


def evaluate_rope(f, x, table, places, *, offset, heads, copied=0, **_):
    even, odd, cos, sin, tail = rope_op.pairs(x, table, places, offset, heads, copied)
    left = f.add(f.multiply(even, cos), -f.multiply(odd, sin))
    right = f.add(f.multiply(even, sin), f.multiply(odd, cos))
    return np.hstack((np.stack((left, right), axis=3).reshape(len(x), -1), tail))


def evaluate_head_norm(f, x, gain, *, offset, heads, copied, epsilon):
    rows, tail = head_norm_op.parts(x, gain, offset, heads, copied)
    return np.hstack((evaluate_rms_norm(f, rows, gain, epsilon=epsilon).reshape(len(x), -1), tail))


def evaluate_attention(f, q, cache, places, *, heads, kv_heads, capacity, window=0, **_):
    output = np.empty_like(q)
    for t, (queries, keys, values) in enumerate(
        attention_op.visible(q, cache, places, heads, kv_heads, capacity, window)
    ):
        dots = f.dot(queries[:, :, None], keys.transpose(1, 0, 2)[:, None])
        scores = f.multiply(dots, f.inverse_root(queries.shape[2]))
        p = f.exp(f.add(scores, -scores.max(2, keepdims=True)))
        mixed = f.dot(p[:, :, None], values.transpose(1, 2, 0)[:, None])
        output[t] = f.divide(mixed, f.total(p)[..., None]).ravel()
    return output


def evaluate_silu_gate(f, x, *, tanh=0):
    g, v = np.split(x, 2, axis=1)
    cubic = f.multiply(f.multiply(np.float32(0.07135481627260025), g), g)
    a = f.multiply(g, f.add(np.float32(1.5957691216057308), cubic)).clip(-80) if tanh else g
    return f.multiply(f.divide(g, f.add(1, f.exp(-a))), v)


def evaluate_sample_partial(f, logits, maxima, *, scale):
    p = weights_of(f, logits, maxima, scale)
    return np.stack([f.total(p[:, at : at + SPAN]) for at in range(0, p.shape[1], SPAN)], axis=1)


def weights_of(f, logits, maxima, scale):
    top = np.ascontiguousarray(maxima[..., 0]).view(np.float32).max(1, keepdims=True)
    return f.exp(f.multiply(f.add(logits, -top), np.float32(scale)))


def evaluate_sample(f, logits, maxima, sums, draws, *, scale):
    p, chosen = weights_of(f, logits, maxima, scale), []
    for t, draw in enumerate(draws.view(np.uint32)):
        threshold = f.multiply(f.divide(f.rounded(draw), 2.0**32), f.total(sums[t]))
        before, token, span = np.float32(0), 0, 0
        while span + 1 < len(sums[t]) and (end := f.add(before, sums[t, span])) <= threshold:
            before, span = end, span + 1
        token, last = span * SPAN, min(span * SPAN + SPAN, p.shape[1]) - 1
        while token < last and (before := f.add(before, p[t, token])) <= threshold:
            token += 1
        chosen.append(token)
    return np.array(chosen, np.int32)


EVALUATE = {
    "embedding": evaluate_embedding,
    "matmul_q4": evaluate_product,
    "matmul_q8": evaluate_product,
    "matmul_k": evaluate_product,
    "rms_norm": evaluate_rms_norm,
    "head_norm": evaluate_head_norm,
    "add": lambda f, x, other: f.add(x, other),
    "rope": evaluate_rope,
    "attention": evaluate_attention,
    "silu_gate": evaluate_silu_gate,
    "sample_partial": evaluate_sample_partial,
    "sample": evaluate_sample,
    "argmax_partial": lambda f, logits: ops.load("argmax_partial").float32(logits),
    "argmax": lambda f, maxima: ops.load("argmax").float32(maxima),
}


SHAPES = (st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))


@pytest.fixture(scope="session")
def drawn(single):
    """Operands in the op's order, and attributes."""

    def drawn(op, *shapes):
        model, built, inputs = single(op, "float32", *shapes)
        node = built.nodes["y"]
        return [(inputs | model.constants)[name] for name in node["inputs"]], node["attributes"]

    return drawn


def test_every_float32_op_has_a_tolerance():
    assert all(hasattr(ops.load(op), "enclosure") != hasattr(ops.load(op), "used") for op in FLOAT32)


@pytest.mark.parametrize("op", sorted(EVALUATE))
def test_any_order_and_rounding_stays_within(op, drawn):
    @settings(max_examples=25)
    @given(*SHAPES, st.booleans())
    def holds(seed, a, b, c, upwards):
        operands, attributes = drawn(op, seed, a, b, c)
        y = EVALUATE[op](Arithmetic(np.random.default_rng(seed), upwards), *operands, **attributes)
        assert tolerance.within(op, y, *operands, **attributes)

    holds()


def worst(op):
    """Operands on which errors all go one way: the largest share of the tolerance that an evaluation uses there."""
    small = np.full(512, np.float32(2.0**-40))
    small[0] = 1 + 2.0**-22  # every addition to it is a whole ulp
    if op == "matmul_q8":
        q, blocks = np.ones((1, 512), np.int8), np.ones((1, 16), np.float32)
        operands, attributes = [small[None], q, blocks], {}
    elif op == "rms_norm":
        operands, attributes = [np.sqrt(small)[None] * 1.5, np.full(512, -1.3, np.float32)], {"epsilon": 1e-9}
    elif op == "silu_gate":
        operands, attributes = [np.array([[-9.1, 1.00001]], np.float32)], {}
    elif op == "rope":
        places = np.array([[0, 0]], np.int32)
        table = np.full((1, 1, 2), 1 + tolerance.U, np.float32)
        operands, attributes = (
            [np.array([[1 + tolerance.U, 1 + 2 * tolerance.U]], np.float32), table, places],
            {"offset": 0, "heads": 1},
        )
    else:
        assert op == "sample_partial"
        logits = np.where(small == small[0], 0, np.float32(-8.3))[None].astype(np.float32)
        operands, attributes = [logits, ops.load("argmax_partial").float32(logits)], {"scale": 1.0}
    y = EVALUATE[op](Arithmetic(), *operands, **attributes)
    return float(tolerance.used(op, y, *operands, **attributes).max())


@pytest.mark.parametrize(
    "op, attained", [("matmul_q8", 0.99), ("rms_norm", 0.8), ("silu_gate", 0.8), ("rope", 0.7), ("sample_partial", 0.2)]
)
def test_the_bounds_are_nearly_attained(op, attained):
    assert attained <= worst(op) <= 1


@pytest.mark.parametrize("op", [op for op in FLOAT32 if hasattr(ops.load(op), "enclosure")])
def test_twice_the_radius_away_is_outside(op, drawn):
    operands, attributes = drawn(op, 5, 3, 2, 2)
    found = tolerance.enclosure(op, *operands, **attributes)
    y = (found.centre + 2 * found.radius + np.spacing(np.abs(found.centre).astype(np.float32))).astype(np.float32)
    assert not tolerance.within(op, y, *operands, **attributes)
    assert not tolerance.within(op, np.full_like(y, np.nan), *operands, **attributes)


@pytest.mark.parametrize(
    "op, values, attributes",
    [
        ("silu_gate", ([[-3e4, 1]],), {}),
        ("silu_gate", ([[-3e4, 1]],), {"tanh": 1}),
        ("activation", ([[-3e4]],), {}),
        ("group_norm", ([[-3e4]], [[0]], [[1]], [[1], [0]]), {"groups": 1, "silu": True}),
    ],
)
def test_bounds_of_a_gate_far_below_zero_do_not_overflow(op, values, attributes):
    with np.errstate(all="raise", under="ignore"):
        y, radius = ops.load(op).enclosure(*(np.array(value, np.float32) for value in values), **attributes)
    assert abs(y) < 1e-200 and 0 < radius < 0.1


def test_an_argmax_is_the_largest_or_its_equal():
    logits = np.array([[1, 3, 3, np.float32(3) - 2.0**-20]], np.float32)
    maxima = ops.load("argmax_partial").float32(logits)
    for id_, allowed in ((0, False), (1, True), (2, True), (3, False), (4, False)):
        pair = np.array([[[logits[0, min(id_, 3)].view(np.int32), id_]]], np.int32)
        assert tolerance.within("argmax_partial", pair, logits) is allowed
    assert tolerance.within("argmax", np.array([1]), maxima)
    assert not tolerance.within("argmax", np.array([2]), maxima)


def test_a_drawn_token_is_the_threshold_s_or_a_neighbour_within_rounding(drawn):
    operands, attributes = drawn("sample", 3, 2, 3, 2)
    chosen = ops.load("sample").float32(*operands, **attributes)
    for away in (-2, 2, 10**6):
        assert not tolerance.within("sample", chosen + away, *operands, **attributes)


@pytest.mark.parametrize("op", FLOAT32)
def test_every_adapter_s_kernel_stays_within(op, stack, device, single, drawn):
    opened = device(stack)

    @settings(max_examples=6)
    @given(*SHAPES)
    def holds(seed, a, b, c):
        model, built, given_ = single(op, "float32", seed, a, b, c)
        [y] = Runtime(model, opened).run(built, given_, ["y"])
        operands, attributes = drawn(op, seed, a, b, c)
        assert tolerance.within(op, y, *operands, **attributes)

    holds()


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_every_node_stays_within_on_the_inputs_of_another_stack(temperature, stack, device, tiny_model):
    model, ids = tiny_model("float32"), list(b"The capital")
    runtime = Runtime(model, device(stack))
    for backend in (Reference(model), runtime):
        trace = record(backend, ids, 3, temperature=temperature, seed=5)
        for name, node, y in nodes(model, trace, ids, temperature=temperature, seed=5):
            assert (node.used(y) <= 1).all(), name
            assert (node.used(recompute(runtime, node)) <= 1).all(), name
