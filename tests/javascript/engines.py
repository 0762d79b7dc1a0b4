"""JavaScript engines that are installed, and what modules of the repository find in them."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

from inference.browser import headless

ROOT = Path(__file__).parents[2]
SECONDS = 60  # for an engine to start and answer: a time-out, not a measure
CALL = 'const {{ check }} = await import("{base}/{module}"); const found = await check({vectors}).catch(String);'


def installed() -> list[str]:
    """Chromium, which has what pages have, and Node."""
    return [*(["chromium"] if "chromium" in headless.installed() else []), *(["node"] if shutil.which("node") else [])]


def check(engine: str, module: str, vectors: str) -> Any:
    """What ``check(vectors)`` of a module, by its path from the root, gives in an engine; the vectors are JSON."""
    return {"chromium": in_chromium, "node": in_node}[engine](module, vectors)


def in_node(module: str, vectors: str) -> Any:
    call = CALL.format(base=ROOT.as_uri(), module=module, vectors="JSON.parse(readFileSync(0))")
    script = f'import {{ readFileSync }} from "node:fs"; {call} console.log(JSON.stringify(found))'
    command = ["node", "--no-warnings", "--input-type=module", "--eval", script]
    done = subprocess.run(command, input=vectors, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_chromium(module: str, vectors: str) -> Any:
    call = CALL.format(base="", module=module, vectors='await (await fetch("/vectors")).json()')
    page = f'<script type="module">{call} fetch("/", {{ method: "POST", body: JSON.stringify(found) }})</script>'
    found: Queue[Any] = Queue()
    with (
        served({"/": page, "/vectors": vectors}, found) as port,
        headless.opened("chromium", f"http://127.0.0.1:{port}/"),
    ):
        return found.get(timeout=SECONDS)


class Handler(SimpleHTTPRequestHandler):
    """The repository's files, some texts, and what is posted."""

    extensions_map = {".js": "text/javascript", ".json": "application/json"}  # noqa: RUF012

    def __init__(self, *arguments: Any, texts: dict[str, str], found: Queue[Any]) -> None:
        self.texts, self.found = texts, found
        super().__init__(*arguments, directory=str(ROOT))

    def do_GET(self) -> None:
        if self.path not in self.texts:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.texts[self.path].encode())

    def do_POST(self) -> None:
        self.found.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Nothing."""


@contextmanager
def served(texts: dict[str, str], found: Queue[Any]) -> Iterator[int]:
    """Texts by path on a free port of this machine, to the end of the block; what is posted is put into ``found``."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, texts=texts, found=found)) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
