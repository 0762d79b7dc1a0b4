"""The page: what it may fetch, and a run in headless Chromium with the reference's digest."""

import json
import queue
import shutil
import subprocess
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from inference.browser import background, server, site
from inference.generate import generate
from inference.reference import Reference
from inference.tokenizer import Text

PROMPT, LIMIT = "The capital of France is", 8
FLAGS = (
    "--headless=new", "--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader",
    "--disable-background-networking", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


@pytest.fixture
def served(tiny_model):
    """The tiny model's page: its address, and what pages post."""
    posted: queue.Queue = queue.Queue()
    running = server(site(tiny_model("exact"), Text({}, 256)), 0, posted.put)
    thread = background(running)
    yield f"http://127.0.0.1:{running.server_address[1]}", posted
    running.shutdown()
    thread.join()
    running.server_close()


def fetch(address, **keywords):
    with urlopen(Request(address, **keywords)) as answer:
        return answer.read()


def test_the_page_fetches_what_the_package_has(served):
    address, _ = served
    assert b"<title>" in fetch(f"{address}/")
    about = json.loads(fetch(f"{address}/model.json"))
    for step in about["program"]["steps"]:
        assert b"fn " in fetch(f"{address}/kernels/exact/{step['kernel']}")
    assert len(fetch(f"{address}/weights/0")) % 4 == 0
    assert json.loads(fetch(f"{address}/encode?text=Hi")) == [72, 105]
    assert json.loads(fetch(f"{address}/decode?ids=72,105")) == "Hi"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/weights/9999",
        "/weights/x",
        "/kernels/exact/../__init__.py",
        "/kernels/none/rope.wgsl",
        "/../cli.py",
    ],
)
def test_nothing_else_can_be_fetched(served, path):
    with pytest.raises(HTTPError) as caught:
        fetch(served[0] + path)
    assert caught.value.code == 404
    caught.value.close()


def test_a_prompt_beyond_the_page_is_told(served):
    with pytest.raises(HTTPError) as caught:
        fetch(f"{served[0]}/encode?text={'a' * 600}")
    assert b"exceed the context" in caught.value.read()
    caught.value.close()


def test_a_port_that_is_taken_is_told(served, tiny_model, refusal):
    port = int(served[0].rpartition(":")[2])
    assert "cannot be had" in refusal(server, site(tiny_model("exact"), Text({}, 256)), port, print)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_chromium_gives_the_reference_s_digest(served, tiny_model, tmp_path):
    address, posted = served
    arguments = ["chromium", *FLAGS, f"--user-data-dir={tmp_path}", f"{address}/?run=1"]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            result = posted.get(timeout=90)
        finally:
            browser.terminate()
    assert "error" not in result
    expected = generate(Reference(tiny_model("exact")), list(PROMPT.encode()), limit=LIMIT)
    assert (result["tokens"], result["digest"]) == (expected.tokens, expected.digest)
