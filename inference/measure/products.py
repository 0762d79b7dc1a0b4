"""Matrix products alone, as a model chains them: rates of ours and of peers, all sides interleaved.

A chain is x -> W_1 x -> W_2 W_1 x and so on, its matrices in turn (hidden, width) and (width, hidden), of the sizes of
SmolLM2's feed-forward. Many rows of x are a GEMM (a prompt), one row is a GEMV (one token). A side runs the whole chain
from numbers on the host to numbers on the host, so that neither calls nor transfers decide: all products share them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference.arithmetic import formats
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.errors import InputError
from inference.files.blocks import BLOCK, Weights
from inference.graph import Arithmetic, add, new, source
from inference.measure.bench import interleaved
from inference.model import Model

ROWS = (128, 1)
MIDDLE = 8  # the digit that stands for a weight of 0
Pass = Callable[[], npt.NDArray[Any]]
"""One pass over the chain, from the host to the host: returns the output."""


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Matrices and the input they are applied to."""

    matrices: tuple[Weights, ...]
    """(N, K) each, 4-bit blocks of 32; K of each is N of the one before."""
    x: npt.NDArray[np.float32]
    """(rows, K of the first)"""

    @property
    def operations(self) -> int:
        """Multiply-accumulates of one pass."""
        return len(self.x) * sum(matrix.q.size for matrix in self.matrices)


def chain(rows: int, *, width: int = 576, hidden: int = 1536, pairs: int = 4, seed: int = 0) -> Chain:
    """``pairs`` times (hidden, width) and (width, hidden), Gaussian of variance 1 / K, applied to standard Gaussians.

    Blocks are symmetric, w = d (q - 8): what every side can take without zero points.
    """
    generator = np.random.default_rng(seed)
    shapes = [(hidden, width), (width, hidden)] * pairs
    matrices = tuple(_symmetric(generator.standard_normal(shape) / np.sqrt(shape[1])) for shape in shapes)
    return Chain(matrices, generator.standard_normal((rows, width)).astype(np.float32))


def _symmetric(matrix: npt.NDArray[np.float64]) -> Weights:
    blocks = matrix.reshape(len(matrix), -1, BLOCK)
    d = (np.abs(blocks).max(2) / (MIDDLE - 1)).astype(np.float32)
    q = np.rint(blocks / d[..., None]) + MIDDLE
    return Weights(q.astype(np.uint8).reshape(matrix.shape), d, -MIDDLE * d)


def graph(chain: Chain, arithmetic: Arithmetic) -> tuple[Model, nx.DiGraph, npt.NDArray[Any], float]:
    """The chain as a model, its graph (input ``x``, nodes ``y0``, ``y1``, ...), the input, and what 1 stands for.

    In integers the activations keep the fraction bits with which eight standard deviations fit every accumulator.
    """
    built = new(arithmetic)
    constants: dict[str, Any] = {}
    scale = 1.0
    if arithmetic == "exact":
        linears = [formats.linear(f"y{index}", matrix) for index, matrix in enumerate(chain.matrices)]
        scale = 2.0 ** int(np.log2(min(linear.largest for linear in linears) / 8))
    source(built, "x", "input", chain.x.shape)
    last = "x"
    for index, matrix in enumerate(chain.matrices):
        name = f"y{index}"
        if arithmetic == "exact":
            linear = linears[index]
            parts = {"q": linear.q, "blocks": linear.blocks, "rows": formats.rows(name, linear.sigma)}
        else:
            assert matrix.m is not None
            parts = {"q": matrix.q, "blocks": np.stack((matrix.d, matrix.m), axis=2)}
        constants |= {f"{name}.{part}": array for part, array in parts.items()}
        weights = [source(built, f"{name}.{part}", "weight", array.shape) for part, array in parts.items()]
        last = add(built, name, "matmul_q4", [last, *weights])
    x = np.rint(chain.x * scale).astype(np.int32) if arithmetic == "exact" else chain.x
    return Model("products", arithmetic, {}, constants, {}), built, x, scale


def ours(chain: Chain, arithmetic: Arithmetic, device: Device) -> Pass:
    """Our kernels on a device."""
    model, built, x, scale = graph(chain, arithmetic)
    runtime, output = Runtime(model, device), f"y{len(chain.matrices) - 1}"
    return lambda: runtime.run(built, {"x": x}, [output])[0] / np.float32(scale)


def measured(sides: dict[str, Pass], operations: int, rounds: int) -> list[dict[str, Any]]:
    """Median milliseconds of a pass of every side, its rate in 10^9 multiply-accumulates a second, its processors.

    Processors are this process's processor seconds over seconds: what a side kept busy, or got where others want them.

    Raises:
        InputError: a side's output is further than 5 % from the first one's; activations of 8 bits come to about 1 %.
    """
    (base, first), *others = ((name, run()) for name, run in sides.items())
    for name, output in others:
        off = float(np.linalg.norm(output - first) / np.linalg.norm(first))
        if not off < 0.05:
            raise InputError(f"{name} computes something else than {base}: outputs differ by {off:.1%}")
    rows = []
    for name, times in interleaved({name: partial(timed, run) for name, run in sides.items()}, rounds).items():
        seconds, processors = np.median(times, axis=0).tolist()
        row = {"side": name, "milliseconds": round(1e3 * seconds, 4)}
        row |= {"gmac_per_second": round(operations / seconds / 1e9, 4), "processors": round(processors, 2)}
        rows.append(row)
    return rows


def timed(run: Pass) -> tuple[float, float]:
    """Seconds of one pass, and processors it kept busy; after one that is not counted, so that threads which the side
    before left spinning, and cold caches, are nobody's loss."""
    run()
    before, started = time.process_time(), time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    return seconds, (time.process_time() - before) / seconds
