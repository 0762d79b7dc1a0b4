"""The vectors again, read by the JavaScript of the same encodings, in every engine that is installed."""

import json

import engines
import pytest

from verification.encoding import _vectors


@pytest.mark.parametrize("engine", ["chromium", "node"])
def test_javascript_gives_what_python_gives(engine):
    if engine not in engines.installed():
        pytest.skip(f"{engine} is not installed")
    found = engines.check(engine, "tests/verification/encoding/vectors.js", json.dumps(_vectors.stored()))
    assert found["failures"] == [] and found["checked"] > 500
