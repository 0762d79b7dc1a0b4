"""The exported programs in real browsers: the digest of the numpy reference, and refusals of the server in one line."""

import json
import re
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from queue import Queue
from urllib.parse import urlencode

import numpy as np
import pytest

from inference import conformance, models
from inference.browser import headless
from inference.browser.page import conformance_page
from inference.browser.server import HOST, serving
from inference.device import export
from inference.device.program import program
from inference.generate import generate
from inference.kernels import alone
from inference.models.llama import graph
from inference.reference import Reference

PROMPT, LIMIT = "The capital of France is", 8
SECONDS = 60  # for a browser to start and answer: a time-out, not a measure


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request):
    if request.param not in headless.installed():
        pytest.skip(f"{request.param} is not installed")
    return request.param


def test_a_browser_has_the_digest_of_the_reference(browser, tiny_model):
    query = urlencode({"model": "tiny", "prompt": PROMPT, "limit": LIMIT, "run": ""})
    [found] = headless.results(browser, [f"/?{query}"], seconds=SECONDS)
    expected = generate(Reference(tiny_model("exact")), list(PROMPT.encode()), limit=LIMIT)
    assert "error" not in found
    assert found["tokens"] == expected.tokens and found["digest"] == expected.digest
    assert found["prefill"] > 0 and found["decode"] > 0


def test_a_browser_conforms(browser, tiny_model):
    row = headless.conformance(browser, seconds=SECONDS)
    expected = generate(Reference(tiny_model("exact")), conformance.PROMPT, limit=conformance.LIMIT)
    assert row.failures == [] and row.digest == expected.digest


def test_the_page_is_one_file_with_the_kernels_unchanged(tiny_model):
    page = conformance_page(tiny_model("exact"))
    assert "{{" not in page.partition("<script")[0] and not re.search(r'(src|href)="(?!data:)', page)
    bundle = json.loads(re.search(r'id="bundle">(.*?)</script>', page, re.DOTALL)[1])
    assert {"conformance.wgsl", "exact/attention.wgsl", "exact/matmul_q4__subgroup.wgsl"} <= bundle["kernels"].keys()
    for path, text in bundle["kernels"].items():
        assert text == alone(path.removesuffix(".wgsl"))
    assert [wanted for _, wanted in bundle["cases"]] == [wanted for _, wanted in conformance.CASES]


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
@pytest.mark.parametrize("tokens", [1, 9])
def test_a_program_binds_every_variable_of_its_kernels(tiny_model, arithmetic, tokens):
    model = tiny_model(arithmetic)
    built = graph(model, tokens, capacity=16, first=tokens - 1)
    made = program(built, keep=frozenset(export.OUTPUTS), lanes=64, subgroups=True)
    weights = export.weights(model)
    for each, described in zip(made.steps, export.as_json(built, made, 64)["dispatches"], strict=True):
        code = "".join(alone(path.removesuffix(".wgsl")) for path in described["kernel"])
        variables = dict(re.findall(r"@binding\((\d+)\) var<[\w, ]+> (\w+)", code))
        absent = {variables[number] for number in variables.keys() - {str(n) for n in described["bindings"]}}
        fused = {"residual", "curve", "table", "places", "state"} if each.op.startswith("matmul") else set()
        assert absent <= {"params"} | fused
        assert all(name in made.sizes or name in weights for name in described["bindings"].values())
        assert f"fn {each.entry}(" in code and len(each.parameters) % 16 == 0


def test_a_kept_output_is_overwritten_by_nobody(tiny_model):
    built = graph(tiny_model("exact"), 9, capacity=16)
    made = program(built, keep=frozenset(["layer00.query"]), lanes=64, subgroups=False)
    kept = made.outputs["layer00.query"]
    writers = [name for name, buffer in made.outputs.items() if buffer == kept]
    assert writers[-1] == "layer00.query"
    assert made.sizes[kept] >= 4 * np.prod(built.nodes["layer00.query"]["shape"])


@pytest.fixture(scope="module")
def ask():
    """Method, path and body to status and answer."""
    found = Queue()
    with serving(0, found.put) as server:

        def ask(method, path, body=None, **headers):
            connection = HTTPConnection(HOST, server.port, timeout=SECONDS)
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = response.status, response.read()
            connection.close()
            return answer

        ask.found = found
        yield ask


def test_pages_kernels_and_weights_are_served_as_they_are(ask, tiny_model):
    for path in ("/", "/engine.js", "/run.js", "/style.css", "/conformance"):
        assert ask("GET", path)[0] == 200
    assert ask("GET", "/kernels/exact/attention.wgsl") == (200, alone("exact/attention").encode())
    name, pack = export.weights(tiny_model("exact"))["weight embedding.q pack_q8"]
    words = pack(tiny_model("exact").constants[name]).tobytes()
    assert ask("GET", "/weights/tiny/exact/weight%20embedding.q%20pack_q8") == (200, words)


