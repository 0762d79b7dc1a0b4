"""The criterion judges both extrapolations from circuits above the floor, and what is published."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import zkml_is_impractical as claim
from experiments.claims.zkml_is_impractical import DAY, FLOOR, TERABYTE, ladder

ROWS = 2.0**32  # of the least circuit for a token of a 7B model


def results(seconds=2 * DAY, memory=2 * TERABYTE, noise=0.0, small=1.0):
    """Proofs whose cost is in proportion to their circuit's rows and comes to that at ``ROWS``."""
    logrows = np.array([FLOOR, FLOOR, 16, 16, 17, 17, 18])
    size = 2.0**logrows / ROWS * np.where(logrows == FLOOR, small, np.exp(noise * np.resize([1, -1], 7)))
    proofs = pd.DataFrame(
        {
            "widths": [f"{n}-{n}" for n in range(7)],
            "macs": 2**logrows,
            "logrows": logrows,
            "status": ladder.PROVED,
            "prove_cpu": seconds * size,
            "prove_memory": memory * size,
            "circuit_memory": 6e7 + 350.0 * 2.0**logrows,
            "ezkl": "1",
            "date": "today",
            "source": "made up",
        }
    )
    proofs.loc[7] = {"widths": "7-7", "status": "prove: beyond the limits", "logrows": 19, "prove_cpu": 1e-9}
    optimistic = pd.DataFrame({"widths": proofs["widths"], "infer_cpu": 2e-6, "commit_cpu": 1e-6, "dispute_cpu": 8e-6})
    return {"proofs": proofs, "optimistic": optimistic}


@pytest.mark.parametrize("small", [1e-6, 1e6])
@pytest.mark.parametrize(
    "how, published, verdict",
    [
        ({}, "", "upheld"),
        ({}, "x", "qualified"),
        ({"seconds": 1.001 * DAY, "memory": 1.001 * TERABYTE}, "", "upheld"),
        ({"seconds": 0.999 * DAY}, "", "refuted"),
        ({"memory": 0.999 * TERABYTE}, "", "refuted"),
        ({"memory": 0.999 * TERABYTE}, "x", "refuted"),
        ({"noise": 1.0}, "", "refuted"),  # intervals begin below
    ],
)
def test_the_criterion_judges_as_it_reads(monkeypatch, how, published, verdict, small):
    monkeypatch.setattr(claim, "PUBLISHED", published)
    assert claim.check(results(**how, small=small)).verdict == verdict


def test_the_figure_is_both_extrapolations():
    verdict = claim.check(results(3 * DAY, 5 * TERABYTE))
    assert verdict.figure == "a token of a 7B model: 3 CPU days (3 to 3) and 5 TB (5 to 5)"
    seconds = 3 * DAY * 2.0**18 / ROWS
    assert f"6-6 takes {seconds:.0f} CPU seconds. " in verdict.explanation
    assert "16 times the 2^28 rows" in verdict.explanation
    assert "takes 1 µs and a dispute 8 µs, on the same machine and day" in verdict.explanation


def test_what_is_in_proportion_to_a_circuit_is_extrapolated_in_proportion():
    made, logrows = results(), results()["proofs"]["logrows"]
    columns = [*claim.SECONDS, "srs_cpu", "setup_memory", "prove_memory", "pk_bytes", "vk_bytes", "proof_bytes"]
    whole = {column: 1e12 * (place + 1) for place, column in enumerate(columns)}  # at ROWS
    made["proofs"] = made["proofs"].assign(
        machine="one", **{name: cost * 2.0**logrows / ROWS for name, cost in whole.items()}
    )
    made["optimistic"]["opened_bytes"] = 2000
    *_, table = claim.tables(made).values()
    names = [name for name in claim.SECONDS | claim.BYTES if name in whole and name != "proof_bytes"]
    expected = np.repeat([whole[name] / (1 if name.endswith("cpu") else 1e9) for name in names], 3)
    assert list(table["predicted"]) == pytest.approx(
        expected * np.tile([1, claim.LARGE / ROWS, claim.LARGE / ROWS], len(names))
    )
    assert {exponent[:4] for exponent in table["exponent"]} == {"1.00", "1"}


def test_circuits_have_the_least_power_of_two_of_rows():
    assert [claim.rows_needed(macs) for macs in (320, 65536, 65538, 7e9)] == [2**15, 2**15, 2**16, 2**32]
    stored = ladder.stored().query("status == 'proved'")
    assert all(2.0 ** stored["logrows"] >= stored["macs"].map(claim.rows_needed))


def test_both_proofs_are_of_one_measurement(monkeypatch):
    whole = claim.run("small")
    assert set(whole["proofs"]["source"]) == {"stored"}
    assert whole["proofs"]["widths"].equals(whole["optimistic"]["widths"])
    monkeypatch.setattr(ladder, "installed", lambda: True)
    monkeypatch.setattr(ladder, "measured", lambda repeats: ladder.stored().assign(infer_cpu=float(repeats)))
    anew = claim.run("full")
    assert set(anew["proofs"]["source"]) == {"measured in this run"}
    assert set(anew["optimistic"]["infer_cpu"]) == {claim.REPEATS}


def test_where_ezkl_is_missing_the_full_report_says_so(monkeypatch):
    monkeypatch.setattr(ladder, "installed", lambda: False)
    assert "not installed" in claim.check(claim.run("full")).explanation
