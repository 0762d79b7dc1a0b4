"""Headers, seals and signatures."""

from dataclasses import replace

import pytest

from verification.first.adversaries.break_protocol import equivocates
from verification.first.commitment import check, commit, public, sign, signed
from verification.first.transcript import read_commitment
from verification.trace import record

NONCE = bytes(range(32))


@pytest.fixture
def opened(toy, key):
    return commit("task", record(toy), key(1), NONCE)


def test_an_honest_commitment_holds(toy, opened):
    check(opened, opened.seal, "task", toy)
    assert opened.header.tokens == tuple(record(toy).tokens)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("task", "another", "wrong-task"),
        ("model", "f" * 64, "wrong-model"),
        ("graph", "f" * 64, "wrong-graph"),
        ("input", "f" * 64, "wrong-input"),
        ("terms", {"seed": "6"}, "wrong-terms"),
        ("nodes", 1, "wrong-nodes"),
    ],
)
def test_a_header_of_another_task_is_refused(toy, opened, key, refused, field, value, reason):
    header = replace(opened.header, **{field: value})
    other = replace(opened, header=header, signature=sign(key(1), "header", header.encoded()))
    assert refused(check, other, other.seal, "task", toy) == reason


def test_every_field_is_sealed_and_signed(toy, opened, refused):
    for field, value in (("root", "0" * 64), ("tokens", (1,)), ("provider", "0" * 64), ("task", "t")):
        other = replace(opened, header=replace(opened.header, **{field: value}))
        assert refused(check, other, opened.seal, "task", toy) == "wrong-seal"
        assert refused(check, other, other.seal, "task", toy) == "wrong-signature"
    assert refused(check, replace(opened, nonce="00" * 32), opened.seal, "task", toy) == "wrong-seal"


def test_a_copied_seal_cannot_be_opened_by_its_copier(toy, opened, key, refused):
    header = replace(opened.header, provider=public(key(2)))
    stolen = replace(opened, header=header, signature=sign(key(2), "header", header.encoded()))
    assert refused(check, stolen, opened.seal, "task", toy) == "wrong-seal"


def test_two_commitments_of_one_provider_are_proof_against_it(toy, opened, key):
    header = replace(opened.header, root="0" * 64)
    second = replace(opened, header=header, signature=sign(key(1), "header", header.encoded()))
    assert equivocates(opened, second)
    assert not equivocates(opened, opened)
    assert not equivocates(opened, replace(second, signature="0" * 128))
    assert not equivocates(opened, commit("other", record(toy), key(1), NONCE))
    assert not equivocates(opened, commit("task", record(toy), key(2), NONCE))


def test_signatures_hold_for_one_key_domain_and_content(key):
    signature = sign(key(1), "header", b"content")
    assert signed(public(key(1)), "header", b"content", signature)
    assert not signed(public(key(2)), "header", b"content", signature)
    assert not signed(public(key(1)), "message", b"content", signature)
    assert not signed(public(key(1)), "header", b"other", signature)
    assert not signed("not hex", "header", b"content", signature)
    assert not signed(public(key(1)), "header", b"content", "00")


@pytest.mark.parametrize("content", [None, {}, [], {"header": {}}, {"header": 3, "nonce": "", "signature": ""}])
def test_what_is_no_commitment_is_bad_input(content):
    from verification.errors import InputError

    with pytest.raises(InputError, match="the commitment is not"):
        read_commitment(content)
