"""A plugin of pytest for runs of mutants: what each test takes and which lines of the project it executes.

``MUTANTS_RECORD`` names the file to write, JSON of ``times``, processor seconds of each test that passed, and
``lines``, by file and line the numbers of the tests that executed it in their calls; none stands for all, where
fixtures or other processes did. Examples that fail are not made smaller: that they fail is enough.
"""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import coverage
import pytest
from hypothesis import Phase, settings

RECORD = os.environ.pop("MUTANTS_RECORD", "")
TIMES: dict[str, float] = {}
OTHERS: set[str] = set()  # failed or skipped

if RECORD:
    folder = TemporaryDirectory(prefix="lines-")
    options = Path(folder.name, "options")
    options.write_text(f"[run]\ndata_file={folder.name}/lines\nparallel=1\npatch=subprocess\nsource=.\nomit=tests/*\n")
    measured = coverage.Coverage(config_file=str(options), messages=False)
    measured.start()


def pytest_collection() -> None:
    settings.register_profile("as found", settings(), phases=[Phase.explicit, Phase.generate])
    settings.load_profile("as found")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.outcome != "passed":
        OTHERS.add(report.nodeid)


if RECORD:

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(item):
        began = sum(os.times()[:4])
        done = yield
        TIMES[item.nodeid] = sum(os.times()[:4]) - began
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(item):
        measured.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            measured.switch_context("")

    def pytest_unconfigure() -> None:
        measured.stop()
        measured.save()
        measured.combine([folder.name])
        times = {test: round(seconds, 3) for test, seconds in TIMES.items() if test not in OTHERS}
        Path(RECORD).write_text(json.dumps({"times": times, "lines": _lines(measured.get_data(), list(times))}))
        folder.cleanup()


def _lines(data: coverage.CoverageData, tests: list[str]) -> dict[str, dict[int, list[int]]]:
    number = {test: place for place, test in enumerate(tests)}
    found = {}
    for name in data.measured_files():
        by_line = {line: set(by) & {"", *tests} for line, by in data.contexts_by_lineno(name).items()}
        if set().union(*by_line.values()) - {""}:  # else it was imported, no more
            path = Path(name).relative_to(Path.cwd()).as_posix()
            found[path] = {n: [] if "" in by else [number[test] for test in by] for n, by in by_line.items() if by}
    return found
