"""Each phase calls ezkl on the files that those before it left; a proof that does not verify ends it."""

import sys
from types import SimpleNamespace

import pytest

from experiments.claims.zkml_is_impractical import prover

CALLS = {
    "circuit": ["write_model", "gen_settings", "calibrate_settings", "compile_circuit", "gen_witness"],
    "srs": ["gen_srs"],
    "setup": ["setup"],
    "prove": ["prove"],
    "verify": ["verify"],
}


@pytest.fixture
def called(monkeypatch, tmp_path):
    """What was called, with the names of files and numbers; ezkl itself is not needed."""
    calls, answers = [], {"verify": True}

    def stub(name):
        def note(*arguments):
            calls.append((name, *(str(given).removeprefix(f"{tmp_path}/") for given in arguments)))
            return answers.get(name)

        return note

    names = [name for phase in CALLS.values() for name in phase]
    monkeypatch.setitem(sys.modules, "ezkl", SimpleNamespace(**{name: stub(name) for name in names}))
    monkeypatch.setattr(prover, "write_model", stub("write_model"))
    (tmp_path / "settings.json").write_text('{"run_args": {"logrows": 17}}')
    return calls, answers


def test_every_phase_does_its_part(called, tmp_path):
    calls, _ = called
    assert tuple(CALLS) == prover.PHASES
    for phase, names in CALLS.items():
        prover.perform(phase, tmp_path, [16, 4])
        assert [name for name, *_ in calls] == names
        if phase == "srs":
            assert calls == [("gen_srs", "srs17", "17")]
        calls.clear()


def test_a_proof_that_does_not_verify_ends_it(called, tmp_path):
    _, answers = called
    answers["verify"] = False
    with pytest.raises(SystemExit, match="does not verify"):
        prover.perform("verify", tmp_path, [16, 4])
