"""The command line of the market: generate, solve, check, compare."""

from pathlib import Path
from typing import Annotated

import typer

from auction import instances, registry, solvers
from auction._interrupt import INTERRUPTED
from auction.allocation import check
from auction.certificate import Certificate, derived_bound
from auction.commands.arguments import Json, MarketFile, Options, ReadingName, Seed, TimeLimit, options_in_words
from auction.commands.compare import compare
from auction.commands.comparison_tables import print_outcome
from auction.commands.mechanism import list_mechanisms, measure_properties, run_mechanism
from auction.commands.plot import plot
from auction.commands.run import run_tables
from auction.commands.shards import solve_shards, split_market
from auction.commands.solving import read, solved
from auction.commands.tables import export_tables, import_tables, write_template
from auction.commands.terminal import key_values, print_json, print_named, printable, stderr, working
from auction.errors import InputError
from auction.files import (
    ensure_market_name,
    ensure_writable,
    read_certificate,
    read_market,
    read_outcome,
    summary_of,
    write_certificate,
    write_market,
    write_outcome,
)
from auction.market import Market
from auction.outcome import Outcome
from auction.welfare import welfare

app = typer.Typer(
    help="Allocate inference tasks to providers: exact solvers, the whitepaper's auction, and the gap between them.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("compare")(compare)
app.command("mechanism")(run_mechanism)
app.command("properties")(measure_properties)
app.command("mechanisms")(list_mechanisms)
app.command("run")(run_tables)
app.command("split")(split_market)
app.command("shards")(solve_shards)
app.command("import")(import_tables)
app.command("export")(export_tables)
app.command("template")(write_template)
app.command("plot")(plot)

CertificateOut = Annotated[Path | None, typer.Option(help="where to write certificate.json", show_default=False)]
CertificateIn = Annotated[Path | None, typer.Option(help="certificate.json of the outcome", show_default=False)]


@app.command()
def generate(
    family: Annotated[str, typer.Argument(help="a name from `python -m auction families`", show_default=False)],
    tasks: Annotated[int, typer.Option(help="how many tasks", show_default=False)],
    providers: Annotated[int, typer.Option(help="how many providers", show_default=False)],
    out: Annotated[Path, typer.Option(help="market.json or market.npz", show_default=False)],
    types: Annotated[int, typer.Option(help="how many model types")] = 3,
    seed: Seed = 0,
    option: Options = None,
) -> None:
    """Draw a market from a family.

    Example: python -m auction generate uniform --tasks 20 --providers 40 --seed 1 --out market.json
    """
    ensure_market_name(out)
    ensure_writable(out)
    options = key_values(option or [])
    with working(f"drawing {tasks} tasks and {providers} providers"):
        market = instances.generate(family, tasks, providers, types, seed, options)
        write_market(out, market)
    stderr.print(printable(f"{out}: {market.tasks} tasks, {market.providers} providers, {market.types} types"))


@app.command()
def solve(
    market: MarketFile,
    solver: Annotated[str, typer.Option(help="a name from `python -m auction solvers`")] = "auto",
    reading: ReadingName = "bundle",
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    option: Options = None,
    out: Annotated[Path | None, typer.Option(help="where to write outcome.json", show_default=False)] = None,
    certificate: CertificateOut = None,
    json: Json = False,
) -> None:
    """Solve one market with one solver; auto chooses one and says why. Ctrl-C keeps the best found, writes it and exits
    with 130.

    Example: python -m auction solve market.json --solver ilp_cpsat --option warm_start=true --time-limit 60
    """
    options = key_values(option or [])
    solvers.prepare(solver, reading, time_limit, seed, options)
    for path in (out, certificate):
        if path is not None:
            ensure_writable(path)
    loaded = read(market)
    outcome = solved(loaded, solver, reading, time_limit, seed, options)
    if out is not None:
        write_outcome(out, outcome)
    if certificate is not None and outcome.certificate is not None:
        write_certificate(certificate, outcome.certificate)
    if json:
        print_json(summary_of(outcome))
    else:
        print_outcome({"market": str(market), **summary_of(outcome)})
    if certificate is not None and outcome.certificate is None:
        raise InputError(
            f"{outcome.solver} proves no bound by prices: there is no certificate to write; column_generation and "
            "price_guided do, and assignment where one provider serves all of a task (--reading whole)"
        )
    if outcome.status == "interrupted":
        raise typer.Exit(INTERRUPTED)


@app.command("check")
def check_outcome(
    market: MarketFile,
    outcome: Annotated[Path, typer.Argument(help="outcome.json", show_default=False)],
    certificate: CertificateIn = None,
) -> None:
    """Re-check an outcome: exit code 0 when feasible and the welfare is right, 1 otherwise, with the reasons.

    With its certificate, the certified bound is derived again from the prices alone.

    Prices of a solve that was cut short may prove more than it had the time to find out.

    Example: python -m auction check market.json outcome.json --certificate certificate.json
    """
    loaded, claimed = read_market(market), read_outcome(outcome)
    reasons = _reasons(loaded, claimed)
    if certificate is not None:
        reasons += _certificate_reasons(loaded, claimed, read_certificate(certificate))
    for reason in reasons:
        print(printable(reason))
    if reasons:
        raise typer.Exit(1)
    print(f"feasible under {claimed.reading}, welfare {claimed.welfare} micro-tokens")
    if certificate is not None:
        print(f"bound {claimed.certified_bound} micro-tokens derived again from the certificate's prices")
    if claimed.bound is not None and claimed.bound != (claimed.certified_bound if certificate else None):
        grounds = claimed.proof or f"{claimed.solver}, {claimed.status}"
        print(printable(f"bound {claimed.bound} micro-tokens not derived again: {grounds}"))


def _reasons(market: Market, outcome: Outcome) -> list[str]:
    if outcome.market_digest != market.digest:
        raise InputError(
            f"market_digest: the outcome is for market {outcome.market_digest[:12]}..., not {market.digest[:12]}..."
        )
    reasons = check(market, outcome.allocation, outcome.reading)
    if not reasons:  # sums of what is not feasible need not fit
        achieved = welfare(market, outcome.allocation)
        if achieved != outcome.welfare:
            reasons.append(f"welfare is {achieved} micro-tokens, not {outcome.welfare}")
    for name, bound in (("bound", outcome.bound), ("certified_bound", outcome.certified_bound)):
        if bound is not None and bound < outcome.welfare:
            reasons.append(f"{name} {bound} is below the welfare {outcome.welfare}, micro-tokens")
    if outcome.proven_optimal != (outcome.bound == outcome.welfare):
        claim = "proven_optimal" if outcome.proven_optimal else "not proven_optimal"
        reasons.append(f"{claim}, but the bound is {outcome.bound} and the welfare {outcome.welfare}")
    proof = outcome.proven_optimal or outcome.proof is not None
    if outcome.certified_bound is not None and (outcome.bound or 0) < outcome.certified_bound and not proof:
        reasons.append(
            f"bound {outcome.bound} is below the certified bound {outcome.certified_bound} (micro-tokens) without proof"
        )
    return reasons


def _certificate_reasons(market: Market, outcome: Outcome, certificate: Certificate) -> list[str]:
    if certificate.market_digest != market.digest:
        raise InputError(
            f"market_digest: the certificate is for market {certificate.market_digest[:12]}..., "
            f"not {market.digest[:12]}..."
        )
    if certificate.reading != outcome.reading:
        raise InputError(f"reading: the certificate is for {certificate.reading}, the outcome for {outcome.reading}")
    rows = certificate.price, certificate.vector, certificate.unit
    derived = derived_bound(market, certificate.reading, *rows, repeat=certificate.repeat)
    reasons = []
    if derived > certificate.bound:
        reasons.append(f"the certificate states the bound {certificate.bound}; its prices prove {derived} micro-tokens")
    if outcome.certified_bound != certificate.bound:
        reasons.append(
            f"certified_bound is {outcome.certified_bound}; the certificate's is {certificate.bound} micro-tokens"
        )
    return reasons


@app.command("solvers")
def list_solvers() -> None:
    """The solvers there are, with their readings and options.

    Example: python -m auction solvers
    """
    for name in solvers.names():
        module = solvers.load(name)
        print_named(
            name, registry.summary(module), f"readings: {', '.join(module.READINGS)}", options_in_words(module.solve)
        )


@app.command("families")
def list_families() -> None:
    """The families of markets there are, with their options.

    Example: python -m auction families
    """
    for name in instances.names():
        module = instances.load(name)
        print_named(name, registry.summary(module), options_in_words(module.generate))
