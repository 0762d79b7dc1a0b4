"""Solvers of the allocation problem, one file each, and ``solve``, which runs, times and checks any of them.

A solver is a module with ``READINGS`` and a function::

    solve(market, reading, stop, seed, *, option=default, ...) -> Found

whose keyword-only parameters are its options. Adding one means adding one file; its tests run by themselves. Another
distribution adds one by an entry point of the group ``distribute_lab.solvers`` that names such a module, and ``solve``
takes such a function as it is.
"""

import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from auction import registry
from auction.allocation import check
from auction.arrays import integer
from auction.errors import InputError, unknown
from auction.market import READINGS, Market, Reading
from auction.outcome import Outcome
from auction.progress import Callback, Progress, settled
from auction.search import Found, Stop
from auction.welfare import welfare

ENTRY_POINTS, REQUIRED = "distribute_lab.solvers", ("READINGS", "solve")
Solver = str | Callable[..., Found]  # a name, or a function as above


def names() -> list[str]:
    """Every solver there is."""
    return registry.names(sys.modules[__name__])


def name_of(solver: Solver) -> str:
    """The name under which a solver's outcomes go: a function's is its own."""
    return solver if isinstance(solver, str) else str(getattr(solver, "__name__", type(solver).__name__))


def load(name: Solver) -> Any:
    """A solver's module, or what stands for the module of a function, which takes every reading.

    Raises:
        InputError: no solver of that name, or one of another distribution that does not work.
    """
    if not isinstance(name, str):
        return SimpleNamespace(READINGS=READINGS, solve=name, __doc__=name.__doc__)
    return registry.load(sys.modules[__name__], name, "solver")


def prepare(
    solver: Solver, reading: str, time_limit: float | None, seed: int, options: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The solver's module and its complete options, everything a caller can get wrong checked.

    Raises:
        InputError: unknown solver, reading or option, a reading the solver cannot take, a limit that is not positive.
    """
    module, name = load(solver), name_of(solver)
    if reading not in READINGS:
        raise unknown("reading", reading, READINGS)
    if reading not in module.READINGS:
        raise InputError(f"{name} cannot take the reading {reading!r}; it takes {', '.join(module.READINGS)}")
    if time_limit is not None and not 0 < time_limit < float("inf"):
        raise InputError(f"time limit: {time_limit} is not allowed; a positive number of seconds")
    integer("seed", seed, 0, 2**31 - 1)
    return module, registry.parse_options(module.solve, options, name)


def solve(
    market: Market,
    solver: Solver,
    *,
    reading: Reading = "bundle",
    time_limit: float | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    callback: Callback | None = None,
) -> Outcome:
    """Run one solver on one market; the allocation is checked before it leaves.

    The solver runs in a thread of its own, so that an interrupt (Ctrl-C) stops it and keeps the best found: the
    outcome's status is then ``interrupted``. A second interrupt abandons it.

    Args:
        market: the market.
        solver: a name from ``names()``, or a function ``(market, reading, stop, seed, *, options...)`` that gives an
            ``auction.search.Found``; see the module.
        reading: ``bundle`` (a task may combine providers) or ``whole`` (one provider a task).
        time_limit: seconds of solving; None for no limit.
        seed: same seed, same result whenever the solver finishes within its limit.
        options: the solver's options, typed or as text.
        callback: called with seconds, welfare and bound each time that a better allocation or bound is found, from the
            solver's threads; what it raises stops the solver and is raised here.

    Returns:
        the allocation, its welfare, the bound and what proves it; ``outcome.frame()`` lists the pairs.

    Raises:
        InputError: see ``prepare``, or a market beyond what the solver can take.

    >>> import auction
    >>> market = auction.generate("uniform", 6, 10, 2, seed=1)
    >>> auction.solve(market, "ilp_cpsat", time_limit=10.0).proven_optimal
    True
    """
    module, complete = prepare(solver, reading, time_limit, seed, options or {})
    name = name_of(solver)
    seed = int(seed)  # numpy's integers are no JSON
    market.net_bid  # noqa: B018 - derived once, outside the timing
    stop = Stop(time_limit, callback)
    found = _in_thread(lambda: module.solve(market, reading, stop, seed, **complete), stop)
    seconds = stop.elapsed

    if not isinstance(found, Found):
        raise TypeError(f"{name} returned {type(found).__name__}, not auction.search.Found")
    violated = check(market, found.allocation, reading)
    if violated:
        raise AssertionError(f"{name} returned an infeasible allocation: {violated[0]}")
    achieved = welfare(market, found.allocation)
    if found.bound is not None and found.bound < achieved:
        raise AssertionError(f"{name} claims the bound {found.bound} below its own welfare {achieved}")
    end = Progress(seconds, None if found.status == "bound" else achieved, found.bound)
    stop.report(welfare=end.welfare, bound=end.bound)
    if stop.failure is not None:
        raise stop.failure
    return Outcome(
        solver=name,
        reading=reading,
        allocation=found.allocation,
        welfare=achieved,
        bound=found.bound,
        proven_optimal=found.bound == achieved,
        status="interrupted" if stop.interrupted else found.status,
        seconds=seconds,
        seed=seed,
        options=complete,
        market_digest=market.digest,
        certified_bound=None if found.certificate is None else found.certificate.bound,
        proof=found.proof,
        remark=found.remark,
        history=settled(stop.history, end),
        certificate=found.certificate,
        market=market,
    )


def _in_thread(work: Callable[[], Found], stop: Stop) -> Found:
    future: Future[Found] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            future.set_exception(error)

    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
        return future.result()
    except KeyboardInterrupt:
        stop.interrupt()
        return future.result()
