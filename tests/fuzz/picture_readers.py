"""Readers of pictures and of the models that draw them."""

import json
from pathlib import Path

import numpy as np
import onnx
from diffusion_directory import write
from reader import folder
from small_network import network

from inference.commands import latent_picture
from inference.files.png_file import png, read_png
from inference.models.diffusion import directory
from inference.models.terrain import terrain

SAID = {"model": "m", "prompt": "a", "negative_prompt": None, "guidance": 5.0, "steps": 20, "size": 8, "seed": 7}
SAID |= {"arithmetic": "exact", "digest": "0" * 64}


def write_onnx(root: Path) -> None:
    net, output = network()
    onnx.save(net.model(output), folder(root, "network") / "model.onnx")


def read_onnx(path: Path) -> None:
    terrain(str(path / "model.onnx"), "exact")


def write_pictures(root: Path) -> None:
    generator = np.random.default_rng(0)
    for name, shape in (("grey", (8, 8)), ("colours", (8, 8, 3))):
        pixels = generator.integers(0, 256, shape).astype(np.uint8)
        texts = {key: json.dumps(value) for key, value in SAID.items()}
        (folder(root, name) / "picture.png").write_bytes(png(pixels, texts))


def read_picture(path: Path) -> None:
    latent_picture._said(path / "picture.png", read_png(path / "picture.png")[1])


def write_diffusers(root: Path) -> None:
    write(folder(root, "model"), "sd15")


def read_diffusers(path: Path) -> None:
    """Its configuration, its texts, and of each network the first tensor."""
    read = directory.read(path)
    read.ids("abc")
    for part, shapes in read.shapes.items():
        read.load(part, next(iter(shapes)))
