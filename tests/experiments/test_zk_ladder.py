"""The ladder is read as stored; extrapolations find known exponents and cover; the criterion judges as it reads."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from experiments import statistics, zk_ladder
from experiments.claims import zkml_is_impractical as claim


def test_names_of_models_are_read_back():
    assert zk_ladder.named((16, 16, 4)) == "16-16-4"
    assert all(zk_ladder.parsed(zk_ladder.named(widths)) == widths for widths in zk_ladder.LADDER)
    assert zk_ladder.macs((16, 16, 4)) == 320


def test_the_stored_ladder_is_whole_and_says_where_it_is_from():
    stored = zk_ladder.stored()
    assert [zk_ladder.macs(zk_ladder.parsed(name)) for name in stored["widths"]] == stored["macs"].tolist()
    assert set(map(zk_ladder.parsed, stored["widths"])) <= set(zk_ladder.LADDER)
    assert stored[["date", "machine", "ezkl", "status"]].notna().all().all()
    proved = stored[stored["status"] == zk_ladder.PROVED]
    assert len(proved) >= 7 and proved.notna().all().all()
    assert (proved["prove_cpu"] > proved["verify_cpu"]).all() and (proved["pk_bytes"] > proved["vk_bytes"]).all()


@pytest.mark.parametrize("power", [1.0, 1.3])
def test_an_exact_power_law_is_drawn_out_exactly(power):
    size = np.array([1e4, 1e5, 3e5, 1e6])
    assert statistics.extrapolated(size, 2e-4 * size**power, 1e10) == pytest.approx([2e-4 * 1e10**power] * 3)
    assert statistics.extrapolated(size, 5 * size, 1e9, 1.0) == pytest.approx([5e9] * 3)


@pytest.mark.parametrize("known", [None, 1.1])
def test_prediction_intervals_cover_as_often_as_they_say(known):
    rng, size, at = np.random.default_rng(0), np.geomspace(1e4, 1e6, 6), 1e9
    hits = 0
    for _ in range(600):
        value = size**1.1 * np.exp(rng.normal(0, 0.1, size.size))
        _, low, high = statistics.extrapolated(size, value, at, known)
        hits += low <= at**1.1 * np.exp(rng.normal(0, 0.1)) <= high
    assert hits / 600 == pytest.approx(0.95, abs=0.03)


def test_merkle_roots_depend_on_every_leaf_and_on_their_order():
    leaves = [bytes([i]) for i in range(5)]
    roots = {zk_ladder.root(leaves), zk_ladder.root(leaves[::-1]), zk_ladder.root(leaves[:4])}
    assert len(roots) == 3
    one, two = (hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves[:2])
    assert zk_ladder.root(leaves[:2]) == hashlib.sha256(b"\1" + one + two).digest()


def test_optimistic_proofs_open_little():
    found = zk_ladder.optimistic((256, 256, 64), 1)
    assert found["rounds"] == 3 and found["opened_bytes"] == 4 * 256 + 4 * 64 + 64 * 3
    assert all(found[part] > 0 for part in ("infer_cpu", "commit_cpu", "dispute_cpu"))


@pytest.mark.parametrize(
    "cheaper, published, verdict", [(1, "", "upheld"), (1, "x", "qualified"), (1e-4, "", "refuted")]
)
def test_the_criterion_judges_as_it_reads(monkeypatch, cheaper, published, verdict):
    monkeypatch.setattr(claim, "PUBLISHED", published)
    results = claim.run("tiny")
    size = 2.0 ** results["proofs"]["logrows"]
    proofs = results["proofs"].assign(prove_cpu=1.5e-4 * size * cheaper, prove_memory=1e4 * size)
    assert claim.check(results | {"proofs": proofs}).verdict == verdict


def test_circuits_have_the_least_power_of_two_of_rows():
    assert [claim.rows_needed(macs) for macs in (320, 65536, 65538, 7e9)] == [2**15, 2**15, 2**16, 2**32]
    stored = zk_ladder.stored().query("status == 'proved'")
    assert all(2.0 ** stored["logrows"] >= stored["macs"].map(claim.rows_needed))


def test_where_ezkl_is_missing_the_full_report_says_so(monkeypatch):
    monkeypatch.setattr(zk_ladder, "installed", lambda: False)
    monkeypatch.setitem(claim.REPEATS, "full", 1)
    assert "not installed" in claim.check(claim.run("full")).explanation


@pytest.mark.slow
def test_a_small_model_is_proved_and_verified():
    pytest.importorskip("ezkl")
    row = pd.Series(zk_ladder.prove((16, 16, 4)))
    assert row["status"] == zk_ladder.PROVED
    assert row["proof_bytes"] < 10_000 and row["pk_bytes"] > 10**8
