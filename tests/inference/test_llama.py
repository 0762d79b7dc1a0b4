"""The model: the graph against a plain float64 Llama, the arithmetics against each other, the cache against none."""

import weakref
from dataclasses import replace

import numpy as np
import pytest

from inference.device import readback
from inference.device.readback import WINDOW
from inference.device.runtime import Runtime
from inference.generate import generate, placed
from inference.model import layer
from inference.models.llama import graph, model
from inference.models.tiny import tiny
from inference.reference import Reference

IDS = [72, 101, 108, 108, 111, 44, 32, 0, 255]


def plain(llama, ids):
    """(T, vocabulary): logits by the textbook in float64, no cache, no blocks."""
    w = {name: weights.matrix().astype(np.float64) for name, weights in llama.matrices.items()}

    def norm(x, gain):
        return gain * x / np.sqrt((x * x).mean(1, keepdims=True) + llama.epsilon)

    def rotate(x):  # (T, heads, w)
        frequency = llama.theta ** (-2 * np.arange(llama.head_width // 2) / llama.head_width)
        turn = np.exp(1j * np.outer(np.arange(len(ids)), frequency))[:, None]
        turned = (x[..., ::2] + 1j * x[..., 1::2]) * turn
        return np.stack((turned.real, turned.imag), axis=3).reshape(x.shape)

    x = w["embedding"][ids]
    mask = np.triu(np.full((len(ids), len(ids)), -np.inf), 1)
    for index in range(llama.layers):
        name = layer(index)
        y = norm(x, llama.gains[f"{name}.attention_norm"])
        q, k, v = ((y @ w[f"{name}.{part}"].T).reshape(len(ids), -1, llama.head_width) for part in "qkv")
        q, k = rotate(q), rotate(k)
        heads = []
        for head in range(llama.heads):
            group = head // (llama.heads // llama.kv_heads)
            s = q[:, head] @ k[:, group].T / np.sqrt(llama.head_width) + mask
            p = np.exp(s - s.max(1, keepdims=True))
            heads.append(p / p.sum(1, keepdims=True) @ v[:, group])
        x = x + np.hstack(heads) @ w[f"{name}.output"].T
        y = norm(x, llama.gains[f"{name}.feed_forward_norm"])
        g, u = y @ w[f"{name}.gate"].T, y @ w[f"{name}.up"].T
        x = x + (g / (1 + np.exp(-g)) * u) @ w[f"{name}.down"].T
    return norm(x, llama.gains["norm"]) @ w["head"].T


def logits(backend, passes):
    """Logits of the last pass of several."""
    result, start = np.empty(0), 0
    for ids in passes:
        built = graph(backend.model, len(ids), capacity=16)
        [result] = backend.run(built, placed(ids, start), ["logits"])
        start += len(ids)
    return result / 2.0**backend.model.logit_fraction


def test_float32_is_the_textbook_s_llama(tiny_model):
    np.testing.assert_allclose(logits(Reference(tiny_model("float32")), [IDS]), plain(tiny(), IDS), atol=2e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_exact_is_near_the_textbook_s_llama(seed):
    expected = plain(tiny(seed), IDS)
    found = logits(Reference(model("tiny", tiny(seed), "exact")), [IDS])
    assert np.abs(found - expected).max() < 0.01 * expected.std() * 5


@pytest.mark.parametrize("split", [1, 4, 8])
def test_a_prompt_in_two_passes_gives_the_same_bits(tiny_model, split):
    whole = logits(Reference(tiny_model("exact")), [IDS])
    parts = logits(Reference(tiny_model("exact")), [IDS[:split], IDS[split:]])
    np.testing.assert_array_equal(parts, whole[split:])


@pytest.mark.parametrize(("lanes", "window"), [(16, 1), (16, 1 << 13), (64, WINDOW), (256, WINDOW)])
def test_every_node_has_the_reference_s_bits(tiny_model, stack, device, monkeypatch, lanes, window):
    monkeypatch.setattr(readback, "WINDOW", window)
    built, seen = graph(tiny_model("exact"), len(IDS), capacity=16), []
    for backend in (Reference(tiny_model("exact")), Runtime(tiny_model("exact"), device(stack, lanes))):
        outputs = []

        def observe(shown, to=outputs):
            to += [(name, output.copy()) for name, output in shown.items()]

        backend.run(built, placed(IDS, 0), ["choice"], observe)
        seen.append(outputs)
    for (name, expected), (other, found) in zip(*seen, strict=True):
        assert name == other
        np.testing.assert_array_equal(found, expected, err_msg=name)


def test_outputs_last_until_the_next_ones_are_seen(tiny_model, stack, device, monkeypatch):
    """In windows of one pass, and from one pass to the next."""
    monkeypatch.setattr(readback, "WINDOW", 4096)
    runtime, before = Runtime(tiny_model("exact"), device(stack)), []

    def observe(shown):
        for view, copy in before:
            np.testing.assert_array_equal(view, copy)
        before[:] = [(shown.words, shown.words.copy())]

    for count, start in ((len(IDS), 0), (1, len(IDS)), (1, len(IDS) + 1)):
        built = graph(tiny_model("exact"), count, capacity=16)
        for _ in range(2):
            runtime.run(built, placed(IDS[:count], start), ["choice"], observe)


def test_the_reference_lets_go_of_outputs_that_nobody_reads_any_more(tiny_model):
    kept, most = [], []

    def observe(shown):
        kept[:] = [*(each for each in kept if each() is not None), weakref.ref(shown.words.base)]
        most.append(len(kept))

    Reference(tiny_model("exact")).run(
        graph(tiny_model("exact"), len(IDS), capacity=16), placed(IDS, 0), ["choice"], observe
    )
    assert max(most) < len(most) / 2


def test_sequences_in_one_batch_do_not_see_one_another(tiny_model, stack, device):
    for backend in (Reference(tiny_model("exact")), Runtime(tiny_model("exact"), device(stack))):
        alone = [logits(type(backend)(*_arguments(backend)), [[first], [7]])[0] for first in (3, 200)]
        built = graph(backend.model, 2, capacity=16, sequences=2)
        for tokens, position in (([3, 200], 0), ([7, 7], 1)):
            places = np.array([[0, position], [1, position]], np.int32)
            inputs = {"tokens": np.array(tokens, np.int32), "places": places}
            [together] = backend.run(built, inputs, ["logits"])
        np.testing.assert_array_equal(together / 2.0**backend.model.logit_fraction, alone)


def _arguments(backend):
    return (backend.model,) if isinstance(backend, Reference) else (backend.model, backend.device)


def test_the_digest_tells_models_and_arithmetics_apart(tiny_model):
    digests = {tiny_model("exact").digest, tiny_model("float32").digest, model("tiny", tiny(1), "exact").digest}
    assert len(digests) == 3 and model("tiny", tiny(), "exact").digest in digests


@pytest.mark.parametrize("part", ["embedding", "norm"])
@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_a_model_whose_logits_are_all_zero_chooses_the_first_token(arithmetic, part):
    llama = tiny()
    if part == "norm":
        llama = replace(llama, gains=llama.gains | {"norm": np.zeros(64, np.float32)})
    else:
        nothing = replace(llama.matrices["embedding"], d=np.zeros_like(llama.matrices["embedding"].d))
        llama = replace(llama, matrices=llama.matrices | {"embedding": nothing, "head": nothing})
    assert generate(Reference(model("zero", llama, arithmetic)), IDS, limit=2).tokens == [0, 0]


@pytest.mark.parametrize("gain", [1e9, 3e38])
def test_logits_beyond_32_bits_are_refused(refusal, gain):
    llama = tiny()
    boundless = replace(llama, gains=llama.gains | {"norm": np.full(64, gain, np.float32)})
    assert "leave no fraction bits" in refusal(model, "m", boundless, "exact")


def test_rotations_in_float32_have_a_budget(refusal):
    assert "a context of 1048608 is too long" in refusal(model, "m", replace(tiny(), context=2**20 + 32), "float32")
