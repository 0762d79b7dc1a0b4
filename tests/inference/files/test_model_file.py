"""Saved models: the same digest and the same bits back; damaged and altered files are refused."""

import json
import struct
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from inference.files.model_file import load, save
from inference.generate import generate
from inference.models.llama import check
from inference.reference import Reference


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_a_saved_model_is_the_same_model(tiny_model, tmp_path, arithmetic):
    path = tmp_path / "tiny.npz"
    save(path, tiny_model(arithmetic), {"kind": "none"})
    loaded, tokenizer = load(path)
    assert loaded.digest == tiny_model(arithmetic).digest and tokenizer == {"kind": "none"}
    runs = [generate(Reference(model), [1, 2], limit=3).digest for model in (loaded, tiny_model(arithmetic))]
    assert runs[0] == runs[1]


def test_an_altered_weight_is_refused(tiny_model, tmp_path, refusal):
    path = tmp_path / "tiny.npz"
    save(path, tiny_model("exact"), {})
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["constant norm.gain"] = arrays["constant norm.gain"] + 1
    np.savez(path, **arrays)
    assert "the model's digest is" in refusal(load, path)


@pytest.fixture
def edited(tiny_model, tmp_path):
    """The tiny model's file after an edit of its members, by name without .npy."""

    def edited(edit, compression=zipfile.ZIP_STORED):
        path = tmp_path / "edited.npz"
        save(path, tiny_model("exact"), {})
        with zipfile.ZipFile(path) as file:
            members = {info.filename.removesuffix(".npy"): file.read(info) for info in file.infolist()}
        edit(members)
        with zipfile.ZipFile(path, "w", compression) as file:
            for name, content in members.items():
                file.writestr(f"{name}.npy", content)
        return path

    return edited


def npy(kind, shape, content=b""):
    text = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def described(members, **changes):
    words = members["about"]
    about = json.loads(words[words.index(b"\n") + 1 :]) | changes
    content = json.dumps(about).encode()
    members["about"] = npy("|u1", (len(content),), content)


def test_every_field_that_decides_a_result_is_in_the_digest(tiny_model):
    model = tiny_model("exact")
    others = [
        replace(model, **change)
        for change in ({"end": (3,)}, {"end": (3, 4)}, {"logit_fraction": 7}, {"measures": {}}, {"attributes": {}})
    ]
    assert len({model.digest, *(other.digest for other in others)}) == 6
    assert replace(model, end=(4, 3)).digest == others[1].digest
    assert replace(model, name="other").digest == model.digest


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"end": [3]}, "the model's digest is"),
        ({"logit_fraction": 3}, "the model's digest is"),
        ({"end": [256]}, "end names 256; tokens are 0 to 255"),
        ({"end": 3}, "end tokens or logit fraction are none"),
        ({"logit_fraction": 10**9}, "end tokens or logit fraction are none"),
        ({"arithmetic": "float64"}, "name or arithmetic"),
        ({"name": None}, "name or arithmetic"),
        ({"measures": {}}, "its measures are not"),
        ({"measures": dict.fromkeys(("layers", "width", "heads", "kv_heads", "head_width", "hidden", "vocabulary",
                                     "context"), 2**60)}, "layers is 1152921504606846976"),
        ({"attributes": {"norm": 3}}, "attributes are not numbers"),
        ({"attributes": {"norm": {"epsilon": "x"}}}, "attributes are not numbers"),
        ({"attributes": {"norm": {"shift": 2**62}}}, "attributes are not numbers of 32 bits"),
        ({"attributes": {"norm": {"epsilon": float("nan")}}}, "NaN is no number"),
        ({"tokenizer": []}, "its tokenizer is none"),
        ({"more": 1}, "other keys"),
    ],
)  # fmt: skip
def test_an_edited_description_is_refused(edited, refusal, changes, said):
    assert said in refusal(load, edited(lambda members: described(members, **changes)))


@pytest.mark.parametrize(
    "member",
    [
        npy("<i4", (10**18,), bytes(8)),
        npy("<i4", (10**9, 10**9)),
        npy("|S0", (10**12,)),
        npy("|V0", (10**12,)),
        npy("<U0", (5,)),
        npy("|O", (1,), bytes(8)),
        npy("<i4", (-1,), bytes(8)),
        npy("<i4", (0,)),
        npy("<i4", (2,), bytes(9)),
        npy("<f8", (1,), bytes(8)),
        npy("(" * 3000, (1,)),
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
        b"\x93NUMPY\x03\x00",
        b"",
    ],
)
def test_arrays_that_promise_what_is_not_there_are_refused(edited, refusal, member):
    def edit(members):
        members["constant norm.gain"] = member

    assert "not a saved model, or damaged: constant norm.gain" in refusal(load, edited(edit))


