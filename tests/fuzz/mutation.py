"""Mutations of files: bits, integers and chunks of any file; values, keys and nesting of JSON; members of archives;
nodes of ONNX graphs.

A mutated file is a function of the seed files and of a ``random.Random``.
"""

import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

INTEGERS = (0, 1, 7, 31, 32, 127, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
BYTES = b'\x00\x01\t\n\r",-.09[]{}\x7f\x80\xff'
# Written into JSON as they stand.
VALUES = (
    "null", "true", "false", "0", "-0", "1", "-1", "3", "255", "65537", "2147483648", "4294967296", "9007199254740993",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" * 400, "1" * 5000,
    "0.5", "-0.0", "1e-320", "1e15", "1e308", "1e400", "-1e400", "NaN", "Infinity", "-Infinity", '""', '"0"', '"1e9"',
    '"\\u0000"', '"\\ud800"', '"\\u001b[2Jx"', '"\\u202e"', '"a\\nb\\r"', '"../../x"', '"' + "A" * 70_000 + '"', "[]",
    "{}", "[[]]", "[null]", "[1, 2, 3]", '{"a": 1}', "[" * 2000 + "]" * 2000, "[" * 100_000 + "]" * 100_000,
    '{"a":' * 50_000 + "1" + "}" * 50_000, "[" + "0," * 50_000 + "0]", "[" + "[0]," * 20_000 + "[0]]",
)  # fmt: skip


def mutated(draw: random.Random, name: str, content: bytes, others: list[bytes]) -> bytes:
    """One file after one to four mutations; ``others`` are what parts may be taken from."""
    kinds = [_bytes] + KINDS.get(Path(name).suffix, [])
    for _ in range(min(4, 1 + int(draw.expovariate(1.0)))):
        content = draw.choice(kinds)(draw, content, others)
    return content


def _place(draw: random.Random, size: int) -> int:
    """Anywhere, or near the beginning or the end, where headers and directories are."""
    near = int(size * draw.random() ** 4)
    return draw.choice((int(size * draw.random()), near, max(0, size - 1 - near)))


def _bytes(draw: random.Random, content: bytes, others: list[bytes]) -> bytes:
    data = bytearray(content)
    at = _place(draw, len(data))
    length = min(len(data) - at, 1 + int(draw.expovariate(1 / 16)))
    match draw.randrange(9):
        case 0 if data:
            data[at] ^= 1 << draw.randrange(8)
        case 1 if data:
            data[at] = draw.choice((*BYTES, draw.randrange(256)))
        case 2 | 3:
            width = draw.choice((1, 2, 4, 8))
            number = draw.choice((*INTEGERS, draw.getrandbits(64))) % 256**width
            data[at : at + width] = number.to_bytes(width, draw.choice(("little", "little", "big")))
        case 4:
            del data[at:]
        case 5:
            del data[at : at + length]
        case 6:
            data[at:at] = data[at : at + length] * draw.choice((1, 1, 2, 100))
        case 7:
            other = draw.choice(others)
            start = _place(draw, len(other))
            data[at : at + draw.choice((0, length))] = other[start : start + length]
        case _:
            data[at:at] = draw.randbytes(length)
    return bytes(data)


def _json(draw: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """A value replaced, a key dropped, renamed, repeated or added, an item repeated or dropped."""
    try:
        root = [json.loads(content)]
    except (ValueError, RecursionError):
        return content
    nodes: list[tuple[Any, Any]] = [(root, 0)]
    for holder, place in nodes:
        below = holder[place]
        if len(nodes) < 5000 and isinstance(below, dict | list):
            nodes += [(below, key) for key in (below if isinstance(below, dict) else range(len(below)))]
    holder, place = draw.choice(nodes)
    mark, raw = "\x00mark\x00", draw.choice(VALUES)
    match draw.randrange(6):
        case 0 if holder is not root:
            del holder[place]
        case 1 if isinstance(holder, dict):
            holder[draw.choice((place + "x", "", "\x1b[1m", *holder))] = holder.pop(place)
        case 2 if isinstance(holder, list) and holder is not root:
            holder[place:place] = [holder[place]] * draw.choice((1, 2, 1000))
        case 3 if isinstance(holder, dict):
            mark, raw = f"{mark}key", json.dumps(place)[1:-1]
            holder[mark] = holder[place]
        case 4:
            other, where = draw.choice(nodes)
            holder[place] = json.loads(json.dumps(other[where])) if len(content) < 100_000 else other[where]
        case _:
            holder[place] = mark
    try:
        text = json.dumps(root[0], ensure_ascii=draw.random() < 0.5)
    except ValueError:  # a value of a large file within itself
        return content
    quoted = json.dumps(mark)
    text = text.replace(quoted[:-1] + '"', f'"{raw}"' if mark.endswith("key") else raw)
    return text.encode("utf-8", "surrogatepass")


def _archive(draw: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """A member of a zip mutated, renamed, dropped or repeated, its checksum right."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > 2**24:
                return content
            members = [(member.filename, archive.read(member)) for member in archive.infolist()]
    except Exception:  # noqa: BLE001 an earlier mutation may have damaged it in any way
        return content
    if members:
        at = draw.randrange(len(members))
        name, data = members[at]
        match draw.randrange(8):
            case 0:
                del members[at]
            case 1:
                members.append((name, data))
            case 2:
                members[at] = draw.choice((name + "x", "x/" + name, "../" + name, "", draw.choice(members)[0])), data
            case 3:
                members[at] = name, draw.choice(members)[1]
            case 4 | 5 if (start := data.find(b"\n{" if data.startswith(b"\x93NUMPY") else b"{")) >= 0:
                # An array of bytes that is JSON: its new length stands in a new header.
                changed = _json(draw, data[start:].strip(b"\n"), others)
                header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(changed)},), }}"
                padded = header.ljust(117).encode() + b"\n"
                members[at] = name, b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + changed
            case _:
                members[at] = name, _bytes(draw, data, others)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name or "x"), data)
    return packed.getvalue()


def _headed(draw: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """The JSON header of a safetensors file mutated, its length right."""
    length = int.from_bytes(content[:8], "little")
    header = _json(draw, content[8 : 8 + length], others)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def _table(draw: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """A cell of a CSV file replaced, or a row repeated or dropped."""
    rows = [row.split(b",") for row in content.split(b"\n")]
    at = draw.randrange(len(rows))
    match draw.randrange(4):
        case 0:
            del rows[at]
        case 1:
            rows[at:at] = [rows[at]] * draw.choice((1, 2, 1000))
        case _:
            rows[at][draw.randrange(len(rows[at]))] = draw.choice(
                (*VALUES[:45], "x" * 200_000, '"', "\x00", "é")
            ).encode()
    return b"\n".join(b",".join(row) for row in rows)


def _onnx(draw: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """A model whose nodes, attributes and shapes are other ones."""
    import onnx
    from edited_network import edited

    try:
        return edited(onnx.ModelProto.FromString(content), draw).SerializeToString()
    except Exception:  # noqa: BLE001 an earlier mutation may have damaged it in any way
        return content


KINDS = {
    ".json": 3 * [_json],
    ".npz": 2 * [_archive],
    ".safetensors": [_headed],
    ".csv": [_table],
    ".onnx": 3 * [_onnx],
}
