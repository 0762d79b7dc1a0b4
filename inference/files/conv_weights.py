"""Weights of convolutions in integers, and how the kernels want them laid out."""

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.formats import LIMIT, rows
from inference.arithmetic.scaled import NONE

SPAN = 1024
"""Channels of a tap that are summed before they are shifted, at most: what a leaf holds."""
LARGEST = 2**14 - 1
"""|activation|."""
GROUP = 4
"""Channels in a word, or in a vector."""
LANES = 32
"""Rows are padded to a whole number of these."""


def tap_major(weight: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(N, C, height, width) as (N, height · width, C)."""
    return np.ascontiguousarray(weight.transpose(0, 2, 3, 1)).reshape(len(weight), -1, weight.shape[1])


def integer_weights(
    weight: npt.NDArray[np.floating], bias: npt.NDArray[np.floating]
) -> tuple[dict[str, Any], dict[str, int]]:
    """Constants and attributes of ``ops/conv.py`` from weights (N, taps, C): 8 bits a weight, a scale a row."""
    matrix = weight.astype(np.float64)
    step = np.abs(matrix).max((1, 2), initial=0) / 127
    by = step[:, None, None]
    q = np.rint(np.divide(matrix, by, out=np.zeros_like(matrix), where=by > 0)).astype(np.int8)
    cuts = range(0, q.shape[2], SPAN)
    spans = np.add.reduceat(np.abs(q.astype(np.int64)), cuts, axis=2).reshape(len(q), -1) * LARGEST
    shift = next(s for s in range(31) if ((spans >> s) + 1).sum(1).max() < LIMIT)
    top = float(step.max()) * 2.0**shift
    unit = int(np.frexp(top)[1]) + 1 if top > 0 else 0
    most = float(np.abs(bias).max(initial=0))
    floor = int(np.frexp(most)[1]) - 29 if most > 0 else NONE
    integers = np.rint(bias.astype(np.float64) * 2.0**-floor) if most > 0 else np.zeros(len(bias))
    constants = {
        "weight": q,
        "bias": np.clip(integers, 1 - 2**29, 2**29 - 1).astype(np.int32),
        "rows": rows("rows", step * 2.0 ** (shift - unit)),
    }
    return constants, {"span_shift": shift, "unit": unit, "floor": floor}


def pack_taps(weight: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """[32 rows][tap][4 channels][row], padded with zeros: 4 int8 in a word, the first low, or 4 float32 in a vector."""
    outputs, taps, channels = weight.shape
    padded = np.pad(weight, ((0, -outputs % LANES), (0, 0), (0, -channels % GROUP)))
    blocks = padded.reshape(-1, LANES, taps, padded.shape[2] // GROUP, GROUP).transpose(0, 2, 3, 1, 4)
    return np.ascontiguousarray(blocks).view(np.uint32).ravel()
