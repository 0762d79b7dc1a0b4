"""Every claim runs, is judged and shown; its prose is made of what ``check`` compares with; its criterion is tested."""

import ast
import inspect
from pathlib import Path
from types import FunctionType, ModuleType

import pandas as pd
import pytest
from matplotlib.figure import Figure

from experiments import claims, statistics

FOLDER = Path(__file__).parent
ELSE = 37.3  # no threshold's value


@pytest.mark.parametrize("name", claims.names())
def test_a_claim_is_judged_and_shown(name, tiny):
    claim, results = claims.load(name), tiny(name)
    verdict = claim.check(results)
    assert verdict.verdict in ("upheld", "qualified", "refuted")
    assert verdict.figure and verdict.explanation
    assert claim.PART in claims.PARTS and claim.SECTION and claim.STATEMENT and "pheld if" in claim.CRITERION
    figures, tables = claim.figures(results), claim.tables(results)
    assert figures and all(isinstance(figure, Figure) for figure in figures.values())
    assert tables and all(isinstance(table, pd.DataFrame) and len(table) for table in tables.values())


@pytest.mark.parametrize("name", claims.names())
def test_every_claim_is_tested_on_results_built_by_hand(name):
    path = FOLDER / f"test_{name}.py"
    path = path if path.exists() else FOLDER / name / f"test_{name}.py"
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    checked = [ast.unparse(call) for call in calls if ast.unparse(call.func).endswith(".check")]
    assert any(".run(" not in call and "tiny" not in call for call in checked), path


def judging(claim: ModuleType) -> list[FunctionType]:
    """``check`` and the functions of claims that it calls, and so on."""
    found, waiting = [], [claim.check]
    while waiting:
        function = waiting.pop()
        found.append(function)
        names = [function.__globals__.get(name) for name in function.__code__.co_names]
        names = [f for f in names if isinstance(f, FunctionType) and f.__module__.startswith(claims.__name__)]
        waiting += [f for f in names if f not in (*found, *waiting)]
    return found


def operands(function: FunctionType) -> list[ast.expr]:
    """What a function's comparisons by size compare; those for equality select rows."""
    sizes = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    compared = [node for node in ast.walk(ast.parse(inspect.getsource(function))) if isinstance(node, ast.Compare)]
    compared = [node for node in compared if any(isinstance(each, sizes) for each in node.ops)]
    return [side for node in compared for side in (node.left, *node.comparators)]


def criterion(claim: ModuleType, **changed: float) -> str:
    """The prose as it reads where some constants have other values."""
    (prose,) = (
        node.value
        for node in ast.parse(inspect.getsource(claim)).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CRITERION"
    )
    return eval(compile(ast.Expression(prose), "CRITERION", "eval"), vars(claim) | changed)


BESIDE = {("heuristic_is_polynomial", "ASYMPTOTIC")}  # which rows are fitted
UNITS = {"DAY": 24 * 60 * 60, "TERABYTE": 10**12}  # thresholds that the prose names


@pytest.mark.parametrize("name", claims.names())
def test_threshold_and_prose_are_one_constant(name):
    claim = claims.load(name)
    assert criterion(claim) == claim.CRITERION
    for function in judging(claim):
        for operand in operands(function):
            if isinstance(operand, ast.Constant) and isinstance(operand.value, int | float):
                assert operand.value in (0, 1), f"{function.__name__} compares with {operand.value}"
            if not isinstance(operand, ast.Name) or not operand.id.isupper() or (name, operand.id) in BESIDE:
                continue
            value = function.__globals__[operand.id]
            if operand.id in UNITS:
                assert value == UNITS[operand.id] and f"a {operand.id.lower()}" in claim.CRITERION
            elif isinstance(value, int | float):
                assert criterion(claim, **{operand.id: ELSE}) != claim.CRITERION, operand.id


@pytest.mark.parametrize("name", [name for name in claims.names() if "95 %" in claims.load(name).CRITERION])
def test_intervals_in_the_prose_are_those_of_statistics(name, monkeypatch):
    monkeypatch.setattr(statistics, "CONFIDENCE", 0.5)
    assert "50 %" in criterion(claims.load(name)) and "95 %" not in criterion(claims.load(name))
