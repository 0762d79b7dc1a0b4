"""The kernels of a product with packed weights: which a target admits, and how they are dispatched.

On processors rows of one token (``""``, ``subgroup``) and of four (``tokens``, ``tokens_subgroup``, 4 bits alone). On
GPUs ``wide`` splits each row over the invocations of a workgroup, for one token or four, and ``tile`` makes 32 × 32 or
64 × 64 outputs through a workgroup's memory, each with dot4I8Packed and dot4U8Packed and without them. All but those of
one token read activations that ``narrow`` has packed. Sums are integers: however they are split, they are the same.
"""

from typing import Any

from inference.device.target import DOT4, INVOCATIONS, Target
from inference.files.blocks import BLOCK, TILE
from inference.ops import Shape

MANY = 8  # tokens from which weights are read once for several
FULL = 32  # tokens from which whole subgroups of a processor are busy with four each
RECORD = 20  # words of a block's activations
WIDEST = 32  # tokens up to which rows are split
SIDES = (32, 64)
DOT = "_dot4"
PACKED = ("tokens", "wide", "tile")  # variants that read activations packed


def variants(tokens: int, target: Target, *, eight: bool) -> list[str]:
    """The variants of the exact kernel that a target admits, the likeliest first."""
    rows = ["subgroup", ""] if target.subgroups else [""]
    if target.rasteriser:
        many = ["tokens_subgroup"] if target.subgroups and tokens >= FULL and not eight else []
        return [*many, "tokens", *rows] if tokens >= MANY else rows
    wide = ["wide", "wide4"] if tokens == 1 else ["wide4", "wide"] if tokens <= WIDEST else []
    tiles = [f"tile{side}" for side in SIDES if side * side // 16 <= target.limits[INVOCATIONS] and 2 * tokens >= MANY]
    shaped = [*tiles[::-1], *wide] if tokens > 2 * FULL else [*tiles, *wide] if tokens > 2 * MANY else [*wide, *tiles]
    return [*(name + DOT for name in shaped if DOT4 in target.features), *shaped, *(rows if tokens < MANY else [])]


def float32_variants(tokens: int, target: Target) -> list[str]:
    """The same of float32: whose sums are within their bounds in any order, but not the same."""
    if target.rasteriser or target.limits[INVOCATIONS] < 256:
        return [""]
    return ["tile", ""] if tokens > 2 * MANY else ["wide", ""]


def before(variant: str, arithmetic: str) -> list[str]:
    """The variants dispatched before one of them."""
    if arithmetic == "float32":
        return []
    return ["narrow" + variant[len(variant.removesuffix(DOT)) :]] if variant.startswith(PACKED) else []


def side_of(variant: str) -> int:
    """Tokens and rows of a tile."""
    return int(variant.removesuffix(DOT).removeprefix("tile") or SIDES[-1])


def lanes(a: Shape, *_: Shape, target: Target, variant: str = "") -> int:
    """Invocations a workgroup: as many as a tile wants, or as many as there are blocks to share."""
    if variant.startswith("tile"):
        return side_of(variant) ** 2 // 16
    if variant.startswith("wide") or (variant.startswith("narrow") and not target.rasteriser):
        most = min(256, target.limits[INVOCATIONS], TILE * a[1] // BLOCK)
        return max(64, 1 << most.bit_length() - 1)
    return target.lanes


def workgroups(
    output: Shape, *, lanes: int, variant: str = "", gated: bool = False, arithmetic: str = "exact", **_: object
) -> Shape:
    tokens, outputs = output[0], output[1] * (1 + gated)
    if variant.startswith("narrow"):
        return (tokens, 1, 1)
    if variant.startswith("wide"):
        each = 4 if variant.startswith("wide4") else 1
        return (-(-outputs // (TILE * (1 + gated))), -(-tokens // each), 1)
    if variant.startswith("tile"):
        side = side_of(variant)
        return (-(-tokens // side), -(-outputs // side), 1)
    if variant == "tokens_subgroup":
        return (-(-tokens // (4 * lanes)), -(-outputs // 192), 1)  # 4 tokens and 192 rows an invocation
    if variant == "tokens":
        return (-(-(-(-tokens // 4) * -(-outputs // 64)) // lanes), 1, 1)  # 4 tokens and 64 rows an invocation
    return (-(-outputs // (4 * lanes)), tokens, 1)  # 4 rows of one token an invocation


def workspace(a: Shape, *_: Shape, variant: str = "", **__: Any) -> int:
    """Words of packed activations."""
    return a[0] * (a[1] // BLOCK) * RECORD if variant.startswith((*PACKED, "narrow")) else 0


def entry(*, variant: str = "", adds: bool = False, gated: bool = False, heads: int = 0, **_: object) -> str:
    """The kernel's entry point."""
    if variant.startswith("narrow"):
        return "main"
    if heads:
        return "product_and_rotation"
    return "product_and_gate" if gated else "product_and_residual" if adds else "product"
