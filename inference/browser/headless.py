"""Browsers without a window: Chromium on SwiftShader, and Firefox, where they are installed."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from typing import Any

from inference.browser.server import HOST, serving
from inference.conformance import Row
from inference.errors import InputError

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FIREFOX = ("firefox", "firefox-esr")
SWIFTSHADER = (
    "--headless",
    "--no-sandbox",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}",
)
PREFERENCES = ("dom.webgpu.enabled", "gfx.webgpu.ignore-blocklist", "dom.webgpu.unsafe.enabled")


def installed() -> dict[str, str]:
    """Browser to command, of those that are there."""
    found = {}
    for browser, commands in (("chromium", CHROMIUM), ("firefox", FIREFOX)):
        for command in commands:
            if path := shutil.which(command):
                found[browser] = path
                break
    return found


def command(browser: str, profile: Path, url: str) -> list[str]:
    """The command line that opens a page without a window, in a profile of its own."""
    path = installed()[browser]
    if browser == "chromium":
        return [path, *SWIFTSHADER, f"--user-data-dir={profile}", url]
    lines = [f'user_pref("{name}", true);' for name in PREFERENCES]
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    return [path, "--headless", "--no-remote", "--profile", str(profile), url]


@contextmanager
def opened(browser: str, url: str) -> Iterator[None]:
    """A page in a browser, which ends with the block."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            command(browser, Path(folder), url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def conformance(browser: str, *, seconds: float = 240) -> Row:
    """The conformance page in a browser.

    Raises:
        InputError: it does not answer, or has no WebGPU.
    """
    [found] = results(browser, ["/conformance"], seconds=seconds)
    if "error" in found:
        raise InputError(f"{browser}: {found['error']}")
    failures = found["failures"]
    for digests in (set(found[kind].values()) for kind in ("digests", "pictures")):
        failures += [] if len(digests) == 1 else [f"its kernels differ: {', '.join(sorted(digests))}"]
    portable = (found[kind]["portable"] for kind in ("digests", "pictures"))
    return Row(browser, found["adapter"], found["browser"], failures, *portable)


def results(browser: str, paths: list[str], *, seconds: float) -> list[dict[str, Any]]:
    """What pages of the server find in a browser, opened one after another.

    Raises:
        InputError: a page has not answered within ``seconds``.
    """
    found: Queue[dict[str, Any]] = Queue()
    answers = []
    with serving(0, found.put) as server:
        for path in paths:
            with opened(browser, f"http://{HOST}:{server.port}{path}"):
                try:
                    answers.append(found.get(timeout=seconds))
                except Empty:
                    raise InputError(f"{browser} has not answered within {seconds:.0f} seconds") from None
    return answers
