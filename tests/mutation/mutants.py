"""Mutation testing: does a test notice when a line is wrong?

    python tests/mutation/mutants.py auction inference --number 50 --results mutants.jsonl
    python tests/mutation/mutants.py auction inference --table    # what there is so far

One change a mutant, in Python and in WGSL: a comparison (< to <=), a constant (n to n + 1), arithmetic (+ to -, ``and``
to ``or``, min to max) or a dropped statement; never a message, a docstring, a type or how a figure looks. A seed
spreads the mutants over the lines of a package, at most one a line. Each is tried in a copy of the project against
those tests of its own files that execute its line, the nearest and fastest first, up to the first that fails; it
survives if all pass, and a run that hangs has noticed. Every result is a line of the file of results: a run that was
stopped goes on where it was, and ``--number 200`` after ``--number 50`` adds 150.

A file's own tests are its mirror (tests/a/test_b.py of a/b.py) and the nearest of those that import it; of a registry's
entry those that name it among the tests of the registry; where there are none, the tests of whoever imports it.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice, zip_longest
from pathlib import Path

import pytest
from changes import Mutant, spread, surroundings
from own_tests import Imports, module_of

PYTEST = ("-q", "--benchmark-disable", "-m", "not slow", "-p", "no:cacheprovider", "-p", "recording", "--no-header")
LIBRARIES = ("numba", "scipy.optimize", "matplotlib.figure", "pandas", "networkx", "typer", "rich.console", "wgpu")
SECONDS = 20  # of processor time that a mutant's tests take on the code as it is: further ones, slower, are left out
FILES = 3  # of own tests that a mutant meets, among the nearest eight
SLOWEST = 1800  # seconds of wall time of one run
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
        self.tried = 0
        self.processes = multiprocessing.get_context("forkserver")  # libraries are imported once
        self.processes.set_forkserver_preload(["pytest", *LIBRARIES])

    def _keep(self, row: dict) -> dict:
        with self.results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        return row

    def attempt(self, mutant: Mutant) -> dict:
        """What became of a mutant: killed, hung (noticed too), survived, or untested: it has no test that passes."""
        key = (mutant.path, mutant.line, mutant.start, mutant.new)
        if key not in self.done:
            baselines = self._baselines(mutant.path)
            began = time.monotonic()
            tests = executing(mutant, (self.copy / mutant.path).read_bytes(), baselines)
            outcome = self._outcome(mutant, tests) if tests else "survived" if baselines else "untested"
            seconds = round(time.monotonic() - began, 1)
            by = sorted({test.partition("::")[0] for test in tests})
            row = mutant.__dict__ | {"outcome": outcome, "seconds": seconds, "tests": len(tests), "by": by}
            self.done[key] = self._keep(row)
        return self.done[key]

    def _baselines(self, path: str) -> list[dict]:
        """Those of the nearest own tests that hold any that pass."""
        rows = (self._baseline(tests, word) for tests, word in self.imports.own_tests(path)[:8])
        return list(islice((row for row in rows if row["times"]), FILES))

    def _baseline(self, tests: str, word: str) -> dict:
        """What the tests of a file take and execute on the code as it is, of a word those alone that are named after
        it; those that fail there are left out.
        """
        if (tests, word) not in self.baselines:
            whole = self._baseline(tests, "") if word else None
            if whole and whole["times"]:
                self.baselines[tests, word] = named(whole, word)
            else:  # of a file that does not run whole, its tests of a word
                with tempfile.TemporaryDirectory() as folder:
                    record = Path(folder, "record")
                    self._pytest([tests, *(["-k", word] if word else [])], SLOWEST, record)
                    found = json.loads(record.read_text()) if record.exists() else {"times": {}, "lines": {}}
                self.baselines[tests, word] = self._keep({"tests": tests, "word": word} | found)
        return self.baselines[tests, word]

    def _outcome(self, mutant: Mutant, tests: dict[str, float]) -> str:
        file = self.copy / mutant.path
        source, times = file.read_bytes(), file.stat()
        # numba's cache knows when a function's own file changed, not when one that it was compiled into another did.
        stale = self._caches(mutant)
        kept = {cache: cache.read_bytes() for cache in stale()}
        try:
            for cache in kept:
                cache.unlink()
            file.write_bytes(mutant.applied(source))
            # Bytecode is of a size and a second: the last mutant's may have both, so each has a second of its own.
            self.tried += 1
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + self.tried * 10**9))
            code = self._pytest(["-x", *tests], 60 + 5 * sum(tests.values()))
            return "hung" if code in (None, -signal.SIGXCPU) else "killed" if code else "survived"
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

    def _pytest(self, arguments: list[str], limit: float, record: Path | None = None) -> int | None:
        """The exit code of a run in a process group of its own, each of its processes with ``limit`` seconds; None
        where it waits for ever.
        """
        process = self.processes.Process(target=_run, args=(self.copy, [*PYTEST, *arguments], int(limit), record))
        process.start()
        process.join(SLOWEST)
        code = process.exitcode
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return code


def _run(copy: Path, arguments: list[str], limit: int, record: Path | None) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = False  # the copy keeps what it compiles
    os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": ""} | (
        {"MUTANTS_RECORD": str(record)} if record else {}
    )
    sys.exit(pytest.main(arguments))


def named(whole: dict, word: str) -> dict:
    """A baseline's tests that are named after a word, each with its lines."""
    kept = [n for n, name in enumerate(whole["times"]) if word in name.partition("::")[2]]
    place, names = {n: at for at, n in enumerate(kept)}, list(whole["times"])
    lines: dict[str, dict[str, list[int]]] = {}
    for path, by_line in whole["lines"].items():
        of_word = {line: [place[n] for n in by if n in place] for line, by in by_line.items()}
        found = {line: by for line, by in of_word.items() if by or not by_line[line]}  # none of all stands for all
        if any(found.values()):
            lines[path] = found
    return {"times": {names[n]: whole["times"][names[n]] for n in kept}, "lines": lines}


def executing(mutant: Mutant, source: bytes, baselines: list[dict]) -> dict[str, float]:
    """The tests that execute a mutant's line, with the seconds that they take, SECONDS in all: those of the nearest
    file first, among them those that are named after a kernel's variant, then the fastest.

    All tests of a file that are not seen to enter the line's function may execute it: it is compiled or a kernel's, or
    they run it in processes that are killed.
    """
    statement, function = surroundings(mutant.path, source, mutant.line)
    found: dict[str, tuple[int, float]] = {}
    for rank, row in enumerate(baselines):
        names = list(row["times"])
        seen = {int(line): tests for line, tests in row["lines"].get(mutant.path, {}).items()}
        by = [seen[line] for line in statement if line in seen]
        every = [] in by or not any(line in seen for line in function)
        found |= {names[n]: (rank, row["times"][names[n]]) for n in (range(len(names)) if every else set().union(*by))}
    words = Path(mutant.path).stem.split("__")

    def order(test: str) -> tuple[int, bool, float]:
        rank, seconds = found[test]
        return rank, len(words) == 1 or not all(f"{word}-" in f"{test}-" for word in words), seconds

    chosen, spent = {}, 0.0
    for test in sorted(found, key=order):
        seconds = found[test][1]
        spent += seconds
        if spent <= SECONDS or not chosen:
            chosen[test] = seconds
    return chosen


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
