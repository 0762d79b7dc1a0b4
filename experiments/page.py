"""What the report's page shows: of each claim a section, made from its raw results."""

from html import escape
from importlib.resources import files
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from matplotlib.figure import Figure

from experiments import claims, coverage, criteria, plots, published, records, stability, varied

Section = dict[str, Any]
NOT_RUN = "it was not run to its end"
VERDICTS = ("upheld", "qualified", "refuted", "undecided")


def section(name: str, out: Path) -> Section:
    """What the page shows of one claim, from its raw results and its record below ``out``."""
    claim, record = claims.load(name), records.record(name, out)
    if record is None:
        return unfinished(name)
    if record.failed:
        return unfinished(name, record.failed)
    results = records.saved(name, out)
    own = {
        "record": record,
        "published": published.difference(name, published.judged(name, results), record.size),
        "raw": [f"raw/{name}.{table}" for table in results],
        "headline": _headline(claim, results),
        "changed": getattr(claim, "CHANGED", {}),
        "beside": None,
    }
    told = _told(name, results, published.DEFAULT)
    size = published.size_of(name)
    if record.size == published.DEFAULT != size:  # a fairer trial than this run
        larger = published.verdicts(size).set_index("claim").loc[name]
        own["beside"] = told | {"size": record.size}
        told = _told(name, published.results(name, size), size) | {"larger": {"size": size} | larger.to_dict()}
    return unfinished(name) | own | told | {"failed": ""}


def _told(name: str, results: claims.Results, size: str) -> Section:
    """What results of a claim come to, and their pictures and tables."""
    claim = claims.load(name)
    return {
        "verdict": published.judged(name, results, size),
        "blocks": _blocks(name, size),
        "criteria": [(entry, entry.verdict(claim, results)) for entry in criteria.of(name)],
        "figures": {caption: _picture(caption, figure) for caption, figure in claim.figures(results).items()},
        "tables": {caption: table_html(frame) for caption, frame in claim.tables(results).items()},
        "varied": varied.told(claim.VARIED, results),
        "fixed": varied.told(claim.FIXED, results),
    }


def unfinished(name: str, failed: str = "") -> Section:
    """What the page shows of a claim without results: why it failed, or that it was not run."""
    claim = claims.load(name)
    return {
        "name": name,
        "part": claims.PARTS[claim.PART],
        "title": claim.TITLE,
        "finding": getattr(claim, "FINDING", ""),
        "section": getattr(claim, "SECTION", ""),
        "statement": getattr(claim, "STATEMENT", ""),
        "headline": None,
        "code": claim.__name__.replace(".", "/") + ("/" if hasattr(claim, "__path__") else ".py"),
        "open": getattr(claim, "OPEN", ()),
        "varied": {},
        "fixed": {},
        "changed": {},
        "verdict": None,
        "larger": None,
        "published": "",
        "state": "failed" if failed else "not run",
        "failed": failed or NOT_RUN,
    }


def _blocks(name: str, size: str) -> str:
    """What a claim came to on other seeds, and by which code: "9 of 10 refuted, 1 of 10 undecided (commit abc)"."""
    found = published.blocks(name, size)
    commits = ", ".join(found["commit"].unique())
    return f"{stability.counted(list(found['verdict']))} (commit {commits})" if len(found) else ""


def _picture(caption: str, figure: Figure) -> str:
    """A picture in the page's colours, with what it shows for who cannot see it."""
    return plots.themed(plots.svg(figure)).replace("<svg ", f'<svg role="img" aria-label="{escape(caption)}" ', 1)


def _headline(claim: Any, results: claims.Results) -> tuple[str, str] | None:
    """The sentence and the picture by which a claim that leads the page is shown there."""
    shown = claim.headline(results) if hasattr(claim, "headline") else None
    return shown and (shown[0], _picture(*shown))


def render(sections: list[Section], run: dict[str, Any]) -> str:
    """The page of all sections; ``run``: size, seconds, date and provenance."""
    template = jinja2.Template(
        files("experiments").joinpath("report.html.j2").read_text(encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    judged = {s["name"]: s["verdict"].verdict if s["verdict"] else s["state"] for s in sections}
    count = {verdict: list(judged.values()).count(verdict) for verdict in VERDICTS}
    return template.render(
        sections=sections,
        parts=list(dict.fromkeys(section["part"] for section in sections)),
        count={verdict: number for verdict, number in count.items() if number},
        judged=judged,
        coverage=[(title, list(part)) for title, part in groupby(coverage.sentences(), attrgetter("section"))],
        sentences=coverage.counts(),
        run=run,
        intervals=table_html(published.intervals()) if published.DEFAULT in published.sizes() else "",
    )


def table_html(frame: pd.DataFrame) -> str:
    """A table, numbers to the right and to a sensible number of digits."""
    head = "".join(f"<th>{escape(str(column))}</th>" for column in frame.columns)
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in frame.itertuples(index=False))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td>{escape(str(value))}</td>"
    if value != value:  # NaN: nothing to show
        return "<td></td>"
    return f'<td class="number">{value:,.4g}</td>' if isinstance(value, float) else f'<td class="number">{value:,}</td>'
