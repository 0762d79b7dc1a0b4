"""The command line: what it prints, its exit codes, and one line for bad input."""

import json
import re
import sys
from base64 import b64encode

import pytest

from inference.errors import InputError as InferenceError
from verification import cli as command_line
from verification import tile_store
from verification.adversaries import corrupt_trace
from verification.adversaries.listing import names
from verification.adversaries.registry import all_games
from verification.commands import dispute as dispute_command
from verification.encoding.canonical import digest
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.inference_models import Models, cheaper
from verification.manifest import manifest
from verification.result import sign_result
from verification.task import Task
from verification.trace import record

TINY = ("--model", "tiny", "--prompt", "Hello", "--max-tokens", "3")
NUMPY = ("--backend", "numpy")
BOTH = (*NUMPY, "--challenger", "numpy")
KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
SETTLED = {"price", "stake", "bond", "reward", "fund", "burnt", "removed", "task", "referee", "head"}
FIELDS = SETTLED | {
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
    """A result's file."""
    path = tmp_path / "result.json"
    assert cli("commit", *TINY, *NUMPY, "--out", path)[0] == 0
    return path


@pytest.fixture
def transcript(cli, tmp_path):
    """A transcript's file, and the key of its referee."""
    path = tmp_path / "transcript.json"
    corrupt = ("--corrupt", "node=step0001.layer00.query,element=5")
    code, out, _ = cli("dispute", *TINY, *BOTH, *corrupt, "--transcript", path, "--json")
    assert code == 0
    return path, json.loads(out)["referee"]


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


def test_a_flipped_bit_is_disputed_where_it_is(cli):
    code, out, _ = cli("dispute", *TINY, *BOTH, "--corrupt", "node=step0001.layer01.down,element=63", "--json")
    result = json.loads(out)
    assert code == 0 and result.keys() == FIELDS
    assert (result["winner"], result["loser"], result["reason"]) == ("challenger", "asserter", "step-wrong")
    assert result["disputed_node"] == "step0001.layer01.down"
    assert 0 < result["referee_macs"] < result["inference_macs"]


def test_a_dispute_says_what_becomes_of_stake_and_task(cli):
    code, out, _ = cli("dispute", *TINY, *BOTH, "--adversary", "flipped-bit")
    assert code == 0
    assert "price 1,000, stake 8,000, bond 4,000 micro-tokens\n" in out
    assert "of the stake 1,000 go to the challenger, 2,000 to the fund, and 5,000 are burnt\n" in out
    assert "the task waits again, ranked higher by 1; the asserter's key is removed\n" in out
    assert re.search(r"^referee [0-9a-f]{64}$", out, re.MULTILINE)


def test_a_transcript_replays(cli, transcript):
    path, referee = transcript
    code, out, _ = cli("replay", path, "--referee", referee)
    assert code == 0
    assert out.startswith("the verdict follows: the challenger wins (step-wrong) over step0001.layer00.query, tile ")
    assert "\nthe step, computed again from words that both agree on, is not what the asserter committed to\n" in out
    assert out.count("\nproven: ") == 2 and "\nnot proven: " in out
    code, out, _ = cli("replay", path, "--referee", referee, "--json")
    told = json.loads(out)
    assert code == 0 and told["follows"] and told["wrong"] == ""
    assert (told["winner"], told["reason"]) == ("challenger", "step-wrong")
    assert told.keys() == {"follows", "wrong", "why"} | FIELDS - SETTLED


def test_a_verdict_over_silence_is_told_as_one(cli, tmp_path):
    path = tmp_path / "transcript.json"
    silent = ("--adversary", "silent-at-node", "--transcript", path, "--json")
    _, out, _ = cli("dispute", *TINY, *BOTH, *silent)
    code, out, _ = cli("replay", path, "--referee", json.loads(out)["referee"])
    assert code == 0 and "the asserter did not answer before its time was spent" in out
    assert out.count("\nproven: ") == 1 and "not proven: at which ticks messages came" in out


def test_a_transcript_that_was_edited_does_not_replay(cli, transcript, key):
    path, referee = transcript
    content = json.loads(path.read_text())
    last = content["entries"][-1]
    flipped = json.loads(json.dumps(last))
    flipped["record"]["content"]["verdict"]["winner"] = "asserter"
    genesis = json.loads(json.dumps(content["genesis"]))
    genesis["request"]["content"]["rules"]["delta"] = 1
    for changes, said in (
        ({"entries": [*content["entries"][:-1], flipped]}, "not signed"),
        ({"entries": content["entries"][:-1]}, "no verdict"),
        ({"entries": []}, "no verdict"),
        ({"genesis": genesis}, "another market's"),
        ({"genesis": None}, "another market's"),
        ({"market": "0" * 64}, "another market's"),
        ({"task": content["task"] | {"seed": "1"}}, "another computation"),
        ({"referee": public(key(1))}, "another referee"),
    ):
        path.write_text(json.dumps(content | changes))
        code, out, err = cli("replay", path, "--referee", referee)
        assert (code, err) == (1, "") and said in out and out.count("\n") == 1
        code, out, err = cli("replay", path, "--referee", referee, "--json")
        assert code == 1 and said in json.loads(out)["wrong"] and not json.loads(out)["follows"]


def test_whose_records_count_is_for_who_replays_to_say(cli, transcript, key):
    path, _ = transcript
    assert cli("replay", path)[0] == 2
    for text in ("", "x", "0" * 64, public(key(1)).upper()):
        code, out, err = cli("replay", path, "--referee", text)
        assert (code, out) == (2, "") and "a public key is expected" in err
    code, out, _ = cli("replay", path, "--referee", public(key(1)))
    assert code == 1 and "another referee" in out


def test_the_key_is_looked_at_before_the_model(cli, transcript, key, monkeypatch):
    path, referee = transcript
    monkeypatch.setattr(Models, "computation", lambda *arguments: pytest.fail("the model is loaded"))
    code, out, err = cli("replay", path, "--referee", public(key(1)))
    assert (code, err) == (1, "") and "another referee" in out
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"referee": public(key(1))}))
    assert cli("replay", path, "--referee", referee)[0] == 1


