"""Runs: the same digests on every backend, traces, sampling, perplexity."""

from dataclasses import replace

import numpy as np
import pytest

from inference.arithmetic.threefry import threefry
from inference.device.runtime import Runtime
from inference.generate import EMPTY, draw, fit, generate, next_scores
from inference.graph import schedule
from inference.model import Model
from inference.models.llama import graph, model
from inference.models.tiny import tiny
from inference.reference import Reference

PROMPT = [1, 2, 3, 200]


@pytest.mark.parametrize("temperature", [0, 1.3])
def test_one_digest_on_every_stack(tiny_model, stack, device, temperature):
    settings = {"limit": 6, "temperature": temperature, "seed": 5, "trace": True}
    expected = generate(Reference(tiny_model("exact")), PROMPT, **settings)
    found = generate(Runtime(tiny_model("exact"), device(stack)), PROMPT, **settings)
    assert (found.digest, found.tokens, found.trace) == (expected.digest, expected.tokens, expected.trace)


def test_a_long_prompt_goes_in_passes_and_matches_one_token_at_a_time(tiny_model):
    ids = np.random.default_rng(1).integers(0, 256, 140).tolist()
    whole = next_scores(Reference(tiny_model("exact")), ids)
    run = generate(Reference(tiny_model("exact")), ids, limit=1, trace=True)
    assert run.tokens == [int(whole.argmax())]
    assert {node["node"].split(".")[0] for node in run.trace} == {"prompt000", "prompt001"}


def test_the_trace_names_every_node_of_every_step_once(tiny_model):
    run = generate(Reference(tiny_model("exact")), PROMPT, limit=3, trace=True)
    names = [node["node"] for node in run.trace]
    one = schedule(graph(tiny_model("exact"), 1, capacity=7))
    assert len(set(names)) == len(names) == 3 * len(one)
    assert names[-len(one) :] == [f"step0002.{name}" for name in one]


def test_steps_after_the_end_token_are_null(tiny_model):
    whole = tiny_model("exact")
    first = generate(Reference(whole), PROMPT, limit=1).tokens[0]
    ending = Model(
        whole.name, "exact", whole.measures, whole.constants, whole.attributes, whole.logit_fraction, (first,)
    )
    run = generate(Reference(ending), PROMPT, limit=4, trace=True)
    assert run.tokens == [first]
    assert [node["digest"] == EMPTY for node in run.trace] == [False] * (len(run.trace) // 4) + [True] * (
        len(run.trace) // 4 * 3
    )


@pytest.mark.parametrize(
    "key, counter, expected",
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_known_answers_of_random123(key, counter, expected):
    assert threefry(key[0] | key[1] << 32, counter[0] | counter[1] << 32) == expected


def test_tokens_are_drawn_by_their_probabilities(tiny_model):
    from inference.arithmetic.tables import exponential
    from inference.ops import argmax_partial, sample, sample_partial

    model = tiny_model("exact")
    logits = np.tile(next_scores(Reference(model), PROMPT), (4000, 1))
    words = (logits * 2.0**model.logit_fraction).astype(np.int32)
    built = graph(model, 1, capacity=8, temperature=2.0)
    attributes = built.nodes["choice"]["attributes"]
    maxima = argmax_partial.exact(words)
    sums = sample_partial.exact(words, maxima, exponential(), **attributes)
    draws = np.concatenate([draw(3, position) for position in range(4000)])
    chosen = sample.exact(words, maxima, sums, draws, exponential(), **attributes)
    p = np.exp(logits[0] / 2)
    p /= p.sum()
    counts = np.bincount(chosen, minlength=256)
    expected = 4000 * p
    large = expected > 5
    chi_squared = ((counts[large] - expected[large]) ** 2 / expected[large]).sum()
    assert chi_squared < large.sum() + 5 * np.sqrt(2 * large.sum())


def test_a_lower_temperature_ends_at_the_likeliest_token(tiny_model):
    greedy = generate(Reference(tiny_model("exact")), PROMPT, limit=5).tokens
    assert generate(Reference(tiny_model("exact")), PROMPT, limit=5, temperature=0.05, seed=1).tokens == greedy
    warm = {
        tuple(generate(Reference(tiny_model("exact")), PROMPT, limit=5, temperature=3, seed=s).tokens) for s in (1, 2)
    }
    assert len(warm) == 2


def test_perplexity_is_the_mean_over_tokens_2_to_n(tiny_model):
    ids = np.random.default_rng(2).integers(0, 256, 130).tolist()
    found = fit(Reference(tiny_model("exact")), ids)
    assert found.nll.shape == found.top.shape == (129,)
    for at in (1, 5, 129):
        x = next_scores(Reference(tiny_model("exact")), ids[:at])
        assert np.isclose(found.nll[at - 1], np.log(np.exp(x - x[ids[at]]).sum()))
        assert found.top[at - 1] == x.argmax()


def test_what_a_model_cannot_take_is_refused(tiny_model, refusal):
    backend = Reference(tiny_model("exact"))
    assert "exceed the context of tiny: 512" in refusal(generate, backend, [1] * 510, limit=3)
    assert "the prompt is empty" in refusal(generate, backend, [], limit=3)
    assert "token 256 is not in the vocabulary" in refusal(generate, backend, [256], limit=3)
    assert "0 tokens are not allowed" in refusal(generate, backend, [1], limit=0)
    assert "temperature 0.01 is not allowed" in refusal(generate, backend, [1], limit=1, temperature=0.01)
    assert "at least 2 tokens" in refusal(fit, backend, [1])


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "the prompt is empty"),
        ([256, 1], "token 256 is not in"),
        ([-1, 1], "token -1"),
        ([1] * 9999, "of 9999 tokens"),
    ],
)
def test_prompts_that_no_model_takes_are_refused(tiny_model, refusal, ids, said):
    backend = Reference(tiny_model("exact"))
    for call, settings in ((generate, {"limit": 2}), (next_scores, {}), (fit, {})):
        assert said in refusal(call, backend, ids, **settings)


@pytest.fixture(scope="module")
def boundless():
    """A float32 model whose last gain takes its logits beyond float32."""
    llama = tiny()
    return model("boundless", replace(llama, gains=llama.gains | {"norm": np.full(64, 3e38, np.float32)}), "float32")


@pytest.mark.filterwarnings("error")
def test_logits_that_are_no_numbers_are_refused(boundless, refusal):
    for call, settings in ((generate, {"limit": 2}), (next_scores, {}), (fit, {})):
        assert "logits that are not finite" in refusal(call, Reference(boundless), [5, 6], **settings)


def test_logits_that_are_no_numbers_are_refused_on_every_stack(boundless, refusal, stack, device):
    runtime = Runtime(boundless, device(stack))
    assert "logits that are not finite" in refusal(generate, runtime, [5, 6], limit=2)
    assert "logits that are not finite" in refusal(next_scores, runtime, [5, 6])
