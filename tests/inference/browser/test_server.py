"""The server of the pages: what it serves, what it refuses in one line, and that whoever is refused is disconnected."""

import json
import logging
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from logging.handlers import QueueHandler
from queue import Queue

import pytest

from inference import models
from inference.browser import server
from inference.browser.server import HOST, hosts, serving
from inference.device import export, tuning
from inference.device.target import DOT4, Target
from inference.kernels import alone, kernel_files
from inference.ops import load

SECONDS = 60  # a time-out, not a measure


@pytest.fixture(scope="module")
def ask():
    """Method, path and body to status and answer."""
    found = Queue()
    with serving(0, found.put) as served:

        def ask(method, path, body=None, **headers):
            connection = HTTPConnection(HOST, served.port, timeout=SECONDS)
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = response.status, response.read()
            connection.close()
            ask.headers = response.headers
            return answer

        ask.found, ask.port = found, served.port
        yield ask


def test_pages_kernels_and_weights_are_served_as_they_are(ask, tiny_model, monkeypatch):
    for path in ("/", "/engine.js", "/run.js", "/tune.js", "/style.css", "/conformance"):
        assert ask("GET", path)[0] == 200
    assert ask("GET", "/kernels/exact/attention.wgsl") == (200, alone("exact/attention").encode())
    name, pack = export.weights(tiny_model("exact"))["weight embedding.q pack_q8"]
    words = pack(tiny_model("exact").constants[name]).tobytes()
    assert ask("GET", "/weights/tiny/exact/weight%20embedding.q%20pack_q8") == (200, words)
    monkeypatch.setattr(server, "CHUNK", 1000)
    assert ask("GET", "/weights/tiny/exact/weight%20embedding.q%20pack_q8") == (200, words)
    assert ask("HEAD", "/engine.js") == (200, b"")


def test_a_model_s_file_is_served_beside_the_named_ones(smollm2):
    path = models.smollm2()
    with serving(0, print, str(path)) as served:
        assert list(served.models.sources) == ["tiny", "smollm2", path.name]
        assert served.models.llama(path.name).vocabulary == smollm2.vocabulary


def test_a_weight_is_packed_once_for_all_that_read_it_and_then_forgotten():
    with serving(0, print) as served:
        first, second = (served.models.words("tiny", "exact", "weight embedding.q pack_q8") for _ in range(2))
        assert first.obj is second.obj and len(served.models.packed) == 1
        del first, second
        assert not served.models.packed


def test_a_page_gets_every_variant_to_measure_and_runs_the_one_it_chose(ask, tiny_model):
    device = {"lanes": 64, "subgroups": False, "features": [DOT4]}
    listed = json.loads(ask("POST", "/tune", json.dumps(device))[1])["cases"]
    index = [each["of"] for each in listed].index("matmul_q4 exact 1")
    found = json.loads(ask("POST", "/tune", json.dumps({**device, "index": index}))[1])
    words = tiny_model("exact").constants["layer00.down.q"].size
    assert found["case"] == tuning.case("matmul_q4", "exact", 1, words) and found["inputs"].keys() == {"input a"}
    target = Target(64, False, frozenset([DOT4]))
    assert [*found["variants"]] == load("matmul_q4").variants((1, 64), arithmetic="exact", target=target, bits=12)
    for variant, program in found["variants"].items():
        assert program["dispatches"][0][-1]["kernel"] == kernel_files("exact", "matmul_q4", variant)
        assert program["weights"] and {*program["weights"]} <= found["weights"].keys()
        body = json.dumps({**ASKED, **device, "choices": {found["case"]: variant, "no such case": "wide"}})
        run = json.loads(ask("POST", "/run", body)[1])
        taken = [each[-1]["kernel"] for each in run["programs"][-1]["dispatches"] if each[-1]["node"] == "layer00.down"]
        assert taken == [kernel_files("exact", "matmul_q4", variant)]


def test_results_are_handed_on(ask):
    assert ask("POST", "/results", '{"digest": "ab"}')[0] == 200
    assert ask.found.get(timeout=SECONDS) == {"digest": "ab"}


