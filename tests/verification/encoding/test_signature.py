"""Signatures: over kind, market and content, by one key; what all messages are signed by is no key."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verification.encoding import signature
from verification.encoding._vectors import encoded, forged, scalar
from verification.encoding.signature import PRIME, SMALL_ORDER, is_key, public, sign, signed, signing_bytes

MARKET = "0a" * 32


def test_a_signature_is_over_kind_market_and_content(key):
    made = sign(key(1), "order", MARKET, {"a": 1})
    party = public(key(1))
    assert signed(party, "order", MARKET, {"a": 1}, made)
    assert made == sign(key(1), "order", MARKET, {"a": 1})
    assert signing_bytes("order", MARKET, {"a": 1}) == b'distribute-lab/1\0["order","' + MARKET.encode() + b'",{"a":1}]'
    for other in (("offer", MARKET, {"a": 1}), ("order", "0b" * 32, {"a": 1}), ("order", MARKET, {"a": 2})):
        assert not signed(party, *other, made)
    assert not signed(public(key(2)), "order", MARKET, {"a": 1}, made)


@pytest.mark.parametrize("bit", [0, 1])
@pytest.mark.parametrize("y", sorted(SMALL_ORDER))
def test_a_point_of_small_order_signs_anything_for_the_library_and_nothing_here(key, y, bit):
    party, nonce = encoded(y, bit), bytes([9]) * 32
    point = bytes.fromhex(public(key(9)))
    forgery = forged(party, 0, point, scalar(nonce), True)
    try:
        verified = Ed25519PublicKey.from_public_bytes(party)
        verified.verify(bytes.fromhex(forgery["signature"]), signing_bytes("k", forgery["market"], forgery["content"]))
    except InvalidSignature:
        assert (y, bit) in {(1, 1), (PRIME - 1, 1)}  # no points at all: x is 0 and has no sign
    assert not signed(party.hex(), "k", forgery["market"], forgery["content"], forgery["signature"])
    assert not is_key(party.hex())


def test_the_eight_points_of_small_order_are_all_there_are():
    """Eight times a point is the neutral one for just these: doubling thrice, x² from the curve's equation."""
    d = -121665 * pow(121666, -1, PRIME) % PRIME

    def doubled(y):
        """y of twice a point: (y² + x²) / (1 - d x² y²)."""
        x_squared = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
        return (y * y + x_squared) * pow(1 - d * x_squared * y * y, -1, PRIME) % PRIME

    orders = {}
    for y in SMALL_ORDER:
        at, times = y, 0
        while at != 1:
            at, times = doubled(at), times + 1
            assert times <= 3
        orders[y] = times
    assert sorted(orders.values()) == [0, 1, 2, 3, 3]  # y of orders 1, 2, 4 and 8; x = 0 of the first two


@pytest.mark.parametrize("wrong", [None, 5, "", b"", "0a" * 31, "zz" * 32, " " + "0a" * 32, "\u0660" * 64, ["0a"]])
def test_what_is_no_key_signed_nothing(key, wrong):
    made = sign(key(1), "order", MARKET, 1)
    assert not is_key(wrong) and not signed(wrong, "order", MARKET, 1, made)
    assert not signed(public(key(1)), "order", MARKET, 1, wrong)


def test_a_signature_that_was_made_or_found_right_here_is_not_verified_again(key, monkeypatch):
    asked = []

    class Counting:
        @staticmethod
        def from_public_bytes(raw):
            asked.append(raw)
            return Ed25519PublicKey.from_public_bytes(raw)

    monkeypatch.setattr(signature, "Ed25519PublicKey", Counting)
    monkeypatch.setattr(signature, "_holding", {})
    party, elsewhere = public(key(1)), key(1).sign(signing_bytes("order", MARKET, 3)).hex()
    assert signed(party, "order", MARKET, 3, elsewhere) and signed(party, "order", MARKET, 3, elsewhere)
    assert len(asked) == 1
    assert signed(party, "order", MARKET, 4, sign(key(1), "order", MARKET, 4)) and len(asked) == 1
    for wrong in range(2):
        assert not signed(party, "order", MARKET, 5, elsewhere) and len(asked) == 2 + wrong
    monkeypatch.setattr(signature, "REMEMBERED", 2)
    sign(key(1), "order", MARKET, 6)
    assert len(signature._holding) == 1
