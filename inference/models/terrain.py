"""Consistency models of terrain: heights from noise in one step, conditioned on a difficulty from 1 to 100.

An ONNX file of such a model has the inputs ``noisy`` (1, 1, H, W), ``sigma`` and ``difficulty`` and one output. The
graph: noise of a seed times ``SIGMA``, the network, heights between -1 and 1; what people see follows from it by sinh.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.errors import InputError
from inference.files.onnx_file import read_onnx
from inference.graph import Arithmetic, schedule
from inference.model import Model
from inference.models.layers import INPUT_FRACTION, Tensor
from inference.models.onnx_graph import read_graph
from inference.models.onnx_values import LARGEST_SIDE, Values
from inference.ops import noise

FILE = Path("weights") / "terrain_consistency_unet_difficulty100.onnx"
SIGMA = 80.0
CLASSES = 100
RANGE, LINEAR = 22.16864013671875, 0.1
"""Metres: the highest, and where heights cease to be linear in the output."""
FRACTION = 24
"""Bits of the exact output."""


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """A model ready to run."""

    model: Model
    graph: nx.DiGraph
    picture: str
    """The last node of the schedule."""

    def noisy_array(self, seed: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """(H, W): what the network reads, of the words of a seed; every number is a float32 without rounding."""
        height, width = self.model.measures["height"], self.model.measures["width"]
        samples = noise.exact(seed, tables.inverse_normal(), height=height, width=width, channels=1)
        return (samples[..., 0] * (SIGMA * 2.0**noise.EXPONENT)).astype(np.float32)


def terrain_file() -> Path:
    """The file that the package adaptive-terrain-diffusion ships; found without importing the package.

    Raises:
        InputError: it is not installed.
    """
    spec = find_spec("terrain_diffusion")
    if spec is None or spec.origin is None:
        raise InputError("the model terrain needs a package: pip install --no-deps adaptive-terrain-diffusion==0.4.2")
    return Path(spec.origin).parent / FILE


def terrain(name: str, arithmetic: Arithmetic) -> Terrain:
    """A model by name (``terrain``) or by path, in one arithmetic.

    Raises:
        InputError: the file cannot be read, or is no such model.
    """
    path = terrain_file() if name == "terrain" else Path(name)
    file = read_onnx(path)
    if set(file.inputs) != {"noisy", "sigma", "difficulty"} or len(file.outputs) != 1:
        raise InputError(
            f"{path}: has inputs {', '.join(sorted(file.inputs))}; noisy, sigma and difficulty are expected"
        )
    shape, rest = file.inputs["noisy"], {file.inputs[name] for name in ("sigma", "difficulty")}
    if len(shape) != 4 or shape[:2] != (1, 1) or max(shape) > LARGEST_SIDE or rest != {(1,)}:
        raise InputError(f"{path}: noisy of {shape} is no image of one channel of at most {LARGEST_SIDE} pixels a side")
    reader = Values(file, arithmetic)
    reader.known["sigma"] = np.array([SIGMA], np.float32)
    drawn = reader.layers.noise(reader.name("noise"), (*shape[2:], 1))
    noisy = reader.layers.combine(reader.name("noisy"), [(SIGMA, drawn)])
    reader.values |= {"noisy": noisy, "difficulty": reader.layers.input("difficulty", (1, 1))}
    read_graph(reader)
    picture = reader.values.get(file.outputs[0])
    last = schedule(reader.layers.graph)[-1]
    if not isinstance(picture, Tensor) or picture.node != last or picture.shape != (*shape[2:], 1):
        raise InputError(f"{path}: its output is not what its last node gives, kept to -1 to 1")
    measures = {"height": shape[2], "width": shape[3], "classes": CLASSES}
    model = Model(name, arithmetic, measures, reader.layers.constants, {})
    return Terrain(model, reader.layers.graph, last)


def inputs(arithmetic: Arithmetic | None, difficulty: int, seed: int) -> dict[str, npt.NDArray[Any]]:
    """The graph's inputs; of no arithmetic where only their bounds are asked.

    Raises:
        InputError: a difficulty or a seed that is not allowed.
    """
    if not 1 <= difficulty <= CLASSES:
        raise InputError(f"--class {difficulty} is not allowed; 1 to {CLASSES}")
    if not 0 <= seed < 2**64:
        raise InputError(f"--seed {seed} is not allowed; 0 to 2^64 - 1")
    number: npt.NDArray[Any] = np.array([[(difficulty - 1) / (CLASSES - 1)]], np.float32)
    if arithmetic == "exact":
        number = np.array([[round((difficulty - 1) * 2**INPUT_FRACTION / (CLASSES - 1))]], np.int32)
    return {"difficulty": number, "seed": np.array([seed & 2**32 - 1, seed >> 32], np.uint32).view(np.int32)}


def heights(output: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Metres, of an output between -1 and 1."""
    unit = np.clip((output.astype(np.float64) + 1) / 2, 0, 1)
    return LINEAR * np.sinh(unit * np.arcsinh(RANGE / LINEAR))
