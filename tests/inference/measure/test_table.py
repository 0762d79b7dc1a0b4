"""Tables of speed: what is measured and how it is written; how fast is no test."""

import csv
import io
import json

import numpy as np
import pytest

from inference.device.runtime import Runtime
from inference.generate import placed
from inference.measure import roofline, table
from inference.measure.random_model import RandomRuntime, random_model
from inference.models import _decoder
from inference.models.llama import graph
from inference.planning.language import Shape

pytestmark = pytest.mark.any_stack

SIZES = {"layers": 2, "width": 64, "heads": 4, "kv_heads": 2, "head_width": 16, "hidden": 96, "vocabulary": 300}
OF = Shape("small", SIZES | {"context": 512}, True, False)
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 300, "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(roofline, "SECONDS", 0.0)
    monkeypatch.setattr(roofline, "COPIED", 2**16)
    monkeypatch.setattr(roofline, "ON_PROCESSORS", 2**16)
    monkeypatch.setattr(roofline, "GROUPS", 128)


@pytest.fixture
def options(stack, tmp_path):
    """Of a table of a shape in a file."""
    backend, adapter = stack
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return ("--shape", tmp_path / "config.json", "--backend", backend, "--adapter", adapter)


def test_a_table_has_a_row_for_each_prompt_answer_and_number_of_sequences(cli, options):
    code, out, _ = cli("bench", *options, "-p", "3,130", "-n", "2", "-b", "1,3", "--rounds", 2, "--json")
    result = json.loads(out)
    assert code == 0 and {"adapter", "backend", "driver", "version", "date"} <= result.keys()
    tests = [("prompt 3", 1), ("prompt 130", 1), ("answer 2", 1), ("answer 2", 3)]
    expected = [(arithmetic, *test) for arithmetic in ("exact", "float32") for test in tests]
    assert [(row["arithmetic"], row["test"], row["sequences"]) for row in result["rows"]] == expected
    for row in result["rows"]:
        assert set(row) == set(table.COLUMNS) and row["repetitions"] == 2 and row["deviation"] >= 0
        assert row["tokens_per_second"] > 0 and row["bandwidth_share"] > 0 and row["rate_share"] > 0


def test_a_share_is_of_what_the_adapter_does(stack, device):
    runtime = RandomRuntime(random_model(OF, "exact", 8), device(stack))
    limits = roofline.Roofline(bandwidth=1e9, rate=1e9)
    [row] = table.rows(runtime, [], [2], [1], 1, limits)
    [half] = table.rows(runtime, [], [2], [1], 1, roofline.Roofline(5e8, 5e8))
    # Multiply-accumulates of a token, the cache full: 2 layers of products, the head, and attention to 2 positions.
    macs = 2 * (64 * 64 * 2 + 2 * 32 * 64 + 3 * 64 * 96) + 300 * 64 + 2 * (2 * 64 * 2)
    assert row["rate_share"] == pytest.approx(row["tokens_per_second"] * macs / 1e9, rel=0.2, abs=2e-4)
    assert half["rate_share"] == pytest.approx(half["tokens_per_second"] * macs / 5e8, rel=0.2, abs=2e-4)
    assert row["deviation"] is None


def test_random_weights_are_spread_over_the_whole_of_a_model(stack, device):
    """Of both arithmetics, each weight in memory of its own, none of it zero."""
    for arithmetic in ("exact", "float32"):
        model = random_model(OF, arithmetic, 8)
        runtime = RandomRuntime(model, device(stack))
        runtime.run(graph(model, 3, capacity=8), placed([1, 2, 3], 0), ["choice"])
        weights = {name: buffer for name, buffer in runtime.kept.items() if name.startswith("weight layer")}
        assert len(set(map(id, weights.values()))) == len(weights) > 10
        for name, buffer in weights.items():
            if ".q " in name:
                assert len(np.unique(np.frombuffer(runtime.device.device.queue.read_buffer(buffer), np.uint8))) > 200
        assert type(runtime) is not Runtime


def test_tables_of_random_weights_that_no_binding_holds_are_divided(monkeypatch):
    monkeypatch.setattr(_decoder, "LARGEST_TABLE", 64 * 1024)
    for arithmetic in ("exact", "float32"):
        model = random_model(Shape("wide", SIZES | {"context": 512, "vocabulary": 1500}, True, False), arithmetic, 8)
        found = {name: len(value) for name, value in model.constants.items() if name.endswith(".q")}
        assert (found["embedding.q"], found["embedding.1.q"]) == (1024, 476)
        assert graph(model, 1, capacity=8).nodes["logits"]["shape"] == (1, 1500)


def test_tables_are_written_for_spreadsheets_and_for_people():
    about = {"adapter": "a; b, c", "version": "1"}
    row = dict.fromkeys(table.COLUMNS, 1) | {"model": "m", "deviation": None, "bandwidth_share": 0.25}
    [line] = csv.DictReader(io.StringIO(table.as_csv(about, [row])))
    assert line["adapter"] == "a; b, c" and line["bandwidth_share"] == "0.25" and line["deviation"] == ""
    shown = table.as_markdown(about, [row]).splitlines()
    assert shown[0] == "adapter: a; b, c; version: 1" and "| 25.0% |" in shown[-1]
    assert len({each.count("|") for each in shown[2:]}) == 1


@pytest.mark.parametrize(
    "given, part",
    [
        (("-p", "0"), "-p '0' is not allowed"),
        (("-n", "1,,2"), "-n '1,,2' is not allowed"),
        (("-b", "x"), "-b 'x' is not allowed"),
        (("--shape", "smollm3"), "unknown configuration 'smollm3'"),
        (("--csv",), "--csv and --markdown need"),
        (("-p", "1", "--csv", "--json"), "one of --json, --csv and --markdown"),
        (("-p", "1", "--peers"), "--peers, --devices and --memory are measured without"),
    ],
)
def test_bad_input(cli, given, part):
    code, _, err = cli("bench", *given)
    assert code == 2 and part in err and err.count("\n") == 1
