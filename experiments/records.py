"""Raw results on disk, as Parquet and CSV, and beside them what was run, when, where and what it came to."""

import datetime
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from auction.data.traces import data_directory
from auction.errors import InputError
from auction.readers import ensure_fields, read_json
from experiments import claims, sweep
from experiments.claims import Results, Size

RUN, EMBEDDED = "run.json", "embedded data"
PACKAGES = ("numpy", "numba", "pulp", "highspy", "ortools", "wgpu", "wgpudawn")


@dataclass(frozen=True)
class Record:
    """One run of a claim."""

    claim: str
    size: str
    block: int
    date: str  # ISO 8601, local time
    commit: str
    seconds: float
    processor_seconds: float
    verdict: str = ""
    figure: str = ""
    failed: str = ""  # in one line, where it did


NUMBER, TEXT = (float, int), (str,)
RECORD_FIELDS = {
    **dict.fromkeys(("claim", "size", "date", "commit", "verdict", "figure", "failed"), TEXT),
    "block": (int,),
    "seconds": NUMBER,
    "processor_seconds": NUMBER,
}
RUN_FIELDS = {
    **dict.fromkeys(("size", "date", "data", "commit", "machine", "versions"), TEXT),
    "block": (int,),
    "seconds": NUMBER,
}


@dataclass(frozen=True)
class Made:
    """What a claim's run found, and what it took."""

    results: Results
    seconds: float
    processor_seconds: float


def perform(name: str, size: Size, out: Path, block: int = 0) -> Record:
    """Run a claim and write its raw results and what they come to below ``out``.

    What its sweeps find streams to ``raw/cells`` there; what lies there of an interrupted run by this code is taken
    over.
    """
    return keep(make(name, size, block, cells(name, out)), name, size, out, block)


def make(name: str, size: Size, block: int, kept: Path | None) -> Made:
    """Run a claim; its sweeps' cells are kept in the folder, where there is one, and taken over from there."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    began, before = time.perf_counter(), processor_seconds()
    with sweep.kept_below(kept, f"{commit()}, {size}, {block}"):
        results = claims.load(name).run(size, block)
    return Made(results, time.perf_counter() - began, processor_seconds() - before)


def keep(made: Made, name: str, size: Size, out: Path, block: int = 0) -> Record:
    """Write what a run found and what it comes to; the cells that it was made of go."""
    save(made.results, name, out)
    verdict = claims.load(name).check(made.results)
    what = {"verdict": verdict.verdict, "figure": verdict.figure}
    record = _written(name, size, out, block, made.seconds, made.processor_seconds, **what)
    forget(name, out)
    return record


def cells(name: str, out: Path) -> Path:
    """Where the cells of a claim's sweeps lie until it has ended."""
    return out / "raw" / "cells" / name


def forget(name: str, out: Path) -> None:
    """Remove a claim's cells."""
    shutil.rmtree(cells(name, out), ignore_errors=True)
    with suppress(OSError):  # other claims' are there, or none
        cells(name, out).parent.rmdir()


def failed(name: str, size: Size, out: Path, why: str, block: int = 0) -> Record:
    """Write down that a claim failed, and why."""
    return _written(name, size, out, block, 0.0, 0.0, failed=why)


def _written(
    name: str, size: Size, out: Path, block: int, seconds: float, processor_seconds: float, **outcome: str
) -> Record:
    now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    record = Record(name, size, block, now, commit(), round(seconds, 2), round(processor_seconds, 2), **outcome)
    write_json(out / "raw" / f"{name}.json", asdict(record))
    return record


def write_json(path: Path, value: object) -> None:
    """Write a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def save(results: Results, name: str, out: Path) -> None:
    """Write the raw results of one claim."""
    raw = out / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for path in raw.glob(f"{name}.*"):
        path.unlink()
    for table, frame in results.items():
        frame.to_parquet(raw / f"{name}.{table}.parquet", index=False)
        frame.to_csv(raw / f"{name}.{table}.csv", index=False)


def saved(name: str, out: Path) -> Results:
    """The raw results of one claim as an earlier run wrote them.

    Raises:
        InputError: there are none.
    """
    found = tables(name, out / "raw")
    if not found:
        raise InputError(f"{out}: holds no raw results of {name}; run `python -m experiments report` first")
    return found


def tables(name: str, folder: Path) -> Results:
    """A claim's tables below a folder; none where there are none."""
    return {path.name.split(".")[1]: pd.read_parquet(path) for path in sorted(folder.glob(f"{name}.*.parquet"))}


def begin(size: Size, out: Path, block: int = 0) -> dict[str, Any]:
    """Write down what the results below ``out`` will be of; returns it."""
    now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    run = {"size": size, "block": block, "date": now, "seconds": 0.0} | provenance()
    save_run(run, out)
    return run


def join(size: Size, out: Path, block: int = 0) -> dict[str, Any]:
    """What the results below ``out`` are of, where there are any of this size and block; else written down as begun.

    Raises:
        InputError: they are of another size or block.
    """
    if not (out / "raw" / RUN).exists():
        return begin(size, out, block)
    run = last_run(out)
    if (run["size"], run["block"]) != (size, block):
        there = f"size {run['size']}, block {run['block']}"
        raise InputError(f"{out}: holds results of {there}; those of size {size}, block {block} need another --out")
    return run


def save_run(run: dict[str, Any], out: Path) -> None:
    """Write down what all results below ``out`` are of."""
    write_json(out / "raw" / RUN, run)


def last_run(out: Path) -> dict[str, Any]:
    """Size, date, seconds and provenance of the run whose results lie below ``out``.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = out / "raw" / RUN
    if not path.exists():
        raise InputError(f"{out}: holds no results; run `python -m experiments report --out {out}` first")
    return _typed(path, RUN_FIELDS)


def record(name: str, out: Path) -> Record | None:
    """What the last run of a claim came to; None where it was not run to its end.

    Raises:
        InputError: what was written of it is damaged.
    """
    path = out / "raw" / f"{name}.json"
    return Record(**_typed(path, RECORD_FIELDS)) if path.exists() else None


def _typed(path: Path, fields: Mapping[str, tuple[type, ...]]) -> dict[str, Any]:
    """The JSON object in a file that a run wrote."""
    found = read_json(path)
    ensure_fields(path, found, fields, "what a run writes")
    for name, kinds in fields.items():
        if type(found[name]) not in kinds:
            raise InputError(f"{path}: {name} is {found[name]!r:.40}, not {kinds[0].__name__}")
    return found


def commit() -> str:
    """Of the code that runs; ``-dirty`` where it was changed since."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or f"release {version('distribute-lab')}"


def provenance() -> dict[str, str]:
    """The data, the commit, the machine and the releases that results are from."""
    models = [line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "data": "files named by DISTRIBUTE_LAB_DATA" if data_directory("") else EMBEDDED,
        "commit": commit(),
        "machine": f"{len(os.sched_getaffinity(0))} processors of {(models or [platform.machine()])[0]}"
        + "".join(f", {size:.0f} GiB" for size in memory),
        "versions": f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def processor_seconds(process: int | str = "self") -> float:
    """What a process and all below it have used: those that ended, and those that still run.

    A solver's own process is kept for the next call, so that what it used is not yet among its parent's children's.
    """
    folder = Path("/proc") / str(process)
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        children = [child for path in folder.glob("task/*/children") for child in path.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return 0.0
    ticks = sum(map(int, fields[11:15]))  # in user and system mode: its own, and of its children that ended
    return ticks / os.sysconf("SC_CLK_TCK") + sum(map(processor_seconds, children))
