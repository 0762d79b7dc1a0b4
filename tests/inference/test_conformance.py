"""Every stack present has the integers WGSL specifies and the model's one digest."""

import json
from dataclasses import replace

import numpy as np
import pytest

from inference import conformance, ops
from inference.browser import headless
from inference.conformance import CASES, failures
from inference.device import adapters
from inference.generate import generate
from inference.kernels import kernel, variants
from inference.models.small_picture import small_picture
from inference.reference import Reference

STACKS = adapters.stacks()


def test_no_stack_gets_a_corner_case_wrong(stack, device):
    assert failures(device(stack)) == []


@pytest.mark.skipif(not STACKS, reason="no WebGPU adapter; make adapter")
def test_every_variant_gives_the_model_s_one_digest(device, tiny_model):
    """Products' variants alone, on one stack: test_kernels has the others, and every other stack."""
    found = conformance.by_variant(tiny_model("exact"), device(STACKS[0]))
    expected = generate(Reference(tiny_model("exact")), conformance.PROMPT, limit=conformance.LIMIT).digest
    of_gpus = {name for name in variants("exact", "matmul_q4") if name.startswith(("wide", "tile"))}
    assert found.keys() >= of_gpus and set(found.values()) == {expected}


def test_the_small_picture_has_every_op_of_pictures_and_is_no_flat_one():
    model, graph, given, last = small_picture()
    shown = {node["op"] for _, node in graph.nodes(data=True) if node["kind"] == "op"}
    scaled = {op for op in ops.names() if any(name.startswith("scale") for name in kernel("exact", op).bindings)}
    assert scaled and scaled <= shown
    [picture] = Reference(model).run(graph, given, [last])
    assert len(np.unique(picture)) > 40


def test_a_wrong_answer_is_told(stack, device, monkeypatch):
    monkeypatch.setattr(conformance, "CASES", (("one is two", 2), *CASES[1:]))
    assert failures(device(stack)) == ["one is two: -2147483648, not 2"]


def test_the_command_tells_whether_all_agree(cli, monkeypatch, tiny_model):
    """On one stack and in no real browser: all stacks are tried in test_generate, browsers in test_headless."""
    monkeypatch.setattr(conformance, "stacks", lambda: STACKS[:1])
    rows = conformance.conformance(tiny_model("exact"))
    assert [row.backend for row in rows] == ["numpy", *(backend for backend, _ in STACKS[:1])]
    assert len({(row.digest, row.picture) for row in rows}) == 1 and not any(row.failures for row in rows)
    monkeypatch.setattr(conformance, "conformance", lambda model: list(rows))
    monkeypatch.setattr(headless, "installed", lambda: ["browser"])
    digest, picture = rows[0].digest, rows[0].picture
    for changed in ({}, {"digest": "0" * 64}, {"picture": "0" * 64}, {"failures": ["one is two"]}):
        shown = replace(rows[0], backend="browser", **changed)
        monkeypatch.setattr(headless, "conformance", lambda browser, shown=shown: shown)
        code, out, _ = cli("conformance", "--json")
        agreed = (shown.digest, shown.picture) == (digest, picture) and not shown.failures
        expected = {"agreed": agreed, "digest": digest, "stacks": [row.as_json() for row in (*rows, shown)]}
        assert (code, json.loads(out)) == (int(not agreed), expected)
