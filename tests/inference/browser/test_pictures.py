"""Pictures in real browsers: the digest of the numpy reference, and a file that `check` takes."""

from base64 import b64decode

import onnx
import pytest
from small_network import network

from inference.browser import headless, pictures
from inference.generate import digest_of
from inference.models.terrain import inputs, terrain
from inference.reference import Reference

SECONDS = 60  # for a browser to start and answer: a time-out, not a measure


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    net, output = network()
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    onnx.save(net.model(output), path)
    return path


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_a_browser_draws_the_reference_s_picture(browser, small, monkeypatch, cli, tmp_path):
    if browser not in headless.installed():
        pytest.skip(f"{browser} is not installed")
    monkeypatch.setattr(pictures, "MODEL", str(small))
    [drawn] = headless.results(browser, ["/picture?class=40&seed=7&run"], seconds=SECONDS)
    model = terrain(str(small), "exact")
    [expected] = Reference(model.model).run(model.graph, inputs("exact", 40, 7), [model.picture])
    assert "error" not in drawn and drawn["digest"] == digest_of(expected)
    saved = tmp_path / "p.png"
    saved.write_bytes(b64decode(drawn["png"]))
    assert cli("check", saved, "--model", small, "--backend", "numpy")[0] == 0