def test_descriptions_that_are_none_are_refused(edited, refusal):
    for content, said in ((b"[" * 500_000, "nested too deep"), (b"\xff", "codec"), (b"{}", "other keys")):
        path = edited(lambda members, content=content: members.update(about=npy("|u1", (len(content),), content)))
        assert said in refusal(load, path)
    assert "are not a model's" in refusal(load, edited(lambda members: members.pop("about")))


def test_members_that_are_packed_or_exceed_the_file_are_refused(edited, refusal):
    bomb = npy("|u1", (10**7,), bytes(10**7))
    path = edited(lambda members: members.update(about=bomb), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10**6 and "its members are packed" in refusal(load, path)
    path = edited(lambda members: None)
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02")
    for size in (at + 20, at + 24):  # the central directory promises 2^31 bytes of a member, packed or not
        path.write_bytes(content[:size] + struct.pack("<I", 2**31) + content[size + 4 :])
        assert "its members exceed it" in refusal(load, path)


def test_a_model_whose_constants_do_not_fit_is_refused(tiny_model, refusal):
    model = tiny_model("exact")
    check(model)
    for name, said in (("norm.gain", "norm"), ("rotations", "rotate"), ("layer01.gate_up.q", "gate_up")):
        assert said in refusal(check, replace(model, constants={n: a for n, a in model.constants.items() if n != name}))
        halved = {n: a[: len(a) // 2] if n == name else a for n, a in model.constants.items()}
        assert refusal(check, replace(model, constants=halved))
    assert "do not fit its measures" in refusal(check, replace(model, measures=model.measures | {"vocabulary": 99}))
    for lacking in ("vocabulary", "width", "layers", "context"):
        measures = {name: number for name, number in model.measures.items() if name != lacking}
        assert f"measure '{lacking}' is missing" in refusal(check, replace(model, measures=measures))
    without = {name: array for name, array in model.constants.items() if name != "layer00.output.rows"}
    assert "layer00.output.rows is missing" in refusal(check, replace(model, constants=without))


@pytest.mark.parametrize(
    "name, changed",
    [
        ("norm", {"square_shift": 7}),  # epsilon would be shifted to the left in rows of small numbers
        ("norm", {"square_shift": 2**31 - 1}),
        ("layer00.gate", {"fraction": 4}),
        ("layer00.gate", {"fraction": 17}),
    ],
)
def test_a_model_whose_attributes_shift_too_far_is_refused(tiny_model, refusal, name, changed):
    """Its steps would compute nothing, and its disputes be void."""
    model = tiny_model("exact")
    attributes = model.attributes | {name: model.attributes[name] | changed}
    assert f"{name}: {next(iter(changed))} is " in refusal(check, replace(model, attributes=attributes))


@pytest.mark.parametrize("name, said", [("cache", "reads a cache that is not short"), ("attention", "that is short")])
def test_a_cache_that_is_written_and_read_otherwise_is_refused(tiny_model, refusal, name, said):
    model, name = tiny_model("exact"), f"layer01.{name}"
    attributes = model.attributes | {name: model.attributes[name] | {"short": 0}}
    assert said in refusal(check, replace(model, attributes=attributes))


def test_a_model_whose_attributes_are_not_its_ops_is_refused(tiny_model, refusal):
    model = tiny_model("exact")
    for attributes in ({}, model.attributes["norm"] | {"constants": 3}):
        message = refusal(check, replace(model, attributes=model.attributes | {"norm": attributes}))
        assert "'norm' (rms_norm)" in message


@pytest.mark.parametrize(
    "name, changed, said",
    [
        ("layer00.cache", {"capacity": 1}, "capacity is for the graph to say"),
        ("layer00.attention", {"sequences": 0}, "sequences is for the graph to say"),
        ("norm", {"first": 0}, "first is for the graph to say"),
        ("layer00.attention", {"mantissa": 3.5}, "mantissa is 3.5; the kernel takes it as i32"),
        ("layer00.attention", {"mantissa": 2**31}, "mantissa is 2147483648; the kernel takes it as i32"),
        ("layer00.attention_norm", {"epsilon": -1}, "epsilon is -1; the kernel takes it as u32"),
    ],
)
def test_a_model_whose_attributes_are_the_graph_s_or_no_kernel_s_is_refused(tiny_model, refusal, name, changed, said):
    """numpy ran them, otherwise than kernels, which broke off."""
    model = tiny_model("exact")
    attributes = model.attributes | {name: model.attributes.get(name, {}) | changed}
    assert said in refusal(check, replace(model, attributes=attributes))


@pytest.mark.parametrize("epsilon", [float("nan"), float("inf"), 1e39, 2**128])
def test_a_float_beyond_32_bits_is_refused(tiny_model, refusal, epsilon):
    model = tiny_model("float32")
    check(model)
    assert "takes it as f32" in refusal(
        check, replace(model, attributes=model.attributes | {"norm": {"epsilon": epsilon}})
    )


@pytest.mark.parametrize(
    "arithmetic, name, changed, said",
    [
        ("exact", "layer00.output.blocks", lambda a: a.astype(np.int32), "of int32; int16 is allowed"),
        ("exact", "norm.gain", lambda a: a.astype(np.float32), "of float32; int32 is allowed"),
        ("exact", "layer00.output.rows", lambda a: a.astype(np.int16), "of int16; int32 is allowed"),
        ("exact", "layer00.output.q", lambda a: a.astype(np.int32), "of int32; uint8 or int8 is allowed"),
        ("exact", "layer00.output.q", lambda a: np.where(a == a[0, 0], np.uint8(200), a), "200; 4 bits hold 0 to 15"),
        ("float32", "rotations", lambda a: a.astype(np.int32), "of int32; float32 is allowed"),
        ("float32", "layer00.output.blocks", lambda a: a.astype(np.int16), "of int16; float32 is allowed"),
    ],
)
def test_constants_that_kernels_would_read_as_others_are_refused(tiny_model, refusal, arithmetic, name, changed, said):
    """numpy computed with the numbers, kernels with their bytes: two results, and no error."""
    model = tiny_model(arithmetic)
    assert said in refusal(check, replace(model, constants=model.constants | {name: changed(model.constants[name])}))


def test_formats_that_do_not_hold_are_an_error_and_no_other_value(tiny_model, refusal):
    model = tiny_model("exact")
    steep = model.constants["layer00.output.rows"] * 2**16
    forged = replace(model, constants=model.constants | {"layer00.output.rows": steep})
    check(forged)
    assert "layer00.output: a value leaves its register" in refusal(generate, Reference(forged), [1, 2], limit=3)


def test_what_is_no_saved_model_is_refused(tmp_path, tiny_model, refusal):
    assert "cannot be read" in refusal(load, tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    assert "not a saved model" in refusal(load, tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    assert "not a saved model" in refusal(load, tmp_path / "other.npz")
    np.savez(tmp_path / "half.npz", about=np.frombuffer(json.dumps({"name": "x"}).encode(), np.uint8))
    assert "not a saved model" in refusal(load, tmp_path / "half.npz")
    save(tmp_path / "cut.npz", tiny_model("exact"), {})
    content = (tmp_path / "cut.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    assert "not a saved model" in refusal(load, tmp_path / "cut.npz")
    assert "ends in .npz" in refusal(save, tmp_path / "model.bin", tiny_model("exact"), {})
    assert "at most" in refusal(save, tmp_path / "large.npz", tiny_model("exact"), {"tokenizer.json": "x" * 2**25})
    assert not (tmp_path / "large.npz").exists()


def test_the_command_line_saves_and_runs_a_saved_model(cli, tmp_path):
    path = tmp_path / "tiny.npz"
    assert cli("save", path, "--model", "tiny")[0] == 0
    results = [
        json.loads(cli("run", "--tokens", "1,2", "--max-tokens", 3, "--model", name, "--backend", "numpy", "--json")[1])
        for name in (path, "tiny")
    ]
    assert results[0]["digest"] == results[1]["digest"]
    code, _, err = cli("run", "--tokens", "1", "--model", path, "--backend", "numpy", "--arithmetic", "float32")
    assert code == 2 and "is in exact arithmetic" in err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"constants": {"norm.gain": np.full(64, 2**30, np.int32)}}, "norm: a value leaves its register"),
        ({"attributes": {"norm": None}}, "'square_shift' is not given"),
    ],
)
def test_a_saved_model_that_no_derivation_gives_fails_in_one_line(cli, tiny_model, tmp_path, change, said):
    model, path = tiny_model("exact"), tmp_path / "forged.npz"
    both = {"constants": model.constants, "attributes": model.attributes}
    for part, entries in change.items():
        kept = {name: value for name, value in (both[part] | entries).items() if value is not None}
        save(path, replace(model, **{part: kept}), {})
    for command in (("run", "--max-tokens", 2), ("next",)):
        code, out, err = cli(*command, "--tokens", "1,2", "--model", path, "--backend", "numpy")
        assert (code, out, err.count("\n")) == (2, "", 1) and said in err


def test_a_file_is_written_whole_or_not_at_all(tiny_model, tmp_path, refusal, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    path = tmp_path / "tiny.npz"
    save(path, tiny_model("exact"), {})
    before = path.read_bytes()
    monkeypatch.setattr(np, "savez", full)
    assert "No space left on device" in refusal(save, path, tiny_model("exact"), {"kind": "other"})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    assert "cannot be written" in refusal(save, tmp_path / "nowhere" / "a.npz", tiny_model("exact"), {})
