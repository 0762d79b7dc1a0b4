"""Mutation testing: does a test notice when a line is wrong?

    python tests/mutation/mutants.py auction inference --number 50 --results mutants.jsonl
    python tests/mutation/mutants.py auction inference --table    # what there is so far

One change a mutant, in Python and in WGSL: a comparison (< to <=), a constant (n to n + 1), arithmetic (+ to -, ``and``
to ``or``, min to max) or a dropped statement; never a message, a docstring, a type or how a figure looks. A seed
spreads the mutants over the lines of a package, at most one a line. Each is tried in a copy of the project against the
tests of its own file, up to the first that fails; it survives if all pass, and a run that hangs has noticed. Every
result is a line of the file of results: a run that was stopped goes on where it was, and ``--number 200`` after
``--number 50`` adds 150.

A file's own tests are its mirror (tests/a/test_b.py of a/b.py) and the nearest of those that import it; of a registry's
entry those that name it among the tests of the registry; where there are none, the tests of whoever imports it.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

from changes import Mutant, spread
from own_tests import Imports, module_of

PYTEST = ("-m", "pytest", "-q", "--benchmark-disable", "-m", "not slow", "-p", "no:cacheprovider", "--no-header")
SECONDS = 30  # of processor time that a file's own tests take on the code as it is: further ones are left out
SLOWEST = 600  # seconds of wall time of one file of tests
BYTES = 8 << 30  # of memory that a run may write to


class Trials:
    """Tries mutants in a copy of a project and keeps what came of them in a file of one JSON object a line."""

    def __init__(self, root: Path, copy: Path, results: Path):
        ignored = shutil.ignore_patterns(".*", "__pycache__", "report", "build", "dist")
        shutil.copytree(root, copy, ignore=ignored, dirs_exist_ok=True)
        self.copy, self.results, self.imports = copy, results, Imports(copy)
        rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
        self.baselines = {(row["tests"], row["word"]): row for row in rows if "word" in row}
        self.done = {(row["path"], row["line"], row["start"], row["new"]): row for row in rows if "path" in row}

    def _keep(self, row: dict) -> dict:
        with self.results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        return row

    def attempt(self, mutant: Mutant) -> dict:
        """What became of a mutant: killed, hung (noticed too), survived, or untested: it has no test that passes."""
        key = (mutant.path, mutant.line, mutant.start, mutant.new)
        if key not in self.done:
            began = time.monotonic()
            tests = self._passing(mutant.path)
            outcome = self._outcome(mutant, tests) if tests else "untested"
            seconds = round(time.monotonic() - began, 1)
            row = mutant.__dict__ | {"outcome": outcome, "seconds": seconds, "by": [test["tests"] for test in tests]}
            self.done[key] = self._keep(row)
        return self.done[key]

    def _passing(self, path: str) -> list[dict]:
        """The baselines of a file's own tests that pass and select something, the first and more within SECONDS."""
        chosen: list[dict] = []
        for tests, word in self.imports.own_tests(path):
            if (tests, word) not in self.baselines:
                self.baselines[tests, word] = self._baseline(tests, word)
            row = self.baselines[tests, word]
            spent = sum(other["seconds"] for other in chosen)
            if row["passes"] and (not chosen or spent + row["seconds"] <= SECONDS):
                chosen.append(row)
            if spent > SECONDS * 0.8 or len(chosen) == 5:
                break
        return chosen

    def _baseline(self, tests: str, word: str) -> dict:
        """How long a file of tests takes on the code as it is; what fails there is left out of every trial."""
        before = os.times()
        code, printed = self._pytest(word, [tests], [], SLOWEST)
        after = os.times()
        seconds = after.children_user + after.children_system - before.children_user - before.children_system
        failing = re.findall(r"^(?:FAILED|ERROR) (\S+)", printed, re.MULTILINE)
        passes = code == 0 or (code == 1 and bool(failing) and self._pytest(word, [tests], failing, SLOWEST)[0] == 0)
        row = {"tests": tests, "word": word, "seconds": round(seconds, 1), "passes": passes, "failing": failing}
        return self._keep(row)

    def _outcome(self, mutant: Mutant, tests: list[dict]) -> str:
        file = self.copy / mutant.path
        source, times = file.read_bytes(), file.stat()
        limit = 120 + 10 * sum(row["seconds"] for row in tests)
        # numba's cache knows when a function's own file changed, not when one that it was compiled into another did.
        stale = self._caches(mutant)
        kept = {cache: cache.read_bytes() for cache in stale()}
        try:
            for cache in kept:
                cache.unlink()
            file.write_bytes(mutant.applied(source))
            for word in dict.fromkeys(row["word"] for row in tests):
                chosen = [row for row in tests if row["word"] == word]
                failing = [test for row in chosen for test in row["failing"]]
                code, _ = self._pytest(word, ["-x", *(row["tests"] for row in chosen)], failing, limit)
                if code not in (0, 5):
                    return "hung" if code is None else "killed"
            return "survived"
        finally:
            file.write_bytes(source)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
            for cache in stale():
                cache.unlink()
            for cache, content in kept.items():
                cache.write_bytes(content)

    def _caches(self, mutant: Mutant) -> Callable[[], list[Path]]:
        module = module_of(Path(mutant.path))
        indented = (self.copy / mutant.path).read_bytes().splitlines()[mutant.line - 1].startswith(b" ")
        touched = self.imports.beyond(module) & self.imports.compiled if module in self.imports.path else set()
        if indented and module not in self.imports.compiled:
            touched = set()
        files = [self.copy / self.imports.path[name] for name in touched]
        return lambda: [found for file in files for found in file.parent.glob(f"__pycache__/{file.stem}.*.nb[ic]")]

    def _pytest(self, word: str, arguments: list[str], failing: list[str], limit: float) -> tuple[int | None, str]:
        """Exit code, None where the limit was reached, and what was printed."""
        command = [sys.executable, *PYTEST, *(["-k", word] if word else []), *arguments]
        command += [f"--deselect={test}" for test in failing]
        environment = os.environ | {"PYTHONPATH": str(self.copy), "PYTHONDONTWRITEBYTECODE": "1"}
        with tempfile.TemporaryFile() as printed:
            child = subprocess.Popen(
                command, cwd=self.copy, env=environment, stdin=subprocess.DEVNULL, stdout=printed,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            try:
                code = child.wait(limit)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            printed.seek(0)
            return code, printed.read().decode(errors="replace")


def table(rows: list[dict]) -> str:
    """Killed, hung, survived and untested by package, then every mutant that was not noticed."""
    lines = [f"{'package':14}{'mutants':>8}{'killed':>8}{'hung':>6}{'survived':>10}{'untested':>10}{'noticed':>9}"]
    for package in dict.fromkeys(row["path"].split("/")[0] for row in rows):
        outcomes = [row["outcome"] for row in rows if row["path"].startswith(f"{package}/")]
        killed, hung, survived, untested = (outcomes.count(word) for word in ("killed", "hung", "survived", "untested"))
        share = (killed + hung) / len(outcomes)
        lines.append(f"{package:14}{len(outcomes):8}{killed:8}{hung:6}{survived:10}{untested:10}{share:9.0%}")
    missed = [row for row in rows if row["outcome"] in ("survived", "untested")]
    return "\n".join((*lines, "", *(f"{row['outcome']:9} {shown(row)}" for row in missed)))


def shown(row: dict) -> str:
    return f"{row['path']}:{row['line']}: {row['old']!r} -> {row['new']!r}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--number", type=int, default=50, help="mutants a package")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the project")
    parser.add_argument("--results", type=Path, default=Path("mutants.jsonl"))
    parser.add_argument("--table", action="store_true", help="try nothing, show what the file of results holds")
    given = parser.parse_args()
    if given.table:
        held = [json.loads(line) for line in given.results.read_text().splitlines()]
        tried = [row for row in held if row.get("path", "").split("/")[0] in given.packages]
        print(table(sorted(tried, key=lambda row: row["path"])))
        return
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))  # of every child too
    chosen = [spread(given.root, package, given.seed)[: given.number] for package in given.packages]
    rows = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as copy:
        trials = Trials(given.root, Path(copy), given.results)
        # In turns, so that a run that is stopped has tried as many of each package.
        for mutant in [mutant for among in zip_longest(*chosen) for mutant in among if mutant]:
            row = trials.attempt(mutant)
            rows.append(row)
            print(f"{row['outcome']:9}{row['seconds']:7} s  {shown(row)}", flush=True)
    print(table(sorted(rows, key=lambda row: row["path"])))


if __name__ == "__main__":
    main()
