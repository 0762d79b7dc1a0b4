"""Published runs: results that README, page and notebooks are held against, each with its origin and a checksum.

A folder a size. To cite one: ``cite``.
"""

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from auction.errors import InputError
from experiments import claims, criteria, interval_coverage, plots, records
from experiments.claims import Results, Verdict

FOLDER = Path(__file__).parent
RUN, VERDICTS, INTERVALS = "run.json", "verdicts.parquet", "intervals.parquet"
COLUMNS = ["claim", "verdict", "figure", "explanation", "seconds", "processor_seconds"]
DEFAULT = "small"
MAIN = ("gap_on_real_input", "optimality_gap")  # what README shows, with the first figure of the last
MARKERS = ("<!-- finding: written by `make publish` -->", "<!-- end of finding -->")


def publish(out: Path, changed: str, samples: int = 4000) -> Path:
    """Take over the results below ``out`` as the published run of their size; returns its folder.

    Copied are the Parquet files; written are ``verdicts.parquet``, a row a claim; ``intervals.parquet``, how often the
    intervals hold in so many ``samples``; and ``run.json``: size, data, date, commit, machine, versions, ``changed``
    since the last one, the criteria's digests, the checksum.

    Raises:
        InputError: a claim is missing or failed, or was run on other data than the embedded or on uncommitted changes.
    """
    run = records.last_run(out)
    if run["commit"].endswith("-dirty"):
        raise InputError(f"{out}: was run on uncommitted changes to {run['commit']}; commit them and run again")
    if run["data"] != records.EMBEDDED:
        raise InputError(f"{out}: was run on {run['data']}; unset DISTRIBUTE_LAB_DATA and run again")
    found = {name: records.record(name, out) for name in claims.names()}
    lacking = [n for n, r in found.items() if r is None or r.failed or r.block or r.size != run["size"]]
    if lacking:
        raise InputError(f"{out}: holds no whole run of size {run['size']}; missing or failed: {', '.join(lacking)}")
    folder = FOLDER / run["size"]
    before = {"replaces": origin(run["size"])["checksum"]} if run["size"] in sizes() else {}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted((out / "raw").glob("*.parquet")):
        _write(pd.read_parquet(path), folder / path.name)
    rows = [asdict(records.record(n, out)) | asdict(claims.load(n).check(results(n, run["size"]))) for n in found]  # type: ignore[arg-type]
    _write(pd.DataFrame(rows)[COLUMNS], folder / VERDICTS)
    _write(interval_coverage.table(samples), folder / INTERVALS)
    own = {"changed": changed, "criteria": _digests(), "checksum": checksum(folder)}
    records.write_json(folder / RUN, run | before | own)
    return folder


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False, compression="zstd")


def _digests() -> dict[str, list[str]]:
    return {name: [entry.digest for entry in entries] for name, entries in criteria.all_criteria().items()}


def checksum(folder: Path) -> str:
    """SHA-256 over the names and contents of a folder's Parquet files."""
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.parquet")):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def sizes() -> list[str]:
    """The sizes of which there is a published run."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{RUN}"))


def origin(size: str = DEFAULT) -> dict[str, Any]:
    """Where a published run is from: what its ``run.json`` says."""
    found: dict[str, Any] = json.loads((FOLDER / size / RUN).read_text(encoding="utf-8"))
    return found


def cite(size: str = DEFAULT) -> str:
    """How to cite a published run."""
    run = origin(size)
    return (
        f"distribute-lab, run of size {size} of {run['date'][:10]}, commit {run['commit']}, SHA-256 {run['checksum']}"
    )


def verdicts(size: str = DEFAULT) -> pd.DataFrame:
    """A row a claim: its verdict, figure and explanation, and the seconds it took."""
    return pd.read_parquet(FOLDER / size / VERDICTS)


def intervals(size: str = DEFAULT) -> pd.DataFrame:
    """How often the study's intervals hold what they are intervals of, by simulation."""
    return pd.read_parquet(FOLDER / size / INTERVALS)


def results(name: str, size: str = DEFAULT) -> Results:
    """The raw results of one claim."""
    return records.tables(name, FOLDER / size)


def difference(name: str, verdict: Verdict, size: str) -> str:
    """What was published of a claim where that is something else; empty where verdict and figure are as published."""
    there = verdicts(size).set_index("claim") if size in sizes() else pd.DataFrame()
    if name not in there.index:
        return "nothing"
    before = there.loc[name]
    same = (verdict.verdict, verdict.figure) == (before["verdict"], before["figure"])
    return "" if same else ", ".join(filter(None, (before["verdict"], before["figure"])))


def finding(size: str = DEFAULT) -> tuple[str, str]:
    """The README's block on the main finding, and the picture (SVG) that it shows."""
    there, parts = verdicts(size).set_index("claim"), []
    for name in MAIN:
        verdict, figure, explanation = there.loc[name, ["verdict", "figure", "explanation"]]
        parts.append(f"**{claims.load(name).TITLE}: {verdict}.** {figure}. {explanation}")
    caption, picture = next(iter(claims.load(MAIN[-1]).figures(results(MAIN[-1], size)).items()))
    picture.set_facecolor("white")
    parts.append(f"![{caption}](experiments/finding.svg)\n\n*{caption}*")
    return "\n\n".join(parts), plots.svg(picture)


def write_finding(repository: Path) -> None:
    """Bring the README's main finding and its picture up to date with the published run."""
    block, picture = finding()
    (repository / "experiments" / "finding.svg").write_text(picture, encoding="utf-8")
    readme = repository / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    readme.write_text(f"{before}{MARKERS[0]}\n{block}\n{MARKERS[1]}{after}", encoding="utf-8")
