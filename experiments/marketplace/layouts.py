"""What a device is sent of a model besides its leases: kernels and packed weights, each by its digest."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from inference.browser.server import kernel_paths
from inference.device import export
from inference.kernels import alone
from verification.inference_models import exact, manifest_digest
from verification.manifest import layouts


@cache
def layouts_of(name: str) -> dict[str, Any]:
    """``manifest.layouts`` of a model: kernels/PATH and weights/KEY. Its digest stands in leases."""
    kernels = {f"kernels/{path}": alone(path.removesuffix(".wgsl")).encode() for path in kernel_paths()}
    weights = {f"weights/{key}": packed(name, key) for key in _weights(name)}
    return layouts(manifest_digest(name), kernels | weights)


def packed(name: str, key: str) -> bytes:
    """The bytes of a weight.

    Raises:
        KeyError: there is none.
    """
    constant, pack = _weights(name)[key]
    return np.ascontiguousarray(pack(exact(name).constants[constant])).tobytes()


@cache
def _weights(name: str) -> dict[str, tuple[str, Callable[[Any], Any]]]:
    """Constant and layout of each weight."""
    return export.weights(exact(name))
