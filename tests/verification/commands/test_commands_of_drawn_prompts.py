"""Pictures of prompts by ``commit``, ``check``, ``dispute`` and ``replay``, of a directory as diffusers writes it."""

import json

import pytest
from diffusion_directory import write

from inference.commands.latent_picture import Asked, prepared
from inference.generate import digest_of
from inference.picture import run
from inference.reference import Reference

NUMPY = ("--backend", "numpy")
BOTH = (*NUMPY, "--challenger", "numpy")
ASKED = ("--prompt", "the", "--guidance", "2.5", "--steps", "1", "--size", "8", "--seed", "7")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two encoders."""
    return write(tmp_path_factory.mktemp("small"), "sdxl")


@pytest.fixture(scope="module")
def turbo(tmp_path_factory):
    """One encoder."""
    return write(tmp_path_factory.mktemp("turbo"), "sd-turbo")


@pytest.mark.parametrize(
    "name, negative", [("folder", ()), ("turbo", ("--negative-prompt", "thin"))], ids=["sdxl", "sd-turbo"]
)
def test_a_drawn_prompt_is_committed_and_computed_again(cli, request, tmp_path, name, negative):
    folder, result = request.getfixturevalue(name), tmp_path / "picture.json"
    code, out, err = cli("commit", "--model", folder, *ASKED, *negative, *NUMPY, "--out", result, "--json")
    assert code == 0, err
    made, passes = prepared(Asked(str(folder), "the", negative[1] if negative else None, 2.5, 1, 8, 7))
    *_, (_, last) = run(Reference(made.model), passes)
    assert json.loads(out)["digest"] == digest_of(*last.values())
    assert cli("check", result, *NUMPY)[0] == 0
    content = json.loads(result.read_text())
    content["task"]["guidance"] += 1
    result.write_text(json.dumps(content))
    assert cli("check", result, *NUMPY)[0] == 1


@pytest.mark.parametrize(
    "adversary",
    [
        "wrong-seed",
        "coarser-weights",
        pytest.param("wrong-input", marks=pytest.mark.slow),
        pytest.param("fewer-layers", marks=pytest.mark.slow),
    ],
)
def test_who_cheats_over_a_drawn_prompt_loses_and_the_verdict_replays(cli, turbo, tmp_path, adversary):
    path = tmp_path / "transcript.json"
    options = ("--adversary", adversary, "--transcript", path, "--json")
    code, out, err = cli("dispute", "--model", turbo, *ASKED, *BOTH, *options)
    assert code == 0, err
    told = json.loads(out)
    assert (told["winner"], told["reason"]) == ("challenger", "step-wrong")
    assert 0 < told["referee_macs"] < told["inference_macs"]
    if adversary == "wrong-seed":
        assert told["disputed_node"] == "start.noise"
        code, out, _ = cli("replay", path, "--referee", told["referee"])
        assert code == 0 and out.startswith("the verdict follows: the challenger wins (step-wrong)")


@pytest.mark.parametrize(
    "options, said",
    [
        ((), "give a --prompt, and no --class"),
        (("--prompt", "the", "--class", "5"), "give a --prompt, and no --class"),
        (("--prompt", "the", "--size", "7"), "--size 7 is not allowed; multiples of 8"),
        (("--prompt", "the", "--steps", "0"), "--steps 0 is not allowed; 1 to 1000"),
        (("--prompt", "the", "--guidance", "101"), "--guidance 101.0 is not allowed"),
        (("--prompt", "the", "--temperature", "1"), "no temperature, top-k or top-p"),
    ],
)
def test_what_is_no_drawn_prompt_s_task_is_refused(cli, folder, tmp_path, options, said):
    code, _, err = cli("commit", "--model", folder, *options, *NUMPY, "--out", tmp_path / "result.json")
    assert code == 2 and said in err


def test_a_text_is_not_drawn(cli, tmp_path):
    asked = ("--model", "tiny", "--prompt", "Hi", "--steps", "4")
    code, _, err = cli("commit", *asked, *NUMPY, "--out", tmp_path / "result.json")
    assert code == 2 and "--steps is of a directory's model" in err


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"prompt": [598, 599]}, "has 154 tokens, not 2"),
        ({"prompt": [600] * 154}, "token 600 is not in the vocabulary"),
        ({"steps": None}, "has guidance, steps and size"),
        ({"negative": [0] * 153}, "has 154 tokens, not 153"),
    ],
)
def test_a_result_whose_task_is_no_picture_of_the_model_is_refused(cli, folder, tmp_path, changes, said):
    result = tmp_path / "picture.json"
    task = {"model": str(folder), "prompt": [598] * 154, "limit": 1, "millionths": 0, "seed": "7"}
    task |= {"guidance": 0, "steps": 1, "size": 8} | changes
    task = {key: value for key, value in task.items() if value is not None}
    result.write_text(json.dumps({"task": task, "result": {}, "output": ""}))
    code, _, err = cli("check", result, *NUMPY)
    assert code == 2 and said in err


@pytest.mark.parametrize("task", [{"model": "tiny", "prompt": [1, 2]}, {"model": "terrain", "prompt": [40]}])
@pytest.mark.parametrize("said", [{"steps": 4}, {"size": 8}, {"guidance": 0}, {"negative": [1]}])
def test_no_other_task_says_what_is_of_a_drawn_prompt_alone(cli, tmp_path, task, said):
    result = tmp_path / "result.json"
    task = {"limit": 1, "millionths": 0, "seed": "7"} | task | said
    result.write_text(json.dumps({"task": task, "result": {}, "output": ""}))
    code, _, err = cli("check", result, *NUMPY)
    assert code == 2 and "are of a directory's model" in err
