"""``dispute`` and ``replay``: what is told, kept in a transcript, a ledger, tiles; and derived again."""

import json
import re

import pytest

from inference.errors import InputError as InferenceError
from verification import tile_store
from verification.adversaries.listing import names
from verification.adversaries.registry import all_games
from verification.commands import dispute as dispute_command
from verification.encoding.canonical import digest
from verification.encoding.signature import public
from verification.inference_models import Models, cheaper
from verification.manifest import manifest

TINY = ("--model", "tiny", "--prompt", "Hello", "--max-tokens", "3")
NUMPY = ("--backend", "numpy")
BOTH = (*NUMPY, "--challenger", "numpy")
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


def test_a_transcript_that_cannot_be_written_is_refused_before_anything_runs(cli, tmp_path, monkeypatch):
    for method in ("tokens", "computation"):
        monkeypatch.setattr(Models, method, lambda *arguments: pytest.fail("the model is loaded"))
    path = tmp_path / "nowhere" / "transcript.json"
    code, out, err = cli("dispute", *TINY, *BOTH, "--adversary", "flipped-bit", "--transcript", path)
    assert (code, out, err.count("\n")) == (2, "", 1) and str(path) in err


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
