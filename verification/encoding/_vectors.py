"""Vectors of the encodings, for other languages: ``python -m verification.encoding._vectors`` writes ``vectors.json``.

Good ones and refused ones, ``why`` in words. Bytes are base64, digests, keys and signatures hex, as in the protocol.
"""

import json
import struct
from base64 import b64encode
from hashlib import sha256, sha512
from importlib.resources import files
from itertools import count
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import LEAF
from verification.encoding.canonical import DEEPEST, LARGEST_NUMBER, canonical, digest
from verification.encoding.request import request
from verification.encoding.schema import proof_text, words_text
from verification.encoding.signature import ORDER, PRIME, SMALL_ORDER, public, sign, signing_bytes
from verification.manifest import described
from verification.merkle import NULL, TYPES, Tree, leaf_digest, node_digest, parts, tile_digest

FILE = "vectors.json"
MARKET, OTHER = sha256(b"a market").hexdigest(), sha256(b"another").hexdigest()
SEED = bytes(range(32))
Vector = dict[str, Any]


def nested(depth: int) -> Any:
    """Lists in one another."""
    return [nested(depth - 1)] if depth > 1 else []


GOOD: list[Any] = [
    None,
    True,
    False,
    0,
    LARGEST_NUMBER,
    -LARGEST_NUMBER,
    "",
    "\"\\/ ~'<>&",
    [],
    {},
    [1, [2, [3, {}]]],
    {"b": 1, "a": 2, "B": 3, "": 4, "10": 5, "9": 6, "_": 7},
    {"__proto__": 1, "constructor": {"length": []}},
    {"amount": str(2**63 - 1), "seed": str(2**64 - 1)},
    nested(DEEPEST),
]
SPELLINGS: list[tuple[bytes, str]] = [
    (b"", "nothing"),
    (b" 1", "a space before"),
    (b"1\n", "a line's end after"),
    (b"[1, 2]", "a space within"),
    (b"\xef\xbb\xbf1", "a byte order mark"),
    (b'{"b":1,"a":2}', "keys that are not sorted"),
    (b'{"a":1,"a":1}', "a key twice"),
    (b'{"a":1,"a":2}', "a key twice"),
    (b'{"10":1,"9":2,"1":3}', "keys sorted as numbers"),
    (b"1.0", "a float"),
    (b"1.5", "a float"),
    (b"1e2", "an exponent"),
    (b"9007199254740991.1", "a float that rounds to a whole number"),
    (b"-0", "minus zero"),
    (b"01", "a leading zero"),
    (b"+1", "a plus"),
    (b"9007199254740992", "2^53"),
    (b"9007199254740993", "2^53 + 1"),
    (b"-9007199254740992", "-2^53"),
    (b"9" * 5000, "5,000 digits"),
    (b"1e400", "beyond a double"),
    (b"NaN", "no number"),
    (b"-Infinity", "no number"),
    (b'"\\u0041"', "an A escaped"),
    (b'"\\/"', "a slash escaped"),
    (b'"\\n"', "a line's end"),
    (b'"\\u0000"', "a zero character"),
    (b'"\x7f"', "a delete character"),
    (b'"a\nb"', "a line's end as it is"),
    ('"é"'.encode(), "a text outside ASCII"),
    (b'"\\u00e9"', "a text outside ASCII, escaped"),
    (b'{"\\u00e9":1}', "a key outside ASCII"),
    (b'"\\ud800"', "half a surrogate pair"),
    (b'"\\ud83d\\ude00"', "a surrogate pair"),
    (b'"\xff"', "no UTF-8"),
    (b"\x001", "a zero byte"),
    (b"'a'", "other quotation marks"),
    (b"[1,]", "a comma at the end"),
    (b"{a:1}", "a key without quotation marks"),
    (b"1 2", "two contents"),
    (b"1//", "a comment"),
    (b"undefined", "no JSON"),
    (canonical(nested(DEEPEST)).replace(b"[]", b"[[]]"), "one level too deep"),
    (b"[" * 2_000, "many levels that do not end"),
    (b"[" * 2_000 + b"]" * 2_000, "many levels"),
    (b'{"a":' * 2_000 + b"1" + b"}" * 5_000, "many levels"),
]
READERS: list[tuple[str, list[str], list[Any]]] = [
    (
        "amount",
        ["1", "9007199254740993", str(2**63 - 1)],
        ["0", "-1", "+1", "01", " 1", "1.0", "1e3", str(2**63), 1, ""],
    ),
    ("seed", ["0", str(2**64 - 1)], [str(2**64), "-0", "00", 7, None, "\u0661"]),
    ("digest", [MARKET], [MARKET.upper(), MARKET[:-1], MARKET + "0", "g" * 64, 5, None]),
    ("key", [sha256(b"7").hexdigest()[:-2] + "00"], ["00" * 32, "ff" * 32, "01" + "00" * 31, MARKET.upper(), None]),
    ("words", ["AAAAgA==", "/////wAAAIA="], ["", "AAAA", "AAAAgB==", "AAAAgA", "AAAA gA==", "____/w==", 5, None]),
    ("proof", ["", "A" * 43 + "="], ["A" * 44, "A" * 43, "A" * 42 + "B=", "A" * 43 + "=\n", None]),
]
"""Texts that a schema's reader takes, and what it refuses."""


