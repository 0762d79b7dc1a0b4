"""The header of a GGUF file: its keys, and where its tensors lie.

The file is untrusted. Every count, length and offset is held against the file's size and a budget before anything is
made of it, in one pass. (The gguf package's reader takes what the header says for granted, and makes two arrays of each
element of an array.)
"""

import math
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.files.checks import size_of
from inference.files.versioned import Version, read_bytes, version_of

if TYPE_CHECKING:  # seconds of importing, which no run of a kept model needs
    from gguf import GGMLQuantizationType

MAGIC, VERSIONS = b"GGUF", (2, 3)
MOST_BYTES = 2**26
"""Of the header: a vocabulary of 2^20 tokens takes half."""
MOST_ELEMENTS = 2**22
"""Of all its arrays: four a token of the largest vocabulary."""
MOST_KEYS, MOST_TENSORS, MOST_DIMENSIONS = 2**12, 2**14, 4
FORMS = ("<B", "<b", "<H", "<h", "<I", "<i", "<f", "<?", None, None, "<Q", "<q", "<d")
"""By the type of a value: numbers in the format's order, a text and an array among them."""
TEXT, ARRAY = 8, 9


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor as it lies in the file."""

    name: str
    kind: "GGMLQuantizationType"
    shape: tuple[int, ...]
    """Rows first."""
    path: Path
    version: Version
    begin: int

    @property
    def data(self) -> npt.NDArray[np.uint8]:
        """(..., bytes of a row), read anew each time.

        Raises:
            InputError: the file is there no more, or is another.
        """
        row = row_bytes(self.kind, self.shape[-1])
        rows = self.shape[:-1]
        return read_bytes(self.path, self.version, self.begin, math.prod(rows) * row).reshape(*rows, row)


def row_bytes(kind: "GGMLQuantizationType", width: int) -> int:
    """Of a row of so many numbers."""
    from gguf import GGML_QUANT_SIZES

    block, size = GGML_QUANT_SIZES[kind]
    return width // block * size


def read_header(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Keys with their values (arrays as lists), and tensors by name.

    Raises:
        InputError: not a GGUF file, damaged, truncated, beyond a budget.
    """
    if not size_of(path):
        raise InputError(f"{path}: not a GGUF file: it is empty")
    try:
        with path.open("rb") as file:
            version = version_of(file.fileno())
            head = file.read(min(MOST_BYTES, version[0]))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    if head[:4] != MAGIC:
        of_directory = path.suffix in (".json", ".safetensors")
        raise InputError(f"{path}: not a GGUF file{'; give the directory that it lies in' if of_directory else ''}")
    cursor = _Cursor(path, memoryview(head), version[0])
    if (said := cursor.scalar("<I")) not in VERSIONS:
        raise InputError(f"{path}: GGUF version {said}; 2 and 3 are read, of little-endian bytes")
    tensors, keys = cursor.count(MOST_TENSORS, "tensors"), cursor.count(MOST_KEYS, "keys")
    fields: dict[str, Any] = {}
    for _ in range(keys):
        name = cursor.text()
        if name in fields:
            raise InputError(f"{path}: the key {name} is there twice")
        fields[name] = cursor.value()
    places = [cursor.place() for _ in range(tensors)]
    alignment = fields.get("general.alignment", 32)
    if type(alignment) is not int or alignment < 1 or alignment & (alignment - 1):
        raise InputError(f"{path}: general.alignment is {alignment!r:.40}; a power of two is allowed")
    start = -(-cursor.at // alignment) * alignment
    found = {place.name: place.tensor(path, version, start, alignment) for place in places}
    if len(found) < len(places):
        raise InputError(f"{path}: a tensor is there twice")
    # Tensors that share bytes would make much of a small file.
    for before, after in pairwise(sorted(places, key=lambda place: place.offset)):
        if before.offset + before.bytes > after.offset:
            raise InputError(f"{path}: tensors {before.name} and {after.name} overlap")
    return fields, found


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a tensor lies, as the header says."""

    name: str
    kind: "GGMLQuantizationType"
    shape: tuple[int, ...]
    offset: int

    @property
    def bytes(self) -> int:
        return math.prod(self.shape[:-1]) * row_bytes(self.kind, self.shape[-1])

    def tensor(self, path: Path, version: Version, start: int, alignment: int) -> Tensor:
        begin = start + self.offset
        if self.offset % alignment or begin + self.bytes > version[0]:
            raise InputError(f"{path}: a damaged or truncated GGUF file: tensor {self.name} does not lie in it")
        return Tensor(self.name, self.kind, self.shape, path, version, begin)


class _Cursor:
    """Reads forward through the header."""

    def __init__(self, path: Path, head: memoryview, size: int) -> None:
        self.path, self.file, self.at = path, head, len(MAGIC)
        self.whole = size <= MOST_BYTES
        self.elements = MOST_ELEMENTS

    def take(self, count: int) -> memoryview:
        """The next bytes."""
        taken = self.file[self.at : self.at + count]
        if len(taken) < count:
            if self.whole:
                raise InputError(f"{self.path}: a damaged or truncated GGUF file: its header does not end in it")
            raise InputError(f"{self.path}: a GGUF header of more than {MOST_BYTES} bytes")
        self.at += count
        return taken

    def scalar(self, form: str) -> Any:
        [value] = struct.unpack(form, self.take(struct.calcsize(form)))
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{self.path}: the header holds {value}, which is no number")
        return value

    def count(self, most: int, what: str) -> int:
        number: int = self.scalar("<Q")
        if number > most:
            raise InputError(f"{self.path}: {number} {what}; at most {most} are read")
        return number

    def text(self) -> str:
        raw = self.take(self.count(len(self.file), "bytes of text"))
        try:
            return str(raw, "utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{self.path}: a text of the header is not UTF-8") from None

    def value(self) -> Any:
        kind = self.scalar("<I")
        if kind == ARRAY:
            return self.array()
        return self.text() if kind == TEXT else self.scalar(self.form(kind))

    def array(self) -> list[Any]:
        kind, count = self.scalar("<I"), self.count(self.elements, "elements of arrays")
        self.elements -= count
        if kind == TEXT:
            return [self.text() for _ in range(count)]
        form = np.dtype(self.form(kind))
        values = np.frombuffer(self.take(count * form.itemsize), form)
        if form.kind == "f" and not np.isfinite(values).all():
            raise InputError(f"{self.path}: an array of the header holds what is no number")
        numbers: list[Any] = values.tolist()
        return numbers

    def form(self, kind: int) -> str:
        form = FORMS[kind] if kind < len(FORMS) else None
        if form is None:
            raise InputError(f"{self.path}: a value of the type {kind}; numbers, texts and arrays of them are read")
        return form

    def place(self) -> _Place:
        from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

        name, dimensions = self.text(), self.scalar("<I")
        if not 1 <= dimensions <= MOST_DIMENSIONS:
            raise InputError(f"{self.path}: tensor {name} has {dimensions} dimensions; 1 to {MOST_DIMENSIONS} are read")
        shape = struct.unpack(f"<{dimensions}Q", self.take(8 * dimensions))[::-1]
        kind, offset = self.scalar("<I"), self.scalar("<Q")
        if kind not in iter(GGMLQuantizationType):
            raise InputError(f"{self.path}: tensor {name} has quantisation {kind}, which is unknown here")
        kind = GGMLQuantizationType(kind)
        if not all(shape) or shape[-1] % GGML_QUANT_SIZES[kind][0]:
            raise InputError(f"{self.path}: tensor {name} of shape {shape} does not fill blocks of {kind.name}")
        return _Place(name, kind, shape, offset)
