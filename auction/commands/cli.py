"""The command line of the market: generate, solve, check, compare."""

from pathlib import Path
from typing import Annotated, Any

import typer

from auction import instances, registry, solvers
from auction._interrupt import INTERRUPTED
from auction.allocation import check
from auction.certificate import Certificate, derived_bound
from auction.commands.arguments import Json, MarketFile, Options, ReadingName, Seed, TimeLimit, options_in_words
from auction.commands.mechanism import list_mechanisms, measure_properties, run_mechanism
from auction.commands.terminal import (
    clean_stdout,
    key_values,
    print_json,
    print_named,
    printable,
    stderr,
    stdout,
    table_of,
    working,
)
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
from auction.market import MICRO, Market
from auction.outcome import Outcome
from auction.welfare import welfare

app = typer.Typer(
    help="Allocate inference tasks to providers: exact solvers, the whitepaper's auction, and the gap between them.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("mechanism")(run_mechanism)
app.command("properties")(measure_properties)
app.command("mechanisms")(list_mechanisms)

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
    solver: Annotated[str, typer.Option(help="a name from `python -m auction solvers`", show_default=False)],
    reading: ReadingName = "bundle",
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    option: Options = None,
    out: Annotated[Path | None, typer.Option(help="where to write outcome.json", show_default=False)] = None,
    certificate: CertificateOut = None,
    json: Json = False,
) -> None:
    """Solve one market with one solver. Ctrl-C keeps the best found, writes it and exits with 130.

    Example: python -m auction solve market.json --solver ilp_cpsat --option warm_start=true --time-limit 60
    """
    options = key_values(option or [])
    solvers.prepare(solver, reading, time_limit, seed, options)
    for path in (out, certificate):
        if path is not None:
            ensure_writable(path)
    loaded = _read(market)
    outcome = _solve(loaded, solver, reading, time_limit, seed, options)
    if out is not None:
        write_outcome(out, outcome)
    if certificate is not None:
        if outcome.certificate is None:
            raise InputError(f"{solver} proves no bound by prices: there is no certificate to write")
        write_certificate(certificate, outcome.certificate)
    if json:
        print_json(summary_of(outcome))
    else:
        _print_outcomes(str(market), [outcome])
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
        print(f"bound {claimed.certified_bound} derived again from the certificate's prices")
    if claimed.bound is not None and claimed.bound != (claimed.certified_bound if certificate else None):
        grounds = claimed.proof or f"{claimed.solver}, {claimed.status}"
        print(printable(f"bound {claimed.bound} not derived again: {grounds}"))


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
            reasons.append(f"{name} {bound} is below the welfare {outcome.welfare}")
    if outcome.proven_optimal != (outcome.bound == outcome.welfare):
        claim = "proven_optimal" if outcome.proven_optimal else "not proven_optimal"
        reasons.append(f"{claim}, but the bound is {outcome.bound} and the welfare {outcome.welfare}")
    proof = outcome.proven_optimal or outcome.proof is not None
    if outcome.certified_bound is not None and (outcome.bound or 0) < outcome.certified_bound and not proof:
        reasons.append(f"bound {outcome.bound} is below the certified bound {outcome.certified_bound} without a proof")
    return reasons


def _certificate_reasons(market: Market, outcome: Outcome, certificate: Certificate) -> list[str]:
    if certificate.market_digest != market.digest:
        raise InputError(
            f"market_digest: the certificate is for market {certificate.market_digest[:12]}..., "
            f"not {market.digest[:12]}..."
        )
    if certificate.reading != outcome.reading:
        raise InputError(f"reading: the certificate is for {certificate.reading}, the outcome for {outcome.reading}")
    derived = derived_bound(market, certificate.reading, certificate.price, certificate.vector, certificate.unit)
    reasons = []
    if derived != certificate.bound:
        reasons.append(f"the certificate states the bound {certificate.bound}; its prices prove {derived}")
    if outcome.certified_bound != certificate.bound:
        reasons.append(f"certified_bound is {outcome.certified_bound}; the certificate's is {certificate.bound}")
    return reasons


