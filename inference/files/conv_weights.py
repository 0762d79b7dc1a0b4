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
LEVELS, ENOUGH = 2047, 255
"""Steps of a row's largest weight, at most; fewer than ``ENOUGH`` and the sums of spans are shifted."""
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
    """Constants and attributes of ``ops/conv.py`` from weights (N, taps, C), in steps of each row's own.

    A row has as many steps, to ``LEVELS`` by either sign, as leave its spans' sums and theirs 32 bits.
    """
    matrix = weight.astype(np.float64)
    most = np.abs(matrix).max((1, 2), initial=0)
    relative = np.divide(np.abs(matrix), most[:, None, None], out=np.zeros_like(matrix), where=most[:, None, None] > 0)
    spans = np.add.reduceat(relative, range(0, matrix.shape[2], SPAN), axis=2).reshape(len(matrix), -1)
    # Half a step more for the rounding of each weight.
    rounding = matrix[0].size / 2 + 1
    of_spans = (LIMIT / LARGEST - rounding) / np.maximum(spans.max(1), 1)
    of_rows = (LIMIT / LARGEST - rounding) / np.maximum(spans.sum(1), 1)
    shift = next(s for s in range(17) if (of_rows * 2**s >= np.minimum(ENOUGH, of_spans)).all())
    levels = np.floor(np.minimum(np.minimum(of_spans, of_rows * 2**shift), LEVELS))
    step = most / levels
    by = step[:, None, None]
    q = np.rint(np.divide(matrix, by, out=np.zeros_like(matrix), where=by > 0)).astype(np.int16)
    top = float(step.max()) * 2.0**shift
    unit = int(np.frexp(top)[1]) + 1 if top > 0 else 0
    largest = float(np.abs(bias).max(initial=0))
    floor = int(np.frexp(largest)[1]) - 29 if largest > 0 else NONE
    integers = np.rint(bias.astype(np.float64) * 2.0**-floor) if largest > 0 else np.zeros(len(bias))
    constants = {
        "weight": q,
        "bias": np.clip(integers, 1 - 2**29, 2**29 - 1).astype(np.int32),
        "rows": rows("rows", step * 2.0 ** (shift - unit)),
    }
    return constants, {"span_shift": shift, "unit": unit, "floor": floor}


def pack_taps(weight: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """[32 rows][tap][4 channels][row], padded with zeros: 4 int16 in two words, the first low, or 4 float32."""
    outputs, taps, channels = weight.shape
    padded = np.pad(weight, ((0, -outputs % LANES), (0, 0), (0, -channels % GROUP)))
    blocks = padded.reshape(-1, LANES, taps, padded.shape[2] // GROUP, GROUP).transpose(0, 2, 3, 1, 4)
    return np.ascontiguousarray(blocks).view(np.uint32).ravel()
