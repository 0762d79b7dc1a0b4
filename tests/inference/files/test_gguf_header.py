"""Headers of GGUF files: what the gguf package reads of them; counts, lengths and offsets that are none are refused."""

import struct

import gguf
import numpy as np
import pytest

from inference.files.gguf_header import read_header

TEXT, ARRAY, F32, Q8_0 = 8, 9, 0, 8


def text(value):
    return struct.pack("<Q", len(value)) + value


def header(tensors=0, keys=0, version=3):
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys)


def key(kind, value, name=b"a"):
    return text(name) + struct.pack("<I", kind) + value


def tensor(*shape, name=b"t", kind=F32, offset=0):
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def test_keys_and_tensors_are_those_the_gguf_package_reads(tmp_path):
    path, generator = tmp_path / "all.gguf", np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    for name, value in {
        "uint8": 255,
        "int8": -128,
        "uint16": 65535,
        "int16": -3,
        "int32": -7,
        "uint64": 2**64 - 1,
    }.items():
        getattr(writer, f"add_{name}")(name, value)
    writer.add_int64("int64", -(2**63))
    writer.add_float32("float32", 0.1)
    writer.add_float64("float64", -1e300)
    writer.add_bool("yes", True)
    writer.add_string("text", "naïve 价格")
    writer.add_array("texts", ["a", "", "ß"])
    writer.add_array("numbers", [1, -2, 3])
    writer.add_array("floats", [0.5, -2.0])
    kinds = {"F32": np.float32, "F16": np.float16, "Q8_0": None, "Q4_1": None, "Q6_K": None}
    for name, kind in kinds.items():
        values = generator.standard_normal((3, 256)).astype(kind or np.float32)
        if kind is None and name != "Q6_K":
            writer.add_tensor(
                name, gguf.quantize(values, gguf.GGMLQuantizationType[name]), raw_dtype=gguf.GGMLQuantizationType[name]
            )
        elif kind is None:
            raw = generator.integers(0, 256, (3, 210)).astype(np.uint8)
            writer.add_tensor(name, raw, raw_dtype=gguf.GGMLQuantizationType[name])
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    keys, tensors = read_header(path)
    reader = gguf.GGUFReader(path)
    theirs = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    assert keys == theirs and len(keys) == 15
    assert list(tensors) == [each.name for each in reader.tensors]
    for each in reader.tensors:
        ours = tensors[each.name]
        assert (ours.kind, ours.shape) == (each.tensor_type, tuple(each.shape.tolist()[::-1]))
        assert ours.data.tobytes() == each.data.tobytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"GGML" + bytes(20), "not a GGUF file"),
        (header()[:11], "damaged or truncated"),
        (header(version=1), "GGUF version 1"),
        (header(version=3 << 24), "little-endian"),
        (header(10**9), "1000000000 tensors; at most"),
        (header(0, 2**40), "1099511627776 keys; at most"),
        (header(0, 1) + struct.pack("<Q", 2**63), "bytes of text; at most"),
        (header(0, 1) + key(TEXT, text(b"\xff")), "not UTF-8"),
        (header(0, 1) + key(77, b""), "a value of the type 77"),
        (header(0, 1) + key(6, struct.pack("<f", np.nan)), "nan, which is no number"),
        (header(0, 1) + key(ARRAY, struct.pack("<IQ", TEXT, 2**60)), "elements of arrays; at most"),
        (header(0, 1) + key(ARRAY, struct.pack("<IQ", 0, 2**22)), "its header does not end in it"),
        (header(0, 1) + key(ARRAY, struct.pack("<IQ", 0, 50_000_000)), "50000000 elements of arrays"),
        (header(0, 1) + key(ARRAY, struct.pack("<IQf", 6, 1, np.inf)), "holds what is no number"),
        (header(0, 1) + key(ARRAY, struct.pack("<IQ", ARRAY, 1) * 5000), "a value of the type 9"),
        (header(0, 2) + 2 * key(0, b"\1"), "the key a is there twice"),
        (header(0, 1) + key(4, struct.pack("<I", 3), b"general.alignment"), "a power of two is allowed"),
        (header(0, 1) + key(TEXT, text(b"x"), b"general.alignment"), "a power of two is allowed"),
        (header(1) + text(b"t") + struct.pack("<I", 2**31), "2147483648 dimensions; 1 to 4"),
        (header(1) + tensor(*4 * [2**40]), "does not lie in it"),
        (header(1) + tensor(0, 8), "does not fill blocks"),
        (header(1) + tensor(33, kind=Q8_0) + bytes(999), "does not fill blocks of Q8_0"),
        (header(1) + tensor(8, kind=4), "quantisation 4, which is unknown here"),
        (header(1) + tensor(8, offset=8) + bytes(999), "does not lie in it"),
        (header(1) + tensor(8, offset=2**64 - 32) + bytes(999), "does not lie in it"),
        (header(2) + 2 * tensor(8) + bytes(999), "there twice"),
        (header(2) + tensor(64) + tensor(8, name=b"u", offset=32) + bytes(999), "tensors t and u overlap"),
    ],
)  # fmt: skip
def test_headers_that_are_none_are_refused(tmp_path, refusal, content, said):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    assert said in refusal(read_header, path)


def test_all_arrays_share_one_budget_and_so_does_the_header(tmp_path, refusal, monkeypatch):
    path = tmp_path / "many.gguf"
    array = struct.pack("<IQ", 0, 6) + bytes(6)
    path.write_bytes(header(0, 2) + key(ARRAY, array) + key(ARRAY, array, b"b") + bytes(64))
    assert read_header(path)[0] == {"a": [0] * 6, "b": [0] * 6}
    monkeypatch.setattr("inference.files.gguf_header.MOST_ELEMENTS", 11)
    assert "6 elements of arrays; at most 5" in refusal(read_header, path)
    monkeypatch.undo()
    monkeypatch.setattr("inference.files.gguf_header.MOST_BYTES", 60)
    assert "a GGUF header of more than 60 bytes" in refusal(read_header, path)
