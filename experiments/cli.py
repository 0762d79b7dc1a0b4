"""The command line of the experiments: list, run, report."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from auction.commands.terminal import clean_stdout, stdout
from auction.errors import InputError
from experiments import claims, report
from experiments.claims import SIZES

app = typer.Typer(
    help="Run the whitepaper's claims, check them, and report.", no_args_is_help=True, add_completion=False
)

SizeName = Annotated[str, typer.Option(help="small (minutes) or full (hours); tiny only shows that it runs")]
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
    """The claims there are.

    Example: python -m experiments list
    """
    table = Table("claim", "section", "the whitepaper says")
    for name in claims.names():
        claim = claims.load(name)
        table.add_row(name, claim.SECTION, claim.STATEMENT)
    stdout.print(table)


@app.command("run")
def run_claim(
    claim: Annotated[str, typer.Argument(help="a name from `python -m experiments list`", show_default=False)],
    size: SizeName = "small",
    out: Out = Path("report"),
) -> None:
    """Run one claim, print its verdict and write its raw results.

    Example: python -m experiments run optimality_gap --size tiny
    """
    module = claims.load(claim)
    _prepared(size, out)
    with clean_stdout():
        results = module.run(size)
    report.save(results, claim, out)
    verdict = module.check(results)
    print(f"{module.TITLE}: {verdict.verdict}\n{verdict.figure}\n{verdict.explanation}")


@app.command("finding")
def write_finding(out: Out = Path("report")) -> None:
    """Bring the README's main finding and its figure up to date with a report's raw results.

    Example: python -m experiments finding --out report
    """
    report.finding(out, Path("README.md").resolve(), Path("experiments/finding.svg").resolve())


@app.command("report")
def write_report(size: SizeName = "small", out: Out = Path("report")) -> None:
    """Run every claim and write one page, ``report.html``, with the raw results beside it; prints the page's path.

    Example: python -m experiments report --size small --out report
    """
    _prepared(size, out)
    with clean_stdout():
        page = report.write(size, out)  # type: ignore[arg-type]
    print(page.resolve())
