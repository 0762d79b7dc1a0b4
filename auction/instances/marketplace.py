"""Real cards, prices and requests: browsers with graphics cards serve bundles of language and image requests."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auction.data import hardware, traces
from auction.data.devices import read_devices
from auction.data.hardware import MODELS, REFERENCE_CARD, REFERENCE_REQUEST, Cards, Model
from auction.errors import InputError
from auction.instances._draws import micro, slots_for_supply
from auction.market import MICRO, Float, Int, Market

RANGES = {
    "requests": (1, 1000),
    "largest": (1, 100_000),
    "round_seconds": (1.0, 86_400.0),
    "second_type": (0.0, 1.0),
    "least_share": (0.0, 0.5),
    "supply": (0.001, 1000.0),
    "slots": (0, 1_000_000),
    "markup": (0.01, 10_000.0),
    "markup_spread": (0.0, 3.0),
    "price_spread": (0.0, 3.0),
    "extra_cost_share": (0.001, 1.0),
    "beta": (1, 1_000_000),
}
LARGEST_ALPHA = 1e18


def generate(
    tasks: int,
    providers: int,
    types: int,
    rng: np.random.Generator,
    *,
    data: str = "",
    devices: str = "",
    requests: int = 6,
    largest: int = 24,
    round_seconds: float = 30.0,
    second_type: float = 0.5,
    least_share: float = 0.2,
    supply: float = 1.0,
    slots: int = 0,
    markup: float = 1.5,
    markup_spread: float = 0.5,
    price_spread: float = 0.2,
    extra_cost_share: float = 0.1,
    beta: int = 1,
) -> Market:
    """Draw providers from the catalogue of cards, tasks from request traces, money from rental prices.

    The unit of work is one second of the reference card (GeForce RTX 4090); one token is the rental price of that
    second. The types are the first K of hardware.MODELS: chat 8B, code 7B, image SDXL, chat 1B, image SD 1.5, chat 70B.

    Tasks. A task bundles 1..``requests`` rows, each of a type drawn uniformly and from the trace that feeds it.
    C_ik = min(``largest``, sum over its rows of type k of ceil(work of the row / work of the reference request)), the
    reference request being 512 prompt and 128 generated tokens, or one image of 30 steps; t_k is its work, seconds of
    the reference card, so C does not depend on who serves. v_i = markup_i sum_k C_ik t_k tokens, markup_i log-normal.

    Providers. Each is a card drawn uniformly from those consumer and workstation cards of the catalogue that complete
    a request of some type within a round (no other is drawn). It keeps one type loaded, or two; c_j is the card's
    price of ``round_seconds`` over the reference card's price of a second, times a log-normal factor of median 1;
    Psi_jk is the card's rate over the best rate among the cards that can be drawn. For s see ``loaded``. With
    ``devices`` the machines of that file are drawn instead of the catalogue's cards, at fitted prices; processors need
    long rounds: --option devices=devices.json --option round_seconds=3600.

    Mark-ups, extra costs and the scarcity of such a network have never been published: vary them. alpha is set so
    that e_i is ``extra_cost_share`` of v_i at the median task and has to be very large for it (about 10^12).

    Args:
        data: directory of the trace files; "embedded" for the tables in the code; empty: the directory that the
            environment variable DISTRIBUTE_LAB_DATA names, else the tables.
        devices: file that `python -m inference bench --devices FILE` wrote, providers being drawn from what it
            measured; empty for the catalogue.
        requests: the most rows a task bundles, 1..1000.
        largest: the most reference requests of one type in a task, 1..100000.
        round_seconds: length of a round, 1..86400 seconds.
        second_type: chance that a provider keeps a second type loaded where its memory holds two, 0..1.
        least_share: smallest share of the round that goes to either of two types, 0..0.5.
        supply: work on offer over work demanded, reference seconds of all types together, 0.001..1000; met by the
            mean number of slots a provider. Providers drawn with no slot are offline.
        slots: slots of every provider, to 10^6; 0: as ``supply`` says.
        markup: median of value over rental price of the work, 0.01..10000.
        markup_spread: standard deviation of the mark-up's logarithm, 0..3.
        price_spread: standard deviation of the logarithm of a provider's own price over its card's, 0..3.
        extra_cost_share: e_i / v_i at the median task, 0.001..1; missed where no alpha from 2 to 10^18 gives it (below
            about 0.08 with three types, 0.12 with the first one or two, whose tasks are small beside beta).
        beta: constant of the extra cost, 1..10^6 tokens.

    Raises:
        InputError: more types than there are models, an option outside its range, files that cannot be used, a round
            within which no card completes any request.
    """
    given = {name: value for name, value in locals().items() if name in RANGES}
    for name, value in given.items():
        low, high = RANGES[name]
        if not low <= value <= high:
            raise InputError(f"option {name}: {value:g} is not allowed; a number from {low:g} to {high:g}")
    if types > len(MODELS):
        raise InputError(f"types: {types} is not allowed; marketplace knows 1 to {len(MODELS)} model types")
    models = MODELS[:types]
    directory = traces.data_directory(data)
    offers = traces.load_offers(directory)
    if REFERENCE_CARD not in offers:
        raise InputError(f"{traces.OFFERS}: has no offer of {REFERENCE_CARD}, whose price is the unit of money")

    demand = np.minimum(_requests(tasks, models, requests, directory, rng), largest)
    one_each = [np.array(REFERENCE_REQUEST[model.trace]) for model in models]
    unit_work = np.array([hardware.reference_seconds(*pair) for pair in zip(models, one_each, strict=True)])
    work = (demand * unit_work).sum(axis=1)
    value = micro(work * markup * rng.lognormal(0.0, markup_spread, tasks))

    cards = read_devices(Path(devices)) if devices else hardware.catalogue()
    rates = hardware.rates(models, cards)
    drawable = np.flatnonzero(cards.offered & (rates * round_seconds >= 1.0).any(axis=1))
    if not drawable.size:
        quickest = f"; the quickest takes {1.0 / rates.max():.0f}" if rates.any() else ""
        raise InputError(
            f"option round_seconds: {round_seconds:g} is not allowed; no card completes a request in it{quickest}"
        )
    card = drawable[rng.integers(0, drawable.size, providers)]
    wanted = (demand.sum(axis=0) + 1) * unit_work
    resource = loaded(models, cards, card, rates * round_seconds, wanted, second_type, least_share, rng)
    price = hardware.hourly_price(offers, cards)[card] / offers[REFERENCE_CARD] * round_seconds
    cost = micro(price * rng.lognormal(0.0, price_spread, providers))
    best = rates[drawable].max(axis=0)
    offered = slots_for_supply(rng, micro(demand * unit_work), micro(resource * unit_work), supply)
    return Market(
        demand=demand,
        value=value,
        unit_work=unit_work,
        alpha=_alpha(work, value / MICRO, extra_cost_share, beta),
        beta=beta,
        resource=resource,
        slots=np.full(providers, slots) if slots else offered,
        cost=cost,
        ability=np.divide(rates[card], best, out=np.zeros((providers, types)), where=best > 0),
    )


def _requests(
    tasks: int, models: tuple[Model, ...], most: int, directory: Path | None, rng: np.random.Generator
) -> Int:
    """(m, K) reference requests of each type that a task bundles."""
    names = dict.fromkeys(model.trace for model in models)
    rows = {name: None if directory is None else traces.load_trace(directory, name) for name in names}
    owner = np.repeat(np.arange(tasks), rng.integers(1, most + 1, tasks))
    kind = rng.integers(0, len(models), owner.size)
    demand = np.zeros((tasks, len(models)), dtype=np.int64)
    for k, model in enumerate(models):
        of_kind = owner[kind == k]
        drawn = traces.draw_requests(model.trace, of_kind.size, rng, rows[model.trace])
        counts = hardware.reference_requests(model, drawn)
        demand[:, k] = np.bincount(of_kind, counts, minlength=tasks)  # float sums, exact below 2^53
    return demand


def loaded(
    models: tuple[Model, ...],
    cards: Cards,
    card: Int,
    alone: Float,
    wanted: Float,
    second_type: float,
    least_share: float,
    rng: np.random.Generator,
) -> Int:
    """(n, K) requests s_jk = floor(share_jk alone_k) that a slot completes; the shares of a slot sum to at most 1.

    The first type is drawn among those of which the card completes one a round; with chance ``second_type`` a second
    among those that fit the memory beside it. Both are drawn in proportion to ``wanted``. The first gets a share
    uniform on ``least_share``..1 - ``least_share``, the second the rest; where either would then complete nothing,
    only the first is kept and has the round to itself. So every slot completes at least one request.

    Args:
        models: the K types.
        cards: what can be drawn.
        card: (n,) index of each provider's card.
        alone: (cards, K) requests a round with the whole card for one type; 0 where it does not fit.
        wanted: (K,) positive weights.
        second_type, least_share: as in ``generate``.
        rng: the generator.
    """
    able = alone[card] >= 1.0
    together = np.stack([np.column_stack([hardware.fits((a, b), cards) for b in models]) for a in models], axis=1)
    provider = np.arange(card.size)
    first = _pick(able * wanted, rng)
    beside = able & together[card, first]
    beside[provider, first] = False
    second = _pick(beside * wanted, rng)
    share = rng.uniform(least_share, 1.0 - least_share, card.size)
    of_first = np.floor(share * alone[card, first])
    of_second = np.floor((1.0 - share) * alone[card, second])
    two = beside.any(axis=1) & (rng.random(card.size) < second_type) & (of_first >= 1) & (of_second >= 1)
    resource = np.zeros((card.size, len(models)), dtype=np.int64)
    resource[provider, first] = np.where(two, of_first, np.floor(alone[card, first]))
    resource[provider[two], second[two]] = of_second[two]
    return resource


def _pick(weights: Float, rng: np.random.Generator) -> NDArray[np.intp]:
    """(n,) a column of each row by its weights, any where all are 0."""
    bounds = weights.cumsum(axis=1)
    return np.argmax(bounds > rng.random((weights.shape[0], 1)) * bounds[:, -1:], axis=1)


def _alpha(work: Float, value: Float, share: float, beta: int) -> int:
    """alpha with tau log_alpha(tau) + beta = share * v at the medians tau and v, to three digits, within 2..10^18."""
    if not work.size:
        return int(LARGEST_ALPHA)
    tau = max(1.0, float(np.median(work)))
    variable = share * float(np.median(value)) - beta
    power = tau * math.log(tau) / variable if variable > 0 else math.inf
    return max(2, int(float(f"{math.exp(min(power, math.log(LARGEST_ALPHA))):.2e}")))
