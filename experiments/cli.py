"""The command line of the experiments: list, run, report, blocks, market."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from auction.commands.arguments import Scheduler
from auction.commands.terminal import clean_stdout, print_named, stdout
from auction.errors import InputError
from auction.workers import on
from experiments import claims, criteria, interval_coverage, published, records, report, stability
from experiments.claims import SIZES
from experiments.marketplace.commands import cli as marketplace

app = typer.Typer(
    help="Run the whitepaper's claims, check them, and report.", no_args_is_help=True, add_completion=False
)

app.add_typer(marketplace.app, name="market")

SizeName = Annotated[str, typer.Option(help="small (minutes) or full (hours); tiny only shows that it runs")]
Resume = Annotated[bool, typer.Option("--resume", help="go on where an interrupted run stopped")]
Out = Annotated[Path, typer.Option(help="directory for the page and the raw results")]


def _prepared(size: str, out: Path) -> None:
    if size not in SIZES:
        raise InputError(f"size: {size!r} is not allowed; {', '.join(SIZES)}")
    try:
        (out / "raw").mkdir(parents=True, exist_ok=True)
        probe = out / "raw" / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from None


@app.command("list")
def list_claims() -> None:
    """The claims there are, each with the section and the sentence that it judges; a finding with its question.

    Example: python -m experiments list
    """
    for name in claims.names():
        claim = claims.load(name)
        asked = claim.FINDING if claims.is_finding(claim) else f"{claim.SECTION}: “{claim.STATEMENT}”"
        print_named(name, asked)


@app.command("run")
def run_claim(
    claim: Annotated[str, typer.Argument(help="a name from `python -m experiments list`", show_default=False)],
    size: SizeName = "small",
    out: Out = Path("report"),
    block: Annotated[int, typer.Option(min=0, help="which of the disjoint sets of seeds")] = 0,
    resume: Resume = False,
    scheduler: Scheduler = None,
) -> None:
    """Run one claim, print its verdict and write its raw results.

    Example: python -m experiments run optimality_gap --size tiny
    """
    module = claims.load(claim)
    _prepared(size, out)
    run = records.join(size, out, block)  # type: ignore[arg-type]
    if not resume:
        records.forget(claim, out)
    with on(scheduler), clean_stdout():
        record = records.perform(claim, size, out, block)  # type: ignore[arg-type]
    records.save_run(run | {"seconds": round(run["seconds"] + record.seconds, 1)}, out)
    verdict = module.check(records.saved(claim, out))
    print("\n".join(filter(None, (f"{module.TITLE}: {verdict.verdict}", verdict.figure, verdict.explanation))))
    if size == "tiny":
        print("Size tiny only shows that it runs: its verdict is no evidence.")
    for entry in criteria.of(claim)[-1:]:
        print(f"Criterion of {entry.date}: {entry.text}")
    print(f"In brackets: 95 % intervals. Raw results: {out / 'raw' / claim}.*.csv")


@app.command("publish")
def write_published(
    changed: Annotated[str, typer.Option(help="what changed since the last published run", show_default=False)],
    out: Out = Path("report"),
) -> None:
    """Take over a report's results as the published ones, which README, page and notebooks are held against.

    With the verdicts on other blocks, where they are there. Of size full, whichever claims were run.

    Example: python -m experiments publish --changed "ten seeds for VCG" --out report
    """
    if not (published.FOLDER.parents[1] / "README.md").exists():
        raise InputError(f"{published.FOLDER}: is not in a checkout of the repository; what is published belongs there")
    folder = published.publish(out, changed)
    if folder.name == published.DEFAULT:
        published.write_finding(folder.parents[2])
    print(published.cite(folder.name))


@app.command("report")
def write_report(
    size: SizeName = "small",
    out: Out = Path("report"),
    resume: Resume = False,
    scheduler: Scheduler = None,
    render: Annotated[bool, typer.Option("--render", help="only draw the page anew, from the raw results")] = False,
) -> None:
    """Run every claim and write one page, report.html, with the raw results beside it; prints the page's path.

    Example: python -m experiments report --size small --out report
    """
    _prepared(size, out)
    with clean_stdout():
        if render:
            page = report.render(out)
        else:
            page = report.write(size, out, resume=resume, scheduler=scheduler)  # type: ignore[arg-type]
    print(page.resolve())


@app.command("blocks")
def write_blocks(
    chosen: Annotated[list[str] | None, typer.Argument(metavar="[CLAIM]...", show_default="all")] = None,
    blocks: Annotated[int, typer.Option(min=1, help="disjoint sets of seeds")] = 10,
    size: SizeName = "small",
    out: Out = Path("report"),
    scheduler: Scheduler = None,
) -> None:
    """Each claim's verdict on disjoint sets of seeds; writes blocks-SIZE.csv, goes on where it was, prints the table.

    Example: python -m experiments blocks optimality_gap prices_are_fair_enough --blocks 10
    """
    for name in chosen or ():
        claims.load(name)
    _prepared(size, out)
    with on(scheduler), clean_stdout():
        table = stability.judged(chosen or claims.names(), blocks, size, out)  # type: ignore[arg-type]
    print(stability.shown(table))


@app.command("intervals")
def write_intervals(
    samples: Annotated[int, typer.Option(min=1, help="drawn for each line of the table")] = 2000,
) -> None:
    """How often the report's 95 % intervals hold the mean, by simulation.

    Example: python -m experiments intervals --samples 500
    """
    found = interval_coverage.table(samples)
    table = Table(*found.columns)
    for row in found.itertuples(index=False):
        table.add_row(*map(str, row[:-1]), f"{row.coverage:.1%}")
    stdout.print(table)


@app.command("notebooks")
def write_notebooks() -> None:
    """Run the notebooks from top to bottom, on the published results, and keep what they show.

    Example: python -m experiments notebooks
    """
    from experiments import notebook

    notebook.write()
