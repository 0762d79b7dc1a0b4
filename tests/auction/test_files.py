"""Markets and outcomes on disk: round trips, one line for whatever else is there, nothing half-written."""

import json
import os
import pickle
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import files
from auction.market import FIELDS, READINGS, Market
from auction.solvers import solve

SUFFIXES = (".json", ".npz")


@pytest.fixture
def market(generate):
    return generate("uniform", 3, 4)


@pytest.fixture
def outcome(market):
    return solve(market, "greedy", seed=7, options={"norm": "root"})


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in FIELDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("markets")


@given(st.from_type(Market))
def test_markets_survive_the_round_trip(folder, market):
    read = []
    for suffix in SUFFIXES:
        path = folder / f"market{suffix}"
        files.write_market(path, market)
        read.append(files.read_market(path))
    assert all(same(market, back) for back in read)
    assert {back.digest for back in read} == {market.digest}
    assert sorted(path.suffix for path in folder.iterdir()) == sorted(SUFFIXES)


@pytest.mark.parametrize("seed", [3, np.int64(3), np.uint8(3)], ids=repr)
def test_seeds_of_numpy_are_seeds(tmp_path, market, seed):
    path = tmp_path / "outcome.json"
    files.write_outcome(path, solve(market, "greedy", seed=seed))
    assert files.read_outcome(path).seed == 3


def test_reals_and_large_integers_survive(tmp_path, market):
    awkward = replace(market, unit_work=[0.1 + 0.2, 5e-324], value=[2**53 + 1, 2**60 + 3, 1], alpha=10**13)
    for suffix in SUFFIXES:
        files.write_market(tmp_path / f"market{suffix}", awkward)
        assert same(files.read_market(tmp_path / f"market{suffix}"), awkward)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_truncated_anywhere(tmp_path, refusal, market, suffix):
    path = tmp_path / f"market{suffix}"
    files.write_market(path, market)
    whole = path.read_bytes().rstrip()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        assert refusal(files.read_market, path).startswith(f"{path}: not ")


