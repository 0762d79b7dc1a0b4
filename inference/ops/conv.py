"""Convolution: y = sum over taps of W_tap x_tap + bias, 3 × 3 padded by 1 or 1 × 1, at a stride.

x: (H, W, C), for 1 × 1 tokens (T, C) too; weight: (N, taps, C), row by row of the window; bias: (N,); y:
(ceil(H / stride), ceil(W / stride), N). Padding contributes 0. Of a band of a larger image the first ``above`` and the
last ``below`` lines are its neighbours': y has no lines of theirs (``models.bands``).

Exact: weight in -2047..2047, a scale (1, 2) of x (``arithmetic.scaled``), rows (N, 2) of mantissa and shift, the bias
|b| < 2^29 in units of 2^floor:

    a  = narrow(x, n) to 14 bits
    P  = sum q·a over a span: of a tap, at most 1,024 channels             |P| < 2^31, by the weights
    A  = sum over spans of rs(P, span_shift)                               |A| < 2^31 in any order
    e  = E + n + unit,  E_y = max(e, floor)
    y  = rs(mul16(A, mantissa), min(shift + E_y - e, 30)) + rs(bias, min(E_y - floor, 30))
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import Integers, i32, round_shift
from inference.arithmetic.scaled import ACTIVATION, NONE, narrow, narrowing
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Public, Reading
from inference.device.target import Target
from inference.files.blocks import pack_plain
from inference.files.conv_weights import LANES, SPAN, integer_weights, pack_taps
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import MOST_GROUPS, draw_scaled, pixels, require_image
from inference.outputs import committed
from inference.steps import WORK, Step
from inference.steps.conv_finish import scaled

PACK = {"weight": pack_taps, "bias": pack_plain, "rows": pack_plain, "x": pack_plain, "scale": pack_plain}
BITS = {"weight": 16}
COLOUR = "#cfe3f5"
ROWS = 16
"""Channels of y that an invocation makes, of four pixels."""
EIGHT = 8
"""Pixels of a line that an invocation of ``subgroup`` makes, of ``LANES`` channels."""
MOST_BORDERED = 2**25
"""Words: what every device binds."""


def shape(
    x: Shape,
    weight: Shape,
    bias: Shape,
    *exact: Shape,
    stride: int = 1,
    above: int = 0,
    below: int = 0,
    **_: object,
) -> Shape:
    require_image("x", x, *exact[:1])
    require(len(weight) == 3 and weight[1] in (1, 9) and weight[2] == x[-1], f"weights {weight} do not fit {x}")
    require(stride in (1, 2), f"a stride of {stride} is not 1 or 2")
    require(len(x) == 3 or weight[1] == stride == 1, f"tokens {x} have no neighbours")
    require(bias == weight[:1], f"a bias of {bias} does not fit weights {weight}")
    require(len(exact) in (0, 2) and exact[1:] in ((), ((weight[0], 2),)), f"rows {exact} do not fit weights {weight}")
    if not above and not below:
        return (*(-(-axis // stride) for axis in x[:-1]), weight[0])
    require(len(x) == 3 and stride == 1, f"bands of {x} have no neighbours at a stride of {stride}")
    require(min(above, below) >= 0 and above + below < x[0], f"{above} + {below} lines are not neighbours in {x}")
    return (x[0] - above - below, x[1], weight[0])


def taps(x: npt.NDArray[Any], count: int, stride: int, above: int = 0, below: int = 0) -> Iterator[npt.NDArray[Any]]:
    """What each tap reads, (pixels of y, C)."""
    if count == stride == 1:
        yield x[above : len(x) - below].reshape(-1, x.shape[-1])
        return
    kernel, border = (3, 1) if count == 9 else (1, 0)
    padded = np.pad(x, ((border, border), (border, border), (0, 0)))
    for down in range(kernel):
        for over in range(kernel):
            of_y = slice(above + down, down + x.shape[0] - below, stride)
            lines = padded[of_y, over : over + x.shape[1] : stride]
            yield lines.reshape(-1, x.shape[2])


def exact(
    x: npt.NDArray[np.int32],
    weight: npt.NDArray[np.int16],
    bias: npt.NDArray[np.int32],
    scale: npt.NDArray[np.int32],
    rows: npt.NDArray[np.int32],
    *,
    stride: int = 1,
    above: int = 0,
    below: int = 0,
    span_shift: int = 0,
    unit: int = 0,
    floor: int = NONE,
) -> npt.NDArray[np.int32]:
    n, at = narrowing(scale, ACTIVATION)
    a, channels = narrow(x.astype(np.int64), n, ACTIVATION).astype(np.float64), x.shape[-1]
    total: Integers | int = 0
    for tap, read in enumerate(taps(a, weight.shape[1], stride, above, below)):
        for first in range(0, channels, SPAN):
            columns = slice(first, min(first + SPAN, channels))
            q = weight[:, tap, columns].astype(np.float64)
            total = total + round_shift(i32((read[:, columns] @ q.T).astype(np.int64)), span_shift)
    y = scaled(i32(np.asarray(total)), bias.astype(np.int64), rows.astype(np.int64), at + unit, floor)
    of_y = shape(x.shape, weight.shape, bias.shape, stride=stride, above=above, below=below)
    return y.astype(np.int32).reshape(of_y)


def derivation(
    row: int,
    start: int,
    stop: int,
    x: Operand | Constant | Public,
    weight: Constant,
    bias: Constant,
    scale: Operand | Constant,
    rows: Constant,
    *,
    stride: int = 1,
    above: int = 0,
    below: int = 0,
    span_shift: int = 0,
    unit: int = 0,
    floor: int = NONE,
) -> list[Step]:
    """Of some pixels, or of some channels of one, at once: a step for each span of each tap."""
    made, (outputs, count, channels) = Derivation(), weight.shape
    height, width = x.shape[:2] if len(x.shape) == 3 else (1, x.shape[0])
    size = committed(shape(x.shape, weight.shape, bias.shape, stride=stride, above=above, below=below))
    border, across = (1, 3) if count == 9 else (0, 1), -(-width // stride)
    first = row * size[1] + start  # words of y before these

    def read_at(pixel: int, tap: int, span: range, reading: Reading) -> list[Any]:
        line = pixel // across * stride + above + tap // border[1] - border[0]
        column = pixel % across * stride + tap % border[1] - border[0]
        if not (0 <= line < height and 0 <= column < width):
            return []
        at = (line * width + column) * channels
        return reading.words(x, at + span.start, at + span.stop)

    def summed(pixels: range, part: range) -> int:
        """Rows of weights in ``part`` for some pixels."""
        found = []
        for tap in range(count):
            for at in range(0, channels, SPAN):
                span, reading = range(at, min(at + SPAN, channels)), Reading()
                places = [read_at(pixel, tap, span, reading) for pixel in pixels]
                if any(places):
                    numbers: dict[str, Any] = {"x": places, "scale": reading.all(scale), "weight": weight.name}
                    columns = [tap * channels + span.start, tap * channels + span.stop]
                    numbers |= {"rows": [part.start, part.stop], "columns": columns, "span_shift": span_shift}
                    words = len(pixels) * len(part)
                    found.append(made.step("conv_product", reading.sources, words, words * len(span), **numbers))
        total, reading = made.summed(found, len(pixels) * len(part)), Reading()
        reading.sources.append(total)
        finish = {"scale": reading.all(scale), "rows": rows.name, "bias": bias.name, "unit": unit, "floor": floor}
        words = len(pixels) * len(part)
        return made.step("conv_finish", reading.sources, words, 2 * words, range=[part.start, part.stop], **finish)

    begin, end = first // outputs, -(-(first + stop - start) // outputs)  # pixels
    wide = min(channels, SPAN)
    together = max(1, min(WORK // (outputs * wide), 4))
    parts = []
    if end - begin > 1 or stop - start == outputs:
        few = max(1, min(WORK // wide, outputs))
        for pixel in range(begin, end, together):
            pixels = range(pixel, min(pixel + together, end))
            if few >= outputs:
                parts.append(summed(pixels, range(outputs)))
            else:
                parts += [summed(pixels, range(at, min(at + few, outputs))) for at in range(0, outputs, few)]
    else:
        low = first % outputs
        few, high = max(1, WORK // wide), low + stop - start
        parts = [summed(range(begin, end), range(at, min(at + few, high))) for at in range(low, high, few)]
    made.concatenated(parts)
    return made.steps


def float32(
    x: npt.NDArray[np.float32],
    weight: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
    *,
    stride: int = 1,
    above: int = 0,
    below: int = 0,
) -> npt.NDArray[np.float32]:
    y = sum(read @ weight[:, tap].T for tap, read in enumerate(taps(x, weight.shape[1], stride, above, below)))
    of_y = shape(x.shape, weight.shape, bias.shape, stride=stride, above=above, below=below)
    return np.asarray(y + bias).reshape(of_y)


def enclosure(x: Array, weight: Array, bias: Array, **attributes: Any) -> Enclosed:
    """gamma(K + 2) (sum |w x| + |b|): a product, K - 1 additions and that of the bias."""
    wide: list[Any] = [each.astype(np.float64) for each in (x, weight, bias)]
    y, sizes = float32(*wide, **attributes), float32(*map(np.abs, wide), **attributes)
    return y.astype(np.float64), gamma(weight[0].size + 2) * sizes + flushed(3 * weight[0].size, x, weight)


def entry(*, span_shift: int = 0, variant: str = "", **_: object) -> str:
    return "spans" if span_shift and variant in ("", "subgroup") else "main"


def work(x: Shape, weight: Shape, *_: Shape, **attributes: Any) -> int:
    return pixels(shape(x, weight, weight[:1], **attributes)) * prod(weight)


def dimensions(x: Shape, weight: Shape, *_: Shape, **attributes: Any) -> dict[str, int]:
    height, width, channels = image_of(x)
    lines = image_of(shape(x, weight, weight[:1], **attributes))[0]
    sizes = {"height": height, "lines": lines, "width": width, "channels": channels}
    return sizes | {"outputs": weight[0], "taps": weight[1]}


def variants(
    output: Shape, *, arithmetic: str, target: Target, inputs: Sequence[Shape], stride: int = 1, **_: object
) -> list[str]:
    """The kernels that a target admits, the likeliest first."""
    if not target.rasteriser:
        return ["tile", ""]
    admitted = target.subgroups and workspace(*inputs, stride=stride) <= MOST_BORDERED
    return ["subgroup", ""] if admitted else [""]


def before(variant: str, arithmetic: str) -> list[str]:
    """The variants dispatched before one of them."""
    if variant != "subgroup":
        return []
    return ["narrow"] if arithmetic == "exact" else ["border"]


def image_of(x: Shape) -> Shape:
    """Tokens are a line of pixels."""
    return x if len(x) == 3 else (1, *x)


def bordered(height: int, width: int, stride: int) -> Shape:
    """Lines and pixels of an image in its border of zeros for an output's, in whole ``EIGHT``."""
    return height * stride + 2, (width + -width % EIGHT) * stride + 2


