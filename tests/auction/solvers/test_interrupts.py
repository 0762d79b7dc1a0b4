"""Ctrl-C while a solver runs keeps the best found; each case in a process of its own."""

import os
import subprocess
import sys

import pytest

SOLVING = """
import os, signal, sys, threading
from auction import solvers
from auction.instances import generate
from auction.solvers import bid_density

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
solver, moment = sys.argv[1:]
market = generate("uniform", 60, 120, 3, 0)
known = solvers.solve(market, "greedy").welfare
solvers.load(solver)
interrupt = lambda: os.kill(os.getpid(), signal.SIGINT)
if moment == "before the search":
    original, fired = bid_density.solve, []  # a warm start runs it in several variants
    def solve(*arguments, **options):
        fired or fired.append(interrupt())
        return original(*arguments, **options)
    bid_density.solve = solve
else:
    threading.Timer(3.0, interrupt).start()
found = solvers.solve(market, solver, options={"warm_start": True})
assert found.status == "interrupted", found.status
assert known <= found.welfare < found.bound and not found.proven_optimal, (known, found.welfare, found.bound)
print("kept")
"""


@pytest.mark.parametrize("moment", ["before the search", "in the search"])
@pytest.mark.parametrize("solver", ["ilp_pulp", "ilp_cpsat", "ilp_scip"])
def test_an_interrupt_keeps_the_best_found(solver, moment):
    """Without a time limit: a solver that goes on is ended by the process's limit, which fails the test."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", SOLVING, solver, moment]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=40, check=False)
    assert ended.returncode == 0 and ended.stdout.endswith("kept\n"), ended.stderr
