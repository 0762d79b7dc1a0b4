"""Published runs: results that README, page and notebooks are held against, each with its origin and a checksum.

A folder a size. To cite one: ``cite``. Beside them ``blocks-SIZE.csv``: what each claim came to on other seeds, or,
where time is measured, when it was measured again; with the commit that each row is of.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, astuple, fields
from pathlib import Path
from textwrap import fill
from typing import Any

import pandas as pd

from auction.errors import InputError
from experiments import claims, criteria, interval_coverage, plots, records, stability
from experiments.claims import Results, Verdict, undecided

FOLDER = Path(__file__).parent
RUN, VERDICTS, INTERVALS = "run.json", "verdicts.parquet", "intervals.parquet"
FROM = ["date", "commit", "machine", "versions", "seconds", "processor_seconds"]
COLUMNS = ["claim", "verdict", "figure", "explanation", *FROM]
DEFAULT, LARGEST = "small", "full"
MAIN = ("gap_on_real_input", "optimality_gap")  # what README shows, with the first figure of the last
MARKERS = ("<!-- finding: written by `make publish` -->", "<!-- end of finding -->")


def publish(out: Path, changed: str, samples: int = 4000) -> Path:
    """Take over the results below ``out`` as the published run of their size; returns its folder.

    Copied are the Parquet files and, of the claims that have any, the verdicts on other blocks of seeds; written are
    ``verdicts.parquet``, a row a claim; ``intervals.parquet``, how often the intervals hold in so many ``samples``; and
    ``run.json``: size, data, date, commit, machine, versions, ``changed`` since the last one, the criteria's digests,
    the checksum. Of the default size every claim is needed; of others those that were run are taken, and what was
    published of the rest stays.

    Raises:
        InputError: a claim is missing or failed, or was run on other data than the embedded or on uncommitted changes.
    """
    run = records.last_run(out)
    size = run["size"]
    if run["data"] != records.EMBEDDED or run["block"]:
        raise InputError(f"{out}: was run on {run['data']}, block {run['block']}; needed is block 0 on embedded data")
    found = [record for name in claims.names() if (record := records.record(name, out))]
    lacking = {*claims.names()} - {record.claim for record in found} if size == DEFAULT else set()
    lacking |= {record.claim for record in found if record.failed}
    if lacking or not found:
        raise InputError(f"{out}: holds no whole run of size {size}; missing or failed: {', '.join(sorted(lacking))}")
    for record in found:
        if record.commit.endswith("-dirty"):
            raise InputError(f"{out}: {record.claim} was run on changes to {record.commit}; commit them and run again")
    folder = FOLDER / size
    before = {"replaces": origin(size)["checksum"]} if size in sizes() else {}
    kept = _left(folder, {record.claim for record in found}) if size != DEFAULT else None
    if kept is None:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for record in found:
        for table, frame in records.saved(record.claim, out).items():
            _write(frame, folder / f"{record.claim}.{table}.parquet")
    stability.keep(stability.stored(out, size), FOLDER, size)
    rows = [run | asdict(r) | asdict(claims.load(r.claim).check(results(r.claim, size))) for r in found]
    _write(pd.concat([kept, pd.DataFrame(rows)[COLUMNS]]).sort_values("claim", ignore_index=True), folder / VERDICTS)
    _write(interval_coverage.table(samples), folder / INTERVALS)
    own = {"changed": changed, "criteria": _digests(), "checksum": checksum(folder)}
    records.write_json(folder / RUN, run | before | own)
    return folder


def _left(folder: Path, claims_run: set[str]) -> pd.DataFrame | None:
    """The verdicts that stay of an earlier run, where there was one; the results of the claims now run go."""
    if not (folder / VERDICTS).exists():
        return None
    for path in folder.glob("*.parquet"):
        if path.name.split(".")[0] in claims_run:
            path.unlink()
    table = pd.read_parquet(folder / VERDICTS)
    return table[~table["claim"].isin(claims_run)]


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


def size_of(name: str) -> str:
    """The size at which a claim is told: the largest, where it was published at that, which is a fair trial of it."""
    return LARGEST if results(name, LARGEST) else DEFAULT


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
    """A row a claim: its verdict, figure and explanation, as ``judged``, and the seconds it took."""
    table = pd.read_parquet(FOLDER / size / VERDICTS)
    own = [field.name for field in fields(Verdict)]
    rows = table[["claim", *own]].itertuples(index=False)
    settled = [astuple(_settled(name, Verdict(*alone), size)) for name, *alone in rows]
    return table.assign(**pd.DataFrame(settled, columns=own, index=table.index))


def told() -> pd.DataFrame:
    """The same by claim, each at the size at which it is told."""
    by_size = [verdicts(size).set_index("claim") for size in (DEFAULT, LARGEST) if size in sizes()]
    found = pd.concat(by_size)
    return found[~found.index.duplicated(keep="last")].sort_index()


def intervals(size: str = DEFAULT) -> pd.DataFrame:
    """How often the study's intervals hold what they are intervals of, by simulation."""
    return pd.read_parquet(FOLDER / size / INTERVALS)


def blocks(name: str, size: str = DEFAULT) -> pd.DataFrame:
    """A claim's verdicts on disjoint sets of seeds, a row a block: see ``stability``; none where they were not run."""
    table = stability.stored(FOLDER, size)
    return table[table["claim"] == name].sort_values("block", kind="stable", ignore_index=True)


def judged(name: str, found: Results, size: str = DEFAULT) -> Verdict:
    """What results of a claim come to: by its criterion, but undecided where its verdicts on other seeds disagree."""
    return _settled(name, claims.load(name).check(found), size)


def _settled(name: str, alone: Verdict, size: str) -> Verdict:
    others = list(blocks(name, size)["verdict"])
    if stability.agree(others):
        return alone
    return undecided(
        "Its verdict does not last from one set of seeds, or one measurement, to the next: "
        f"{stability.counted(others)}. These results alone: "
        f"{', '.join(filter(None, (alone.verdict, alone.figure)))}. {alone.explanation}"
    )


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
    parts += [f"![{caption}](experiments/finding.svg)", f"*{caption}*"]
    wrapped = (fill(part, 120, break_long_words=False, break_on_hyphens=False) for part in parts)
    return "\n\n".join(wrapped), plots.svg(picture)


def write_finding(repository: Path) -> None:
    """Bring the README's main finding and its picture up to date with the published run."""
    block, picture = finding()
    (repository / "experiments" / "finding.svg").write_text(picture, encoding="utf-8")
    readme = repository / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    readme.write_text(f"{before}{MARKERS[0]}\n{block}\n{MARKERS[1]}{after}", encoding="utf-8")
