"""The report: every claim run, checked and drawn on one self-contained page, which is written anew as each ends."""

import datetime
import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from auction.commands.terminal import stderr
from auction.errors import InputError
from experiments import claims, page, plots, records
from experiments.claims import Size
from experiments.page import Section
from experiments.progress import completed, parallel, workers

PAGE, RUN = "report.html", "run.json"
MARKERS = ("<!-- finding: written by `make finding` -->", "<!-- end of finding -->")
ORDER = ("gap_on_real_input", "optimality_gap")  # what a reader came for stands first


def ordered() -> list[str]:
    """All claims, part by part, the main findings first."""
    parts = list(claims.PARTS)

    def place(name: str) -> tuple[int, int, str]:
        return parts.index(claims.load(name).PART), ORDER.index(name) if name in ORDER else len(ORDER), name

    return sorted(claims.names(), key=place)


def write(size: Size, out: Path, *, resume: bool = False) -> Path:
    """Run every claim and write ``report.html`` and below ``raw`` its results; returns the page.

    The page and the raw results are whole after each claim; one that fails stands on the page as failed. ``resume``:
    what an interrupted run of the same size brought to an end is not run again.

    Raises:
        InputError: there is nothing of this size to resume.
    """
    run = _resumed(size, out) if resume else _begun(size, out)
    before = {name: record for name in ordered() if (record := records.record(name, out))}
    done = [name for name, record in before.items() if resume and not record.failed]
    waiting = [name for name in ordered() if name not in done]
    if not resume:
        for name in before:
            (out / "raw" / f"{name}.json").unlink()
    sections = dict(zip(done, parallel(partial(page.section, out=out), done, "what was done before"), strict=True))
    earlier, began = float(run["seconds"]), time.perf_counter()
    expected = {name: before[name].seconds if name in before else 20.0 for name in waiting}
    for name, found in performed(sorted(waiting, key=expected.__getitem__, reverse=True), size, out):
        sections[name] = found
        run["seconds"] = round(earlier + time.perf_counter() - began, 1)
        records.write_json(out / "raw" / RUN, run)
        _write(sections, run, out)
        _say(name, found, sections, expected, time.perf_counter() - began)
    return _write(sections, run, out)


def _begun(size: Size, out: Path) -> dict[str, Any]:
    now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    run = {"size": size, "date": now, "seconds": 0.0} | records.provenance()
    records.write_json(out / "raw" / RUN, run)
    return run


def _resumed(size: Size, out: Path) -> dict[str, Any]:
    run = last_run(out)
    if run["size"] != size:
        raise InputError(f"{out}: was run at size {run['size']}, not {size}; resume that, or leave --resume out")
    return run


def last_run(out: Path) -> dict[str, Any]:
    """Size, date, seconds and provenance of the run whose results lie below ``out``.

    Raises:
        InputError: there is none.
    """
    path = out / "raw" / RUN
    if not path.exists():
        raise InputError(f"{out}: holds no results; run `python -m experiments report --out {out}` first")
    run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return run


def performed(names: list[str], size: Size, out: Path) -> Iterator[tuple[str, Section]]:
    """Each claim with its section as it ends: side by side, then those that measure time, one after another."""
    timed = [name for name in names if getattr(claims.load(name), "TIMED", False)]
    others = [name for name in names if name not in timed]
    for some, processes in ((others, workers()), (timed, 1)):
        for name, found in completed(partial(attempted, size=size, out=out), some, processes):
            if found is None:
                records.failed(name, size, out, "its process was killed; too little memory?")
            yield name, found or page.section(name, out)


def attempted(name: str, size: Size, out: Path) -> Section:
    """Run a claim and draw its section; whatever it raises is written down."""
    try:
        records.perform(name, size, out)
        return page.section(name, out)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other claims go on
        records.failed(name, size, out, f"{type(error).__name__}: {' '.join(str(error).split())}")
        return page.section(name, out)


def _say(name: str, found: Section, sections: dict[str, Section], expected: dict[str, float], spent: float) -> None:
    what = (found["failed"] and f"failed: {found['failed']}") or found["verdict"].verdict
    left = sum(seconds for other, seconds in expected.items() if other not in sections)
    rate = spent / sum(seconds for other, seconds in expected.items() if other in sections)
    soon = f"; about {left * rate / 60:.0f} min left" if left else ""
    stderr.print(f"{len(sections)}/{len(claims.names())} {name}: {what}, {found['record'].seconds:.0f} s{soon}")


def _write(sections: dict[str, Section], run: dict[str, Any], out: Path) -> Path:
    shown = [sections.get(name) or page.section(name, out) for name in ordered()]
    path = out / PAGE
    temporary = path.with_suffix(".tmp")
    temporary.write_text(page.render(shown, run), encoding="utf-8")
    temporary.replace(path)
    return path


def render(out: Path) -> Path:
    """Draw the page anew from the raw results of an earlier run; returns it."""
    run = last_run(out)
    sections = parallel(partial(page.section, out=out), ordered(), "sections")
    return _write({section["name"]: section for section in sections}, run, out)


def finding(out: Path, readme: Path, picture: Path) -> None:
    """Put the main finding, as the raw results below ``out`` have it, between the README's markers, with its figure."""
    parts = []
    for name in ORDER:
        claim = claims.load(name)
        verdict = claim.check(records.saved(name, out))
        parts.append(f"**{claim.TITLE}: {verdict.verdict}.** {verdict.figure}. {verdict.explanation}")
    caption, figure = next(iter(claims.load(ORDER[1]).figures(records.saved(ORDER[1], out)).items()))
    figure.set_facecolor("white")
    picture.write_text(plots.svg(figure), encoding="utf-8")
    parts.append(f"![{caption}]({picture.relative_to(readme.parent)})\n\n*{caption}*")
    before, _, rest = readme.read_text(encoding="utf-8").partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    block = "\n\n".join(parts)
    readme.write_text(f"{before}{MARKERS[0]}\n{block}\n{MARKERS[1]}{after}", encoding="utf-8")