@pytest.mark.parametrize("flip", [0xFF, 0x01])
def test_damaged_npz(tmp_path, market, flip):
    """Whatever byte is spoilt: refused, or a byte that says nothing of the market."""
    path = tmp_path / "market.npz"
    files.write_market(path, market)
    content = path.read_bytes()
    for place in range(0, len(content), 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
        with suppress(files.InputError):
            assert files.read_market(path).digest == market.digest


@pytest.mark.parametrize("text", ["", "null", "[]", "3", '"text"', "{", "[" * 100_000, '{"a": 1}{', "\xff\xfe", "{}"])
def test_foreign_json(tmp_path, refusal, text):
    path = tmp_path / "market.json"
    path.write_bytes(text.encode("latin-1"))
    for read in (files.read_market, files.read_outcome):
        assert refusal(read, path).startswith(f"{path}: ")


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY\x01\x00", pickle.dumps([1]), b"text"], ids=repr)
def test_foreign_npz(tmp_path, refusal, content):
    path = tmp_path / "market.npz"
    path.write_bytes(content)
    assert refusal(files.read_market, path).startswith(f"{path}: not a readable npz file (")


def test_pickled_objects_are_not_read(tmp_path, refusal, market):
    path = tmp_path / "market.npz"
    arrays = {name: getattr(market, name) for name in FIELDS}
    np.savez(path, **arrays | {"value": np.array([1, "a", None], dtype=object)})
    assert "value.npy holds object; numbers are needed" in refusal(files.read_market, path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_unknown_and_bad_fields(tmp_path, refusal, market, suffix):
    path, known = tmp_path / f"market{suffix}", ", ".join(FIELDS) + ", and perhaps arrival, names"

    def refused(**arrays):
        if suffix == ".npz":
            np.savez(path, **arrays)
        else:
            path.write_text(json.dumps(arrays, default=np.ndarray.tolist))
        return refusal(files.read_market, path)

    arrays = {name: getattr(market, name) for name in FIELDS}
    for name in FIELDS:
        rest = {other: array for other, array in arrays.items() if other != name}
        assert refused(**rest) == f"{path}: lacks {name!r}; a market has {known}"
    assert refused(**arrays, colour=1) == f"{path}: has an unknown field 'colour'; a market has {known}"
    assert refused(**arrays | {"alpha": 1}).startswith(f"{path}: alpha: 1 is not allowed; an integer from 2")
    assert refused(**arrays | {"cost": np.array([1, -1, 1, 1])}).startswith(f"{path}: cost[1]: -1 is not allowed")


@pytest.mark.parametrize("name", ["market", "market.csv", "market.JSON", ".json"])
def test_names_that_say_no_format(tmp_path, refusal, market, name):
    line = f"{tmp_path / name}: a market file ends in .json or .npz"
    assert refusal(files.write_market, tmp_path / name, market) == line
    tables = "; tables of tasks and providers become one by `import`" if name.endswith(".csv") else ""
    assert refusal(files.read_market, tmp_path / name) == f"{line}, bids of CATS in .txt{tables}"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_places_that_hold_no_file(tmp_path, refusal, market, suffix):
    folder, nowhere = tmp_path / f"folder{suffix}", tmp_path / "none" / f"market{suffix}"
    folder.mkdir()
    for path in (folder, nowhere):
        for call in ((files.read_market, path), (files.write_market, path, market), (files.ensure_writable, path)):
            assert refusal(*call).startswith(f"{path}: ")
    assert list(tmp_path.iterdir()) == [folder]
    files.ensure_writable(tmp_path / "new.json")


def test_places_that_may_not_be_written(tmp_path, refusal, market, monkeypatch):
    path = tmp_path / "market.json"
    with monkeypatch.context() as patched:  # permissions do not bind root: the answer is patched
        patched.setattr(os, "access", lambda *_: False)
        assert refusal(files.ensure_writable, path) == f"{path}: cannot be written (permission denied)"
        assert refusal(files.write_market, path, market) == f"{path}: cannot be written (permission denied)"
    # Nobody, root included, writes a name that is too long, or below a file.
    for length in (250, 300):  # too long for the temporary file beside it, and for itself
        long = tmp_path / f"{'x' * length}.json"
        assert refusal(files.write_market, long, market).startswith(f"{long}: cannot be written (")
    path.write_text("")
    below = path / "market.json"
    assert refusal(files.write_market, below, market) == f"{below}: its directory does not exist"
    assert [entry.name for entry in tmp_path.iterdir()] == ["market.json"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, OSError("disk full")])
@pytest.mark.parametrize("before", [None, "old"])
def test_interrupted_writing_leaves_what_was_there(tmp_path, error, before):
    path = tmp_path / "market.json"
    if before:
        path.write_text(before)
    raised = files.InputError if isinstance(error, OSError) else error

    def write():
        with files.replacing(path) as temporary:
            temporary.write_text("half of")
            raise error

    with pytest.raises(raised):
        write()
    assert [p.name for p in tmp_path.iterdir()] == (["market.json"] if before else [])
    assert not before or path.read_text() == before


def test_files_and_links_of_others_are_left_alone(tmp_path, market):
    path, mine, victim = tmp_path / "market.json", tmp_path / "market.json.tmp", tmp_path / "victim"
    for kept in (mine, victim):
        kept.write_text("mine")
    hidden = tmp_path / f".market.json.{os.getpid()}.tmp"
    hidden.symlink_to(victim)
    files.write_market(path, market)
    assert mine.read_text() == victim.read_text() == "mine" and hidden.is_symlink()
    assert not path.is_symlink() and files.read_market(path).digest == market.digest


def test_a_planted_link_is_not_followed(tmp_path, market, refusal, monkeypatch):
    """Not even one that guesses the name."""
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "0" * 2 * size)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".market.json.{'0' * 16}.tmp").symlink_to(victim)
    assert "cannot be written (File exists)" in refusal(files.write_market, tmp_path / "market.json", market)
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("suffix, limit", [(".json", "LARGEST_TEXT"), (".npz", "LARGEST_ARRAYS")])
def test_what_could_not_be_read_again_is_not_written(tmp_path, market, refusal, monkeypatch, suffix, limit):
    monkeypatch.setattr(files, limit, 100)
    path = tmp_path / f"market{suffix}"
    assert refusal(files.write_market, path, market).startswith(f"{path}: would have ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("gap, taken", [(0, True), (0.0, True), (False, False), (None, False)])
def test_a_gap_of_zero_is_a_number(tmp_path, market, refusal, gap, taken):
    path = tmp_path / "outcome.json"
    files.write_outcome(path, solve(market, "column_generation"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"gap": gap}))
    if taken:
        assert files.read_outcome(path).gap == 0
    else:
        assert "gap: " in refusal(files.read_outcome, path)


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o077, 0o600)])
def test_permissions_are_those_of_any_new_file(tmp_path, market, umask, mode):
    before = os.umask(umask)
    try:
        files.write_market(tmp_path / "market.json", market)
    finally:
        os.umask(before)
    assert (tmp_path / "market.json").stat().st_mode & 0o777 == mode


