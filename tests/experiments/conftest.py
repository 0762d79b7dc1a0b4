"""What tests of the experiments share: every claim's tiny run, made once."""

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
def tiny():
    """The results of a claim at size tiny; a test that changes them changes a copy."""
    return cache(lambda name: claims.load(name).run("tiny"))
