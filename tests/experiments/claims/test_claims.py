"""Every claim runs, is judged and shown; its quote is the whitepaper's, its thresholds are the criterion's."""

import ast
import inspect
import math
import os
import re
from pathlib import Path
from types import FunctionType, ModuleType

import pandas as pd
import pytest
from matplotlib.figure import Figure

from experiments import claims, criteria, statistics
from experiments.claims._prose import part

FOLDER = Path(__file__).parent


FINDINGS = [name for name in claims.names() if claims.is_finding(claims.load(name))]
JUDGING = [name for name in claims.names() if name not in FINDINGS]


@pytest.mark.parametrize("name", claims.names())
def test_a_claim_is_judged_and_shown(name, tiny):
    claim, results = claims.load(name), tiny(name)
    verdict = claim.check(results)
    assert verdict.explanation and claim.PART in claims.PARTS
    assert (verdict.verdict == "found") == (name in FINDINGS) or verdict.verdict == "undecided"
    figures, tables = claim.figures(results), claim.tables(results)
    assert figures and all(isinstance(figure, Figure) for figure in figures.values())
    assert tables and all(isinstance(table, pd.DataFrame) and len(table) for table in tables.values())


@pytest.mark.parametrize("name", JUDGING)
def test_a_claim_has_a_criterion_and_every_earlier_one_still_judges(name, tiny):
    assert claims.load(name).SECTION
    entries = criteria.of(name)
    assert "pheld if" in entries[-1].text and not (entries[-1].judge or entries[-1].came_to)
    assert [entry.date for entry in entries] == sorted(entry.date for entry in entries)
    assert all(entry.changed for entry in entries[1:] if not entry.came_to) and not entries[0].changed
    judged = [entry.verdict(claims.load(name), tiny(name)) for entry in entries]
    assert set(judged) <= {"upheld", "qualified", "refuted", "undecided"}


STEADY = {
    *("benchmark_predicts", "browser_is_a_provider", "kernel_speed", "webgpu_is_consistent"),  # measure a machine
    *("circuit_takes_terabytes", "idle_hardware_suffices", "zkml_is_impractical"),  # read what was measured once
    *("larger_models_in_a_browser", "sdxl_in_a_browser"),  # plan, of which nothing is drawn
    "randomness_fixed_is_deterministic",  # draws prompts, and of so few the counts may coincide
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in claims.names() if name not in STEADY])
def test_every_block_has_draws_of_its_own(name, tiny):
    first, second = (
        {table: frame.loc[:, [c for c in frame if "seconds" not in c]] for table, frame in results.items()}
        for results in (tiny(name), claims.load(name).run("tiny", 1))
    )
    assert set(first) == set(second)
    assert any(not first[table].equals(second[table]) for table in first)


def test_a_finding_quotes_nobody():
    assert FINDINGS and not any(hasattr(claims.load(name), "STATEMENT") for name in FINDINGS)
    assert all(claims.load(name).FINDING.endswith("?") for name in FINDINGS)


def test_criteria_are_of_claims_there_are():
    assert set(criteria.all_criteria()) <= set(claims.names())


def letters(text: str) -> str:
    """Without what typesetting adds: spaces, citations, typographic apostrophes."""
    return "".join(re.sub(r"\[\d+\]", "", text).replace("’", "'").split())


@pytest.mark.parametrize("name", JUDGING)
def test_a_quote_stands_in_the_whitepaper_word_for_word(name):
    whitepaper = os.environ.get("DISTRIBUTE_LAB_WHITEPAPER")
    if not whitepaper:
        pytest.skip("DISTRIBUTE_LAB_WHITEPAPER names no whitepaper")
    printed = letters(Path(whitepaper).read_text(encoding="utf-8"))
    for quoted in claims.load(name).STATEMENT.split("…"):
        assert letters(quoted)[1:] in printed  # a quote may begin within a sentence


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


BESIDE = {("heuristic_is_polynomial", "ASYMPTOTIC")}  # which rows are fitted
SAID = {  # what prose says without a number
    ("zkml_is_impractical", "DAY"): (24 * 60 * 60, "above a day"),
    ("zkml_is_impractical", "TERABYTE"): (10**12, "above a terabyte"),
    ("circuit_takes_terabytes", "LEAST"): (10**12, "between one terabyte"),
    ("circuit_takes_terabytes", "MOST"): (10**18, "and a thousand petabytes"),
    ("global_compute_efficiency", "ENERGY"): (1, "no more energy"),
}


WORDS = {2: "two", 3: "three", 4: "four", 10: "ten", 12: "twelve", 20: "twenty", 40: "forty"}


def spellings(value: float) -> set[str]:
    """How prose may write a threshold."""
    words = {f"{value:g}", f"{100 * value:g} %", part(value), WORDS.get(value, ""), "twice" if value == 2 else ""}
    if value > 0:
        words |= {f"one in {WORDS.get(round(1 / value), '')}", f"{value / 1000:g} kB", f"10^{math.log10(value):g}"}
    return {word for word in words if word.strip() and not word.endswith("one in ")}


@pytest.mark.parametrize("name", JUDGING)
def test_thresholds_are_those_of_the_newest_criterion(name):
    prose = criteria.of(name)[-1].text
    for function in judging(claims.load(name)):
        for operand in operands(function):
            if isinstance(operand, ast.Constant) and isinstance(operand.value, int | float):
                assert operand.value in (0, 1), f"{function.__name__} compares with {operand.value}"
            if not isinstance(operand, ast.Name) or not operand.id.isupper() or (name, operand.id) in BESIDE:
                continue
            value = function.__globals__[operand.id]
            if (name, operand.id) in SAID:
                said, words = SAID[name, operand.id]
                assert value == said and words in prose, operand.id
            elif isinstance(value, int | float):
                found = [re.search(rf"(?<![\w.]){re.escape(each)}(?![\w.]*\d)", prose) for each in spellings(value)]
                assert any(found), operand.id


def test_criteria_speak_of_the_confidence_of_statistics():
    texts = [entries[-1].text for entries in criteria.all_criteria().values()]
    stated = re.findall(r"([\d.]+) % (?:prediction )?interval", " ".join(texts))
    assert stated and {float(each) for each in stated} == {100 * statistics.CONFIDENCE}