def encodings() -> Vector:
    """Contents by their bytes."""
    good = [{"content": each, "raw": text(canonical(each)), "digest": digest(each)} for each in GOOD]
    return {"good": good, "refused": [{"raw": text(raw), "why": why} for raw, why in SPELLINGS]}


def text(raw: bytes) -> str:
    """Bytes in base64."""
    return b64encode(raw).decode()


def decoded(raw: bytes) -> tuple[int, int]:
    """The point (x, y) of an encoding (RFC 8032, section 5.1.3)."""
    number = int.from_bytes(raw, "little")
    sign_bit, y = number >> 255, number & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    return (PRIME - x if x & 1 != sign_bit else x), y


D = -121665 * pow(121666, -1, PRIME) % PRIME


def plus(left: bytes, right: bytes) -> bytes:
    """The sum of two points, encoded."""
    (x, y), (u, v) = decoded(left), decoded(right)
    t = D * x * u * y * v
    a = (x * v + u * y) * pow(1 + t, -1, PRIME) % PRIME
    b = (y * v + x * u) * pow(1 - t, -1, PRIME) % PRIME
    return encoded(b, a & 1)


def encoded(y: int, sign_bit: int) -> bytes:
    """A point's bytes."""
    return (y | sign_bit << 255).to_bytes(32, "little")


def scalar(seed: bytes) -> int:
    """A seed's secret number."""
    number = int.from_bytes(sha512(seed).digest()[:32], "little")
    return (number & ((1 << 254) - 8)) | (1 << 254)


def forged(party: bytes, secret: int, point: bytes, nonce: int, of_eight: bool) -> Vector:
    """A signature with R a point and S = nonce + h·secret, over the first number for which 8 divides h, or does not."""
    for content in count():
        h = int.from_bytes(sha512(point + party + signing_bytes("k", MARKET, content)).digest(), "little") % ORDER
        if (h % 8 == 0) == of_eight:
            signature = point + ((nonce + h * secret) % ORDER).to_bytes(32, "little")
            return {
                "party": party.hex(),
                "kind": "k",
                "market": MARKET,
                "content": content,
                "signature": signature.hex(),
            }
    raise AssertionError


