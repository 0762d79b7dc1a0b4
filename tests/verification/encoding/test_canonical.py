"""Canonical JSON: one spelling of one content, and nothing else is read."""

import json
from enum import IntEnum
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.encoding.canonical import DEEPEST, LARGEST_NUMBER, canonical, digest, parsed
from verification.errors import Refusal

TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
NUMBERS = st.integers(-LARGEST_NUMBER, LARGEST_NUMBER)
CONTENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def written(content):
    """Canonical JSON, written by hand."""
    if isinstance(content, dict):
        parts = [f"{written(key)}:{written(content[key])}" for key in sorted(content)]
        return "{" + ",".join(parts) + "}"
    if isinstance(content, list):
        return "[" + ",".join(map(written, content)) + "]"
    if isinstance(content, str):
        return '"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return {None: "null", True: "true", False: "false"}[content] if isinstance(content, bool | None) else str(content)


@given(CONTENTS)
def test_a_content_has_one_spelling_and_is_read_back(content):
    raw = canonical(content)
    assert raw == written(content).encode()
    assert parsed(raw) == content and digest(content) == sha256(raw).hexdigest()


@given(CONTENTS, st.data())
def test_other_bytes_are_another_content_or_none(content, data):
    raw = canonical(content)
    at = data.draw(st.integers(0, len(raw)))
    other = raw[:at] + data.draw(st.binary(max_size=2)) + raw[at + data.draw(st.integers(0, 2)) :]
    try:
        found = parsed(other)
    except Refusal:
        return
    assert canonical(found) == other and (other == raw or canonical(found) != raw)


@given(CONTENTS)
def test_spaces_escapes_and_unsorted_keys_are_refused(content):
    for other in (json.dumps(content, indent=1), json.dumps(content, sort_keys=False)):
        if other.encode() != canonical(content):
            with pytest.raises(Refusal):
                parsed(other.encode())


class One(IntEnum):
    ONE = 1


def nested(depth, make):
    return make(nested(depth - 1, make)) if depth else 0


@pytest.mark.parametrize(
    "content",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        10**100_000,
        "\u00e9",
        "\n",
        "\x7f",
        "\ud800",
        {"\u00e9": 1},
        {"\n": 1},
        {1: 1},
        {None: 1},
        {True: 1},
        (1,),
        {1},
        b"a",
        One.ONE,
        np.int64(1),
        np.str_("a"),
        [[object()]],
        nested(DEEPEST + 1, lambda inner: [inner]),
        nested(DEEPEST + 1, lambda inner: {"a": inner}),
    ],
    ids=lambda content: type(content).__name__,
)
def test_what_is_no_content_is_not_written(refused, content):
    assert refused(canonical, content) == "malformed"


def test_a_content_that_holds_itself_is_refused(refused):
    content = []
    content.append(content)
    assert refused(canonical, content) == "malformed"


def test_levels_are_counted_alike_in_lists_and_objects():
    for make in (lambda inner: [inner], lambda inner: {"a": inner}):
        content = nested(DEEPEST, make)
        assert parsed(canonical(content)) == content


@pytest.mark.parametrize(
    "raw", [b"[" * 90_000, b"9" * 90_000, b'{"a":' * 18_000, b"-" + b"1" * 90_000, b'"' + b"\\" * 90_000]
)
def test_long_and_deep_bytes_are_malformed(refused, raw):
    assert refused(parsed, raw) == "malformed"
