"""The token of the largest logit, ties to the lowest id, from the partial maxima.

partial: (T, P, 2) of logit (float32: its bits) and id; y: (T,) ids.
"""

import numpy as np
import numpy.typing as npt

from inference.ops import Shape, require

PACK: dict[str, object] = {}


def shape(partial: Shape) -> Shape:
    require(len(partial) == 3 and partial[2] == 2, f"partial maxima are pairs, not {partial}")
    return (partial[0],)


def exact(partial: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return chosen(partial[..., 0], partial[..., 1])


def float32(partial: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return chosen(np.ascontiguousarray(partial[..., 0]).view(np.float32), partial[..., 1])


def chosen(values, ids):  # type: ignore[no-untyped-def]
    """The spans are in order, so the first largest has the lowest id."""
    return np.take_along_axis(ids, values.argmax(1)[:, None], axis=1)[:, 0]


def work(partial: Shape) -> int:
    return partial[0] * partial[1]


def dimensions(partial: Shape) -> dict[str, int]:
    return {"tokens": partial[0], "spans": partial[1]}


def workgroups(output: Shape, *, lanes: int) -> Shape:
    return (-(-output[0] // lanes), 1, 1)