def workspace(x: Shape, *weights: Shape, stride: int = 1, **_: object) -> int:
    """Words of the image in its border: of four channels two where it is narrowed, which takes a scale."""
    height, width, channels = image_of(x)
    each = 2 if len(weights) > 2 else 4
    return prod(bordered(-(-height // stride), -(-width // stride), stride)) * each * -(-channels // 4)


def lanes(*_: Shape, target: Target, variant: str = "") -> int:
    """Invocations a workgroup."""
    return 64 if variant == "tile" else target.lanes


def workgroups(
    output: Shape,
    *,
    lanes: int,
    variant: str = "",
    stride: int = 1,
    above: int = 0,
    below: int = 0,
    **_: object,
) -> Shape:
    height, width = image_of(output)[:2]
    if variant in ("narrow", "border"):
        lines, across = bordered(above + height + below, width, stride)
        return (-(-across // lanes), lines, 1)
    if variant == "subgroup":
        return (-(-height * -(-width // EIGHT) // lanes), -(-output[-1] // LANES), 1)
    if variant == "tile":
        return (-(-pixels(output) // LANES), -(-output[-1] // LANES), 1)
    groups = -(-pixels(output) // (4 * lanes))
    return (min(groups, MOST_GROUPS), -(-output[-1] // ROWS), 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    count, stride = (9, 1 + a % 2) if c % 2 else (1, 1)
    image = (a + 2, 2 * b + 1, 3 * b + c)
    above = b % 2 if stride == 1 else 0
    seen = {"stride": stride, "above": above, "below": int(stride == 1 and a > 1)}
    weight, bias = floats(generator, (5 * b + c, count, image[2])), floats(generator, 5 * b + c)
    if arithmetic == "float32":
        constants = {"weight": weight, "bias": bias}
        return {"x": floats(generator, image)}, constants, seen
    x, scale = draw_scaled(generator, image)
    constants, attributes = integer_weights(weight, bias)
    return {"x": x, "scale": scale}, constants, attributes | seen
