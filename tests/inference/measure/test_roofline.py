"""The kernels that find a device's limits compute what they say; how fast is no test."""

import numpy as np

from inference.measure.roofline import roofline


def test_a_copy_copies(stack, device):
    x = np.arange(256, dtype=np.int32)
    np.testing.assert_array_equal(device(stack).compute("copy", x, 256), x)


def test_multiply_accumulates_are_all_done(stack, device):
    x = np.random.default_rng(0).integers(-(2**31), 2**31, 256).astype(np.int32)
    a = x.reshape(64, 4)
    total = np.zeros(64, np.int64)
    for i in range(512):
        left, right = a.view(np.int8).reshape(64, 4, 4).astype(np.int64), (a ^ i).view(np.int8).reshape(64, 4, 4)
        total += (left * right).sum((1, 2)) + (left[:, [1, 2, 3, 0]] * right).sum((1, 2))
    np.testing.assert_array_equal(device(stack).compute("multiply_accumulate", x, 64), total.astype(np.int32))


def test_both_limits_are_found(stack, device, monkeypatch):
    monkeypatch.setattr("inference.measure.roofline.SECONDS", 0.0)
    monkeypatch.setattr("inference.measure.roofline.COPIED", 2**16)
    monkeypatch.setattr("inference.measure.roofline.GROUPS", 128)
    found = roofline(device(stack))
    assert found.bandwidth > 0 and found.rate > 0
