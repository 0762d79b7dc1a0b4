"""Schemas: each value has one spelling, and all others are malformed."""

from base64 import b64encode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.encoding import schema
from verification.encoding.schema import (
    amount,
    digest_text,
    each,
    flag,
    key_text,
    mapping,
    name_text,
    number,
    one_of,
    optional,
    proof,
    proof_text,
    read,
    seed,
    words,
    words_text,
)

KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8032, section 7.1


@pytest.mark.parametrize(
    ("reader", "value", "found"),
    [
        (digest_text, "0a" * 32, "0a" * 32),
        (key_text, KEY, KEY),
        (amount(), "1", 1),
        (amount(0), "0", 0),
        (amount(), str(2**63 - 1), 2**63 - 1),
        (seed, "0", 0),
        (seed, str(2**64 - 1), 2**64 - 1),
        (number(-2, 3), -2, -2),
        (name_text, "tiny", "tiny"),
        (flag, False, False),
        (one_of("a", "b"), "b", "b"),
        (optional(flag), None, None),
        (each(flag, 2), [True, False], [True, False]),
        (mapping({"a": flag}), {"a": True}, {"a": True}),
        (proof, "", ()),
        (proof, b64encode(bytes(range(64))).decode(), (bytes(range(32)), bytes(range(32, 64)))),
    ],
)
def test_a_value_is_read(reader, value, found):
    assert reader(value) == found


@pytest.mark.parametrize(
    ("reader", "values"),
    [
        (digest_text, ["0A" * 32, "0a" * 31, "0a" * 33, "0g" * 32, 5, None, "\u0660" * 64]),
        (key_text, [KEY.upper(), KEY[:-2], "00" * 32, "01" + "00" * 31, "ff" * 32, None]),
        (amount(), ["0", "-1", "+1", "01", " 1", "1.0", "1e3", "\u0661", str(2**63), "9" * 5000, 1, 1.0, None, ""]),
        (seed, [str(2**64), "-0", "00", 7]),
        (number(-2, 3), [-3, 4, 1.0, "1", True, None]),
        (name_text, ["", "a" * 129, 5]),
        (flag, [0, 1, "true", None]),
        (one_of("a", "b"), ["c", "", None, ["a"]]),
        (optional(flag), [0]),
        (each(flag, 2), [[True] * 3, [1], {"a": True}, "ab", None]),
        (mapping({"a": flag}), [{}, {"a": True, "b": 1}, {"b": True}, [], None]),
        (proof, ["A" * 43, "A" * 44, b64encode(bytes(32 * 65)).decode(), "!", None, "AAAA\n", "\u0660"]),
        (words, ["", "AAAA", "AAAAAB==", "AAAAAA", "AAAA AA==", b64encode(bytes(4 * 1025)).decode(), 5]),
    ],
)
def test_other_spellings_and_types_are_malformed(refused, reader, values):
    for value in values:
        assert refused(reader, value) == "malformed"


def test_a_refusal_names_the_key(refused):
    with pytest.raises(schema.Refusal, match=r"roots: challenger: 64 lower-case"):
        read({"roots": mapping({"challenger": digest_text})}, {"roots": {"challenger": "x"}})


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=1024))
def test_words_are_read_as_they_were_written(values):
    given_words = np.array(values, np.int32)
    assert np.array_equal(words(words_text(given_words)), given_words)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=64))
def test_proofs_are_read_as_they_were_written(digests):
    assert proof(proof_text(digests)) == tuple(digests)
