"""Chromium without a window, driven over its DevTools protocol: pages opened, asked, and pictured."""

import json
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from websockets.sync.client import ClientConnection, connect

from inference.browser import headless
from inference.browser.server import HOST
from inference.errors import InputError

PORT_FILE = "DevToolsActivePort"
START = 60  # seconds that Chromium has to start, and a command to be answered
POLL = 0.05  # seconds
WIDTH, HEIGHT = 1280, 900


class Browser:
    """A Chromium; each page has storage of its own, or shares that of an earlier one."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.numbers = count(1)
        self.problems: list[str] = []
        """Exceptions of pages, and what their policy or the network refused them."""

    def page(self, url: str, *, beside: "Page | None" = None) -> "Page":
        """A page, in a new profile or in that of another page."""
        context = beside.context if beside else self.command("Target.createBrowserContext")["browserContextId"]
        # A window of its own: tabs behind another are drawn and woken seldom.
        where: dict[str, Any] = {"url": "about:blank", "browserContextId": context, "newWindow": True}
        target = self.command("Target.createTarget", **where)["targetId"]
        session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        made = Page(self, context, target, session)
        for domain in ("Page", "Runtime", "Log"):
            made.command(f"{domain}.enable")
        made.look(width=WIDTH)
        made.command("Page.navigate", url=url)
        return made

    def command(self, method: str, *, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """A command's result.

        Raises:
            InputError: Chromium refuses it, or does not answer.
        """
        number = next(self.numbers)
        place = {"sessionId": session} if session else {}
        self.connection.send(json.dumps({"id": number, "method": method, "params": parameters, **place}))
        while True:
            try:
                message = json.loads(self.connection.recv(timeout=START))
            except TimeoutError:
                raise InputError(f"chromium has not answered {method} within {START} seconds") from None
            if message.get("id") == number:
                if "error" in message:
                    raise InputError(f"chromium refuses {method}: {message['error']['message']}")
                return dict(message["result"])
            self._noted(message)

    def _noted(self, event: dict[str, Any]) -> None:
        details = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            thrown = details["exceptionDetails"]
            self.problems.append(thrown.get("exception", {}).get("description", thrown["text"]))
        elif event.get("method") == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.problems.append(f"{details['entry']['text']} {details['entry'].get('url', '')}")


class Page:
    """A page of a browser."""

    def __init__(self, browser: Browser, context: str, target: str, session: str) -> None:
        self.browser, self.context, self.target, self.session = browser, context, target, session

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.command(method, session=self.session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited where it is a promise.

        Raises:
            InputError: it throws.
        """
        found = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise InputError(f"{expression}: {found['result'].get('description', found['exceptionDetails']['text'])}")
        return found["result"].get("value")

    def wait(self, expression: str, seconds: float) -> None:
        """Until an expression is true.

        Raises:
            InputError: it is not within ``seconds``.
        """
        until = time.monotonic() + seconds
        while not self.evaluate(f"(async () => Boolean(await ({expression})))()"):
            if time.monotonic() > until:
                raise InputError(f"not within {seconds:.0f} seconds: {expression}")
            time.sleep(POLL)

    def close(self) -> None:
        self.browser.command("Target.closeTarget", targetId=self.target)

    def look(self, *, width: int, dark: bool = False, height: int = HEIGHT) -> None:
        """The window's size, and whether its user likes it dark."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])
        self.command("Emulation.setScrollbarsHidden", hidden=True)

    def picture(self, path: Path) -> None:
        """The whole page as PNG."""
        found = self.command("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(b64decode(found["data"]))


@contextmanager
def driven() -> Iterator[Browser]:
    """A Chromium, which ends with the block.

    Raises:
        InputError: it is not installed, or does not start.
    """
    if "chromium" not in headless.installed():
        raise InputError("there is no chromium; make adapter installs it")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = Path(folder)
        command = [*headless.command("chromium", profile, "about:blank"), "--remote-debugging-port=0"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_address(process, profile), max_size=None, proxy=None) as connection:
                yield Browser(connection)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], profile: Path) -> str:
    """Where a Chromium that starts listens."""
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        lines = (profile / PORT_FILE).read_text().splitlines() if (profile / PORT_FILE).exists() else []
        if len(lines) == 2:
            return f"ws://{HOST}:{lines[0]}{lines[1]}"
        time.sleep(POLL)
    raise InputError(f"chromium has not started within {START} seconds")
