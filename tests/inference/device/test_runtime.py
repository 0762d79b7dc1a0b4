"""Adapters: chosen by name, too small ones refused with limit and buffer, a lost device told."""

import pytest

from inference.device import adapters
from inference.device.adapters import choose
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.generate import generate


def test_adapters_are_chosen_by_part_of_a_name(stack, refusal):
    backend, name = stack
    assert choose(backend, name.upper()).info["device"] == name
    assert f"unknown adapter 'geforce'; {backend} finds" in refusal(choose, backend, "geforce")


def test_no_adapter_says_how_to_install_one(monkeypatch, refusal):
    monkeypatch.setattr(adapters, "adapters", lambda backend: [])
    message = refusal(choose, "wgpu")
    assert "wgpu finds no adapter" in message and "make adapter" in message and "--backend numpy" in message


def test_an_implementation_that_is_not_installed_is_named(monkeypatch, refusal):
    monkeypatch.setitem(adapters.MODULES, "dawn", "no_such_module")
    assert "backend dawn needs the package no_such_module" in refusal(choose, "dawn")
    assert "unknown backend 'metal'" in refusal(choose, "metal")


def test_a_buffer_beyond_the_adapter_names_limit_and_buffer(tiny_model, stack, refusal, monkeypatch):
    opened = Device(*stack)
    monkeypatch.setattr(opened, "device", _Limited(opened.device))
    message = refusal(generate, Runtime(tiny_model("exact"), opened), [1], limit=1)
    assert "max-storage-buffer-binding-size" in message and "is 4096" in message and "needs" in message


class _Limited:
    """A device with one smaller limit."""

    def __init__(self, device):
        self._device = device

    @property
    def limits(self):
        return {**self._device.limits, "max-storage-buffer-binding-size": 4096}

    def __getattr__(self, name):
        return getattr(self._device, name)


def test_a_lost_device_is_told_in_one_line(tiny_model, stack, refusal):
    opened = Device(*stack)
    backend = Runtime(tiny_model("exact"), opened)
    generate(backend, [1], limit=1)
    opened.device.destroy()
    message = refusal(generate, backend, [1], limit=1)
    assert "failed or was lost" in message
    pytest.importorskip(opened.module.__name__)
