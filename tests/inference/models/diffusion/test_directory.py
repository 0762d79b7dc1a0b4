"""Directories of diffusers' kind: pictures of them, checks of pictures, and what is refused in a line."""

import json
import struct

import numpy as np
import pytest
from diffusion_directory import write

from inference.commands.latent_picture import Asked, prepared
from inference.files.png_file import png, read_png
from inference.models.diffusion import directory, reduced
from inference.picture import run
from inference.reference import Reference


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("small"), "sdxl")


@pytest.fixture
def changed(folder, tmp_path):
    """A copy of the directory with some of a file's keys changed; its tensors are links."""

    def changed(file, **keys):
        for source in folder.rglob("*"):
            copy = tmp_path / source.relative_to(folder)
            if source.is_dir():
                copy.mkdir()
            elif source.suffix == ".safetensors":
                copy.symlink_to(source)
            else:
                copy.write_bytes(source.read_bytes())
        if keys:
            known = json.loads((tmp_path / file).read_text())
            (tmp_path / file).write_text(json.dumps(known | keys))
        return tmp_path

    return changed


def test_a_directory_says_what_was_written(folder):
    read, weights = directory.read(folder), reduced.weights(reduced.configuration("sdxl"))
    assert read.size == 32 and read.zeros_where_empty
    for name in ("conv_in.weight", "mid_block.attentions.0.transformer_blocks.1.attn2.to_k.weight"):
        np.testing.assert_array_equal(read.load("unet", name), weights["unet"][name])
    assert read.tokenizers["text_encoder"].padded("a", 77)[-1] == 599
    assert read.tokenizers["text_encoder_2"].padded("a", 77)[-1] == read.tokenizers["text_encoder_2"].vocabulary["!"]


def test_names_of_older_files_are_read(folder, changed):
    from safetensors.numpy import load_file, save_file

    path = changed("")
    for part, rename in (("vae", ("to_out.0", "proj_attn")), ("text_encoder", ("text_model.", ""))):
        [file] = (path / part).glob("*.safetensors")
        tensors = load_file(file)
        file.unlink()
        save_file({name.replace(*rename): values for name, values in tensors.items()}, file)
    read, name = directory.read(path), "decoder.mid_block.attentions.0.to_out.0.weight"
    np.testing.assert_array_equal(read.load("vae", name), directory.read(folder).load("vae", name))


def test_the_command_draws_and_checks(cli, folder, tmp_path):
    out, given = tmp_path / "p.png", ["--model", folder, "--backend", "numpy"]
    options = ["--negative-prompt", "a station", "--steps", 1, "--size", 8, "--seed", 5]
    wanted = [*given, "--prompt", "a photo \u00e9", *options]
    code, printed, _ = cli("picture", *wanted, "--out", out, "--raw", tmp_path / "p.npy", "--json")
    said = json.loads(printed)
    assert code == 0 and said["prompt"] == "a photo \u00e9" and said["size"] == 8 and said["steps"] == 1
    raw, noise = np.load(tmp_path / "p.npy"), np.load(tmp_path / "p.noise.npy")
    assert raw.shape == (8, 8, 3) and noise.shape == (4, 4, 4) and np.abs(raw).max() <= 1
    shown, texts = read_png(out)
    assert np.abs(shown / 127.5 - 1 - raw).max() < 1 / 127 and json.loads(texts["digest"]) == said["digest"]
    assert json.loads(cli("check", out, *given, "--json")[1])["same"]
    out.write_bytes(png(shown, texts | {"seed": "6"}))
    code, printed, _ = cli("check", out, *given)
    assert code == 1 and "is not what its prompt and seed 6 give" in printed


def test_no_negative_prompt_is_a_text_of_zeros(folder):
    """As diffusers has it for SDXL: another picture than of an empty text."""
    of = [
        prepared(Asked(str(folder), "a photo", negative, guidance=5.0, steps=1, size=8, arithmetic="float32"))
        for negative in (None, "")
    ]
    outputs = []
    for made, passes in of:
        for each, found in run(Reference(made.model), passes):
            if each.name == "negative":
                outputs.append(found)
                break
    zeros, empty = outputs
    assert not zeros["context"].any() and not zeros["summary"].any() and empty["context"].any()


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "draws what --prompt says"),
        (["--prompt", "a", "--class", 3], "--class is of terrain"),
        (["--prompt", "a", "--guidance", "nan"], "--guidance nan is not allowed"),
        (["--prompt", "a", "--steps", 1001], "--steps 1001 is not allowed"),
        (["--prompt", "a", "--seed", -1], "--seed -1 is not allowed"),
        (["--prompt", "a", "--out", ""], "cannot be written: it is a directory"),
        (["--prompt", "a", "--out", "/"], "cannot be written: it is a directory"),
        (["--prompt", "a", "--out", "x" * 300], "File name too long"),
        (["--prompt", "a", "--out", "x.png", "--raw", "x.png"], "x.png: cannot be the picture of --out and the array"),
        (["--prompt", "a", "--size", 12], "--size 12 is not allowed; multiples of 8 up to 1448"),
    ],
)
def test_bad_options_are_refused_in_a_line(cli, folder, arguments, said):
    code, out, err = cli("picture", "--model", folder, *arguments)
    assert code == 2 and not out and said in err and err.count("\n") == 1


