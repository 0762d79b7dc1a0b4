"""Names discovered, options parsed or refused."""

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import instances, registry, solvers
from auction.registry import describe, explanations, options_of, parse_options

PACKAGES = pytest.mark.parametrize("package", [solvers, instances], ids=["solvers", "instances"])


def plain(
    market,
    *,
    sort: Literal["up", "down"] = "up",
    fast: bool = False,
    count: int = 3,
    share: float = 0.5,
    name: str = "",
):
    """Never run."""


DEFAULTS = {"sort": "up", "fast": False, "count": 3, "share": 0.5, "name": ""}


@PACKAGES
def test_names_are_the_files(package):
    folder = Path(package.__path__[0])
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    entries = {name for name in modules | packages if not name.startswith("_")}
    assert registry.names(package) == package.names() == sorted(entries)


@PACKAGES
def test_each_module_says_in_a_line_what_it_is(package):
    for name in package.names():
        module = package.load(name)
        line = registry.summary(module)
        assert module.__name__ == f"{package.__name__}.{name}"
        assert line == module.__doc__.splitlines()[0].replace("``", "")
        assert len(line) > 20


@PACKAGES
def test_options_can_be_described_and_default_to_what_they_allow(package):
    for name in package.names():
        module = package.load(name)
        function = getattr(module, "solve", None) or module.generate
        defaults = {key: parameter.default for key, parameter in options_of(function).items()}
        as_text = {key: str(value) for key, value in defaults.items()}
        assert parse_options(function, as_text, name) == parse_options(function, {}, name) == defaults
        assert all(describe(parameter.annotation) for parameter in options_of(function).values())
        assert set(options_of(function)) <= set(explanations(function))


@PACKAGES
@pytest.mark.parametrize("name", ["", "Greedy", "os", "../uniform", "__init__"])
def test_unknown_names(refusal, package, name):
    assert refusal(package.load, name).endswith(f"here are {', '.join(package.names())}")


def test_unknown_names_are_told_the_nearest(refusal):
    there = ", ".join(solvers.names())
    assert refusal(solvers.load, "gredy") == f"unknown solver 'gredy'; did you mean greedy? There are {there}"
    assert refusal(solvers.load, "os") == f"unknown solver 'os'; there are {there}"


@pytest.mark.parametrize(
    "given, parsed",
    [
        ({}, {}),
        ({"sort": "down", "fast": "TRUE", "count": "-7", "share": "1e-3", "name": "a b"}, {"share": 0.001}),
        ({"fast": True, "count": 12, "share": 2}, {"share": 2.0}),
        ({"fast": "False"}, {"fast": False}),
    ],
)
def test_text_and_typed_values(given, parsed):
    typed = {"sort": "down", "fast": True, "count": -7, "name": "a b"} if "sort" in given else given
    assert parse_options(plain, given, "it") == DEFAULTS | typed | parsed


@pytest.mark.parametrize(
    "name, values, allowed",
    [
        ("sort", ("UP", "", 1, None), "up|down"),
        ("fast", ("yes", "1", 1, "", None), "true|false"),
        ("count", ("1.5", "one", "", None, True), "an integer"),
        ("share", ("nan", "inf", "-Infinity", "1e999", "half", "", None, True), "a finite number"),
    ],
)
def test_values_that_are_not_allowed(refusal, name, values, allowed):
    for value in values:
        message = refusal(parse_options, plain, {name: value}, "it")
        assert message == f"option {name} of it: {str(value)!r} is not allowed; {allowed}"


def test_unknown_options(refusal):
    there = "sort, fast, count, share, name"
    assert refusal(parse_options, plain, {"speed": 1}, "it") == f"unknown option 'speed' of it; there are {there}"
    assert refusal(parse_options, lambda market: None, {"x": 1}, "it") == "unknown option 'x' of it; there are none"


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_as_text(count, share):
    parsed = parse_options(plain, {"count": str(count), "share": repr(share)}, "it")
    assert (parsed["count"], parsed["share"]) == (count, share)


def test_what_options_are_is_read_from_the_docstring():
    def priced(market, *, markup, low, high, other):
        """Prices.

        Args:
            markup: on the ``cost``;
                positive.
            low, high: its limits.

        Raises:
            InputError: other: never.
        """

    limits = dict.fromkeys(("low", "high"), "its limits.")
    assert explanations(priced) == {"markup": "on the cost; positive."} | limits
    assert explanations(lambda market: None) == {}
