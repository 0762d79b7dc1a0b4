"""Manifests: whatever changes a result changes a model's digest, and a referee loads proven tiles alone."""

import json
import struct
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.computation import Inference
from inference.model import Model
from inference.models import find
from inference.models.llama import model
from inference.reference import Reference
from verification import tile_store
from verification.computation import output_of
from verification.encoding.canonical import canonical, digest
from verification.errors import InputError
from verification.inference_models import Models
from verification.manifest import ProvenTiles, layouts, manifest, opened, proven_tile, tile_count, tiles
from verification.task import Task

SHAPES = st.one_of(
    st.tuples(st.integers(1, 2100)),
    st.tuples(st.integers(1, 70), st.integers(1, 1100)),
    st.tuples(st.integers(1, 40), st.integers(1, 20), st.integers(1, 60)),
)
TYPES = {"i08": "b", "u08": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I"}


@dataclass
class Described:
    """A model."""

    constants: dict
    end: list = field(default_factory=lambda: [2])

    def described(self):
        return {
            "arithmetic": "exact",
            "measures": {"layers": 1},
            "attributes": {"norm": {"shift": 16}},
            "logit_fraction": 14,
            "end": self.end,
            "tokenizer": "0a" * 32,
        }


def drawn(kind, shape, seed=0):
    info = np.iinfo(TYPES[kind])
    return np.random.default_rng(seed).integers(info.min, info.max, shape, TYPES[kind], endpoint=True)


def cut(array):
    """The tiles of a constant, as bytes, number by number."""
    rows, columns = (1, array.size) if array.ndim == 1 else (len(array), array.size // len(array))
    flat, code = array.ravel().tolist(), array.dtype.char
    for top in range(0, rows, 32):
        for left in range(0, columns, 1024):
            down, over = range(top, min(top + 32, rows)), range(left, min(left + 1024, columns))
            raw = b"".join(struct.pack(f"<{code}", flat[row * columns + column]) for row in down for column in over)
            yield len(down), len(over), raw


def root(digests):
    if len(digests) == 1:
        return digests[0]
    k = 1 << ((len(digests) - 1).bit_length() - 1)
    return sha256(b"\1" + root(digests[:k]) + root(digests[k:])).digest()


@pytest.fixture
def store(tmp_path):
    """Write a model's store and open it."""

    def store(of):
        tile_store.write(tmp_path / "store", of)
        return tile_store.Store(tmp_path / "store")

    return store


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(TYPES)), SHAPES)
def test_a_constant_stands_in_the_manifest_by_type_shape_and_root(kind, shape):
    array = drawn(kind, shape)
    expected = [
        sha256(b"\4" + kind.encode() + struct.pack("<II", rows, columns) + raw).digest()
        for rows, columns, raw in cut(array)
    ]
    content = manifest(Described({"w": array}))
    assert content["constants"] == {"w": {"type": kind, "shape": list(shape), "root": root(expected).hex()}}
    assert tile_count(shape) == len(expected)
    assert [tile.tobytes() for tile in tiles(array)] == [raw for _, _, raw in cut(array)]


def test_whatever_changes_a_result_changes_the_digest():
    array = drawn("i08", (64, 40))
    base = manifest(Described({"w": array}))
    others = [
        manifest(Described({"w": array}, end=[3])),
        manifest(Described({"v": array})),
        manifest(Described({"w": array, "v": array})),
        manifest(Described({"w": array.view(np.uint8)})),
        manifest(Described({"w": array.reshape(64, 8, 5)})),
        manifest(Described({"w": array.T})),
        manifest(Described({"w": np.where(np.arange(40) == 39, ~array, array)})),
        base | {"tokenizer": "0b" * 32},
        base | {"logit_fraction": 13},
        base | {"measures": {"layers": 2}},
        base | {"attributes": {"norm": {"shift": 15}}},
        base | {"arithmetic": "other"},
    ]
    assert len({digest(content) for content in [base, *others]}) == 13
    big, little = array.astype(">i2"), array.astype("<i2")
    assert manifest(Described({"w": big})) == manifest(Described({"w": little}))


@pytest.mark.parametrize(
    "array", [np.zeros(3, np.float32), np.zeros(3, np.int64), np.zeros(3, bool), np.zeros(0, "i4")]
)
def test_a_constant_of_other_numbers_is_refused(array):
    with pytest.raises(InputError, match=r"the constant w is of \d .*; i08, u08, .* are allowed"):
        manifest(Described({"w": array}))


@settings(max_examples=25, deadline=None)
@given(SHAPES, st.data())
def test_a_tile_is_proven_and_nothing_else_is(tmp_path_factory, refused, shape, data):
    kind = data.draw(st.sampled_from(sorted(TYPES)))
    arrays = {"a": drawn("i32", (33, 5), 1), "w": drawn(kind, shape), "z": drawn("u08", 7, 2)}
    folder = tmp_path_factory.mktemp("stores") / "store"
    tile_store.write(folder, Described(arrays))
    store = tile_store.Store(folder)
    for name, array in arrays.items():
        for index, expected in enumerate(tiles(array)):
            found = proven_tile(store.content, name, index, *store.tile(name, index))
            assert np.array_equal(found, expected) and found.shape == expected.shape
    index = data.draw(st.integers(0, tile_count(shape) - 1))
    raw, path = store.tile("w", index)
    at = data.draw(st.integers(0, len(raw) - 1))
    flipped = raw[:at] + bytes([raw[at] ^ data.draw(st.integers(1, 255))]) + raw[at + 1 :]
    for wrong, proof in (
        (flipped, path),
        (raw[:-1], path),
        (raw + b"\0", path),
        (b"", path),
        (raw, [*path, path[0]] if path else [b"\0" * 32]),
    ):
        assert refused(proven_tile, store.content, "w", index, wrong, proof) == "wrong-tile"
    assert refused(proven_tile, store.content, "a", 0, raw, path) == "wrong-tile"
    for asked in (store.tile, lambda name, index: proven_tile(store.content, name, index, raw, path)):
        assert refused(asked, "w", tile_count(shape)) == "no-such-tile"
        assert refused(asked, "w", -1) == "no-such-tile"
        assert refused(asked, "x", 0) == "no-such-constant"


