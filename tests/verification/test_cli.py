"""The command line: what it prints, its exit codes, and one line for bad input."""

import json
import sys

import pytest

from inference.errors import InputError as InferenceError
from verification import cli as command_line
from verification.__main__ import Models

TINY = ("--model", "tiny", "--prompt", "Hello", "--max-tokens", "3")
NUMPY = ("--backend", "numpy")
BOTH = (*NUMPY, "--challenger", "numpy")
FIELDS = {
    "winner",
    "loser",
    "disputed_node",
    "disputed_tile",
    "rounds_node",
    "rounds_tile",
    "messages",
    "bytes",
    "referee_macs",
    "inference_macs",
    "reason",
}


@pytest.fixture
def cli(monkeypatch, capfd):
    """Run the command line in this process: exit code, standard output, standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["verification", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            command_line.run(command_line.application(Models()), InferenceError)
        printed = capfd.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def committed(cli, tmp_path):
    """A commitment's file."""
    path = tmp_path / "commitment.json"
    assert cli("commit", *TINY, *NUMPY, "--out", path)[0] == 0
    return path


@pytest.fixture
def transcript(cli, tmp_path):
    """A transcript's file."""
    path = tmp_path / "transcript.json"
    corrupt = ("--corrupt", "node=step0001.layer00.query,element=5")
    assert cli("dispute", *TINY, *BOTH, *corrupt, "--transcript", path)[0] == 0
    return path


def test_a_commitment_checks(cli, committed):
    code, out, _ = cli("check", committed, *NUMPY)
    assert code == 0 and "the commitment holds" in out


def test_a_commitment_to_something_else_does_not(cli, committed):
    content = json.loads(committed.read_text())
    for edit in (
        lambda c: c["commitment"]["header"].update(root="0" * 64),
        lambda c: c.update(seal="0" * 64),
        lambda c: c["commitment"]["header"]["tokens"].append(3),
        lambda c: c["task"].update(seed=1),
    ):
        changed = json.loads(json.dumps(content))
        edit(changed)
        committed.write_text(json.dumps(changed))
        code, out, err = cli("check", committed, *NUMPY)
        assert (code, err) == (1, "") and out.count("\n") == 1


def test_a_flipped_bit_is_disputed_where_it_is(cli):
    code, out, _ = cli("dispute", *TINY, *BOTH, "--corrupt", "node=step0001.layer01.down,element=63", "--json")
    result = json.loads(out)
    assert code == 0 and result.keys() == FIELDS
    assert (result["winner"], result["loser"], result["reason"]) == ("challenger", "asserter", "step-wrong")
    assert result["disputed_node"] == "step0001.layer01.down"
    assert 0 < result["referee_macs"] < result["inference_macs"]


def test_a_transcript_replays(cli, transcript):
    code, out, _ = cli("replay", transcript)
    assert (code, out) == (0, "the verdict follows: the challenger wins\n")


def test_the_same_command_gives_the_same_transcript(cli, transcript):
    before = transcript.read_bytes()
    cli("dispute", *TINY, *BOTH, "--corrupt", "node=step0001.layer00.query,element=5", "--transcript", transcript)
    assert transcript.read_bytes() == before


def test_a_changed_verdict_does_not_replay(cli, transcript):
    content = json.loads(transcript.read_text())
    content["verdict"]["winner"] = "asserter"
    transcript.write_text(json.dumps(content))
    code, out, _ = cli("replay", transcript)
    assert (code, out) == (1, "winner is challenger, not asserter\n")


