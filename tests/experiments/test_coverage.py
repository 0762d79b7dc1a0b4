"""The table of the whitepaper's sentences: complete, in order, and all that it names exists."""

import ast
import os
import re
from pathlib import Path

import pytest

from experiments import claims, coverage
from experiments.coverage import Sentence

ROOT = Path(__file__).parents[2]
HEADING = re.compile(r"\d(?:\.\d)? [A-Z][\w -]+|References")
BOUNDARY = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z$\\]|[a-z]_)")  # a sentence may begin with w_j


@pytest.fixture(scope="module")
def whitepaper() -> str:
    """Its text, as markdown."""
    path = os.environ.get("DISTRIBUTE_LAB_WHITEPAPER")
    if not path:
        pytest.skip("DISTRIBUTE_LAB_WHITEPAPER names no whitepaper")
    return Path(path).read_text(encoding="utf-8")


def split(markdown: str) -> list[tuple[str, str]]:
    """Section and text of every sentence; of program text every numbered line, of tables and lists every row.

    A formula belongs to a sentence that leads to it without a full stop; else it is one of its own. So does a
    paragraph that begins with a small letter: a page ended there.
    """
    found, section, unfinished = [], "Title", False
    for block in blocks(markdown):
        goes_on = unfinished and (block.startswith("$$") or block[0].islower())
        unfinished = False
        if HEADING.fullmatch(block.strip()):
            section = block.strip()
        elif block.startswith("```"):
            found += [(section, f"line {number}") for number in re.findall(r"^(\d+) ", block, re.MULTILINE)]
        elif "\t" in block:
            found += [(section, row) for row in block.splitlines() if not row.startswith("\t")]  # its head has no name
        elif block.startswith("- "):
            found += [(section, row[2:]) for row in re.split(r"\n(?=- )", block)]
        else:
            parts = [block] if block.startswith("$$") else BOUNDARY.split(" ".join(block.split()))
            if goes_on:
                parts[0] = f"{found.pop()[1]} {parts[0]}"
            found += [(section, part) for part in parts]
            unfinished = not block.rstrip().endswith((".", "$$"))
    return found


def blocks(markdown: str) -> list[str]:
    """Program text and formulas whole, all else by its empty lines."""
    parts = re.split(r"(^```.*?^```|^\$\$.*?\$\$$)", markdown, flags=re.MULTILINE | re.DOTALL)
    pieces = (piece for part in parts for piece in ([part] if part[:2] in ("``", "$$") else re.split(r"\n\s*\n", part)))
    return [piece.strip("\n") for piece in pieces if piece.strip()]


def letters(text: str) -> str:
    """What names a sentence: no commands of TeX, sums, citations, spaces, signs or capitals."""
    return "".join(re.findall(r"[^\W_]", re.sub(r"\\[a-z]+|Σ|\[\d\]", " ", text))).casefold()


def expanded(sentence: Sentence) -> list[str]:
    """Its words; of "PRICES, lines 4-6" a name for each."""
    ranged = re.fullmatch(r"PRICES, lines? (\d+)(?:-(\d+))?", sentence.words)
    if not ranged:
        return [sentence.words]
    return [f"line {number}" for number in range(int(ranged[1]), int(ranged[2] or ranged[1]) + 1)]


TABLE = [(sentence.section, words) for sentence in coverage.sentences() for words in expanded(sentence)]


def test_every_sentence_of_the_whitepaper_stands_in_the_table_once_and_in_order(whitepaper):
    printed = split(whitepaper)
    for (section, text), (listed, words) in zip(printed, TABLE, strict=False):
        assert listed == section and letters(text).startswith(letters(words)), f"{section}: {text} | {words}"
    assert len(printed) == len(TABLE)


def test_nothing_of_the_whitepaper_is_lost_between_its_sentences(whitepaper):
    """Beside sentences there are headings, the table's head, and program text by its numbers."""
    words = set(re.findall(r"\w{3,}", re.sub(r"^```.*?^```", "", whitepaper, flags=re.MULTILINE | re.DOTALL)))
    kept = set(re.findall(r"\w{3,}", " ".join(text for part in split(whitepaper) for text in part)))
    assert words - kept <= {"Optimistic", "Proof", "zkML"}


def test_a_text_is_split_at_its_sentences():
    text = (
        "Paper\n\n1 First Part\n\nOne (e.g. CPU) is et al. here [1]. Two is $x_1. y$ such that\n\n$$a\n\nb$$\n\n"
        "$$c$$\n\nThree ends. w_j begins, and a page\n\nends here.\n\n\tA\tB\nSize\tx\ty\n\n1.1 Next\n\n"
        "```\n\nF(x):\n1  go\n   on\n2  stop\n```\n\nReferences\n\n- [1] A. B.\n- [2] C."
    )
    assert split(text) == [
        ("Title", "Paper"),
        ("1 First Part", "One (e.g. CPU) is et al. here [1]."),
        ("1 First Part", "Two is $x_1. y$ such that $$a\n\nb$$"),
        ("1 First Part", "$$c$$"),
        ("1 First Part", "Three ends."),
        ("1 First Part", "w_j begins, and a page ends here."),
        ("1 First Part", "Size\tx\ty"),
        ("1.1 Next", "line 1"),
        ("1.1 Next", "line 2"),
        ("References", "[1] A. B."),
        ("References", "[2] C."),
    ]


def test_a_sentence_is_of_one_kind_and_says_why_it_is_not_tested():
    for sentence in coverage.sentences():
        assert sentence.kind in coverage.KINDS, sentence  # raises where it is of none or of two
        assert sentence.kind != "not tested" or sentence.not_tested.startswith("because "), sentence
        assert not sentence.left_out or sentence.kind in ("claim", "test"), sentence


def test_claims_are_those_there_are_and_findings_judge_no_sentence():
    judging = {name for name in claims.names() if not claims.is_finding(claims.load(name))}
    assert {name for sentence in coverage.sentences() for name in sentence.claim} == judging


def test_every_quoted_sentence_is_judged_by_the_claim_that_quotes_it(whitepaper):
    printed = dict(zip(TABLE, (letters(text) for _, text in split(whitepaper)), strict=True))
    for name in claims.names():
        claim = claims.load(name)
        listed = [sentence for sentence in coverage.sentences() if name in sentence.claim]
        judged = [printed[sentence.section, words] for sentence in listed for words in expanded(sentence)]
        for quoted in [] if claims.is_finding(claim) else claim.STATEMENT.split("…"):
            assert any(letters(quoted)[:40] in sentence for sentence in judged), (name, quoted)


def named_in(path: Path) -> set[str]:
    """Functions that are tests, by parsing."""
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_test_that_is_named_exists():
    for named in {name for sentence in coverage.sentences() for name in sentence.test}:
        path, _, function = named.partition("::")
        assert function in named_in(ROOT / path), named


def test_three_in_five_sentences_have_a_claim_or_a_test():
    found = coverage.counts()
    assert sum(found.values()) == len(coverage.sentences())
    assert coverage.share() >= 0.6
    assert found["no statement"] < len(coverage.sentences()) / 5
