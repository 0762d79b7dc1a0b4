"""The report: every claim run, checked and drawn on one self-contained page, which is written anew as each ends."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from auction.commands.terminal import stderr
from auction.workers import completed, on, remote
from experiments import claims, page, published, records
from experiments.claims import Size
from experiments.page import Section
from experiments.progress import parallel
from experiments.records import Made

PAGE = "report.html"
UNKNOWN = 20.0  # seconds that a claim takes, until one knows


def ordered() -> list[str]:
    """All claims, part by part, the main findings first."""
    parts, main = list(claims.PARTS), published.MAIN

    def place(name: str) -> tuple[int, int, str]:
        return parts.index(claims.load(name).PART), main.index(name) if name in main else len(main), name

    return sorted(claims.names(), key=place)


def write(size: Size, out: Path, *, resume: bool = False, scheduler: str | None = None) -> Path:
    """Run every claim and write ``report.html`` and below ``raw`` its results; returns the page.

    The page and the raw results are whole after each claim; one that fails stands on the page as failed. ``resume``:
    what an interrupted run of the same size brought to an end is not run again. ``scheduler``: as ``workers.on``;
    claims are its workers' pieces, and what they find is written here.

    Raises:
        InputError: there is nothing to resume, it is of another size, or the scheduler cannot be reached.
    """
    if resume:
        records.last_run(out)  # there must be one
        run, sections = records.join(size, out), _drawn(out)
        sections = {name: found for name, found in sections.items() if not found["failed"]}
    else:
        run, sections = records.begin(size, out), {}
        for name in claims.names():
            (out / "raw" / f"{name}.json").unlink(missing_ok=True)
            records.forget(name, out)
    waiting = [name for name in ordered() if name not in sections]
    earlier, began = float(run["seconds"]), time.perf_counter()
    expected = _expected(waiting, size)
    with on(scheduler):
        for name, found in performed(sorted(waiting, key=expected.__getitem__, reverse=True), size, out):
            sections[name] = found
            run["seconds"] = round(earlier + time.perf_counter() - began, 1)
            records.save_run(run, out)
            _write(sections, run, out)
            _say(name, found, sections, expected, time.perf_counter() - began)
    stderr.print(_beside_published(sections, size), soft_wrap=True)
    return _write(sections, run, out)


def _beside_published(sections: dict[str, Section], size: Size) -> str:
    if size not in published.sizes():
        return f"nothing of size {size} is published"
    before = {name: found["published"] for name, found in sections.items() if found["verdict"]}
    others = ", ".join(name for name, what in before.items() if what)
    return f"as published: {list(before.values()).count('')}; otherwise: {others or 'none'}"


def _expected(names: list[str], size: Size) -> dict[str, float]:
    """Seconds that each will take: as where it was published, else a guess."""
    seconds = dict(published.verdicts(size)[["claim", "seconds"]].to_numpy()) if size in published.sizes() else {}
    return {name: max(1.0, seconds.get(name, UNKNOWN)) for name in names}


def _drawn(out: Path) -> dict[str, Section]:
    """The sections of all claims, from what lies below ``out``."""
    return dict(zip(ordered(), parallel(partial(_redrawn, out=out), ordered(), "sections"), strict=True))


def _redrawn(name: str, out: Path) -> Section:
    try:
        return page.section(name, out)
    except Exception as error:  # noqa: BLE001 - results of other code; the other sections are drawn
        return page.unfinished(name, f"its results are not those of this code ({_line(error)})")


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def performed(names: list[str], size: Size, out: Path) -> Iterator[tuple[str, Section]]:
    """Each claim with its section as it ends: side by side, then those that measure time, one after another."""
    timed = [name for name in names if getattr(claims.load(name), "TIMED", False)]
    others = [name for name in names if name not in timed]
    for some, alone in ((others, False), (timed, True)):
        for name, made in completed(partial(attempted, size=size, out=None if remote() else out), some, alone=alone):
            yield name, _kept(made or "its process was killed; too little memory?", name, size, out)


def attempted(name: str, size: Size, out: Path | None) -> Made | str:
    """Run a claim; or why it failed, in a line.

    Args:
        out: below which the cells of its sweeps are kept; None where this process does not see it.
    """
    try:
        return records.make(name, size, 0, None if out is None else records.cells(name, out))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other claims go on
        return _line(error)


def _kept(made: Made | str, name: str, size: Size, out: Path) -> Section:
    """Write down what was found, or why nothing was, and draw the claim's section."""
    try:
        if isinstance(made, Made):
            records.keep(made, name, size, out)
            return page.section(name, out)
        why = made
    except Exception as error:  # noqa: BLE001 - likewise
        why = _line(error)
    records.failed(name, size, out, why)
    return page.section(name, out)


def _say(name: str, found: Section, sections: dict[str, Section], expected: dict[str, float], spent: float) -> None:
    what = (found["failed"] and f"failed: {found['failed']}") or found["verdict"].verdict
    left = sum(seconds for other, seconds in expected.items() if other not in sections)
    rate = spent / sum(seconds for other, seconds in expected.items() if other in sections)
    soon = f"; about {left * rate / 60:.0f} min left" if left else ""
    took = f", {found['record'].seconds:.0f} s" if found["verdict"] else ""
    stderr.print(f"{len(sections)}/{len(claims.names())} {name}: {what}{took}{soon}", soft_wrap=True)


def _write(sections: dict[str, Section], run: dict[str, Any], out: Path) -> Path:
    shown = [sections.get(name) or page.unfinished(name) for name in ordered()]
    path = out / PAGE
    temporary = path.with_suffix(".tmp")
    temporary.write_text(page.render(shown, run), encoding="utf-8")
    temporary.replace(path)
    return path


def render(out: Path) -> Path:
    """Draw the page anew from the raw results of an earlier run; returns it."""
    run = records.last_run(out)
    return _write(_drawn(out), run, out)
