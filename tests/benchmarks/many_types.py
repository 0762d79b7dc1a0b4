"""How far markets of many types are certified: one row a market as JSON lines, begun again where it stopped.

Example: python tests/benchmarks/many_types.py rows.jsonl --only 'sparse K=8' --solver column_generation

A row holds the market, the time limit, welfare, bound, certified bound and gap, the gap as it shrank, wall and
processor seconds, and what the certificate's prices prove when they are priced again, with the seconds that took. Rows
that the file holds are not repeated. The table of all is printed in the end.
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
from auction.plot import STYLE, gap_over_time

FIRST_SEED = 200  # none that anything was tuned on; packing was, on 100 to 104 of uniform, 16 types
LEAST = 1e-4  # gaps below this are drawn on a linear scale


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
    *(
        Row("bundles", 256, 1000, 256, 5, 30, "all proved", (("recipe", recipe),))
        for recipe in ("matching", "paths", "scheduling")
    ),
    Row("bundles", 256, 1000, 256, 5, 60, "2 %", (("recipe", "regions"),)),
    Row("marketplace", 6, 1000, 2000, 5, 60, "0.3 %"),
    *(Row("sparse", k, 1000, 2000, 5, 60, "0.3 %") for k in (8, 16, 40)),
    Row("uniform", 4, 1000, 2000, 5, 120, "5 %"),
    Row("sparse", 40, 12_500, 12_500, 5, 120, "2.5 %"),
    Row("uniform", 3, 200, 400, 5, 600, "0.6 %, 0.9 % after 300 s"),
    Row("sparse", 40, 100_000, 100_000, 5, 300, "4 %"),
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
        "gaps": [(round(at, 3), round(gap, 6)) for at, gap in gap_over_time(outcome, None)],
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
    heads = ("market", "solver", "demanded", "proved", "gap: median, worst", "worst at half the limit")
    heads += ("s: median, worst", "processor s", "derived s")
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    demanded = {row.name: f"{row.demanded}, {row.limit:g} s" for row in ROWS}
    for (name, solver), of in groups.items():
        gaps = [100 * (1.0 if row["gap"] is None else row["gap"]) for row in of]
        half = [100 * gap_at(row, row["limit"] / 2) for row in of]
        seconds, processor, deriving = (
            [row[key] for row in of] for key in ("seconds", "processor_seconds", "deriving_seconds")
        )
        lines.append(
            f"| {name} | {solver} | {demanded.get(name, '')} | {sum(row['proved'] for row in of)} of {len(of)} "
            f"| {median(gaps):.2f}, {max(gaps):.2f} % | {max(half):.2f} % "
            f"| {median(seconds):.1f}, {max(seconds):.1f} "
            f"| {median(processor):.1f}, {max(processor):.1f} | {max(deriving):.2f} |"
        )
    return "\n".join(lines)


def gap_at(row: dict[str, object], seconds: float) -> float:
    """The gap that was certified by then."""
    return next((gap for at, gap in reversed(row["gaps"]) if at <= seconds), 1.0)


def draw(rows: list[dict[str, object]], path: Path) -> None:
    """Gap against the number of types, and median gap against time: a panel a family, a colour a size."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullFormatter

    groups = defaultdict(list)
    for row in rows:
        groups[row["row"]].append(row)
    of = {row.name: row for row in ROWS if row.name in groups}
    families = {row.family: {} for row in of.values()}
    for row in of.values():
        size = f"{row.tasks} x {row.providers} {dict(row.options).get('recipe', '')}"
        families[row.family].setdefault(size, []).append(row.name)
    with rc_context(STYLE):
        figure = Figure(figsize=(13, 7), layout="constrained")
        grid = figure.add_gridspec(2, 3)
        by_types = figure.add_subplot(grid[:, 0])
        for at, (family, sizes) in enumerate(families.items()):
            by_time = figure.add_subplot(grid[at // 2, 1 + at % 2], sharey=by_types)
            by_time.set_title(f"{family} ({'●■▲◆'[at]})")
            for number, (size, names) in enumerate(sizes.items()):
                names.sort(key=lambda name: of[name].types)
                gaps = [[row["gap"] or 0.0 for row in groups[name]] for name in names]
                types, color = [of[name].types for name in names], f"C{number}"
                by_types.plot(types, list(map(median, gaps)), marker="os^D"[at], color=color, alpha=0.8)
                by_types.vlines(types, list(map(min, gaps)), list(map(max, gaps)), color=color, alpha=0.4)
                for name in names:
                    times = sorted({time for row in groups[name] for time, _ in row["gaps"]})
                    middle = [median(gap_at(row, time) for row in groups[name]) for time in times]
                    label = size if name == names[0] else None
                    by_time.plot(times, middle, drawstyle="steps-post", color=color, label=label)
            by_time.legend(fontsize=7, loc="lower left")
            by_time.set_xlabel("seconds")
        by_types.set_xlabel("types of model")
        by_types.set_ylabel("certified gap: median, and the range of seeds; against time the median")
        for axes in figure.axes:
            axes.set_xscale("log")
            axes.set_yscale("symlog", linthresh=LEAST, linscale=0.3)
            axes.set_ylim(0.0, 1.0)
            axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_major_formatter(FuncFormatter(lambda gap, _: f"{100 * gap:g} %"))
            axes.grid(color="#e3e7ec")
        figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="file of JSON lines, continued where it exists")
    parser.add_argument("--only", default="", help="rows whose names contain this")
    parser.add_argument("--solver", default="column_generation")
    parser.add_argument("--slower", type=float, default=1.0, help="factor on the time limits, for a busy machine")
    parser.add_argument("--plot", type=Path, help="gap against types and against time, .svg or .png")
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
            print(f"{row.name}, seed {seed}: {done[-1]['gap']:.4%} after {done[-1]['seconds']} s", flush=True)
    print(summary(done))
    if given.plot:
        draw(done, given.plot)


if __name__ == "__main__":
    main()
