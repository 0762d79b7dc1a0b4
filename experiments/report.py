"""The report: every claim run, checked and drawn on one self-contained page, its raw results beside it as Parquet."""

import datetime
import platform
from html import escape
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import jinja2
import pandas as pd

from auction.errors import InputError
from experiments import claims, plots
from experiments.claims import Results, Size

PAGE = "report.html"
MARKERS = ("<!-- finding: written by `make finding` -->", "<!-- end of finding -->")
ORDER = ("gap_on_real_input", "optimality_gap")  # what a reader came for stands first


def ordered() -> list[str]:
    """All claims, part by part, the main findings first."""
    parts = list(claims.PARTS)

    def place(name: str) -> tuple[int, int, str]:
        return parts.index(claims.load(name).PART), ORDER.index(name) if name in ORDER else len(ORDER), name

    return sorted(claims.names(), key=place)


def write(size: Size, out: Path) -> Path:
    """Run every claim and write ``report.html`` and ``raw/CLAIM.TABLE.parquet`` below ``out``; returns the page."""
    started = datetime.datetime.now()
    sections = []
    for name in ordered():
        claim = claims.load(name)
        results: Results = claim.run(size)
        save(results, name, out)
        sections.append(section(name, results))
    seconds = (datetime.datetime.now() - started).total_seconds()
    page = out / PAGE
    temporary = page.with_suffix(".tmp")
    temporary.write_text(render(sections, size, seconds), encoding="utf-8")
    temporary.replace(page)
    return page


def save(results: Results, name: str, out: Path) -> None:
    """Write the raw results of one claim."""
    raw = out / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for table, frame in results.items():
        frame.to_parquet(raw / f"{name}.{table}.parquet", index=False)


def saved(name: str, out: Path) -> Results:
    """The raw results of one claim as an earlier run wrote them.

    Raises:
        InputError: there are none.
    """
    paths = sorted((out / "raw").glob(f"{name}.*.parquet"))
    if not paths:
        raise InputError(f"{out}: holds no raw results of {name}; run `python -m experiments report` first")
    return {path.name.split(".")[1]: pd.read_parquet(path) for path in paths}


def finding(out: Path, readme: Path, picture: Path) -> None:
    """Put the main finding, as the raw results below ``out`` have it, between the README's markers, with its figure."""
    parts = []
    for name in ORDER:
        claim = claims.load(name)
        verdict = claim.check(saved(name, out))
        parts.append(f"**{claim.TITLE}: {verdict.verdict}.** {verdict.figure}. {verdict.explanation}")
    caption, figure = next(iter(claims.load(ORDER[1]).figures(saved(ORDER[1], out)).items()))
    figure.set_facecolor("white")
    picture.write_text(plots.svg(figure), encoding="utf-8")
    parts.append(f"![{caption}]({picture.relative_to(readme.parent)})\n\n*{caption}*")
    before, _, rest = readme.read_text(encoding="utf-8").partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    block = "\n\n".join(parts)
    readme.write_text(f"{before}{MARKERS[0]}\n{block}\n{MARKERS[1]}{after}", encoding="utf-8")


def section(name: str, results: Results) -> dict[str, object]:
    """What the page shows of one claim."""
    claim = claims.load(name)
    return {
        "name": name,
        "part": claims.PARTS[claim.PART],
        "title": claim.TITLE,
        "section": claim.SECTION,
        "statement": claim.STATEMENT,
        "criterion": claim.CRITERION,
        "verdict": claim.check(results),
        "figures": {caption: plots.svg(figure) for caption, figure in claim.figures(results).items()},
        "tables": {caption: table_html(frame) for caption, frame in claim.tables(results).items()},
        "raw": [f"raw/{name}.{table}.parquet" for table in results],
    }


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


def render(sections: list[dict[str, object]], size: Size, seconds: float) -> str:
    """The page."""
    template = jinja2.Template(
        files("experiments").joinpath("report.html.j2").read_text(encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    packages = ("pulp", "highspy", "ortools", "numba", "numpy")
    return template.render(
        sections=sections,
        parts=list(dict.fromkeys(section["part"] for section in sections)),
        size=size,
        minutes=f"{seconds / 60:.1f}",
        made=datetime.date.today().isoformat(),
        python=platform.python_version(),
        packages=", ".join(f"{name} {version(name)}" for name in packages),
    )
