"""The blocks of a UNet and of an autoencoder, as diffusers' config.json decides them: names, channels, depths.

A UNet keeps what ``conv_in`` and every resnet and downsampler on the way down give, and each resnet on the way up takes
the last of them beside what it follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any

from inference.errors import InputError
from inference.ops.group_mean import TERMS

LARGEST = 2048
"""Pixels of a side."""


@dataclass(frozen=True, slots=True)
class Block:
    """Resnets, a transformer after each where there are any, and a change of size at the end."""

    name: str
    resnets: tuple[tuple[int, int], ...]
    """Channels before and after."""
    channels: int
    heads: int
    """Of its attentions."""
    depths: tuple[int, ...]
    """Blocks of the transformer after each of the first resnets; the middle's only one lies between its two."""
    sampler: str
    """``downsamplers``, ``upsamplers`` or none."""


@dataclass(frozen=True, slots=True)
class UNet:
    """Blocks down, in the middle and up."""

    down: tuple[Block, ...]
    mid: Block
    up: tuple[Block, ...]


def unet(config: Mapping[str, Any]) -> UNet:
    """The blocks of ``UNet2DConditionModel``.

    Raises:
        InputError: a block that is neither plain nor of cross-attention, or lists that do not fit.
    """
    channels, layers = list(config["block_out_channels"]), config["layers_per_block"]
    last = len(channels) - 1
    # diffusers names the number of heads so.
    heads = _each(config["attention_head_dim"], len(channels))
    depths = _each(config.get("transformer_layers_per_block", 1), len(channels))
    down, up = [], []
    for index, (kind, after) in enumerate(zip(config["down_block_types"], channels, strict=True)):
        before = channels[max(index - 1, 0)]
        resnets = tuple((before if layer == 0 else after, after) for layer in range(layers))
        attended = _attends(kind, "Down")
        down.append(
            Block(
                f"down_blocks.{index}",
                resnets,
                after,
                heads[index],
                (depths[index],) * layers if attended else (),
                "downsamplers" if index < last else "",
            )
        )
    for index, kind in enumerate(config["up_block_types"]):
        at = last - index
        after, previous, skipped = channels[at], channels[min(at + 1, last)], channels[max(at - 1, 0)]
        resnets = tuple(
            ((previous if layer == 0 else after) + (skipped if layer == layers else after), after)
            for layer in range(layers + 1)
        )
        attended = _attends(kind, "Up")
        up.append(
            Block(
                f"up_blocks.{index}",
                resnets,
                after,
                heads[at],
                (depths[at],) * (layers + 1) if attended else (),
                "upsamplers" if index < last else "",
            )
        )
    most = channels[-1]
    mid = Block("mid_block", ((most, most), (most, most)), most, heads[-1], (depths[-1],), "")
    return UNet(tuple(down), mid, tuple(up))


def _each(value: Any, count: int) -> list[int]:
    found = list(value) if isinstance(value, list) else [value] * count
    if len(found) != count:
        raise InputError(f"{len(found)} values for {count} blocks: {found}")
    return found


def _attends(kind: str, way: str) -> bool:
    if kind not in (plain := f"{way}Block2D", cross := f"CrossAttn{way}Block2D"):
        raise InputError(f"a block of the kind {kind!r:.40} is not supported; {plain} and {cross} are")
    return kind == cross


def decoder(config: Mapping[str, Any]) -> tuple[Block, tuple[Block, ...]]:
    """The middle and the blocks up of ``AutoencoderKL``'s decoder."""
    channels, layers = list(config["block_out_channels"]), config["layers_per_block"]
    last, before, up = len(channels) - 1, channels[-1], []
    for index, after in enumerate(reversed(channels)):
        resnets = tuple((before if layer == 0 else after, after) for layer in range(layers + 1))
        up.append(Block(f"decoder.up_blocks.{index}", resnets, after, 1, (), "upsamplers" if index < last else ""))
        before = after
    return _middle("decoder.mid_block", channels[-1]), tuple(up)


def largest_side(config: Mapping[str, Any]) -> int:
    """Pixels of a side up to which no group of the decoder has more numbers than a group norm sums."""
    groups, (_, up) = config["norm_num_groups"], decoder(config)
    sides = []
    for index, block in enumerate(up):
        channels = max(before for before, _ in block.resnets)
        sides.append(2 ** (len(up) - 1 - index) * isqrt((TERMS - 1) * groups // channels))
    return min(LARGEST, *sides)


def encoder(config: Mapping[str, Any]) -> tuple[tuple[Block, ...], Block]:
    """The blocks down and the middle of its encoder."""
    channels, layers = list(config["block_out_channels"]), config["layers_per_block"]
    last, before, down = len(channels) - 1, channels[0], []
    for index, after in enumerate(channels):
        resnets = tuple((before if layer == 0 else after, after) for layer in range(layers))
        sampler = "downsamplers" if index < last else ""
        down.append(Block(f"encoder.down_blocks.{index}", resnets, after, 1, (), sampler))
        before = after
    return tuple(down), _middle("encoder.mid_block", channels[-1])


def _middle(name: str, channels: int) -> Block:
    """Two resnets around one attention of a single head."""
    return Block(name, ((channels, channels), (channels, channels)), channels, 1, (), "")
