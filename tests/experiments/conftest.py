"""What tests of the experiments share: every claim's tiny run, made once."""

from functools import cache

import pytest

from experiments import claims


@pytest.fixture(scope="session")
def tiny():
    """The results of a claim at size tiny; a test that changes them changes a copy."""
    return cache(lambda name: claims.load(name).run("tiny"))
