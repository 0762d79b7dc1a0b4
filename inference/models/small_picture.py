"""A small network with random weights that has every op of pictures: what every stack must agree on."""

from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference.graph import schedule
from inference.model import Model
from inference.models.layers import Layers

SIDE, CHANNELS, CONTEXT, VOCABULARY = 8, 32, 5, 11
GIVEN = {"seed": (7, 0), "tokens": (3, 1, 4, 1, 5)}
SHAPES = {
    "first.weight": (CHANNELS, 4, 3, 3),
    "first.bias": (CHANNELS,),
    "norm.weight": (CHANNELS,),
    "norm.bias": (CHANNELS,),
    "down.weight": (CHANNELS, CHANNELS, 3, 3),
    "down.bias": (CHANNELS,),
    "words.token_embedding.weight": (VOCABULARY, CHANNELS),
    "words.position_embedding.weight": (CONTEXT, CHANNELS),
    "text.weight": (CHANNELS,),
    "text.bias": (CHANNELS,),
    "wide.weight": (2 * CHANNELS, CHANNELS),
    "wide.bias": (2 * CHANNELS,),
    "modulation.weight": (2 * CHANNELS, CHANNELS),
    "modulation.bias": (2 * CHANNELS,),
    "both.weight": (2 * CHANNELS,),
    "both.bias": (2 * CHANNELS,),
    "last.weight": (1, 2 * CHANNELS, 3, 3),
}


def small_picture() -> tuple[Model, nx.DiGraph, dict[str, npt.NDArray[np.int32]], str]:
    """The model in integers, its graph, the inputs and the last node."""
    generator = np.random.default_rng(11)
    drawn = {name: generator.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
    layers = Layers("exact", SHAPES, drawn.__getitem__)
    x = layers.conv("first", layers.noise("noise", (SIDE, SIDE, 4)), "first")
    text = layers.embedding("embedding", layers.tokens("tokens", CONTEXT), "words")
    text = layers.geglu("gate", layers.conv("wide", layers.layer_norm("text", text, "text", epsilon=1e-5), "wide"))
    pooled = layers.activation("pooled", layers.row("row", text, CONTEXT - 1), kind="gelu")
    modulation = layers.conv("modulation", pooled, "modulation")
    normed = layers.group_norm("norm", x, "norm", groups=8, epsilon=1e-5, silu=True, modulation=modulation)
    down = layers.average_pool("pool", normed)
    down = layers.combine("sum", [(0.7, down), (-1.3, layers.conv("down", normed, "down", stride=2))])
    down = layers.attention("attention", down, text, text, heads=2)
    both = layers.concatenate("both", layers.resize("resize", layers.activation("silu", down)), x)
    y = layers.conv("last", layers.group_norm("normed", both, "both", groups=8, epsilon=1e-5), "last")
    y = layers.combine("picture", [(0.01, y)], limit=1, fixed=24)
    inputs = {name: np.array(values, np.int32) for name, values in GIVEN.items()}
    measures: dict[str, Any] = {"height": SIDE, "width": SIDE}
    return (
        Model("small picture", "exact", measures, layers.constants, {}),
        layers.graph,
        inputs,
        schedule(layers.graph)[-1],
    )
