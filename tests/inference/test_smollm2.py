"""SmolLM2-135M: the golden scores and continuations, in both arithmetics, and one digest on every stack."""

import json

import numpy as np
import pytest

from inference.device.runtime import Runtime
from inference.generate import generate, next_scores
from inference.models.llama import model
from inference.reference import Reference
from inference.tokens.text import Text


@pytest.fixture(scope="module")
def built(smollm2):
    """The model by arithmetic, built once."""
    made = {}

    def built(arithmetic):
        if arithmetic not in made:
            made[arithmetic] = model("smollm2", smollm2, arithmetic)
        return made[arithmetic]

    return built


@pytest.fixture(scope="module")
def cases(golden):
    return json.loads((golden / "smollm2_float32.json").read_text())["cases"]


def test_prompts_become_the_golden_tokens_and_come_back(smollm2, cases):
    text = Text(smollm2.tokenizer, smollm2.vocabulary)
    for case in cases:
        assert text.encode(case["prompt"]) == case["ids"]
        assert text.decode(case["ids"]) == case["prompt"]
    assert text.decode(text.encode("naïve café — 2026, 東京 🙂\n")) == "naïve café — 2026, 東京 🙂\n"


def test_the_chat_template_wraps_a_message(smollm2):
    text = Text(smollm2.tokenizer, smollm2.vocabulary)
    wrapped = text.chat("Hello")
    assert wrapped.startswith("<|im_start|>system\n") and wrapped.endswith("<|im_start|>assistant\n")
    assert text.encode(wrapped)[0] == 1  # one token, not its letters


@pytest.mark.any_stack
@pytest.mark.parametrize("arithmetic", ["float32", "exact"])
def test_scores_and_continuations_are_the_golden_ones(built, cases, stack, device, arithmetic):
    backend = Runtime(built(arithmetic), device(stack, None))
    for case in cases:
        found = next_scores(backend, case["ids"])
        ids, expected = zip(*case["top"], strict=True)
        assert found.argmax() == ids[0]
        assert np.abs(found[list(ids)] - expected).max() < (0.02 if arithmetic == "float32" else 0.2)
        run = generate(backend, case["ids"], limit=len(case["greedy"]))
        assert run.tokens == case["greedy"]


def test_the_reference_gives_the_device_s_digest(built, cases, stack, device):
    ids = cases[0]["ids"]
    expected = generate(Reference(built("exact")), ids, limit=2)
    assert generate(Runtime(built("exact"), device(stack, None)), ids, limit=2).digest == expected.digest


@pytest.mark.slow
def test_32_tokens_have_one_digest_on_every_stack(built, cases, stack, device):
    ids = cases[0]["ids"]
    expected = generate(Reference(built("exact")), ids, limit=32)
    assert generate(Runtime(built("exact"), device(stack, None)), ids, limit=32).digest == expected.digest
