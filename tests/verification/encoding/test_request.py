"""Envelopes: opened as they were signed, or refused with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.encoding.canonical import canonical, digest
from verification.encoding.request import LIMIT, opened, request
from verification.encoding.signature import public
from verification.errors import Refusal

MARKET, OTHER = "0a" * 32, "0b" * 32


def test_an_envelope_is_opened_as_it_was_signed(key):
    made = request(key(1), "order", MARKET, {"limit": 5, "seed": "7"})
    found = opened(made.raw, MARKET)
    assert found == made and found.raw == made.raw and found.party == public(key(1))
    assert found.name == digest(["order", MARKET, public(key(1)), {"limit": 5, "seed": "7"}])


def test_a_name_is_of_kind_market_party_and_content(key):
    made = [
        request(key(1), "order", MARKET, 5),
        request(key(1), "order", MARKET, 6),
        request(key(1), "offer", MARKET, 5),
        request(key(2), "order", MARKET, 5),
        request(key(1), "order", OTHER, 5),
    ]
    assert len({each.name for each in made}) == 5
    assert request(key(1), "order", MARKET, 5).name == made[0].name


def test_another_market_s_envelope_is_refused(key, refused):
    assert refused(opened, request(key(1), "order", MARKET, 5).raw, OTHER) == "wrong-signature"
    assert refused(opened, request(key(1), "order", "", 5).raw, MARKET) == "wrong-signature"


def test_the_limit_is_of_bytes(key, refused):
    raw = request(key(1), "order", MARKET, "a" * (LIMIT - 247)).raw
    assert len(raw) <= LIMIT and opened(raw, MARKET)
    assert opened(raw, MARKET, len(raw))
    assert refused(opened, raw, MARKET, len(raw) - 1) == "oversized"
    assert refused(opened, b"[" * (LIMIT + 1), MARKET) == "oversized"


@given(st.data())
def test_no_byte_of_an_envelope_can_be_another(key, data):
    made = request(key(1), "order", MARKET, {"limit": 5, "seed": "7"})
    at = data.draw(st.integers(0, len(made.raw) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != made.raw[at]))
    with pytest.raises(Refusal) as caught:
        opened(made.raw[:at] + bytes([byte]) + made.raw[at + 1 :], MARKET)
    assert caught.value.reason in {"malformed", "wrong-signature"}


@pytest.mark.parametrize("wrong", [None, 5, [], {}, "", "0A" * 32, True])
@pytest.mark.parametrize("name", ["kind", "party", "signature"])
def test_parts_of_other_types_are_refused(key, refused, name, wrong):
    made = request(key(1), "order", MARKET, 5)
    envelope = {"content": 5, "kind": "order", "party": made.party, "signature": made.signature}
    assert refused(opened, canonical(envelope | {name: wrong}), MARKET) == "wrong-signature"
