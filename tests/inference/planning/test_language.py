"""Plans of language models against their published sizes, what programs bind, and arithmetic by hand."""

import json
from math import prod

import numpy as np
import pytest

from inference.device import adapters
from inference.device.program import program
from inference.device.target import Target
from inference.files.blocks import pack_plain
from inference.measure.steps import without_weights
from inference.models import configurations
from inference.models.llama import MEASURES, graph
from inference.models.tiny import tiny
from inference.planning import fitting, language
from inference.planning.limits import DEFAULTS, DESKTOP, Limits
from inference.planning.plan import Rates, described, tokens_per_second
from inference.planning.stage import packed

PUBLISHED = {
    "smollm2": 134_515_008,
    "llama-2-7b": 6_738_415_616,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3-8b": 8_030_261_248,
    "llama-3-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
}
TINY = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "intermediate_size": 128,
    "max_position_embeddings": 512,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "num_key_value_heads": 1,
    "head_dim": 32,
    "vocab_size": 256,
    "tie_word_embeddings": True,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_name_has_its_published_weights(name):
    of = language.shape(name)
    constants = without_weights(language.values(of), tied=of.tied).constants
    assert sum(c.size for key, c in constants.items() if key.endswith((".q", ".gain"))) == PUBLISHED[name]


@pytest.fixture(scope="module")
def smollm2_plan():
    return language.plan(language.shape("smollm2"), 512)


def test_a_plan_by_hand(smollm2_plan):
    prompt, token = smollm2_plan.stages
    layered = 30 * (576 * (2 * 576 + 2 * 192) + 3 * 576 * 1536)
    vocabulary = 576 * 49152
    digits = {name: size for name, size in token.weights.items() if name.endswith(("pack_q4", "pack_q8"))}
    assert smollm2_plan.parameters == {"model": PUBLISHED["smollm2"]}
    assert sum(digits.values()) == layered // 2 + vocabulary
    assert sum(token.states.values()) == 512 * 30 * 2 * 192 * 2
    products = sum(c.operations for name, c in token.costs.items() if "matmul" in token.graph.nodes[name]["op"])
    assert products == layered + vocabulary
    assert len(prompt.costs) == len(token.costs) and prompt.passing > token.passing
    assert smollm2_plan.memory["total"] == sum(
        [sum(token.weights.values()), sum(token.states.values()), prompt.passing, token.passing]
    )


def test_live_bytes_are_of_the_outputs_that_are_still_read(smollm2_plan):
    token = smollm2_plan.stages[1]
    live, words = dict(token.live()), {name: prod(token.graph.nodes[name]["shape"]) for name in token.costs}
    assert live["embedding"] == 4 * 576
    # The residual waits while the normed row becomes queries and a row of the cache.
    assert live["layer00.query"] == 4 * (2 * 576 + sum(words[f"layer00.{part}"] for part in ("query", "cache")))
    assert live["choice"] == 4 * (words["maxima"] + words["choice"])
    assert max(live.values()) <= token.passing


def test_weights_that_are_not_there_take_what_real_ones_take(tiny_model):
    model = tiny_model("exact")
    built = graph(model, 3, capacity=8)
    for constant, pack in program(built, Target(64, True)).weights.values():
        assert packed(pack, model.constants[constant]) == pack(model.constants[constant]).nbytes
    assert packed(pack_plain, np.zeros((131, 3), np.int32)) == 131 * 3 * 4


def test_the_tiny_model_s_shapes_are_its_plan_s(tiny_model):
    of = language.of_configuration("tiny", TINY)
    planned = language.passes(of, 8, {"prompt": 3})[0]
    assert of.measures == {name: getattr(tiny(), name) for name in MEASURES}
    built = graph(tiny_model("exact"), 3, capacity=8, first=2)
    assert {n: d["shape"] for n, d in planned.graph.nodes.items()} == {n: d["shape"] for n, d in built.nodes.items()}


def test_the_time_to_expect_by_hand(smollm2_plan):
    token = smollm2_plan.stages[1]
    cache = sum(token.states.values())
    # Tied, the embedding is read as the head; its rows' scales are not.
    read = sum(size for name, size in token.weights.items() if name != "weight embedding.rows pack_rows")
    slow_memory = tokens_per_second(smollm2_plan, Rates(1e9, 1e18))
    assert slow_memory["decode"] == pytest.approx(1e9 / read)
    assert slow_memory["decode_full_context"] == pytest.approx(1e9 / (read + cache))
    slow_rate = tokens_per_second(smollm2_plan, Rates(1e18, 1e9))
    assert slow_rate["decode_full_context"] == pytest.approx(1e9 / token.operations)