def test_a_dispute_leaves_a_ledger_that_anyone_checks(cli, tmp_path):
    files = ("--transcript", tmp_path / "t.json", "--ledger", tmp_path / "market.ledger")
    code, out, _ = cli("dispute", *TINY, *BOTH, "--adversary", "flipped-bit", *files)
    assert code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["market.ledger", "t.json"]
    commands = re.findall("python -m verification (.*)", out)
    assert [command.split()[0] for command in commands] == ["replay", "ledger"]
    for command, said in zip(commands, ("the verdict follows", "the ledger holds"), strict=True):
        code, out, _ = cli(*command.split())
        assert code == 0 and out.startswith(said)
    assert "1 begin" in out and "1 verdict" in out and "play" in out
    again = (*commands[0].split(), "--ledger")
    code, out, _ = cli(*again, tmp_path / "market.ledger")
    assert code == 0 and "proven: the ledger, if it holds itself" in out
    assert cli("dispute", *TINY, *BOTH, "--adversary", "flipped-bit", "--ledger", tmp_path / "other.ledger")[0] == 0
    code, out, _ = cli(*again, tmp_path / "other.ledger")
    assert code == 1 and out == "the verdict does not follow: the ledger holds no such dispute\n"
    code, out, err = cli(*again, tmp_path / "t.json")
    assert (code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("ledger", ["there.ledger", "nowhere/market.ledger", "same.json"])
def test_a_ledger_that_cannot_be_new_is_refused_before_anything_runs(cli, tmp_path, monkeypatch, ledger):
    for method in ("tokens", "computation"):
        monkeypatch.setattr(Models, method, lambda *arguments: pytest.fail("the model is loaded"))
    (tmp_path / "there.ledger").write_text("kept")
    files = ("--transcript", tmp_path / "same.json", "--ledger", tmp_path / ledger)
    code, out, err = cli("dispute", *TINY, *BOTH, "--adversary", "flipped-bit", *files)
    assert (code, out, err.count("\n")) == (2, "", 1) and ledger in err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]


def test_a_dispute_that_fails_leaves_no_ledger(cli, tmp_path, monkeypatch):
    def broken(*arguments):
        arguments[-1].write_bytes(b"half")
        raise InferenceError("broken")

    monkeypatch.setattr(dispute_command, "contest", broken)
    code, _, _ = cli("dispute", *TINY, *BOTH, "--adversary", "flipped-bit", "--ledger", tmp_path / "market.ledger")
    assert code == 2 and not list(tmp_path.iterdir())


def test_a_referee_replays_from_the_tiles_that_a_step_reads(cli, transcript, tmp_path, monkeypatch):
    path, referee = transcript
    store, other = tmp_path / "tiny.tiles", tmp_path / "other.tiles"
    code, out, _ = cli("tiles", "--model", "tiny", "--out", store, "--json")
    assert code == 0
    told = json.loads(out)
    model = Models().model("tiny")
    assert told["model"] == digest(manifest(model)) and told["constants"] == len(model.constants)
    assert told["bytes"] == sum(array.nbytes for array in model.constants.values())
    assert cli("tiles", "--model", "tiny", "--out", store)[0] == 2
    tile_store.write(other, cheaper(model, "fewer-layers"))

    with monkeypatch.context() as patched:
        patched.setattr(Models, "computation", lambda *arguments: pytest.fail("the model is loaded"))
        whole = cli("replay", path, "--referee", referee, "--json", "--tiles", store)
        assert whole[0] == 0 and json.loads(whole[1])["reason"] == "step-wrong"
        code, out, _ = cli("replay", path, "--referee", referee, "--tiles", other)
        assert code == 1 and "another computation" in out
        for folder in (tmp_path, tmp_path / "none", path):
            code, out, err = cli("replay", path, "--referee", referee, "--tiles", folder)
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert f"--tiles {folder}: a folder of a model's tiles is expected" in err
        (store / "tiles").write_bytes(bytes((store / "tiles").stat().st_size))
        code, out, err = cli("replay", path, "--referee", referee, "--tiles", store)
        assert (code, out) == (2, "") and "is not proven to be it" in err
    assert cli("replay", path, "--referee", referee, "--json") == whole


def test_without_a_command_its_help_is_shown(cli):
    code, out, err = cli()
    assert code == 2 and "model-check" in out + err and "error" not in err


def test_every_adversary_of_a_dispute_loses_for_the_reason_that_its_game_ends_with(cli):
    ends = {game.name: game.play() for game in all_games() if game.name in names()}
    assert list(ends) == names()
    for name in names():
        warm = ("--temperature", "0.8") if name == "wrong-seed" else ()
        code, out, err = cli("dispute", *TINY, *BOTH, *warm, "--adversary", name, "--json")
        assert code == 0, err
        result = json.loads(out)
        assert (result["winner"], result["reason"]) == ("challenger", ends[name].reason), name
        assert result["removed"] and result["task"] == "waits again, ranked higher by 1"


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
