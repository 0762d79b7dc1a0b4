"""The command line: what it prints, its exit codes, and one line for bad input."""

import json
from base64 import b64encode

import pytest

from verification.adversaries import corrupt_trace
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.inference_models import Models
from verification.result import sign_result
from verification.task import Task
from verification.trace import record

TINY = ("--model", "tiny", "--prompt", "Hello", "--max-tokens", "3")
NUMPY = ("--backend", "numpy")
BOTH = (*NUMPY, "--challenger", "numpy")
KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def test_a_result_checks(cli, committed):
    code, out, _ = cli("check", committed, *NUMPY)
    assert (code, out) == (0, "the result holds: 64 nodes recomputed\n")


def test_a_result_of_something_else_does_not(cli, committed, key):
    content = json.loads(committed.read_text())
    signed = content["result"]["content"]

    def by_another(edit):
        """Edited, and signed by another device."""
        changed = json.loads(json.dumps(signed))
        changed["header"]["provider"] = public(key(1))
        edit(changed)
        return {"result": json.loads(request(key(1), "result", "0" * 64, changed).raw)}

    assert by_another(lambda told: None)["result"] != content["result"]
    committed.write_text(json.dumps(content | by_another(lambda told: None)))
    assert cli("check", committed, *NUMPY)[0] == 0
    for changes, said in (
        ({"task": content["task"] | {"seed": "1"}}, "the result is for"),
        ({"output": "AAAA"}, "do not lead to the header's root"),
        ({"output": "A"}, "base64"),
        ({"result": content["result"] | {"kind": "claim"}}, "not signed"),
        ({"result": content["result"] | {"party": "01" + "00" * 31}}, "not signed"),
        ({"result": None}, "an envelope"),
        ({"result": 2**70}, "a number"),
        (by_another(lambda told: told["header"].update(root="0" * 64)), "do not lead to the header's root"),
        (by_another(lambda told: told["header"].update(root=told["header"]["root"].upper())), "lower-case"),
        (by_another(lambda told: told["header"].update(market="1" * 64)), "another market"),
        (by_another(lambda told: told["header"].update(provider=public(key(2)))), "another provider"),
        (by_another(lambda told: told.update(path="")), "do not lead to the header's root"),
        (by_another(lambda told: told.update(more=1)), "the keys header, output, path"),
    ):
        committed.write_text(json.dumps(content | changes))
        code, out, err = cli("check", committed, *NUMPY)
        assert (code, err) == (1, "") and out.count("\n") == 1
        assert said in out


def test_a_result_that_is_wrong_and_signed_does_not_hold(cli, committed, key):
    """Output, path and root fit one another; the run gives another root."""
    computation = Models().computation(Task("tiny", tuple(b"Hello"), 3, 0, 0), "numpy", None)
    trace = record(computation)
    corrupt_trace.flip(trace, 5, 0)
    task = Task("tiny", tuple(b"Hello"), 3, 0, 0)
    result, output = sign_result(key(1), "0" * 64, task.name, trace)
    content = {"task": task.plain(), "result": json.loads(result.raw), "output": b64encode(output).decode()}
    committed.write_text(json.dumps(content))
    assert cli("check", committed, *NUMPY)[:2] == (
        1,
        "the result does not hold: the run that was recomputed has another root\n",
    )


