"""Tuning measures what a target admits, keeps the fastest, and a device opened later takes it."""

import json

import numpy as np
import pytest

from inference import ops
from inference.device import tuning
from inference.device.device import Device
from inference.device.program import program
from inference.device.target import DOT4, Target
from inference.measure import tune
from inference.models.llama import graph

TARGET = Target(64, True, frozenset([DOT4]))


@pytest.fixture
def small(monkeypatch):
    """One case, of few words."""
    monkeypatch.setattr(tune, "cases", lambda: iter([("matmul_q8", "exact", 4, 0), ("matmul_q8", "float32", 4, 0)]))
    drawn = ops.load("matmul_q8").draw
    monkeypatch.setattr(
        ops.load("matmul_q8"),
        "tuned",
        lambda generator, arithmetic, tokens, size: drawn(np.random.default_rng(0), arithmetic, tokens, 3, 2),
    )


def test_the_fastest_is_kept_and_taken(small, cli, stack, monkeypatch):
    backend, adapter = stack
    code, out, _ = cli("tune", "--backend", backend, "--adapter", adapter, "--seconds", 0.01, "--json")
    result = json.loads(out)
    device = Device(backend, adapter)
    admitted = ops.load("matmul_q8").variants((4, 17), arithmetic="exact", target=device.target)
    assert tuning.load(tuning.path(*device.identity)) == {each["case"]: each["chosen"] for each in result["cases"]}
    exact = [each for each in result["cases"] if "exact" in each["case"]]
    assert code == 0 and len(exact) == (len(admitted) > 1)
    if not exact:
        return
    [case] = exact
    assert case["case"] == "matmul_q8 exact 4 tokens 0 words"
    assert {*case["seconds"]} == {*admitted} and case["seconds"][case["chosen"]] == min(case["seconds"].values())


def test_a_program_takes_what_was_kept_where_it_is_admitted(tiny_model):
    built = graph(tiny_model("exact"), 1, capacity=4)
    words = built.nodes["layer00.down.q"]["shape"]
    case = tuning.case("matmul_q4", "exact", 1, words[0] * words[1])
    for kept, taken in (("wide", "wide"), ("tokens", "wide_dot4"), ("no such", "wide_dot4")):
        made = program(built, TARGET, choose=tuning.choose({case: kept}))
        [variant] = {steps[-1].variant for steps in made.steps if steps[-1].node == "layer00.down"}
        assert variant == taken


def test_classes_begin_where_they_say():
    assert tuning.case("op", "exact", 1, 2**22 - 1) == "op exact 1 tokens 0 words"
    assert tuning.case("op", "float32", 63, 2**22) == "op float32 16 tokens 4194304 words"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"choices": []}', "\x00"])
def test_a_damaged_file_chooses_nothing(tmp_path, content):
    file = tmp_path / "kept.json"
    file.write_text(content)
    assert tuning.load(file) == {} == tuning.load(tmp_path / "absent.json")


def test_bad_input(cli):
    code, _, err = cli("tune", "--seconds", 0)
    assert code == 2 and "--seconds 0" in err
