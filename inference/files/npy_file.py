"""Arrays as .npy."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt


def npy(array: npt.NDArray[Any]) -> bytes:
    """A file of an array in float32."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array, np.float32))
    return file.getvalue()