@app.command()
def compare(
    markets: Annotated[list[Path], typer.Argument(help="market files", show_default=False)],
    solver: Annotated[
        str | None, typer.Option("--solvers", help="names, separated by commas; by default all that can take it")
    ] = None,
    reading: ReadingName = "bundle",
    time_limit: TimeLimit = 60.0,
    json: Json = False,
) -> None:
    """Run several solvers on several markets; exact ones start from the best heuristic.

    A bound, or an optimum called proven, that lies below the welfare another solver found is said to be false, in
    the table, in the JSON (``contradicted_by``) and on standard error; the exit code is then 1.

    Example: python -m auction compare market.json --solvers bid_density,greedy,ilp_cpsat --time-limit 30
    """
    chosen = solver.split(",") if solver else _comparable(reading)
    plans = []
    for name in chosen:
        options = {"warm_start": "true"} if "warm_start" in registry.options_of(solvers.load(name).solve) else {}
        solvers.prepare(name, reading, time_limit, 0, options)
        plans.append((name, options))
    loaded = [(path, _read(path)) for path in markets]

    summaries: list[dict[str, Any]] = []
    interrupted = False
    for path, market in loaded:
        of_market: list[Outcome] = []
        for name, options in plans:
            try:
                of_market.append(_solve(market, name, reading, time_limit, 0, options))
            except InputError as error:
                if solver:
                    raise
                stderr.print(printable(f"{name} left out: {error}"), soft_wrap=True)
            if interrupted := bool(of_market) and of_market[-1].status == "interrupted":
                break
        contradictions = [_contradicted_by(one, of_market) for one in of_market]
        for one, other in zip(of_market, contradictions, strict=True):
            if other is not None:
                word = "proven optimum" if one.proven_optimal else "bound"
                text = f"{path}: {one.solver}'s {word} {one.bound} is false: {other.solver} found {other.welfare}"
                stderr.print(printable(text), style="bold red", soft_wrap=True)
        if not json:
            _print_outcomes(str(path), of_market)
        summaries += [
            summary_of(one) | ({} if other is None else {"contradicted_by": other.solver})
            for one, other in zip(of_market, contradictions, strict=True)
        ]
        if interrupted:
            break
    if json:
        print_json(summaries)
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if any("contradicted_by" in summary for summary in summaries):
        raise typer.Exit(1)


def _contradicted_by(outcome: Outcome, others: list[Outcome]) -> Outcome | None:
    """The outcome of most welfare, where that is above what this one calls a bound: feasible, so the bound is false."""
    best = max(others, key=lambda one: one.welfare)
    return best if outcome.bound is not None and outcome.bound < best.welfare else None


def _comparable(reading: str) -> list[str]:
    """All solvers that take the reading, the tests' referee apart."""
    return [name for name in solvers.names() if name != "brute_force" and reading in solvers.load(name).READINGS]


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


def _read(path: Path) -> Market:
    """The market; a word on standard error where its amounts look like tokens."""
    with working(f"reading {path}"):
        market = read_market(path)
    if market.tasks and not (market.net_bid > 0).any():
        stderr.print(
            printable(f"{path}: no task bids more than its extra cost; amounts are micro-tokens"), soft_wrap=True
        )
    return market


def _solve(
    market: Market, solver: str, reading: Any, time_limit: float | None, seed: int, options: dict[str, str]
) -> Outcome:
    limit = "" if time_limit is None else f", at most {time_limit:g} s"
    with working(f"{solver} on {market.tasks} x {market.providers}{limit}"), clean_stdout():
        return solvers.solve(market, solver, reading=reading, time_limit=time_limit, seed=seed, options=options)


def _print_outcomes(title: str, outcomes: list[Outcome]) -> None:
    bounds = [one.bound for one in outcomes if one.bound is not None and not _contradicted_by(one, outcomes)]
    best = min(bounds, default=0)
    caption = "welfare and bound in tokens; gap to the best bound of the table"
    stdout.print(printable(title), soft_wrap=True)
    table = table_of("solver", "welfare", "bound", "gap", "seconds", caption=caption)
    table.add_column("status", overflow="fold")
    for one in outcomes:
        table.add_row(
            one.solver,
            "" if one.status == "bound" else f"{one.welfare / MICRO:,.6f}",
            "" if one.bound is None else f"{one.bound / MICRO:,.6f}",
            f"{(best - one.welfare) / best:.4%}" if best and one.status != "bound" else "",
            f"{one.seconds:.3f}",
            "FALSE" if _contradicted_by(one, outcomes) else one.status,
        )
    stdout.print(table)
