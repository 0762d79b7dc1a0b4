"""RMSNorm of each of some heads of a row by one gain; the columns after them are copied.

x: (T, W), heads from column ``offset`` on; gain: (w,), w the head's width; y: (T, heads·w + copied). Each head is
normed as a row is (``rms_norm``), exact with the same registers; ``formats.head_norm`` chooses the shifts so that y has
the fraction bits that attention wants.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import u32
from inference.arithmetic.formats import norm
from inference.arithmetic.tolerance import Array, Enclosed, flushed
from inference.derivation import Constant, Derivation, Operand
from inference.files.blocks import pack_plain
from inference.ops import Shape, require, rms_norm
from inference.ops._drawing import Drawn, Generator, floats, integers
from inference.steps import Source, Step
from inference.steps.normalise import normalised
from inference.steps.squares import scaled_squares

PACK = {"gain": pack_plain}
COLOUR = "#dcecd2"


def shape(x: Shape, gain: Shape, *, offset: int, heads: int, copied: int = 0, **_: object) -> Shape:
    require(len(x) == 2 and len(gain) == 1, f"a gain of {gain} does not fit heads of {x}")
    width = heads * gain[0] + copied
    require(min(offset, copied) >= 0, f"a column of {offset} or {copied} copied columns are below 0")
    require(offset + width <= x[1], f"{heads} heads of {gain[0]} from column {offset} exceed {x}")
    require(copied % gain[0] == 0, f"{copied} copied columns are no heads of {gain[0]}")
    return (x[0], width)


def parts(x: Array, gain: Array, offset: int, heads: int, copied: int) -> tuple[Array, Array]:
    """(T·heads, w) and (T, copied)."""
    end = offset + heads * len(gain)
    return x[:, offset:end].reshape(-1, len(gain)), x[:, end : end + copied]


def exact(
    x: npt.NDArray[np.int32],
    gain: npt.NDArray[np.int32],
    *,
    offset: int,
    heads: int,
    copied: int = 0,
    square_shift: int,
    constant: int,
    epsilon: int,
    root_shift: int,
    gain_shift: int,
) -> npt.NDArray[np.int32]:
    rows, tail = parts(x.astype(np.int64), gain, offset, heads, copied)
    y = normed(
        rows, gain.astype(np.int64),
        square_shift=square_shift, constant=constant, epsilon=epsilon, root_shift=root_shift, gain_shift=gain_shift,
    )  # fmt: skip
    return np.hstack((y.reshape(len(x), -1), tail)).astype(np.int32)


def normed(rows: npt.NDArray[np.int64], gain: npt.NDArray[np.int64], **attributes: int) -> npt.NDArray[np.int64]:
    """Rows, each a head."""
    largest = np.abs(rows).max(1, keepdims=True)
    total = u32(scaled_squares(rows, largest, attributes["square_shift"]).sum(1, keepdims=True))
    return normalised(rows, largest, total, gain, **attributes)


def derivation(
    row: int,
    start: int,
    stop: int,
    x: Operand,
    gain: Constant,
    *,
    offset: int,
    heads: int,
    copied: int = 0,
    **attributes: int,
) -> list[Step]:
    """One step: the whole heads in which the columns lie."""
    [width] = gain.shape
    first, last = start // width, -(-stop // width)
    made, sources, words = Derivation(), list[Source](), stop - start
    read = x.pieces(row, offset + first * width, offset + last * width, sources)
    part = [start - first * width, stop - first * width]
    normed_heads = max(min(last, heads) - first, 0)
    macs = 3 * width * (last - first)
    made.step("head_norm", sources, words, macs, x=read, heads=normed_heads, part=part, gain=gain.name, **attributes)
    return made.steps


def float32(
    x: npt.NDArray[np.float32],
    gain: npt.NDArray[np.float32],
    *,
    offset: int,
    heads: int,
    copied: int = 0,
    epsilon: float,
) -> npt.NDArray[np.float32]:
    rows, tail = parts(x, gain, offset, heads, copied)
    return np.hstack((rms_norm.float32(rows, gain, epsilon=epsilon).reshape(len(x), -1), tail))


def enclosure(x: Array, gain: Array, *, offset: int, heads: int, copied: int = 0, epsilon: float) -> Enclosed:
    """As of ``rms_norm`` over w values; columns copied are exact."""
    rows, tail = parts(x, gain, offset, heads, copied)
    y, radius = rms_norm.enclosure(rows, gain, epsilon=epsilon)
    flat = (len(x), -1)
    return np.hstack((y.reshape(flat), tail)), np.hstack(
        (np.reshape(radius, flat), np.full(tail.shape, flushed(1, tail)))
    )


def work(x: Shape, gain: Shape, *, heads: int, **_: object) -> int:
    return 3 * x[0] * heads * gain[0]


def dimensions(x: Shape, gain: Shape, *, heads: int, copied: int = 0, **_: object) -> dict[str, int]:
    return {"columns": x[1], "head_width": gain[0], "width": heads * gain[0] + copied}


def workgroups(output: Shape, *, lanes: int, heads: int = 1, copied: int = 0, **_: object) -> Shape:
    return (heads + copied * heads // (output[1] - copied), output[0], 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    gain, offset = 1 + floats(generator, 8 * b) / np.float32(4), 4 * c
    shape = (a, offset + 8 * b * (c + 1) + 4)
    attributes: dict[str, float] = {"offset": offset, "heads": c, "copied": 8 * b}
    if arithmetic == "float32":
        return {"x": floats(generator, shape)}, {"gain": gain}, attributes | {"epsilon": 1e-5}
    integer = norm("norm", gain, 12, 1e-5, 32767)
    x = integers(generator, shape, int(generator.integers(1, 32)))
    return {"x": x}, {"gain": integer.gain}, attributes | integer.attributes