def test_a_prompt_is_no_terrain_s(cli):
    code, out, err = cli("picture", "--prompt", "a")
    assert code == 2 and not out and "--prompt is of a directory's model; terrain has --class" in err
    code, out, err = cli("picture", "--model", "y" * 300)
    assert code == 2 and not out and "there is no such model" in err
    code, out, err = cli("picture", "--model", "terain")
    assert code == 2 and not out and "there is no such model; terrain, an .onnx file or a directory is expected" in err


UNET, VAE, TEXT = "unet/config.json", "vae/config.json", "text_encoder/config.json"
SCHEDULER, INDEX = "scheduler/scheduler_config.json", "model_index.json"


@pytest.mark.parametrize(
    "file, keys, said",
    [
        (INDEX, {"_class_name": "FluxPipeline"}, "the pipeline is 'FluxPipeline'; StableDiffusionXLPipeline and"),
        (UNET, {"block_out_channels": [32] * 9}, "not up to 8 numbers from 1 to 8192"),
        (UNET, {"block_out_channels": [32, 64, 96]}, "has shape (64, 64, 3, 3), not (96, 64, 3, 3)"),
        (UNET, {"block_out_channels": "many"}, "block_out_channels is 'many', not a list"),
        (UNET, {"layers_per_block": 10**12}, "layers_per_block is 1000000000000; 1 to 8 are allowed"),
        (UNET, {"layers_per_block": [1, 1, 1]}, "layers_per_block is [1, 1, 1], not an integer"),
        (UNET, {"attention_head_dim": 0}, "attention_head_dim is 0; 1 to 64 are allowed"),
        (UNET, {"attention_head_dim": [2, 4]}, "2 values for 3 blocks"),
        (UNET, {"down_block_types": ["A", "B", "C"]}, "a block of the kind 'A' is not supported"),
        (UNET, {"act_fn": "mish"}, "act_fn is 'mish'; 'silu' is supported"),
        (UNET, {"class_embed_type": "timestep"}, "class_embed_type is 'timestep', which is not supported"),
        (UNET, {"norm_eps": -1}, "norm_eps is -1, not a number from 1e-30 to 1e+12"),
        (UNET, {"addition_embed_type": None}, "addition_embed_type is None, not text_time"),
        (UNET, {"cross_attention_dim": 32}, "texts of 64 numbers do not fit a cross_attention_dim of 32"),
        (UNET, {"addition_time_embed_dim": 9}, "a summary and sizes of 86 numbers do not fit the unet's"),
        (VAE, {"latent_channels": 16}, "the channels of unet and vae do not agree"),
        (VAE, {"latents_mean": [0.1]}, "latents_mean is [0.1], which is not supported"),
        (TEXT, {"hidden_act": "relu"}, "hidden_act is 'relu'; gelu or quick_gelu is supported"),
        (TEXT, {"num_hidden_layers": 999}, "num_hidden_layers is 999; 1 to 256 are allowed"),
        (TEXT, {"architectures": ["T5"]}, "CLIPTextModel is supported"),
        (TEXT, {"vocab_size": 90}, "not (90, 32)"),
        (SCHEDULER, {"use_karras_sigmas": True}, "use_karras_sigmas is True, which is not supported"),
        (SCHEDULER, {"beta_start": 2}, "beta_start is 2, not below 1"),
        (SCHEDULER, {"beta_end": 10**400}, "beta_end is 10000000000000000"),
        (VAE, {"scaling_factor": 1e-320}, "scaling_factor is 1e-320, not a number from 1e-30 to 1e+12"),
        (VAE, {"scaling_factor": 1e30}, "scaling_factor is 1e+30, not a number from 1e-30 to 1e+12"),
        ("tokenizer/vocab.json", {"cat": 600}, "the vocabulary has numbers beyond the text encoder's 600"),
        ("tokenizer/vocab.json", {"cat": "dog"}, "no object of numbers by token"),
        ("tokenizer/tokenizer_config.json", {"pad_token": "<pad>"}, "no token '<pad>'"),
    ],
)
def test_hostile_keys_are_refused_in_a_line(changed, refusal, file, keys, said):
    assert said in refusal(directory.read, changed(file, **keys))


@pytest.mark.parametrize(
    "file, content, said",
    [
        (INDEX, b"[]", "not a JSON object"),
        (INDEX, b"[" * 100_000, "nested too deep"),
        (UNET, b"\xff", "not UTF-8"),
        (VAE, None, "cannot be read"),
        ("unet/diffusion_pytorch_model.safetensors", struct.pack("<Q", 2**60), "its header does not end in it"),
        ("unet/diffusion_pytorch_model.safetensors", None, "there is no .safetensors file"),
        ("tokenizer/merges.txt", b"a b c", "is not of two tokens"),
        ("tokenizer/merges.txt", None, "cannot be read"),
    ],
)
def test_hostile_files_are_refused_in_a_line(changed, refusal, file, content, said):
    path = changed("")
    (path / file).unlink()
    if content is not None:
        (path / file).write_bytes(content)
    assert said in refusal(directory.read, path)


def test_numbers_that_are_not_finite_are_refused(changed, cli):
    from safetensors.numpy import load_file, save_file

    path = changed("")
    file = path / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    file.unlink()
    tensors["conv_in.weight"][0, 0, 0, 0] = np.nan
    save_file(tensors, file)
    code, _, err = cli("picture", "--model", path, "--prompt", "a", "--backend", "numpy")
    assert code == 2 and "conv_in.weight" in err and err.count("\n") == 1
