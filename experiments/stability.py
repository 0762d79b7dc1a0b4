"""Whether verdicts depend on the seeds: each claim on disjoint sets of them."""

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from auction.commands.terminal import stderr
from auction.workers import completed
from experiments import claims, records
from experiments.claims import Size

COLUMNS = ["claim", "block", "verdict", "figure", "commit", "seconds"]
AGREE = 0.9
"""Of a claim's verdicts on disjoint sets of seeds; with fewer there is none."""


class Job(NamedTuple):
    """A claim on one set of seeds."""

    claim: str
    block: int


def stored(out: Path, size: str) -> pd.DataFrame:
    """One row a claim and block that was run at this size: verdict, figure, commit, seconds."""
    path = _path(out, size)
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    # As text unless it is a number: a commit such as 5166899161e5 is none.
    types = dict.fromkeys(COLUMNS, str) | {"block": int, "seconds": float}
    return pd.read_csv(path, keep_default_na=False, dtype=types)


def _path(out: Path, size: str) -> Path:
    return out / f"blocks-{size}.csv"


def judged(names: list[str], blocks: int, size: Size, out: Path) -> pd.DataFrame:
    """So many blocks of each claim, those that are stored not again; claims that measure time run alone."""
    table = stored(out, size)
    there = set(zip(table["claim"], table["block"], strict=True))
    jobs = [Job(name, block) for block in range(blocks) for name in names if (name, block) not in there]
    timed = [job for job in jobs if getattr(claims.load(job.claim), "TIMED", False)]
    others = [job for job in jobs if job not in timed]
    done = 0
    for some, alone in ((others, False), (timed, True)):
        for job, found in completed(partial(_row, size=size), some, alone=alone):
            row = found or (*job, "failed", "its process was killed", records.commit(), 0.0)
            table.loc[len(table)] = row
            table.to_csv(_path(out, size), index=False)
            done += 1
            stderr.print(f"{done}/{len(jobs)} {job.claim}, block {job.block}: {row[2]}, {row[-1]:.0f} s")
    chosen = table["claim"].isin(names) & (table["block"].astype(int) < blocks)
    return table[chosen].sort_values(["claim", "block"], ignore_index=True)


def _row(job: Job, size: Size) -> tuple[str, int, str, str, str, float]:
    claim, began = claims.load(job.claim), time.perf_counter()
    try:
        verdict = claim.check(claim.run(size, job.block))
        judged, figure = verdict.verdict, verdict.figure
    except Exception as error:  # noqa: BLE001 - whatever it is, the other blocks go on
        judged, figure = "failed", f"{type(error).__name__}: {' '.join(str(error).split())}"
    return *job, judged, figure, records.commit(), round(time.perf_counter() - began, 1)


def agree(verdicts: Sequence[str]) -> bool:
    """Whether at least nine in ten of them are the same; those that are undecided contradict none."""
    decided = Counter(verdict for verdict in verdicts if verdict != "undecided")
    least = AGREE * len(verdicts)
    return not decided or len(verdicts) - decided.total() + decided.most_common(1)[0][1] >= least


def counted(verdicts: Sequence[str]) -> str:
    """How often each came: "9 of 10 refuted, 1 of 10 undecided"."""
    return ", ".join(f"{number} of {len(verdicts)} {verdict}" for verdict, number in Counter(verdicts).most_common())


def keep(found: pd.DataFrame, folder: Path, size: str) -> None:
    """Write down what was found of claims, in the place of what was known of them there."""
    if len(found):
        before = stored(folder, size)
        others = before[~before["claim"].isin(found["claim"])]
        pd.concat([others, found]).sort_values(["claim", "block"], kind="stable").to_csv(
            _path(folder, size), index=False
        )


def shown(table: pd.DataFrame) -> str:
    """A line a claim: the first letter of its verdict on each block, and how often each verdict came."""
    lines = []
    for name, own in table.groupby("claim"):
        verdicts = own.sort_values("block")["verdict"]
        counted = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.value_counts().items())
        lines.append(f"{name:40} {''.join(verdict[0] for verdict in verdicts)}  {counted}")
    return "\n".join(lines)