def test_devices_are_written_to_not_replaced(market):
    with files.replacing(Path(os.devnull)) as path:
        assert path == Path(os.devnull)
    assert not Path(os.devnull).is_file()


@given(st.from_type(Market), st.sampled_from(READINGS), st.booleans())
def test_outcomes_survive_the_round_trip(folder, market, reading, bounded):
    solver, options = ("lp_bound", {}) if bounded else ("bid_density", {"backfill": "true", "task_order": "ratio"})
    outcome = solve(market, solver, reading=reading, seed=3, options=options)
    path = folder / "outcome.json"
    files.write_outcome(path, outcome)
    back = files.read_outcome(path)
    path.unlink()
    for name in (
        "solver",
        "reading",
        "welfare",
        "bound",
        "gap",
        "proven_optimal",
        "status",
        "seconds",
        "seed",
        "history",
    ):
        assert getattr(back, name) == getattr(outcome, name)
    assert (back.options, back.market_digest) == (outcome.options, market.digest)
    assert back.allocation.task.tolist() == outcome.allocation.task.tolist()
    assert back.allocation.provider.tolist() == outcome.allocation.provider.tolist()


@pytest.mark.parametrize(
    "name, wrong",
    [
        *[(name, wrong) for name in ("task", "provider") for wrong in ([1.5], [-1], ["a"], None, 3, [[1]], [1] * 99)],
        *[(name, wrong) for name in ("welfare", "bound", "seed") for wrong in (1.5, "1", True, [1])],
        *[(name, wrong) for name in ("seconds", "solver", "status", "market_digest") for wrong in (None, [1], True)],
        *[("reading", wrong) for wrong in ("half", None, ["bundle"], {"bundle": 1}, 1)],
        *[("options", wrong) for wrong in (None, [], "x")],
        *[("proven_optimal", wrong) for wrong in (None, 1, "true")],
        *[
            ("history", wrong)
            for wrong in (3, [3], [[1.0, 2]], [[-1, 2, 3]], [[1.0, 2.5, 3]], [["1", 2, 3]], [[1, 2, 2**63]])
        ],
        *[("seed", -1), ("welfare", None), ("seconds", -1), ("seconds", 10**400), ("gap", [])],
        *[(name, "x" * 2000) for name in ("solver", "status", "market_digest", "proof")],
        *[(name, [2**63]) for name in ("task", "provider")],
    ],
    ids=str,
)
def test_malformed_outcomes(tmp_path, refusal, outcome, name, wrong):
    path = tmp_path / "outcome.json"
    files.write_outcome(path, outcome)
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | {name: wrong}))
    line = refusal(files.read_outcome, path)
    assert line.startswith(f"{path}: ") and len(line) < len(str(path)) + 300
    if name in ("gap", "proof", "history"):
        return
    del fields[name]
    path.write_text(json.dumps(fields))
    assert refusal(files.read_outcome, path).startswith(f"{path}: lacks {name!r}; an outcome has task, provider")


def test_an_outcome_of_before_there_was_a_history_is_read(tmp_path, outcome):
    path = tmp_path / "outcome.json"
    files.write_outcome(path, outcome)
    fields = json.loads(path.read_text())
    assert len(fields["history"]) == len(outcome.history) > 0
    del fields["history"]
    path.write_text(json.dumps(fields))
    assert files.read_outcome(path).history == ()
