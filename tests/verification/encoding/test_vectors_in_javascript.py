"""The vectors again, read by the JavaScript of the same encodings, in every engine that is installed."""

import engines
import pytest


@pytest.mark.parametrize("engine", ["chromium", "node"])
def test_javascript_gives_what_python_gives(engine):
    if engine not in engines.installed():
        pytest.skip(f"{engine} is not installed")
    found = engines.check(engine, "tests/verification/encoding/vectors.js", "verification/encoding/vectors.json")
    assert found["failures"] == [] and found["checked"] > 500
