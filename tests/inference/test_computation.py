"""A run as a computation: every leaf follows from its steps, replaced outputs are followed, one pass runs alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.computation import Inference
from inference.device import adapters
from inference.device.runtime import Runtime
from inference.generate import EMPTY, digest_of, generate
from inference.likeliest import Likeliest
from inference.model import Model
from inference.models.llama import model
from inference.models.tiny import tiny
from inference.ops.argmax_partial import SPAN
from inference.reference import Reference
from inference.steps import LEAF, ROWS
from inference.steps._operands import Tiles
from inference.steps._vectors import Seen
from inference.steps.draw import inside

PROMPT = np.random.default_rng(1).integers(0, 256, 20).tolist()
AMONG = {"limit": 3, "temperature": 1.3, "seed": 3, "among": Likeliest(9, 0.9)}
TERMS = [{"limit": 7, "temperature": 0, "seed": 3}, {"limit": 7, "temperature": 0.8, "seed": 3}]
STACKS = adapters.stacks()


def recorded(computation, replaced=None):
    """Tokens and outputs of a run, with outputs replaced by index."""
    words = {}

    def observe(first, outputs):
        for index, (_, output) in enumerate(outputs.items(), first):
            if index in (replaced or {}):
                words[index] = replaced[index].copy()
                return index, replaced[index]
            words[index] = output.reshape(outputs.shapes[index - first]).copy()
        return None

    return computation.run(observe), words


def leaf_words(node, words, leaf):
    row, chunk = divmod(leaf, -(-node.words // LEAF))
    return words[row, chunk * LEAF :][:LEAF] if len(words) else words.ravel()


def leaves(node):
    return node.rows * -(-node.words // LEAF)


def check(computation, words, index, leaf):
    """Derive a leaf step by step; each keeps to what it declares and to the limits."""
    results = []
    for number, step in enumerate(computation.steps(index, leaf)):
        inputs = [
            results[source]
            if isinstance(source, int)
            else leaf_words(computation.nodes[source[0]], words[source[0]], source[1])
            for source in step.sources
        ]
        result = computation.recompute(index, leaf, number, inputs)
        assert result.dtype == np.int32 and result.shape == (step.words,)
        assert all(len(words) <= LEAF for words in inputs)
        results.append(result)
    node = computation.nodes[index]
    assert (results[-1] == leaf_words(node, words[index], leaf)).all(), (node, leaf)


@pytest.fixture(scope="module", params=[*TERMS, AMONG], ids=["greedy", "drawn", "among"])
def tiny_run(request, tiny_model):
    computation = Inference(Reference(tiny_model("exact")), PROMPT, **request.param)
    return (computation, *recorded(computation), request.param)


def test_every_leaf_follows_from_its_steps(tiny_run):
    computation, _, words, _ = tiny_run
    for index, node in enumerate(computation.nodes):
        for leaf in range(leaves(node)):
            check(computation, words, index, leaf)


def test_nodes_and_outputs_are_those_of_the_trace(tiny_run, tiny_model):
    computation, tokens, words, terms = tiny_run
    expected = generate(Reference(tiny_model("exact")), PROMPT, trace=True, **terms)
    assert tokens == expected.tokens
    *of_passes, last = computation.nodes
    assert [node.name for node in of_passes] == [node["node"] for node in expected.trace]
    assert [digest_of(words[index]) for index in words][:-1] == [node["digest"] for node in expected.trace]
    assert (last.name, last.guard) == ("output", None) and words[len(of_passes)].tolist() == [tokens]
    assert all(words[index].shape == (node.rows, node.words) for index, node in enumerate(computation.nodes))


def test_a_pass_runs_alone_from_what_is_kept(tiny_run, tiny_model):
    computation, _, words, terms = tiny_run
    fresh = Inference(Reference(tiny_model("exact")), PROMPT, **terms)
    for index in range(0, len(computation.nodes), 13):
        read = []

        def kept(node, read=read):
            assert node in computation.kept
            read.append(node)
            return words[node]

        found = fresh.regenerate(index, kept)
        assert index in found and all(node < min(found) for node in read)
        assert all((found[node] == words[node]).all() for node in found)


def test_prompts_of_several_passes_are_derived_across_them(tiny_model):
    ids = np.random.default_rng(2).integers(0, 256, 150).tolist()
    computation = Inference(Reference(tiny_model("exact")), ids, limit=2)
    tokens, words = recorded(computation)
    assert tokens == generate(Reference(tiny_model("exact")), ids, limit=2).tokens
    for index, node in enumerate(computation.nodes):
        check(computation, words, index, leaves(node) - 1)
    found = computation.regenerate(len(words) - 2, words.__getitem__)
    assert all((found[node] == words[node]).all() for node in found)


@pytest.mark.parametrize("terms", TERMS, ids=["greedy", "drawn"])
def test_a_device_gives_the_reference_s_outputs_and_follows_what_is_replaced(tiny_model, stack, device, terms):
    on_device = Inference(Runtime(tiny_model("exact"), device(stack)), PROMPT, **terms)
    in_numpy = Inference(Reference(tiny_model("exact")), PROMPT, **terms)
    tokens, honest = recorded(in_numpy)
    assert_same(recorded(on_device), (tokens, honest))
    names = [node.name for node in in_numpy.nodes]
    faults = {"prompt000.layer00.cache": 1024, "step0002.layer01.down": 4096, "step0003.layer00.cache": 1024}
    for name, bit in {**faults, "step0004.choice": 1}.items():
        index = names.index(name)
        wrong = honest[index].copy()
        wrong[-1] ^= bit
        expected = recorded(in_numpy, {index: wrong})
        assert_same(recorded(on_device, {index: wrong}), expected)
        changed = [other for other in honest if not np.array_equal(expected[1][other], honest[other])]
        assert changed[0] == index and len(changed) > 1
    found = on_device.regenerate(len(names) - 2, honest.__getitem__)
    assert all((found[node] == honest[node]).all() for node in found)


def assert_same(found, expected):
    assert found[0] == expected[0]
    assert all(np.array_equal(found[1][index], words) for index, words in expected[1].items())


@pytest.mark.parametrize("name, row", [("prompt000.layer00.query", 5), ("step0001.layer00.query", 0)])
def test_followers_of_a_replaced_output_are_derived_from_it(tiny_model, name, row):
    """The step that reads the wrong words gives what follows from them: only the replaced leaf is wrong."""
    computation = Inference(Reference(tiny_model("exact")), PROMPT, limit=3)
    _, honest = recorded(computation)
    index = [node.name for node in computation.nodes].index(name)
    wrong = honest[index].copy()
    wrong[row, 3] += 100
    _, words = recorded(computation, {index: wrong})
    for other, node in enumerate(computation.nodes):
        for leaf in range(0, leaves(node), 3):
            if (other, leaf) != (index, row):
                check(computation, words, other, leaf)
    with pytest.raises(AssertionError):
        check(computation, words, index, row)


def test_passes_after_an_end_token_are_null(tiny_model):
    first, second = generate(Reference(tiny_model("exact")), PROMPT, limit=2).tokens
    ending = replace(tiny_model("exact"), end=(second,))
    computation = Inference(Reference(ending), PROMPT, limit=4)
    tokens, words = recorded(computation)
    assert tokens == [first, second]
    expected = generate(Reference(ending), PROMPT, limit=4, trace=True).trace
    assert [digest_of(words[index]) for index in words][:-1] == [node["digest"] for node in expected]
    assert words[len(expected)].tolist() == [[first, second, -1, -1]]
    for index, node in enumerate(computation.nodes[:-1]):
        null = node.guard is not None and computation.ended(words[node.guard])
        assert words[index].shape == (0 if null else node.rows, node.words)
        assert null == (expected[index]["digest"] == EMPTY)
    last = computation.regenerate(len(computation.nodes) - 2, words.__getitem__)
    assert all(words.shape[0] == 0 for words in last.values())
    [output] = computation.regenerate(len(expected), words.__getitem__).values()
    assert (output == words[len(expected)]).all()
    check(computation, words, len(expected), 0)


def test_the_work_is_the_ops_with_attention_over_what_it_sees(tiny_model):
    one, two = (Inference(Reference(tiny_model("exact")), [1], limit=limit).macs for limit in (1, 2))
    three = Inference(Reference(tiny_model("exact")), [1], limit=3).macs
    layers, columns = 2, 64
    assert (three - two) - (two - one) == layers * 2 * columns
    assert Inference(Reference(tiny_model("exact")), [1, 2, 3], limit=1).macs < 3 * three


def test_what_it_is_bound_to(tiny_model, refusal):
    computation = Inference(Reference(tiny_model("exact")), PROMPT, limit=2, temperature=1, seed=9)
    assert computation.terms == {"seed": "9", "temperature": "1.0", "limit": "2"}
    assert set(computation.digests) == {"model", "graph", "input"}
    wide = replace(tiny_model("exact"), measures=tiny_model("exact").measures | {"head_width": 1025})
    assert "heads of 1025 are too wide" in refusal(Inference, Reference(wide), PROMPT, limit=2)
    widest = replace(wide, measures=wide.measures | {"head_width": 1024})
    assert Inference(Reference(widest), PROMPT, limit=2).limit == 2
    assert "only exact runs" in refusal(Inference, Reference(tiny_model("float32")), PROMPT, limit=2)
    described = computation.described()
    assert json.loads(json.dumps(described)) == described and described["tokenizer"] == EMPTY
    assert described["measures"]["layers"] == 2 and described["attributes"]["layer00.attention"]["mantissa"] >= 2**14
    numbers = [described["measures"], *described["attributes"].values()]
    assert all(type(number) is int for of_op in numbers for number in of_op.values())
    assert computation.constants is computation.backend.model.constants
    assert "0 tokens are not allowed" in refusal(Inference, Reference(tiny_model("exact")), PROMPT, limit=0)


def test_inputs_no_honest_run_gives_are_refused(tiny_model, refusal):
    computation = Inference(Reference(tiny_model("exact")), PROMPT, limit=2)
    names = [node.name for node in computation.nodes]
    large = np.full(1, 2**30, np.int32)
    choice = names.index("prompt000.choice")
    assert "the choice 256 is no token" in refusal(recorded, computation, {choice: np.full((1, 1), 256, np.int32)})
    assert computation.recompute(names.index("step0001.embedding"), 0, 0, [large]) is None


@given(st.lists(st.integers(0, 2**15), min_size=1, max_size=40), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_the_threshold_lies_in_one_span(weights, stride, draw):
    p = np.zeros((1, 3 * SPAN), np.int64)
    p[0, : stride * len(weights) : stride] = weights
    p[0, 0] += 1  # the sum is never 0: the likeliest token's weight is 2^15
    sums, draws = np.add.reduceat(p, range(0, 3 * SPAN, SPAN), axis=1), np.array([draw])
    found = [int(inside(p[:, s * SPAN :][:, :SPAN], sums, draws, s)[0]) for s in range(3)]
    threshold = int(p.sum()) * draw >> 32
    assert sorted(found)[:2] == [-1, -1] and max(found) == int((p.cumsum() <= threshold).sum())


def test_a_referee_without_the_model_recomputes_a_step_from_the_tiles_it_needs(tiny_run, tiny_model):
    computation, _, words, terms = tiny_run
    right, names = tiny_model("exact"), {"int8": "i08", "uint8": "u08", "int16": "i16", "int32": "i32"}
    shapes = {name: {"type": names[str(a.dtype)], "shape": list(a.shape)} for name, a in right.constants.items()}
    manifest = json.loads(json.dumps({**computation.described(), "constants": shapes}))
    referee = Inference(Reference(Model.sketched(manifest)), PROMPT, **terms)
    for index, node in enumerate(computation.nodes):
        for step, known in zip(referee.steps(index, 0), computation.steps(index, 0), strict=True):
            assert (step.kind, step.sources, step.numbers) == (known.kind, known.sources, known.numbers)
        referee.tiles = Seen(Tiles(right.constants))
        check(referee, words, index, leaves(node) - 1)
        assert all(len(read) <= -(-len(right.constants[name]) // ROWS) for name, read in referee.tiles.read.items())


def test_leaves_of_a_wide_model_follow_from_their_steps():
    wide = model("wide", tiny(3, width=16384), "exact")
    computation = Inference(Reference(wide), [65, 66, 67], limit=2, temperature=0.9, seed=1)
    _, words = recorded(computation)
    for index, node in enumerate(computation.nodes):
        if "layer00" not in node.name:
            each = -(-node.words // LEAF)
            for leaf in {0, each // 2, leaves(node) - 1}:
                check(computation, words, index, leaf)


@pytest.fixture(scope="module")
def small(smollm2):
    return model("smollm2", smollm2, "exact")


@pytest.mark.parametrize("temperature", [0, 0.8])
def test_leaves_of_smollm2_follow_from_their_steps(small, device, temperature):
    """A few leaves of every op, in the prompt and after it."""
    if not STACKS:
        pytest.skip("no WebGPU adapter; make adapter")
    computation = Inference(Runtime(small, device(STACKS[0])), range(100, 140), limit=3, temperature=temperature)
    _, words = recorded(computation)
    sampled = {}
    for index, node in enumerate(computation.nodes):
        sampled.setdefault((node.name.partition(".")[0], node.op), []).append(index)
    generator = np.random.default_rng(5)
    for indices in sampled.values():
        for index in generator.choice(indices, min(3, len(indices)), replace=False).tolist():
            check(computation, words, index, int(generator.integers(leaves(computation.nodes[index]))))
