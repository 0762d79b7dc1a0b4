"""Pictures by ``commit``, ``check``, ``dispute`` and ``replay``: what is delivered, who loses, what is refused."""

import json
import re

import onnx
import pytest
from small_network import network

from inference.generate import digest_of
from inference.models.terrain import inputs, terrain
from inference.reference import Reference

NUMPY = ("--backend", "numpy")
BOTH = (*NUMPY, "--challenger", "numpy")


@pytest.fixture(scope="module")
def drawing(tmp_path_factory):
    """Options of a small picture."""
    net, output = network()
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    onnx.save(net.model(output), path)
    return "--model", str(path), "--class", "40", "--seed", "7"


def test_a_picture_is_committed_and_computed_again(cli, drawing, tmp_path):
    result = tmp_path / "picture.json"
    code, out, _ = cli("commit", *drawing, *NUMPY, "--out", result, "--json")
    told, model = json.loads(out), terrain(drawing[1], "exact")
    [expected] = Reference(model.model).run(model.graph, inputs("exact", 40, 7), [model.picture])
    assert code == 0 and told.keys() == {"nodes", "root", "digest", "signed_by"}
    assert told["digest"] == digest_of(expected)
    code, out, _ = cli("check", result, *NUMPY)
    assert code == 0 and out.startswith("the result holds: ")
    content = json.loads(result.read_text())
    content["task"]["prompt"] = [41]
    result.write_text(json.dumps(content))
    code, out, _ = cli("check", result, *NUMPY)
    assert code == 1


@pytest.mark.parametrize("adversary", ["wrong-tile", "coarser-weights", "wrong-input", "wrong-seed"])
def test_who_cheats_over_a_picture_loses_and_the_verdict_replays(cli, drawing, tmp_path, adversary):
    path = tmp_path / "transcript.json"
    code, out, _ = cli("dispute", *drawing, *BOTH, "--adversary", adversary, "--transcript", path, "--json")
    told = json.loads(out)
    assert code == 0 and (told["winner"], told["reason"]) == ("challenger", "step-wrong")
    assert 0 < told["referee_macs"] < told["inference_macs"]
    if adversary == "coarser-weights":
        code, out, _ = cli("replay", path, "--referee", told["referee"])
        assert code == 0 and out.startswith("the verdict follows: the challenger wins (step-wrong)")


def test_a_flipped_bit_of_a_picture_is_disputed_where_it_is(cli, drawing):
    code, out, _ = cli("dispute", *drawing, *BOTH, "--corrupt", "node=picture.nowhere,element=1")
    assert code == 2
    last = re.search(r"there are (\S+) to (\S+),", _)[2]
    code, out, _ = cli("dispute", *drawing, *BOTH, "--corrupt", f"node={last},element=3", "--json")
    assert code == 0 and json.loads(out)["disputed_node"] == last


@pytest.mark.parametrize(
    "options, said",
    [
        (("--prompt", "Hi"), "draws: give a --class, and no --prompt"),
        ((), "draws: give a --class, and no --prompt"),
        (("--class", "101"), "--class 101 is not allowed; 1 to 100"),
        (("--class", "5", "--temperature", "1"), "no temperature, top-k or top-p"),
    ],
)
def test_what_is_no_picture_s_task_is_refused(cli, drawing, tmp_path, options, said):
    code, _, err = cli("commit", *drawing[:2], *options, *NUMPY, "--out", tmp_path / "result.json")
    assert code == 2 and said in err


def test_a_text_has_no_class(cli, tmp_path):
    code, _, err = cli("commit", "--model", "tiny", "--class", "5", *NUMPY, "--out", tmp_path / "result.json")
    assert code == 2 and "tiny does not draw: --class is for terrain" in err
