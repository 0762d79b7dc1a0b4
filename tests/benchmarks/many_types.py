"""How far markets of many types are certified: one row a market as JSON lines, begun again where it stopped.

Example: python tests/benchmarks/many_types.py rows.jsonl --only 'sparse K=8' --solver column_generation

A row holds the market, the time limit, welfare, bound, certified bound and gap, wall and processor seconds, and what
the certificate's prices prove when they are priced again, with the seconds that took. Rows that the file holds are not
repeated. The table of all is printed in the end.
"""

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import NamedTuple

from auction import generate, solve
from auction.allocation import check
from auction.certificate import derived_bound

FIRST_SEED = 100  # none that anything was tuned on


class Row(NamedTuple):
    """Markets of one size."""

    family: str
    types: int
    tasks: int
    providers: int
    seeds: int
    limit: float  # seconds
    demanded: str  # of the gaps
    options: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        recipe = "".join(f" {value}" for _, value in self.options)
        return f"{self.family}{recipe} K={self.types} {self.tasks}x{self.providers}"


ROWS = (
    *(Row("uniform", k, 20, 40, 5, 10, "all proved") for k in (4, 6, 8, 16, 40)),
    *(Row("sparse", k, 80, 160, 10, 20, "all proved") for k in (8, 16, 40)),
    Row("uniform", 3, 80, 160, 10, 60, "nine proved"),
    Row("uniform", 4, 80, 160, 5, 60, "four proved"),
    Row("uniform", 6, 80, 160, 5, 60, "all proved"),
    Row("uniform", 16, 80, 160, 5, 60, "all proved"),
    Row("uniform", 8, 80, 160, 5, 60, "two proved, 0.6 % at worst"),
    Row("uniform", 40, 80, 160, 5, 120, "four proved"),
    *(Row("marketplace", k, 80, 160, 5, 10, "all proved") for k in (4, 6)),
    *(
        Row("bundles", 50, 200, 50, 5, 30, "all proved", (("recipe", recipe),))
        for recipe in ("arbitrary", "matching", "paths", "regions", "scheduling")
    ),
)


def measure(row: Row, seed: int, solver: str, limit: float) -> dict[str, object]:
    """Solve one market, check the allocation, and derive the certificate's bound again."""
    market = generate(row.family, row.tasks, row.providers, row.types, seed, dict(row.options))
    processor = time.process_time()
    outcome = solve(market, solver, time_limit=limit)
    processor = time.process_time() - processor
    reasons = check(market, outcome.allocation, "bundle")
    if reasons:
        raise SystemExit(f"{row.name}, seed {seed}: {reasons[0]}")
    derived, deriving = None, time.process_time()
    if (certificate := outcome.certificate) is not None:
        prices = certificate.price, certificate.vector, certificate.unit
        derived = derived_bound(market, "bundle", *prices, repeat=certificate.repeat)
    return {
        "row": row.name, "seed": seed, "solver": solver, "limit": limit, "welfare": outcome.welfare,
        "bound": outcome.bound, "certified": outcome.certified_bound, "derived": derived, "gap": outcome.gap,
        "proved": outcome.proven_optimal, "status": outcome.status, "proof": outcome.proof,
        "seconds": round(outcome.seconds, 3), "processor_seconds": round(processor, 3),
        "deriving_seconds": round(time.process_time() - deriving, 3),
    }  # fmt: skip


def compiled(solver: str) -> None:
    """Solve small markets once, so that no row compiles."""
    for types in (3, 5):
        outcome = solve(generate("uniform", 12, 24, types, 0), solver, time_limit=60)
        if (certificate := outcome.certificate) is not None:
            market = generate("uniform", 12, 24, types, 0)
            derived_bound(market, "bundle", certificate.price, certificate.vector, certificate.unit)


def summary(rows: list[dict[str, object]]) -> str:
    """A line for each row and solver: how many are proved, gaps and times."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["row"], row["solver"]].append(row)
    lines = [
        "| market | solver | demanded | proved | gap: median, worst | s: median, worst | processor s | derived s |"
    ]
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
    demanded = {row.name: f"{row.demanded}, {row.limit:g} s" for row in ROWS}
    for (name, solver), of in groups.items():
        gaps = [100 * (1.0 if row["gap"] is None else row["gap"]) for row in of]
        seconds, processor, deriving = (
            [row[key] for row in of] for key in ("seconds", "processor_seconds", "deriving_seconds")
        )
        lines.append(
            f"| {name} | {solver} | {demanded.get(name, '')} | {sum(row['proved'] for row in of)} of {len(of)} "
            f"| {median(gaps):.2f}, {max(gaps):.2f} % | {median(seconds):.1f}, {max(seconds):.1f} "
            f"| {median(processor):.1f}, {max(processor):.1f} | {max(deriving):.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="file of JSON lines, continued where it exists")
    parser.add_argument("--only", default="", help="rows whose names contain this")
    parser.add_argument("--solver", default="column_generation")
    parser.add_argument("--slower", type=float, default=1.0, help="factor on the time limits, for a busy machine")
    given = parser.parse_args()
    done = [json.loads(line) for line in given.out.read_text().splitlines()] if given.out.exists() else []
    known = {(row["row"], row["seed"], row["solver"], row["limit"]) for row in done}
    compiled(given.solver)
    for row in ROWS:
        for seed in range(FIRST_SEED, FIRST_SEED + row.seeds):
            limit = row.limit * given.slower
            if given.only not in row.name or (row.name, seed, given.solver, limit) in known:
                continue
            done.append(measure(row, seed, given.solver, limit))
            with given.out.open("a") as file:
                file.write(json.dumps(done[-1]) + "\n")
            print(json.dumps(done[-1]), flush=True)
    print(summary(done))


if __name__ == "__main__":
    main()
