"""The same shape in PyTorch, float16 on CUDA with random weights: tokens a second, and the card's copy, as JSON.

``python tests/gpu/torch_float16.py SHAPE -p 128,512 -n 32,128 -b 1,8 --rounds 3``
"""

import argparse
import json
import statistics
import time

import torch
from torch.nn import functional

from inference.planning.language import shape

parser = argparse.ArgumentParser()
parser.add_argument("shape")
for option in ("-p", "-n", "-b"):
    parser.add_argument(option, type=lambda text: [int(each) for each in text.split(",")])
parser.add_argument("--rounds", type=int)
asked = parser.parse_args()
of = shape(asked.shape).measures
width, hidden, heads, kv_heads, head = (of[name] for name in ("width", "hidden", "heads", "kv_heads", "head_width"))


def weights(*size: int) -> torch.Tensor:
    return torch.randn(size, device="cuda", dtype=torch.float16) / size[-1] ** 0.5


layers = [
    (
        weights((heads + 2 * kv_heads) * head, width),
        weights(width, heads * head),
        weights(2 * hidden, width),
        weights(width, hidden),
    )
    for _ in range(of["layers"])
]
embedding, gain = weights(of["vocabulary"], width), torch.ones(width, device="cuda", dtype=torch.float16)


def rotated(x: torch.Tensor, start: int) -> torch.Tensor:
    positions = torch.arange(start, start + x.shape[2], device="cuda")
    angles = positions[:, None] / 10000 ** (torch.arange(0, head, 2, device="cuda") / head)
    cos, sin = angles.cos().half(), angles.sin().half()
    even, odd = x[..., ::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def step(tokens: torch.Tensor, caches: list[torch.Tensor], start: int) -> torch.Tensor:
    """Tokens (B, T) at positions from ``start`` on; the next tokens (B)."""
    x, (batch, count) = functional.embedding(tokens, embedding), tokens.shape
    for (qkv, output, gate_up, down), cache in zip(layers, caches, strict=True):
        y = functional.linear(functional.rms_norm(x, (width,), gain), qkv).view(batch, count, -1, head).transpose(1, 2)
        q, k, v = y.split((heads, kv_heads, kv_heads), 1)
        cache[0, :, :, start : start + count], cache[1, :, :, start : start + count] = rotated(k, start), v
        keys, values = cache[:, :, :, : start + count]
        y = functional.scaled_dot_product_attention(
            rotated(q, start), keys, values, is_causal=count > 1 and start == 0, enable_gqa=True
        )
        x = x + functional.linear(y.transpose(1, 2).reshape(batch, count, -1), output)
        gate, up = functional.linear(functional.rms_norm(x, (width,), gain), gate_up).chunk(2, -1)
        x = x + functional.linear(functional.silu(gate) * up, down)
    return functional.linear(functional.rms_norm(x[:, -1], (width,), gain), embedding).argmax(-1)


def rates(batch: int, count: int, passes: int) -> list[float]:
    caches = [torch.zeros(2, batch, kv_heads, count * passes, head, device="cuda", dtype=torch.float16) for _ in layers]
    tokens, found = torch.zeros(batch, count, device="cuda", dtype=torch.int64), []
    for _ in range(asked.rounds + 1):
        torch.cuda.synchronize()
        started = time.perf_counter()
        for index in range(passes):
            step(tokens, caches, index * count).cpu()
        found.append(batch * count * passes / (time.perf_counter() - started))
    return found[1:]


def copied() -> float:
    """Bytes a second, read and written."""
    x = torch.zeros(2**28, dtype=torch.uint8, device="cuda")
    y, best = torch.empty_like(x), float("inf")
    for _ in range(20):
        torch.cuda.synchronize()
        started = time.perf_counter()
        y.copy_(x)
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return 2 * x.numel() / best


with torch.inference_mode():
    cases = [(f"prompt {tokens}", 1, rates(1, tokens, 1)) for tokens in asked.p]
    cases += [(f"answer {tokens}", batch, rates(batch, 1, tokens)) for tokens in asked.n for batch in asked.b]
rows = [
    {
        "test": test,
        "sequences": batch,
        "tokens_per_second": statistics.mean(found),
        "deviation": statistics.pstdev(found),
    }
    for test, batch, found in cases
]
about = {"adapter": torch.cuda.get_device_name(), "version": torch.__version__, "bandwidth_bytes_per_second": copied()}
print(json.dumps(about | {"rows": rows}))