def signatures() -> list[Vector]:
    """Who signed what, and who did not."""
    key, nonce = Ed25519PrivateKey.from_private_bytes(SEED), bytes([7]) * 32
    party, point = key.public_key().public_bytes_raw(), public(Ed25519PrivateKey.from_private_bytes(nonce))
    content = {"amount": "5", "lease": OTHER}
    signature = sign(key, "result", MARKET, content)
    base = {"party": party.hex(), "kind": "result", "market": MARKET, "content": content, "signature": signature}
    s = int.from_bytes(bytes.fromhex(signature)[32:], "little")
    other = sign(key, "result", MARKET, 5)
    cases: list[tuple[Vector, str]] = [
        ({"kind": "order"}, "another kind"),
        ({"market": OTHER}, "another market"),
        ({"market": ""}, "no market"),
        ({"content": content | {"amount": "6"}}, "another content"),
        ({"content": content | {"amount": 5}}, "another type"),
        ({"party": public(Ed25519PrivateKey.from_private_bytes(nonce))}, "another party"),
        ({"party": party.hex().upper()}, "a key in capitals"),
        ({"signature": signature.upper()}, "a signature in capitals"),
        ({"signature": signature[:-2]}, "a byte too few"),
        ({"signature": signature + "00"}, "a byte too many"),
        ({"signature": signature[:64] + other[64:]}, "S of another signature"),
        ({"signature": signature[:64] + (s + ORDER).to_bytes(32, "little").hex()}, "S + the group's order"),
        ({"signature": signature[:64] + "00" * 32}, "S of 0"),
        ({"signature": "00" * 64}, "nothing but zeros"),
        ({"signature": None}, "no text"),
        ({"party": 5}, "no text"),
        ({"party": "02" + "00" * 31}, "a key that is no point"),
        ({"signature": "02" + "00" * 31 + signature[64:]}, "R that is no point"),
    ]
    for y in sorted(SMALL_ORDER):
        for bit in (0, 1):
            for spelt in (y, y + PRIME) if y + PRIME < 2**255 else (y,):
                weak = encoded(spelt, bit)
                forgery = forged(weak, 0, bytes.fromhex(point), scalar(nonce), True)
                cases.append((forgery, "a key of small order, or another spelling of it"))
                forgery = forged(party, scalar(SEED), weak, 0, False)
                cases.append((forgery, "R of small order, or another spelling of it"))
    torsion = encoded(min(SMALL_ORDER - {0, 1}), 0)
    mixed = plus(party, torsion)
    with_torsion = plus(bytes.fromhex(point), torsion)
    cases += [
        (forged(party, scalar(SEED), with_torsion, scalar(nonce), False), "R with a part of small order"),
        (forged(mixed, scalar(SEED), bytes.fromhex(point), scalar(nonce), False), "so the key, and 8 ∤ h"),
    ]
    good = [
        base,
        base | {"market": "", "signature": sign(key, "result", "", content)},
        forged(party, scalar(SEED), bytes.fromhex(point), scalar(nonce), False),
        forged(mixed, scalar(SEED), bytes.fromhex(point), scalar(nonce), True),
    ]
    return [each | {"why": ""} for each in good] + [base | changed | {"why": why} for changed, why in cases]


def requests() -> list[Vector]:
    """Envelopes, their names where they are opened, the reason where they are not."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    made = request(key, "accept", MARKET, {"lease": OTHER, "share": [1, None, True]})
    envelope, no_text = json.loads(made.raw), cast(str, 5)
    cases: list[tuple[bytes, str, str]] = [
        (made.raw[:-1], "malformed", "cut"),
        (made.raw + b"\n", "malformed", "a line's end after"),
        (canonical([envelope]), "malformed", "a list"),
        (canonical(envelope | {"market": MARKET}), "malformed", "a key too many"),
        (canonical({name: envelope[name] for name in ("content", "kind", "party")}), "malformed", "a key too few"),
        (made.raw.replace(b'"kind"', b'"kind":"a","kind"'), "malformed", "a key twice"),
        (request(key, no_text, MARKET, made.content).raw, "wrong-signature", "a kind that is no text"),
        (canonical(envelope | {"kind": "decline"}), "wrong-signature", "another kind"),
        (canonical(envelope | {"content": []}), "wrong-signature", "another content"),
        (request(key, "accept", OTHER, made.content).raw, "wrong-signature", "another market"),
    ]
    first = {"raw": text(made.raw), "market": MARKET, "limit": len(made.raw)}
    vectors = [first | {"name": made.name, "reason": "", "why": ""}]
    vectors.append(first | {"limit": len(made.raw) - 1, "name": "", "reason": "oversized", "why": "a byte too many"})
    for raw, reason, why in cases:
        vectors.append(first | {"raw": text(raw), "limit": 1000, "name": "", "reason": reason, "why": why})
    return vectors


def leaves() -> list[Vector]:
    """Words and their leaf's digest."""
    generator = np.random.default_rng(1)
    ends = np.array([-1, 2**31 - 1, -(2**31)], np.int32)
    drawn = [generator.integers(-(2**31), 2**31, size).astype(np.int32) for size in (1, 2, 15, LEAF)]
    return [{"words": words_text(each), "digest": leaf_digest(each).hex()} for each in (ends[:1], ends, *drawn)]


def nodes() -> list[Vector]:
    """Digests of nodes, the last one null."""
    root = sha256(b"root").digest()
    shapes = [(1, 1), (1, 2), (2, 1), (2**31, 2**32 - 1)]
    made = [{"rows": r, "words": w, "root": root.hex(), "digest": node_digest(r, w, root).hex()} for r, w in shapes]
    return [*made, {"rows": 0, "words": 7, "root": "", "digest": NULL.hex()}]


def tree(size: int) -> Tree:
    """Over digests that tell their place."""
    return Tree(b"".join(sha256(struct.pack("<II", size, index)).digest() for index in range(size)))