def test_an_embedding_that_is_not_the_head_is_not_read():
    of = language.of_configuration("untied", TINY | {"tie_word_embeddings": False})
    made = language.plan(of, 512)
    weights = made.stages[1].weights
    read = sum(size for name, size in weights.items() if "embedding" not in name)
    assert read < sum(weights.values())
    assert tokens_per_second(made, Rates(1.0, 1e18))["decode"] == pytest.approx(1 / read)


def test_limits(smollm2_plan):
    assert not smollm2_plan.beyond(DESKTOP) and not smollm2_plan.beyond(DEFAULTS)
    beyond = smollm2_plan.beyond(Limits("small", 2**24, 2**26, 65535))
    assert list(beyond) == ["weight embedding.q pack_q8"] and beyond == {"weight embedding.q pack_q8": 49152 * 576}
    found = json.loads(json.dumps(described(smollm2_plan, [DEFAULTS], None)))
    assert found["limits"][0]["fits"] and found["stages"][1]["nodes"][0]["shape"] == [1, 576]


@pytest.mark.parametrize(
    "changed, said",
    [
        (
            {"architectures": ["MambaForCausalLM"]},
            "the architecture is ['MambaForCausalLM']; Gemma3ForCausalLM, LlamaForCausalLM",
        ),
        ({"hidden_size": None}, "x: hidden_size is not there"),
        ({"vocab_size": "many"}, "x: vocab_size is 'many', not an integer"),
        ({"num_key_value_heads": 3}, "2 heads do not share 3 key heads evenly"),
        ({"num_hidden_layers": 10**9}, "layers is 1000000000; 1 to 1024 is allowed"),
    ],
)
def test_a_configuration_that_is_not_planned_is_refused(changed, said, refusal):
    assert said in refusal(language.of_configuration, "x", TINY | changed)


def test_the_command(cli, tmp_path):
    code, out, _ = cli("plan", "smollm2", "--context", 1000, "--bandwidth", 100, "--rate", 1000, "--json")
    found = json.loads(out)
    assert code == 0 and found["context"] == 1000 and found["parameters"] == {"model": PUBLISHED["smollm2"]}
    assert found["tokens_per_second"]["decode"] > found["tokens_per_second"]["decode_full_context"]
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    for given in (tmp_path, tmp_path / "config.json"):
        code, out, _ = cli("plan", given)
        assert code == 0 and "90,432 weights" in out and "weights in 8 bits" in out and "every buffer fits" in out


def test_an_adapter_has_limits_and_rates_of_its_own(cli):
    name = next((name for backend, name in adapters.stacks() if backend == "wgpu"), None)
    if name is None:
        pytest.skip("no WebGPU adapter; make adapter")
    found = json.loads(cli("plan", "smollm2", "--context", 128, "--adapter", name, "--json")[1])
    assert found["limits"][-1]["name"] == name and found["tokens_per_second"]["decode"] > 0


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("llama-4-9b",), "unknown configuration 'llama-4-9b'; did you mean llama-3-8b? There are smollm2, llama-2-7b"),
        (("smollm2", "--context", 8193), "--context 8193 is not allowed; smollm2 has 1 to 8192 positions"),
        (("smollm2", "--bandwidth", 0, "--rate", 1), "--bandwidth 0.0 is not allowed"),
        (("smollm2", "--rate", 1), "--bandwidth and --rate are given together"),
        (("nowhere.json",), "nowhere.json: cannot be read: No such file or directory"),
    ],
)
def test_bad_input_is_refused_in_a_line(cli, arguments, said):
    code, out, err = cli("plan", *arguments)
    assert code == 2 and not out and said in err and err.count("\n") == 1


def test_what_cannot_fit_is_refused_before_it_is_read(refusal, monkeypatch):
    [token] = language.passes(language.shape("llama-3-70b"), 128, {"token": 1})
    said = refusal(fitting.check_buffers, token, "llama-3-70b", DEFAULTS)
    assert said == (
        "llama-3-70b does not fit: weight layer00.gate_up.q pack_q4 needs 234881024 bytes; "
        "WebGPU's defaults binds 134217728"
    )
    fitting.check_buffers(token, "llama-3-70b", DESKTOP)
    monkeypatch.setattr(fitting.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}.__getitem__)
    assert "it needs" in refusal(fitting.check_memory, token, "llama-3-70b")


def test_configurations_are_known_by_name():
    assert set(PUBLISHED) <= set(configurations.names())


def test_a_context_is_one_that_exact_attention_is_proven_for(refusal):
    of = language.of_configuration("x", TINY | {"head_dim": 16, "max_position_embeddings": 131_072})
    assert language.plan(of).context == 8192
    assert refusal(language.plan, of, 8193) == "--context 8193 is not allowed; x has 1 to 8192 positions"
