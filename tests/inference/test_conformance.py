"""Every stack present has the integers WGSL specifies and the model's one digest."""

import json

from inference import conformance
from inference.conformance import CASES, failures


def test_no_stack_gets_a_corner_case_wrong(stack, device):
    assert failures(device(stack)) == []


def test_a_wrong_answer_is_told(stack, device, monkeypatch):
    monkeypatch.setattr(conformance, "CASES", (("one is two", 2), *CASES[1:]))
    assert failures(device(stack)) == ["one is two: -2147483648, not 2"]


def test_the_command_shows_one_digest_on_every_stack(cli):
    code, out, _ = cli("conformance", "--json")
    result = json.loads(out)
    assert code == 0 and result["agreed"]
    assert {row["digest"] for row in result["stacks"]} == {result["digest"]}