def trees() -> Vector:
    """Roots, proofs and parts of trees of several sizes; proofs that lead elsewhere."""
    good = []
    for size in (*range(1, 10), 16, 17, 33, 100):
        made = tree(size)
        proofs = [proof_text(made.path(index)) for index in range(size)]
        below = [parts((0, size), levels) for levels in (1, 2, 3)]
        vector = {"digests": text(made.levels[0]), "root": made.root.hex(), "proofs": proofs}
        good.append(vector | {"parts": [[list(span) for span in spans] for spans in below]})
    made = tree(7)
    path = made.path(2)
    wrong: list[tuple[int, int, list[bytes], str]] = [
        (3, 7, path, "another place"),
        (6, 7, path, "another place, where proofs are shorter"),
        (2, 9, path, "another size, where proofs are longer"),
        (2, 4, path, "another size, where proofs are shorter"),
        (7, 7, path, "a place beyond the size"),
        (2, 7, path[:-1], "a digest too few"),
        (2, 7, [*path, path[0]], "a digest too many"),
        (2, 7, path[::-1], "another order"),
    ]
    given = {"digest": made[2].hex(), "root": made.root.hex()}
    refused = [given | {"index": i, "count": n, "proof": proof_text(p), "why": why} for i, n, p, why in wrong]
    return {"good": good, "refused": refused}


def tiles() -> list[Vector]:
    """Tiles of every type."""
    generator, made = np.random.default_rng(2), []
    for kind, dtype in TYPES.items():
        info = np.iinfo(dtype)
        for rows, columns in ((1, 1), (3, 5)):
            tile = generator.integers(info.min, info.max, (rows, columns), np.dtype(dtype).type, endpoint=True)
            vector = {"type": kind, "rows": rows, "columns": columns, "numbers": text(tile.astype(dtype).tobytes())}
            made.append(vector | {"digest": tile_digest(kind, tile).hex()})
    return made


def constants() -> list[Vector]:
    """Constants of which number i, row by row, is 7 i mod 101."""
    shapes = [("i32", (257,)), ("u08", (33, 7)), ("i16", (34, 5, 2)), ("i08", (2050,)), ("u32", (65, 1025))]
    made = []
    for kind, shape in shapes:
        numbers = np.arange(prod(shape)) * 7 % 101
        made.append(described("w", numbers.astype(TYPES[kind]).reshape(shape)))
    return made


def manifests() -> Vector:
    """A model's manifest, and what is none."""
    content: Vector = {
        "arithmetic": "exact",
        "measures": {"layers": 1, "vocabulary": 257},
        "attributes": {"norm": {"epsilon": 94, "gain_shift": 16}},
        "logit_fraction": 14,
        "end": [2],
        "tokenizer": sha256(b"a tokenizer").hexdigest(),
        "constants": {f"w{index}": each for index, each in enumerate(constants())},
    }
    constant = content["constants"]["w0"]
    wrong: list[tuple[Vector, str]] = [
        ({"more": 1}, "a key too many"),
        ({"end": ["2"]}, "an end token that is no number"),
        ({"tokenizer": "0A" * 32}, "a digest in capitals"),
        ({"measures": {"layers": 2**31}}, "a measure of 33 bits"),
        ({"constants": {"": constant}}, "a constant without a name"),
        ({"constants": {"w": constant | {"shape": []}}}, "a shape without axes"),
        ({"constants": {"w": constant | {"shape": [0]}}}, "an axis of no length"),
        ({"constants": {"w": constant | {"shape": [1] * 5}}}, "a shape of five axes"),
        ({"constants": {"w": constant | {"shape": [2**21, 2**20]}}}, "2^41 numbers"),
        ({"constants": {"w": constant | {"type": "f32"}}}, "floats"),
    ]
    refused = [{"raw": text(canonical(content | changed)), "why": why} for changed, why in wrong]
    return {"good": [{"raw": text(canonical(content)), "digest": digest(content)}], "refused": refused}


def vectors() -> Vector:
    """All of them."""
    readers = [{"reader": name, "good": good, "refused": refused} for name, good, refused in READERS]
    return {
        "encodings": encodings(),
        "readers": readers,
        "seed": SEED.hex(),
        "signatures": signatures(),
        "requests": requests(),
        "leaves": leaves(),
        "nodes": nodes(),
        "trees": trees(),
        "tiles": tiles(),
        "constants": constants(),
        "manifests": manifests(),
    }


def stored() -> Any:
    """``vectors.json``."""
    return json.loads(files(__package__).joinpath(FILE).read_text())


if __name__ == "__main__":
    (Path(__file__).parent / FILE).write_text(json.dumps(vectors(), separators=(",", ":"), sort_keys=True) + "\n")