def test_without_a_command_its_help_is_shown(cli):
    code, out, err = cli()
    assert code == 2 and "model-check" in out + err and "error" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dispute", *TINY, *BOTH), "give either --corrupt"),
        (("dispute", *TINY, *BOTH, "--corrupt", "node=x", "--adversary", "garbage"), "give either --corrupt"),
        (("dispute", *TINY, *BOTH, "--adversary", "flippd-bit"), "did you mean flipped-bit? There are flipped-bit, "),
        (("dispute", *TINY, *BOTH, "--adversary", "nobody"), "unknown adversary 'nobody'; there are flipped-bit"),
        (("dispute", *TINY, *BOTH, "--corrupt", "qkv"), "node=NAME,element=I"),
        (("dispute", *TINY, *BOTH, "--corrupt", "node=x,element=²"), "node=NAME,element=I"),
        (("dispute", *TINY, *BOTH, "--corrupt", "node=qkv,element=0"), "there is no node 'qkv'"),
        (("dispute", *TINY, *BOTH, "--corrupt", "node=prompt000.choice,element=1"), "it has 0 to 0"),
        (("dispute", *TINY, *BOTH, "--adversary", "wrong-seed"), "needs --temperature above 0"),
        (("dispute", *TINY, *BOTH, "--adversary", "garbage", "--transcript", "/nowhere/t.json"), "/nowhere/t.json"),
        (("dispute", "--model", "tiny", *BOTH, "--adversary", "garbage"), "give a --prompt"),
        (("dispute", "--model", "none", "--prompt", "a", "--adversary", "garbage"), "none"),
        (("dispute", *TINY, *BOTH, "--seed", "-1", "--adversary", "garbage"), "seed -1"),
        (("commit", *TINY[:-1], "0", *NUMPY, "--out", "c.json"), "0"),
        (("commit", *TINY, *NUMPY, "--temperature", "-1", "--out", "c.json"), "temperature -1"),
        (("commit", *TINY, "--adapter", "nobody's", "--out", "c.json"), "adapter"),
        (("commit", *TINY, *NUMPY, "--out", "/nowhere/c.json"), "/nowhere/c.json"),
        (("commit", *TINY, *NUMPY, "--temperature", "0.1234567", "--out", "c.json"), "whole millionths"),
        (("commit", *TINY, *NUMPY, "--temperature", "nan", "--out", "c.json"), "whole millionths"),
        (("commit", *TINY, *NUMPY, "--temperature", "inf", "--out", "c.json"), "whole millionths"),
        (("check", "/nowhere/c.json"), "c.json: cannot be read: No such file or directory; a result of `commit` is"),
        (("check", "/"), "error: /: cannot be read: not a regular file; a result of `commit` is expected"),
        (("replay", "/nowhere/t.json", "--referee", KEY), "a transcript of `dispute --transcript` is expected"),
        (("replay", "/nowhere/t.json", "--referee", KEY[1:]), "64 lower-case hexadecimal digits"),
        (("tiles", "--model", "none", "--out", "none.tiles"), "none"),
        (("tiles", "--model", "tiny", "--out", "/nowhere/tiny.tiles"), "/nowhere/tiny.tiles"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert said in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"task": 1, "result": "", "output": ""}', "[" * 100_000])
def test_foreign_files_are_bad_input(cli, tmp_path, content):
    path = tmp_path / "file.json"
    path.write_text(content)
    for command in (("check", path), ("replay", path, "--referee", KEY)):
        code, _, err = cli(*command)
        assert code == 2 and err.count("\n") == 1


def test_a_damaged_transcript_is_bad_input_or_does_not_follow(cli, transcript):
    path, referee = transcript
    content = json.loads(path.read_text())
    for changes in (
        {"entries": 3},
        {"entries": [3]},
        {"market": 5},
        {"begin": {"content": 1.5}},
        {"claim": None},
        {"genesis": {"request": 2**70}},
        {"task": {}},
    ):
        path.write_text(json.dumps(content | changes))
        code, _, err = cli("replay", path, "--referee", referee)
        assert code in (1, 2) and err.count("\n") <= 1
        assert "Traceback" not in err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": -1}, "task: seed"),
        ({"seed": 5}, "task: seed"),
        ({"seed": str(2**70)}, "task: seed"),
        ({"seed": "05"}, "task: seed"),
        ({"millionths": 0.5}, "task: millionths"),
        ({"millionths": 2**60}, "task: millionths"),
        ({"model": "a\0b"}, r"a\x00b: cannot be read"),
        ({"model": "x" * 129}, "task: model"),
        ({"model": "/dev/zero"}, "not a regular file"),
        ({"model": 5}, "task: model"),
        ({"prompt": "Hi"}, "task: prompt"),
        ({"prompt": [2**40]}, "task: prompt"),
        ({"prompt": [2**30]}, "token 1073741824 is not in the vocabulary"),
        ({"prompt": [True]}, "task: prompt"),
        ({"limit": 0}, "task: limit"),
        ({"limit": 2**50}, "exceed the context"),
        ({"more": 1}, "task: an object with the keys"),
    ],
)
def test_tasks_of_a_file_are_held_against_what_is_allowed(cli, committed, transcript, changes, said):
    replayed, referee = transcript
    for path, command in (
        (committed, ("check", committed, *NUMPY)),
        (replayed, ("replay", replayed, "--referee", referee)),
    ):
        content = json.loads(path.read_text())
        content["task"] |= changes
        path.write_text(json.dumps(content))
        code, out, err = cli(*command)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err


def test_what_a_file_says_is_shown_and_not_obeyed(cli, transcript):
    path, referee = transcript
    content = json.loads(path.read_text())
    content["entries"][1]["record"]["content"]["event"] = "\x1b[1K\rthe verdict follows\nthe asserter wins"
    path.write_text(json.dumps(content))
    code, out, _ = cli("replay", path, "--referee", referee)
    assert code == 1 and out.count("\n") == 1 and "\x1b" not in out


def test_a_prompt_of_stray_bytes_is_refused(cli, tmp_path):
    prompt = b"\xff caf\xe9".decode(errors="surrogateescape")
    code, _, err = cli("commit", "--model", "tiny", "--prompt", prompt, *NUMPY, "--out", tmp_path / "c.json")
    assert code == 2 and "the prompt is not UTF-8" in err and err.count("\n") == 1
