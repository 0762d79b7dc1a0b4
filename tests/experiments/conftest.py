"""What tests of the experiments share: every claim's tiny run, made once."""

import fcntl
import os
import pickle
from functools import cache

import pytest

from auction.workers import WORKERS
from experiments import claims


@pytest.fixture(autouse=True, scope="session")
def _one_process():
    """Tests run side by side already, and what they replace is replaced in their own process alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WORKERS, "1")
        yield


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """Where claims' results at size tiny are kept, ``NAME.pickle``: one folder for all processes that run tests."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "tiny"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """The results of a claim at size tiny; a test that changes them changes a copy."""

    @cache
    def tiny(name):
        kept = tiny_folder / f"{name}.pickle"
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                kept.write_bytes(pickle.dumps(claims.load(name).run("tiny")))
        return pickle.loads(kept.read_bytes())

    return tiny
