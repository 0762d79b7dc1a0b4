"""This machine as a provider: what it measured, as the auction reads it (the whitepaper's M and Psi, section 4).

The file::

    {"devices": [{
      "name": "host", "adapter": "llvmpipe (..)", "backend": "wgpu", "date": "2026-11-25", "memory_bytes": 8589934592,
      "models": [{"name": "smollm2", "family": "llama", "arithmetic": "exact",
                  "parameters": 134515008, "weight_bytes": 97000000,
                  "prefill_tokens_per_second": 70.1, "decode_tokens_per_second": 23.2}]}]}

Files of several machines are joined by joining their lists.
"""

import os
import platform
from datetime import UTC, datetime
from typing import Any

from inference.device.device import Device
from inference.files.blocks import Weights
from inference.model import Checkpoint

GIB = 2**30
STEP = 2  # bytes of a block's step, and of its offset


def provider(
    device: Device, name: str, llama: Checkpoint, rates: dict[str, Any], memory: float | None = None
) -> dict[str, Any]:
    """One entry of ``devices``: rates of a model on a device, in tokens a second.

    Args:
        device: what it ran on.
        name, llama: the model.
        rates: a row of ``bench.rates``, its side the arithmetic.
        memory: GiB that models may take. WebGPU does not tell: where None, all of the machine's memory for an adapter
            that is its processor, for a GPU the largest buffer, which is less than it has.
    """
    tied = llama.matrices.get("head") is llama.matrices["embedding"]
    own = [name for name in llama.matrices if name != "head" or not tied]
    sizes = [(llama.matrices[name].q.size, _bytes(llama.matrices[name])) for name in own]
    model = {
        "name": name,
        "family": "llama",
        "arithmetic": rates["side"],
        "parameters": sum(size for size, _ in sizes) + sum(gain.size for gain in llama.gains.values()),
        "weight_bytes": sum(packed for _, packed in sizes),
        "prefill_tokens_per_second": rates["prefill"],
        "decode_tokens_per_second": rates["decode"],
    }
    return {
        "name": platform.node(),
        "adapter": device.name,
        "backend": device.backend,
        "date": datetime.now(UTC).date().isoformat(),
        "memory_bytes": _memory(device) if memory is None else int(memory * GIB),
        "models": [model],
    }


def _bytes(matrix: Weights) -> int:
    """As packed: 4 bits, a step and an offset a block; or 8 bits and a step, or the room of four."""
    if matrix.op == "matmul_k":
        return int(matrix.q.size + 2 * STEP * matrix.d.size)
    digits = matrix.q.size // 2 if matrix.q.dtype == "uint8" else matrix.q.size
    return int(digits + STEP * matrix.d.size * (1 if matrix.m is None else 2))


def _memory(device: Device) -> int:
    if device.adapter.info["adapter_type"] == "CPU":
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(device.adapter.limits["max-buffer-size"])
