"""What the networks of latent diffusion are built on: ``models.layers.Layers``, and what transformers need besides."""

from collections.abc import Sequence
from typing import Protocol

from inference.models.layers import Tensor


class TextLayers(Protocol):
    """Adds layers to a graph; parameters have the names of a file."""

    def conv(self, name: str, x: Tensor, parameters: str, *, stride: int = 1) -> Tensor:
        """A convolution of 3 × 3, padded by 1, or of 1 × 1."""

    def linear(self, name: str, x: Tensor, parameters: str) -> Tensor:
        """A product over the last axis."""

    def group_norm(
        self, name: str, x: Tensor, parameters: str, *, groups: int, epsilon: float, silu: bool = False
    ) -> Tensor:
        """Of an image."""

    def layer_norm(self, name: str, x: Tensor, parameters: str, *, epsilon: float) -> Tensor:
        """Of each pixel or token."""

    def activation(self, name: str, x: Tensor, *, kind: str = "silu") -> Tensor:
        """silu, gelu or quick_gelu."""

    def geglu(self, name: str, x: Tensor) -> Tensor:
        """The first half of the channels times gelu of the second."""

    def attention(self, name: str, q: Tensor, k: Tensor, v: Tensor, *, heads: int, causal: bool = False) -> Tensor:
        """Every query sees every key; where ``causal`` those up to its own place."""

    def resize(self, name: str, x: Tensor) -> Tensor:
        """Each pixel twice in both directions."""

    def concatenate(self, name: str, x: Tensor, z: Tensor) -> Tensor:
        """Channels side by side."""

    def combine(self, name: str, terms: Sequence[tuple[float, Tensor]]) -> Tensor:
        """A sum with constant factors."""

    def embedding(self, name: str, ids: Tensor, parameters: str) -> Tensor:
        """Of a text at its places."""

    def row(self, name: str, x: Tensor, index: int) -> Tensor:
        """One row of a text."""