def test_every_adversary_loses_for_the_reason_it_is_listed_with(cli):
    code, out, _ = cli("adversaries", "--json")
    assert code == 0
    listed = json.loads(out)
    assert {row["kind"] for row in listed} == {"corrupt the trace", "break the protocol", "play for money"}
    assert all(row["what"] for row in listed)
    for row in listed:
        if "outcome" in row:
            assert row["outcome"]
            continue
        warm = ("--temperature", "0.8") if row["name"] == "wrong-seed" else ()
        code, out, err = cli("dispute", *TINY, *BOTH, *warm, "--adversary", row["name"], "--json")
        assert code == 0, err
        result = json.loads(out)
        assert (result["winner"], result["reason"]) == ("challenger", row["loses"]), row["name"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dispute", *TINY, *BOTH), "give either --corrupt"),
        (("dispute", *TINY, *BOTH, "--corrupt", "node=x", "--adversary", "garbage"), "give either --corrupt"),
        (("dispute", *TINY, *BOTH, "--adversary", "nobody"), "unknown adversary 'nobody'; there are flipped-bit"),
        (("dispute", *TINY, *BOTH, "--corrupt", "qkv"), "node=NAME,element=I"),
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
        (("check", "/nowhere/c.json"), "cannot be read"),
        (("replay", "/nowhere/t.json"), "cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert said in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"task": 1, "seal": "", "commitment": {}}', "[" * 100_000])
def test_foreign_files_are_bad_input(cli, tmp_path, content):
    path = tmp_path / "file.json"
    path.write_text(content)
    for command in ("check", "replay"):
        code, _, err = cli(command, path)
        assert code == 2 and err.count("\n") == 1


def test_a_damaged_transcript_is_bad_input_or_does_not_follow(cli, transcript):
    content = json.loads(transcript.read_text())
    for changes in (
        {"events": 3},
        {"rules": {"delay": "x"}},
        {"commitment": None},
        {"verdict": None},
        {"task": {}},
    ):
        transcript.write_text(json.dumps(content | changes))
        code, _, err = cli("replay", transcript)
        assert code in (1, 2) and err.count("\n") <= 1
        assert "Traceback" not in err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": -1}, "seed -1 is not allowed"),
        ({"seed": 2**70}, "seed 1180591620717411303424 is not allowed"),
        ({"temperature": 1}, "task holds"),
        ({"model": "a\0b"}, r"a\x00b: cannot be read"),
        ({"model": "x" * 5000}, "File name too long"),
        ({"model": "/dev/zero"}, "not a regular file"),
        ({"model": 5}, "task holds"),
        ({"prompt": "Hi"}, "task holds"),
        ({"prompt": [2**40]}, "token 1099511627776 is not in the vocabulary"),
        ({"prompt": [True]}, "task holds"),
        ({"limit": 0}, "0 tokens are not allowed"),
        ({"limit": 2**60}, "exceed the context"),
        ({"more": 1}, "task holds"),
    ],
)
def test_tasks_of_a_file_are_held_against_what_is_allowed(cli, committed, transcript, changes, said):
    for command, path in (("check", committed), ("replay", transcript)):
        content = json.loads(path.read_text())
        content["task"] |= changes
        path.write_text(json.dumps(content))
        code, out, err = cli(command, path, *(NUMPY if command == "check" else ()))
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err


def test_what_a_file_says_is_shown_and_not_obeyed(cli, transcript):
    content = json.loads(transcript.read_text())
    content["verdict"]["winner"] = "\x1b[1K\rthe verdict follows\nthe asserter wins"
    transcript.write_text(json.dumps(content))
    code, out, _ = cli("replay", transcript)
    assert code == 1
    assert out == "winner is challenger, not \\x1b[1K\\rthe verdict follows\\nthe asserter wins\n"


def test_an_infinite_temperature_is_refused(cli, committed):
    committed.write_text(committed.read_text().replace('"temperature": 0.0', '"temperature": 1e999'))
    code, _, err = cli("check", committed, *NUMPY)
    assert code == 2 and "temperature inf is not allowed" in err


def test_a_prompt_of_stray_bytes_is_refused(cli, tmp_path):
    prompt = b"\xff caf\xe9".decode(errors="surrogateescape")
    code, _, err = cli("commit", "--model", "tiny", "--prompt", prompt, *NUMPY, "--out", tmp_path / "c.json")
    assert code == 2 and "the prompt is not UTF-8" in err and err.count("\n") == 1
