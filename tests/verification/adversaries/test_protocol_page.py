"""The page of the protocol says of every request, message and attack what the code does."""

import re
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from pkgutil import iter_modules

import verification.market
from verification.adversaries.registry import all_games
from verification.dispute.messages import BEGIN, KINDS
from verification.dispute.transcript import recorded
from verification.ledger.operations import BEGINNING, advance
from verification.market.operations import OPERATIONS

PAGE = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
SECTIONS = {title.strip(): text for title, _, text in (part.partition("\n") for part in PAGE.split("\n## ")[1:])}
ALL = {"malformed", "not-the-coordinator"}
"""Said once, above the table."""
MODULES = [
    import_module(f"{verification.market.__name__}.{found.name}")
    for found in iter_modules(verification.market.__path__)
]


def rows(section):
    """The cells of the tables' rows, apart from their heads."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if "---" not in line]


def words(cell):
    return set(re.findall(r"`([\w-]+)`", cell))


def reasons(function):
    """What the docstring of an operation says that it refuses, with that of functions that it names."""
    text = " ".join(getdoc(function).partition("Raises:")[2].split()).removeprefix("Refusal: ").rstrip(".")
    found = set()
    for part in re.split(r",| and | or ", re.sub(r"\([^)]*\)", "", text)):
        named = re.fullmatch(r"(?:see )?``(\w+)``", part.strip())
        if named:
            found |= reasons(next(getattr(m, named[1]) for m in MODULES if hasattr(m, named[1])))
        elif part.strip():
            found.add(part.partition(":")[0].strip())
    return found


def test_every_request_is_listed_with_its_content_and_refusals():
    listed = {kind.strip("`"): cells for kind, *cells in rows("Requests")[1:]}
    operations = OPERATIONS | {"advance": advance}
    assert listed.keys() == operations.keys()
    for kind, (who, content, what, refused) in listed.items():
        stated = re.search(r"\{([^}]*)\}", getdoc(operations[kind]).partition("\n\n")[0])
        keys = {"genesis": set(BEGINNING), "begin": set(BEGIN)}.get(kind)
        keys = {key.strip() for key in stated[1].split(",")} - {""} if keys is None else keys
        assert words(content) == keys, kind
        assert {each.strip() for each in refused.split(",")} - {"—"} == reasons(operations[kind]) - ALL, kind
        asked = reasons(operations[kind])
        only = who == "coordinator" and kind != "genesis"
        assert ("not-the-coordinator" in asked) == only, kind
        assert what


def test_every_message_is_listed_with_its_content():
    listed = {kind.strip("`"): cells for kind, *cells in rows("Messages of a dispute")[1:]}
    assert listed.keys() == {*KINDS, "record"}
    for kind, schema in KINDS.items():
        assert words(listed[kind][1]) == set(schema), kind
    names = re.findall(r'^        "(\w+)": ', Path(recorded.__code__.co_filename).read_text(), re.MULTILINE)
    assert words(listed["record"][1]) == set(names)


def test_the_states_of_a_lease_are_shown():
    source = "\n".join(Path(module.__file__).read_text() for module in MODULES)
    pictures = (SECTIONS["A lease of it"], SECTIONS["Who verifies, and who plays for an absent party"])
    shown = {state for text in pictures for state in re.findall(r"--> (\w+)", text)}
    assert set(re.findall(r'state="(\w+)"', source)) <= shown
    assert all(f'"{state}"' in source for state in shown - {"fallen", "final"})  # in which a lease has left


def test_every_attack_is_listed_with_its_end(played):
    listed = [cells for cells in rows("Attacks, and their ends") if cells[0].startswith("`")]
    tried = {game.name: game.what for game in all_games()}
    assert [cells[0].strip("`") for cells in listed] == list(tried)
    for name, what, end, loser, gained in listed:
        found = played[name.strip("`")]
        said = (found.reason or "nothing ends it") + ("" if found.prevented else "; not prevented")
        assert (what, end, loser) == (tried[name.strip("`")], said, found.loser or "nobody"), name
        assert gained == f"{found.gained:+,}", name
    old = [cells for cells in rows("Attacks, and their ends") if cells[1].startswith("`")]
    assert len(old) >= 15
    for _, name, end, loser, gained in old:
        found = played[name.strip("`")]
        assert (end, loser, gained) == (found.reason, found.loser or "nobody", f"{found.gained:+,}"), name
        assert found.prevented


def test_what_is_not_resisted_is_said(played):
    named = words(SECTIONS["What is not resisted"])
    assert {name for name, end in played.items() if not end.prevented} <= named <= played.keys()