ASKED = {"model": "tiny", "arithmetic": "exact", "prompt": "a", "limit": 4, "lanes": 64, "subgroups": False}
FLOATS = ASKED | {"arithmetic": "float32", "temperature": 1}


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
        (400, "POST", "/run", json.dumps(ASKED | {"prompt": ["a"]}), "the prompt is a text, not ['a']"),
        (400, "POST", "/run", json.dumps(ASKED | {"temperature": "1"}), "temperature '1' or seed 0 is not allowed"),
        (400, "POST", "/run", json.dumps(ASKED | {"temperature": -1}), "temperature -1.0 is not allowed"),
        (400, "POST", "/run", json.dumps(ASKED | {"seed": 1.5}), "seed 1.5 is not allowed"),
        (400, "POST", "/run", json.dumps(ASKED | {"messages": []}), "messages are a list"),
        (400, "POST", "/run", json.dumps(ASKED | {"messages": [{"role": "user"}]}), "a message is {role, content}"),
        (400, "POST", "/run", json.dumps(ASKED | {"messages": [{"role": "me", "content": ""}]}), "a message's role is"),
        (400, "POST", "/run", json.dumps(ASKED | {"prompt": "\ud800"}), "the prompt is not UTF-8"),
        (400, "POST", "/run", json.dumps(ASKED | {"prompt": ""}), "the prompt is empty"),
        (400, "POST", "/run", json.dumps(ASKED | {"prompt": "a" * 600}), "exceed the context of tiny: 512"),
        (400, "POST", "/text", '{"model": "tiny", "tokens": [256]}', "ids below 256"),
        (400, "POST", "/text", '{"model": "tiny", "tokens": 1}', "ids below 256"),
        (400, "POST", "/run", json.dumps(ASKED | {"choices": {"a": 1}}), "choices are variants by case"),
        (400, "POST", "/run", json.dumps(ASKED | {"temperature": 1, "top_k": 0}), "--top-k 0 is not allowed"),
        (400, "POST", "/run", json.dumps(ASKED | {"temperature": 1, "top_p": "1"}), "top_p '1' is not allowed"),
        (400, "POST", "/run", json.dumps(FLOATS | {"top_k": 5}), "in exact arithmetic alone"),
        (400, "POST", "/tune", '{"index": 0}', "lanes is a whole number"),
        (400, "POST", "/tune", '{"index": -1, "lanes": 64}', "there is no case -1; 0 to"),
    ],
)
def test_what_is_not_served_is_refused_in_one_line(ask, status, method, path, body, said):
    found, answer = ask(method, path, body)
    message = json.loads(answer)["error"]
    assert found == status and said in message and "\n" not in message


@pytest.mark.parametrize(
    "headers",
    [{"Host": "example.org"}, {"Origin": "https://example.org"}, {"Origin": "null"}, {"Origin": ""}, {"Host": HOST}],
)
def test_other_sites_get_nothing(ask, headers):
    assert ask("POST", "/results", "{}", **headers)[0] == 403
    assert ask.found.empty()


def test_browsers_leave_out_the_port_of_http():
    assert HOST in hosts(80) and HOST not in hosts(8000) and f"{HOST}:8000" in hosts(8000)


def test_a_connection_serves_one_request_after_another(ask):
    connection = HTTPConnection(HOST, ask.port, timeout=SECONDS)
    connection.connect()
    first = connection.sock
    for method, path, body in (("GET", "/models", None), ("POST", "/text", '{"model": "tiny", "tokens": [97]}')) * 2:
        connection.request(method, path, body)
        response = connection.getresponse()
        assert response.status == 200 and response.read() and connection.sock is first
    connection.close()


def test_every_answer_keeps_other_pages_out(ask):
    for method, path in (("GET", "/"), ("GET", "/conformance"), ("GET", "/models"), ("GET", "/no"), ("PUT", "/run")):
        ask(method, path)
        assert "default-src 'none'" in ask.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in ask.headers["Content-Security-Policy"]
        assert ask.headers["X-Frame-Options"] == "DENY" and ask.headers["X-Content-Type-Options"] == "nosniff"
        assert ask.headers["Referrer-Policy"] == "no-referrer"
        assert ask.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_defect_is_one_line_too_and_logged(ask, monkeypatch):
    logged = Queue()
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "handlers", [QueueHandler(logged)])
    monkeypatch.setattr(server.export, "run", None)
    status, answer = ask("POST", "/run", json.dumps(ASKED))
    assert status == 500 and json.loads(answer) == {"error": "the server failed: TypeError"}
    assert "default-src 'none'" in ask.headers["Content-Security-Policy"]
    assert "Exception in ASGI application" in logged.get(timeout=SECONDS).getMessage()