def test_a_tile_of_another_place_is_not_proven(store, refused):
    found = store(Described({"w": drawn("i08", (100, 1500))}))
    raw, path = found.tile("w", 0)
    assert refused(proven_tile, found.content, "w", 2, raw, path) == "wrong-tile"
    swapped = found.tile("w", 2)
    assert refused(proven_tile, found.content, "w", 0, *swapped) == "wrong-tile"


def test_a_referee_without_the_model_computes_steps_from_proven_tiles(store):
    exact = Inference(Reference(model("tiny", find("tiny"), "exact")), list(b"Of"), limit=2)
    found = store(exact)
    outputs = {}
    exact.run(
        lambda first, seen: outputs.update({first + i: output_of(seen, i).copy() for i in range(len(seen.starts))})
    )
    assert digest(found.content) == digest(manifest(exact))
    loaded = set()

    def fetch(name, index):
        loaded.add((name, index))
        return found.tile(name, index)

    content = opened(canonical(manifest(exact)))
    referee = Inference(Reference(Model.sketched(content)), list(b"Of"), limit=2)
    referee.tiles = ProvenTiles(content, fetch)
    for node, output in outputs.items():
        results = []
        for step, made in enumerate(referee.steps(node, 0)):
            inputs = [
                results[source]
                if isinstance(source, int)
                else outputs[source[0]].reshape(-1, exact.nodes[source[0]].words)[source[1]]
                for source in made.sources
            ]
            results.append(referee.recompute(node, 0, step, inputs))
        assert np.array_equal(results[-1], output.ravel()[: len(results[-1])])
    assert {name for name, _ in loaded} == set(exact.constants)
    assert len(loaded) < sum(tile_count(array.shape) for array in exact.constants.values())
    referee.tiles = ProvenTiles(content, lambda name, index: (b"", []))
    with pytest.raises(InputError, match=r"a model's store: what is given as tile 2 of embedding.q is not proven"):
        referee.recompute(0, 0, 0, [])


def changed(**parts):
    return canonical(manifest(Described({"w": drawn("i08", (3, 4))})) | parts)


CONSTANT = {"type": "i08", "shape": [3, 4], "root": "0a" * 32}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        changed(more=1),
        changed(end=["2"]),
        changed(tokenizer="0A" * 32),
        changed(measures={"layers": "1"}),
        changed(attributes={"norm": 1}),
        changed(logit_fraction=2**31),
        changed(constants=[CONSTANT]),
        changed(constants={"": CONSTANT}),
        changed(constants={"w": CONSTANT | {"shape": []}}),
        changed(constants={"w": CONSTANT | {"shape": [3, 0]}}),
        changed(constants={"w": CONSTANT | {"shape": [1] * 5}}),
        changed(constants={"w": CONSTANT | {"shape": [True, 4]}}),
        changed(constants={"w": CONSTANT | {"type": "f32"}}),
        changed(constants={"w": CONSTANT | {"root": None}}),
        json.dumps(json.loads(changed())).encode(),
    ],
)
def test_another_manifest_is_malformed(refused, raw):
    assert refused(opened, raw) == "malformed"


def test_a_manifest_is_read_as_it_was_written():
    content = manifest(Described({"w": drawn("i08", (3, 4))}))
    assert opened(canonical(content)) == content


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    folder = tmp_path / "store"
    tile_store.write(folder, Described({"w": drawn("i16", (40, 3))}))
    with pytest.raises(InputError, match=r"cannot be written: File exists"):
        tile_store.write(folder, Described({}))
    with pytest.raises(InputError, match=r"cannot be read: No such file"):
        tile_store.Store(tmp_path / "none")
    for name in ("tiles", "digests", "manifest"):
        whole = (folder / name).read_bytes()
        for raw in (whole[:-1], whole + b"\0"):
            (folder / name).write_bytes(raw)
            with pytest.raises(InputError, match=r"not of \d+ bytes|is no model's"):
                tile_store.Store(folder)
        (folder / name).write_bytes(whole)
    assert tile_store.Store(folder).tile("w", 1)
    with (folder / "manifest").open("r+b") as manifest:
        manifest.truncate(2**40)  # which has no blocks of its own
    with pytest.raises(InputError, match=r"manifest: 1099511627776 bytes; at most"):
        tile_store.Store(folder)


def test_layouts_name_each_part_by_its_bytes():
    content = layouts("0a" * 32, {"up.q": b"packed", "matmul.wgsl": b""})
    parts = {"up.q": sha256(b"packed").hexdigest(), "matmul.wgsl": sha256(b"").hexdigest()}
    assert content == {"model": "0a" * 32, "parts": parts}
    assert digest(content) != digest(layouts("0b" * 32, {"up.q": b"packed", "matmul.wgsl": b""}))


def test_parties_name_a_model_by_its_manifest():
    task = Task("tiny", tuple(b"Of"), 2, 0, 0)
    named = Models().computation(task, "numpy", None)
    assert named.digests["model"] == digest(manifest(named))
    assert named.digests.keys() == {"model", "graph", "input"}
