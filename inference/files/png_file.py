"""Pictures in grey or colours as PNG, with texts beside the pixels."""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST = 2**24
"""Bytes of a file, and of its pixels."""

GREY, COLOURS = 0, 2
"""Kinds of pixels, in a PNG's header."""

Pixels = npt.NDArray[np.uint8]


def png(pixels: Pixels, texts: Mapping[str, str]) -> bytes:
    """A file of pixels, (H, W) or (H, W, 3), and of texts in ASCII by keyword."""
    height, width = pixels.shape[:2]
    lines = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0))).tobytes()  # each line begins with its filter, none
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, GREY if pixels.ndim == 2 else COLOURS, 0, 0, 0))]
    parts += [(b"tEXt", f"{key}\0{text}".encode("ascii")) for key, text in texts.items()]
    parts += [(b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def read_png(path: Path) -> tuple[Pixels, dict[str, str]]:
    """Pixels and texts of a file that ``png`` made.

    Raises:
        InputError: it cannot be read, or is another kind of file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not content.startswith(SIGNATURE) or len(content) > LARGEST:
        raise InputError(f"{path}: is no PNG; one of at most {LARGEST} bytes is expected")
    texts: dict[str, str] = {}
    header, data, at = b"", list[bytes](), len(SIGNATURE)
    while at + 12 <= len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + length]
        if content[at + 8 + length : at + 12 + length] != struct.pack(">I", zlib.crc32(kind + body)):
            raise InputError(f"{path}: is damaged: the sum of a part is not its own")
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            data.append(body)
        elif kind == b"tEXt":
            key, _, text = body.partition(b"\0")
            texts[key.decode("latin-1")] = text.decode("latin-1")
        at += 12 + length
    if len(header) != 13 or header[8:] not in (bytes((8, kind, 0, 0, 0)) for kind in (GREY, COLOURS)):
        raise InputError(f"{path}: is no picture of `inference picture`: 8 bits of grey or of colours are expected")
    width, height = struct.unpack(">II", header[:8])
    across = width * (1 if header[9] == GREY else 3)
    if not 0 < height * (across + 1) <= LARGEST:
        raise InputError(f"{path}: {width} × {height} pixels are too many")
    try:
        lines = zlib.decompressobj().decompress(b"".join(data), height * (across + 1))
    except zlib.error:
        raise InputError(f"{path}: is damaged: its pixels cannot be unpacked") from None
    pixels = np.frombuffer(lines, np.uint8)
    if len(pixels) != height * (across + 1):
        raise InputError(f"{path}: is damaged: lines of its pixels are missing")
    if pixels.reshape(height, -1)[:, 0].any():
        raise InputError(f"{path}: was saved again by another program, which filtered its lines")
    found = pixels.reshape(height, -1)[:, 1:]
    return found if header[9] == GREY else found.reshape(height, width, 3), texts