def test_a_model_s_file_is_served_beside_the_named_ones(smollm2):
    path = models.smollm2()
    with serving(0, print, str(path)) as server:
        assert list(server.models.sources) == ["tiny", "smollm2", path.name]
        assert server.models.llama(path.name).vocabulary == smollm2.vocabulary


def test_results_are_handed_on(ask):
    assert ask("POST", "/results", '{"digest": "ab"}')[0] == 200
    assert ask.found.get(timeout=SECONDS) == {"digest": "ab"}


ASKED = {"model": "tiny", "arithmetic": "exact", "prompt": "a", "limit": 4, "lanes": 64, "subgroups": False}


@pytest.mark.parametrize(
    "status, method, path, body, said",
    [
        (404, "GET", "/server.py", None, "there is no /server.py"),
        (404, "GET", "/../server.py", None, "there is no"),
        (404, "GET", "/kernels/../errors.py", None, "there is no"),
        (404, "GET", "/kernels/%2e%2e/errors.py", None, "there is no"),
        (404, "GET", "/weights/tiny/exact/nothing:q8", None, "there is no"),
        (400, "GET", "/weights/gpt/exact/norm.gain:plain", None, "there is no model 'gpt'"),
        (405, "POST", "/", "{}", "POST / is not allowed"),
        (400, "POST", "/run", "[]", "a request is a JSON object"),
        (400, "POST", "/run", "{", "a request is a JSON object"),
        (400, "POST", "/run", "[" * 100_000, "a request is a JSON object"),
        (400, "POST", "/run", json.dumps(ASKED | {"model": "/etc/passwd"}), "there is no model '/etc/passwd'"),
        (400, "POST", "/run", json.dumps(ASKED | {"model": ["tiny"]}), "there is no model ['tiny']"),
        (400, "POST", "/run", json.dumps(ASKED | {"limit": "4"}), "limit is a whole number, not '4'"),
        (400, "POST", "/run", json.dumps(ASKED | {"limit": 0}), "0 tokens are not allowed"),
        (400, "POST", "/run", json.dumps(ASKED | {"lanes": 0}), "0 lanes are not allowed"),
        (400, "POST", "/run", json.dumps(ASKED | {"prompt": ""}), "the prompt is empty"),
        (400, "POST", "/run", json.dumps(ASKED | {"prompt": "a" * 600}), "exceed the context of tiny: 512"),
        (400, "POST", "/text", '{"model": "tiny", "tokens": [256]}', "ids below 256"),
        (400, "POST", "/text", '{"model": "tiny", "tokens": 1}', "ids below 256"),
    ],
)
def test_what_is_not_served_is_refused_in_one_line(ask, status, method, path, body, said):
    found, answer = ask(method, path, body)
    message = json.loads(answer)["error"]
    assert found == status and said in message and "\n" not in message


@pytest.mark.parametrize("headers", [{"Host": "example.org"}, {"Origin": "https://example.org"}, {"Origin": "null"}])
def test_other_sites_get_nothing(ask, headers):
    assert ask("POST", "/results", "{}", **headers)[0] == 403
    assert ask.found.empty()


def test_a_long_request_is_not_read(ask):
    status, answer = ask("POST", "/run", None, **{"Content-Length": str(1 << 40)})
    assert status == 413 and "has up to 1048576 bytes" in json.loads(answer)["error"]


def test_a_port_that_is_taken_or_none_is_one_line_and_exit_code_2(cli):
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = cli("serve", "--port", port)
        assert code == 2 and err.count("\n") == 1 and f"port {port} of {HOST} cannot be used" in err
    code, _, err = cli("serve", "--port", 65536)
    assert code == 2 and err == "error: port 65536 is not allowed; 0 (a free one) to 65535\n"


def test_ctrl_c_ends_the_server():
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # background jobs ignore it
    serve = "import sys; from inference.commands.cli import app, run; sys.argv[1:] = ['serve', '--port', '0']; run(app)"
    with subprocess.Popen([sys.executable, "-c", f"{heeded}; {serve}"], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr.readline().startswith(f"http://{HOST}:")
        server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=SECONDS)[1] == ""
    assert server.returncode == 0


def test_the_page_is_written_to_a_file(cli, tmp_path):
    assert cli("conformance", "--page", tmp_path / "page.html")[0] == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    code, _, err = cli("conformance", "--page", tmp_path / "nowhere" / "page.html")
    assert code == 2 and "cannot be written" in err
