"""How attention is dispatched: its kernels, and as many tokens at once as their scores have room for."""

from inference.arithmetic.formats import POSITIONS
from inference.device.target import Target
from inference.ops import Shape

FULL = 32  # tokens from which whole subgroups are busy with one each
SPLIT = ("scores", "weights", "mixtures", "split")
"""The dispatches of attention that is split over positions."""
WIDEST = 256  # of a head whose mixture a workgroup holds
FEW = 8  # tokens up to which one is worth several workgroups a head
WORKSPACE = 2**25
"""Words of scores at once: 128 MiB, what every device binds."""
WORKGROUP = 64
"""The most tokens that a workgroup takes."""


def visible_positions(capacity: int, window: int) -> int:
    """The most that a token sees."""
    return min(capacity, window or capacity)


def dimensions(
    q: Shape, *_: Shape, heads: int, kv_heads: int, capacity: int, sequences: int = 1, **__: object
) -> dict[str, int]:
    return {
        "tokens": q[0],
        "first": 0,
        "columns": q[1],
        "head_width": q[1] // heads,
        "group": heads // kv_heads,
        "sequences": sequences,
        "fours": fours(capacity),
    }


def fours(capacity: int) -> int:
    """Vectors of four positions, an even number of them."""
    return 2 * -(-capacity // 8)


def pieces(q: Shape, *_: Shape, heads: int, kv_heads: int, capacity: int, **__: object) -> list[dict[str, int]]:
    """The first token of each dispatch."""
    return [{"first": first} for first in range(0, q[0], at_once(q[0], heads, kv_heads, capacity))]


def at_once(tokens: int, heads: int, kv_heads: int, capacity: int) -> int:
    """Tokens of a dispatch: as many as ``WORKSPACE`` holds scores of, whole workgroups of them where it can."""
    most = max(1, WORKSPACE // (threes(heads, kv_heads) * 4 * fours(capacity)))
    return min(tokens, most // WORKGROUP * WORKGROUP or most)


def threes(heads: int, kv_heads: int) -> int:
    """Heads, where those that share a key head are whole threes."""
    return kv_heads * -(-heads // kv_heads // 3) * 3


def workspace(
    q: Shape, *_: Shape, lanes: int, heads: int, kv_heads: int, capacity: int, variant: str = "", **__: object
) -> int:
    """Words of scores a dispatch keeps to itself."""
    tokens = at_once(q[0], heads, kv_heads, capacity)
    if variant == "tokens_subgroup":  # whole workgroups of tokens, whole threes of heads
        return -(-tokens // lanes) * lanes * threes(heads, kv_heads) * fours(capacity) * 4
    if variant in SPLIT:
        return tokens * heads * (capacity + -(-capacity // lanes) * (3 + q[1] // heads))
    return tokens * heads * fours(capacity) * 4


def entry(*, low: int = 0, short: int = 0, variant: str = "", **_: object) -> str:
    """The kernel's entry point."""
    return "halves" if low else "short" if short and variant in ("", "tokens_subgroup") else "main"


def variants(
    output: Shape,
    *,
    arithmetic: str,
    target: Target,
    heads: int,
    kv_heads: int = 1,
    capacity: int = 1,
    sequences: int = 1,
    low: int = 0,
    window: int = 0,
    **_: object,
) -> list[str]:
    """The kernels that a target admits, the likeliest first; all give the same bits.

    On processors three heads that share keys read them together; on GPUs a workgroup takes one head (``wide``), or one
    head's positions are split over several (``split``). Where a token may see more than a block only ``long`` gives the
    bits.
    """
    if arithmetic == "float32":
        return [""]
    if visible_positions(capacity, window) > POSITIONS:
        return ["long"]
    if low:
        return [""] if target.rasteriser or output[1] // heads > WIDEST else ["wide", ""]
    if target.rasteriser:
        many = output[0] >= FULL and sequences == 1 and target.subgroups
        return ["tokens_subgroup", ""] if many else [""]
    if output[1] // heads > WIDEST:
        return [""]
    few = output[0] <= min(FEW, at_once(output[0], heads, kv_heads, capacity))
    return ["split", "wide", ""] if few else ["wide", ""]


def before(variant: str, arithmetic: str) -> list[str]:
    """The variants dispatched before one of them."""
    return list(SPLIT[:-1]) if variant == "split" else []


def workgroups(
    output: Shape,
    *,
    lanes: int,
    heads: int,
    kv_heads: int,
    arithmetic: str,
    capacity: int = 1,
    variant: str = "",
    **_: object,
) -> Shape:
    tokens = at_once(output[0], heads, kv_heads, capacity)
    if variant == "tokens_subgroup":
        return (kv_heads, -(-tokens // lanes), -(-heads // kv_heads // 3))
    if variant in SPLIT[:-1]:
        return (-(-capacity // lanes), heads, tokens)
    if variant in ("wide", "split", "long"):
        return (heads, tokens, 1)
    return (heads if arithmetic == "float32" else kv_heads, tokens, 1)