def test_whoever_is_refused_is_disconnected(ask, subtests):
    """What follows a refused request on its connection is never read: its body could be a request that is let in."""
    here = f"Host: {HOST}:{ask.port}\r\n"
    inner = f"POST /results HTTP/1.1\r\n{here}Content-Length: 2\r\n\r\n{{}}"
    length = f"Content-Length: {len(inner)}\r\n"
    for status, head in (
        (403, f"POST /results HTTP/1.1\r\n{here}Origin: http://example.org\r\n{length}"),
        (403, f"POST /results HTTP/1.1\r\nHost: example.org:{ask.port}\r\n{length}"),
        (403, f"POST /results HTTP/1.1\r\nHost: example.org:{ask.port}\r\nContent-Length: 0\r\n"),
        (403, "GET / HTTP/1.0\r\n"),
        (400, f"GET /models HTTP/1.1\r\n{here}{length}"),
        (400, f"HEAD /models HTTP/1.1\r\n{here}{length}"),
        (404, f"GET /no HTTP/1.1\r\n{here}"),
        (404, f"POST /no HTTP/1.1\r\n{here}{length}"),
        (404, f"OPTIONS * HTTP/1.1\r\n{here}"),
        (405, f"POST /models HTTP/1.1\r\n{here}{length}"),
        (405, f"OPTIONS /run HTTP/1.1\r\n{here}"),
        (405, f"CONNECT /run HTTP/1.1\r\n{here}"),
        (400, f"POST /results HTTP/1.1\r\n{here}{length}"),
        (413, f"POST /results HTTP/1.1\r\n{here}Content-Length: {1 << 40}\r\n"),
        (413, f"POST /results HTTP/1.1\r\n{here}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n"),
        (400, f"POST /results HTTP/1.1\r\n{here}Transfer-Encoding: chunked\r\n"),
        (400, f"GET /models HTTP/1.1\r\n{here}Transfer-Encoding: chunked\r\n{length}"),
        (431, f"GET /models HTTP/1.1\r\n{here}X: {'x' * (1 << 14)}\r\n"),
        (400, f"POST /results HTTP/1.1\r\n{here}Content-Length: 5\r\n{length}"),
        (400, f"GET /models HTTP/1.1\r\n{here}{here}"),
        (400, "GET /models HTTP/1.1\r\n"),
        (400, f"GET / models HTTP/1.1\r\n{here}"),
        (400, "\x16\x03\x01"),
    ):
        with subtests.test(head), socket.create_connection((HOST, ask.port), timeout=SECONDS) as connection:
            connection.sendall(f"{head}\r\n{inner}".encode())
            answer = to_the_end(connection)
            assert answer.count(b"HTTP/1.1 ") == 1 and answer.startswith(b"HTTP/1.1 %d " % status)
            assert b"default-src 'none'" in answer
    assert ask.found.empty()


def to_the_end(connection):
    """All that a server sends until it closes the connection."""
    received = b""
    try:
        while part := connection.recv(1 << 16):
            received += part
    except ConnectionResetError:
        pass
    return received


def test_a_port_that_is_taken_or_none_is_one_line_and_exit_code_2(cli):
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = cli("serve", "--port", port)
        assert code == 2 and err.count("\n") == 1 and f"port {port} of {HOST} cannot be used" in err
    code, _, err = cli("serve", "--port", 65536)
    assert code == 2 and err == "error: port 65536 is not allowed; 0 (a free one) to 65535\n"


def test_a_crowd_of_connections_is_outlived_with_few_descriptors_and_ctrl_c_ends_it():
    # Background jobs ignore SIGINT.
    prepare = "import resource, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    prepare += "resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)); "
    serve = "import sys; from inference.commands.cli import app, run; sys.argv[1:] = ['serve', '--port', '0']; run(app)"
    command = [sys.executable, "-c", prepare + serve]
    crowd = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        port = int(child.stderr.readline().partition(f"http://{HOST}:")[2].partition("/")[0])
        for _ in range(400):
            crowd.append(socket.create_connection((HOST, port), timeout=SECONDS))
            crowd[-1].sendall(b"GET /models HTTP/1.1\r\nHost: ")
        connection = HTTPConnection(HOST, port, timeout=SECONDS)
        connection.request("GET", "/models")
        assert connection.getresponse().status == 200
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=SECONDS)[1] == ""
        for each in (connection, *crowd):
            each.close()
    assert child.returncode == 0
