"""The file of vectors: made anew it is the same, and every vector holds by definitions that are written here."""

import json
import struct
from base64 import b64decode
from hashlib import sha256, sha512

import numpy as np
import pytest

from verification.encoding import _vectors, schema
from verification.encoding.canonical import canonical, digest, parsed
from verification.encoding.request import opened
from verification.encoding.signature import signed
from verification.manifest import opened as opened_manifest
from verification.merkle import Tree, parts, root_of

VECTORS = _vectors.stored()
READERS = {
    "amount": schema.amount(),
    "seed": schema.seed,
    "digest": schema.digest_text,
    "key": schema.key_text,
    "words": schema.words,
    "proof": schema.proof,
}
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def test_the_file_is_what_the_reference_gives():
    assert _vectors.vectors() == VECTORS


def test_contents_are_their_canonical_bytes(refused):
    for each in VECTORS["encodings"]["good"]:
        raw = b64decode(each["raw"])
        assert canonical(each["content"]) == raw and parsed(raw) == each["content"] == json.loads(raw)
        assert digest(each["content"]) == each["digest"] == sha256(raw).hexdigest()
    for each in VECTORS["encodings"]["refused"]:
        assert refused(parsed, b64decode(each["raw"])) == "malformed", each["why"]


@pytest.mark.parametrize("vector", VECTORS["readers"], ids=lambda vector: vector["reader"])
def test_readers_take_one_spelling(vector, refused):
    reader = READERS[vector["reader"]]
    for value in vector["good"]:
        reader(value)
    for value in vector["refused"]:
        assert refused(reader, value) == "malformed"


# Ed25519 as RFC 8032, section 6, writes it down, in projective coordinates (x, y, z, x y / z).


def add(a, b):
    A, B = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    C, E = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = B - A, E - C, E + C, B + A
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        number, point = number >> 1, add(point, point)
    return total


def encoded(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decoded(raw):
    number = int.from_bytes(raw, "little")
    y, sign = number & (2**255 - 1), number >> 255
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - x2) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def holds(party, message, signature):
    """S·B = R + h·A to the bit, A and R not of small order."""
    A, R, s = decoded(party), decoded(signature[:32]), int.from_bytes(signature[32:], "little")
    if A is None or R is None or s >= L:
        return False
    if any(encoded(times(8, point)) == encoded((0, 1, 1, 0)) for point in (A, R)):
        return False
    h = int.from_bytes(sha512(signature[:32] + party + message).digest(), "little")
    return encoded(times(s, BASE)) == encoded(add(R, times(h % L, A)))


def hexadecimal(value, size):
    return isinstance(value, str) and len(value) == 2 * size and set(value) <= set("0123456789abcdef")


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda vector: vector["why"] or "good")
def test_signatures_hold_as_the_standard_defines_them(vector):
    message = (
        b"distribute-lab/1\0"
        + json.dumps(
            [vector["kind"], vector["market"], vector["content"]], sort_keys=True, separators=(",", ":")
        ).encode()
    )
    expected = not vector["why"]
    assert signed(*(vector[name] for name in ("party", "kind", "market", "content", "signature"))) == expected
    spelt = hexadecimal(vector["party"], 32) and hexadecimal(vector["signature"], 64)
    assert expected == (spelt and holds(bytes.fromhex(vector["party"]), message, bytes.fromhex(vector["signature"])))


def test_requests_are_opened_or_refused(refused):
    for each in VECTORS["requests"]:
        raw = b64decode(each["raw"])
        if each["reason"]:
            assert refused(opened, raw, each["market"], each["limit"]) == each["reason"], each["why"]
        else:
            found = json.loads(raw)
            name = canonical([found["kind"], each["market"], found["party"], found["content"]])
            assert opened(raw, each["market"], each["limit"]).name == each["name"] == sha256(name).hexdigest()


def test_leaves_and_nodes_are_hashed_as_the_formulas_say():
    for each in VECTORS["leaves"]:
        raw = b64decode(each["words"])
        assert each["digest"] == sha256(b"\0i32" + struct.pack("<I", len(raw) // 4) + raw).hexdigest()
    for each in VECTORS["nodes"]:
        head = struct.pack("<BII", 2, each["rows"], each["words"]) if each["root"] else b"\3"
        assert each["digest"] == sha256(head + bytes.fromhex(each["root"])).hexdigest()


def mth(digests):
    """RFC 6962, section 2.1, of digests."""
    if len(digests) == 1:
        return digests[0]
    k = 1 << ((len(digests) - 1).bit_length() - 1)
    return sha256(b"\1" + mth(digests[:k]) + mth(digests[k:])).digest()


def path(m, digests):
    """RFC 6962, section 2.1.1."""
    if len(digests) == 1:
        return []
    k = 1 << ((len(digests) - 1).bit_length() - 1)
    return [*path(m, digests[:k]), mth(digests[k:])] if m < k else [*path(m - k, digests[k:]), mth(digests[:k])]


def split(text):
    raw = b64decode(text)
    return [raw[at : at + 32] for at in range(0, len(raw), 32)]


def test_trees_and_proofs_are_those_of_the_standard():
    for each in VECTORS["trees"]["good"]:
        digests = split(each["digests"])
        assert bytes.fromhex(each["root"]) == mth(digests) == Tree(b"".join(digests)).root
        for index, proof in enumerate(each["proofs"]):
            assert split(proof) == path(index, digests)
            assert root_of(digests[index], index, len(digests), split(proof)) == mth(digests)
        assert each["parts"] == [[list(span) for span in parts((0, len(digests)), levels)] for levels in (1, 2, 3)]
    for each in VECTORS["trees"]["refused"]:
        found = root_of(bytes.fromhex(each["digest"]), each["index"], each["count"], split(each["proof"]))
        assert found is None or found.hex() != each["root"], each["why"]


CODES = {"i08": "b", "u08": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I"}


def tile(kind, rows, columns, raw):
    return sha256(b"\4" + kind.encode() + struct.pack("<II", rows, columns) + raw).digest()


def test_tiles_and_constants_are_hashed_as_the_formulas_say():
    assert {each["type"] for each in VECTORS["tiles"]} == set(CODES)
    for each in VECTORS["tiles"]:
        assert each["digest"] == tile(each["type"], each["rows"], each["columns"], b64decode(each["numbers"])).hex()
    for each in VECTORS["constants"]:
        first, *others = each["shape"]
        rows, columns = (first, int(np.prod(others))) if others else (1, first)
        digests = []
        for top in range(0, rows, 32):
            for left in range(0, columns, 1024):
                down, over = range(top, min(top + 32, rows)), range(left, min(left + 1024, columns))
                numbers = [(row * columns + column) * 7 % 101 for row in down for column in over]
                raw = struct.pack(f"<{len(numbers)}{CODES[each['type']]}", *numbers)
                digests.append(tile(each["type"], len(down), len(over), raw))
        assert each["root"] == mth(digests).hex()


def test_manifests_are_read_or_refused(refused):
    for each in VECTORS["manifests"]["good"]:
        raw = b64decode(each["raw"])
        assert opened_manifest(raw) == json.loads(raw) and each["digest"] == sha256(raw).hexdigest()
    for each in VECTORS["manifests"]["refused"]:
        assert refused(opened_manifest, b64decode(each["raw"])) == "malformed", each["why"]
