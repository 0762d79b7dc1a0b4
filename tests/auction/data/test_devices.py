"""Measured machines: their own rates come back, other types are scaled, and any other file is refused in one line."""

import json
from copy import deepcopy

import numpy as np
import pytest

from auction.data import devices, hardware
from auction.data.hardware import GIB, Model

SMALL = {
    "name": "smollm2",
    "family": "llama",
    "arithmetic": "exact",
    "parameters": 134_515_008,
    "weight_bytes": 96_436_224,
    "prefill_tokens_per_second": 70.0,
    "decode_tokens_per_second": 23.0,
}
LARGE = SMALL | {"name": "large", "parameters": 8_030_000_000, "weight_bytes": 4_500_000_000}
LARGE |= {"prefill_tokens_per_second": 400.0, "decode_tokens_per_second": 30.0}
DEVICE = {
    "name": "host",
    "adapter": "llvmpipe",
    "backend": "wgpu",
    "date": "2026-11-25",
    "memory_bytes": 8 * GIB,
    "models": [SMALL],
}


@pytest.fixture
def written(tmp_path):
    """The path of a file that holds a JSON value."""

    def written(content):
        path = tmp_path / "devices.json"
        path.write_text(json.dumps(content))
        return path

    return written


def seconds(cards, measured, prompt, generated, place=0):
    """Of a request for the very model that was measured."""
    model = Model("", "chat", 2 * measured["parameters"], measured["weight_bytes"], 0)
    return hardware.seconds(model, np.array([prompt, generated]), cards.compute[place], cards.bandwidth[place])


def test_the_measured_model_runs_at_its_measured_rates(written):
    cards = devices.read_devices(written({"devices": [DEVICE]}))
    assert seconds(cards, SMALL, 700, 0) == pytest.approx(700 / 70)
    assert seconds(cards, SMALL, 700, 46) == pytest.approx(700 / 70 + 46 / 23)
    assert cards.name == ("host",) and cards.memory.tolist() == [8 * GIB] and cards.offered.all()


def test_other_types_are_scaled_by_parameters_and_bytes(written):
    cards = devices.read_devices(written({"devices": [DEVICE]}))
    twice = SMALL | {"parameters": 2 * SMALL["parameters"], "weight_bytes": 3 * SMALL["weight_bytes"]}
    assert seconds(cards, twice, 700, 0) == pytest.approx(2 * 700 / 70)
    assert seconds(cards, twice, 700, 46) == pytest.approx(2 * 700 / 70 + 3 * 46 / 23)
    image = Model("", "image", 2.0 * 1e9, 1.0, 0)
    steps = hardware.seconds(image, np.array([1, 30]), cards.compute[0], cards.bandwidth[0])
    assert steps == pytest.approx(30 * 1e9 / (SMALL["parameters"] * 70))


def test_the_largest_model_speaks_for_a_machine(written):
    cards = devices.read_devices(written({"devices": [DEVICE, DEVICE | {"name": "two", "models": [SMALL, LARGE]}]}))
    assert cards.name == ("host", "two")
    assert seconds(cards, LARGE, 800, 60, place=1) == pytest.approx(800 / 400 + 60 / 30)


@pytest.mark.parametrize(
    "content, line",
    [
        ([], "holds a list; a JSON object is needed"),
        ({}, "devices: a list of at least one object is needed"),
        ({"devices": []}, "devices: a list of at least one object is needed"),
        ({"devices": [3]}, "devices[0]: holds a int; an object is needed"),
        ({"devices": [DEVICE | {"models": []}]}, "devices[0].models: a list of at least one object is needed"),
        ({"devices": [DEVICE, DEVICE | {"models": [SMALL, None]}]}, "devices[1].models[1]: holds a NoneType"),
    ],
)
def test_other_content_is_refused(written, refusal, content, line):
    path = written(content)
    assert refusal(devices.read_devices, path).startswith(f"{path}: {line}")


@pytest.mark.parametrize("name", [*DEVICE, *SMALL])
def test_a_missing_field_is_named(written, refusal, name):
    device = deepcopy(DEVICE)
    owner, place = (device, "devices[0]") if name in DEVICE else (device["models"][0], "devices[0].models[0]")
    del owner[name]
    assert f"{place} lacks {name!r}; it has " in refusal(devices.read_devices, written({"devices": [device]}))


@pytest.mark.parametrize(
    "name, wrong",
    [
        *[(name, wrong) for name in ("adapter", "backend", "arithmetic") for wrong in ("", None, 1, [])],
        *[("date", wrong) for wrong in ("yesterday", "", 2026, "2026-13-01")],
        *[
            (name, wrong)
            for name in ("memory_bytes", "parameters", "weight_bytes")
            for wrong in (0, -1, 1.5, "1", 2**60)
        ],
        *[("prefill_tokens_per_second", wrong) for wrong in (0, -1.0, float("nan"), float("inf"), "1", True, 10**400)],
        ("decode_tokens_per_second", None),
        ("family", "diffusion"),
        ("models", {}),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(written, refusal, name, wrong):
    device = deepcopy(DEVICE)
    (device if name in DEVICE else device["models"][0])[name] = wrong
    line = refusal(devices.read_devices, written({"devices": [device]}))
    assert f"devices[0].{name}: " in line or f"devices[0].models[0].{name}: " in line


def test_a_file_that_is_not_there(tmp_path, refusal):
    assert "cannot be read" in refusal(devices.read_devices, tmp_path / "none.json")
