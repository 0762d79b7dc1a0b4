"""Devices of the catalogue, their owners, and the orders that come: all that a simulation draws beforehand."""

from dataclasses import dataclass

import numpy as np

from auction.data import hardware, traces
from auction.market import MICRO, Float
from experiments.marketplace.simulation.recorded import Recorded, Run
from experiments.marketplace.simulation.strategies import HONEST, STRATEGIES, Strategy

ROUND = 60
"""Ticks of a second each."""
OWNED = 5
"""Devices an owner has, on the average."""
MIX = (0.40, 0.40, 0.10, 0.10)
"""Of the models, among devices and orders; the last are pictures."""
TWO_SLOTS = 0.25
"""Chance that a device computes two leases at once."""
LOAD = 0.5
"""Orders of a model that come a round, over the slots that hold it, for the model that is scarcest. The whitepaper's
order of providers leaves a quarter of the slots idle, and cheats that are removed another tenth."""
MARKUP, SPREAD = 6.0, 0.6
"""Of an order's value over the rent of its work: median, and standard deviation of the logarithm."""
LARGEST = 200 * MICRO
"""Of values and costs."""
DEAREST = 2.0
"""Of a card's rent over the reference card's, for the same work: a dearer one does not come. The whitepaper's walk asks
cards by their speed, and who is not worth the next one is not served: one card at ten times the rent stops a market."""
PATIENCE = (3, 12)
"""Rounds that an order waits."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A device as it was drawn."""

    owner: int
    model: int
    card: str
    compute: float
    bandwidth: float
    slots: int
    s: int
    """Reference requests that a slot completes in a round."""
    cost: int
    """Micro-tokens a slot: the card's rent for one reference request, in tokens of a second of the reference card."""
    latency: float
    """Seconds to the coordinator."""
    strategy: Strategy
    coalition: int
    """Of those that collude; -1: of none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as it comes."""

    at: float
    """Seconds."""
    user: int
    run: Run
    bid: int
    """Micro-tokens, the fee included."""
    patience: int
    """Ticks."""


def drawn_fleet(recorded: Recorded, devices: int, dishonest: float, generator: np.random.Generator) -> list[Plan]:
    """Devices of owners with a few each, of one model; owners are of one kind."""
    cards = hardware.catalogue()
    rates = hardware.rates(recorded.stands_for, cards)
    offers = traces.load_offers(None)
    price = hardware.hourly_price(offers, cards) / offers[hardware.REFERENCE_CARD]
    rent = price[:, None] / np.maximum(rates, 1e-12)
    usual = rent[cards.index(hardware.REFERENCE_CARD)]
    comes = cards.offered[:, None] & (rates * ROUND >= 2.0) & (rent <= DEAREST * usual)
    owners = np.sort(generator.integers(0, max(4, devices // OWNED), devices))
    kinds = _kinds(owners, dishonest, generator)
    models = generator.choice(len(MIX), devices, p=MIX)
    found = list[Plan]()
    for number, owner in enumerate(owners.tolist()):
        k = int(models[owner])  # an owner's devices run one model
        card = int(generator.choice(np.flatnonzero(comes[:, k])))
        cost = MICRO * rent[card, k] * generator.lognormal(0.0, 0.2)
        strategy, slots = kinds[owner], 1 + int(generator.random() < TWO_SLOTS)
        found.append(
            Plan(
                owner=owner,
                model=k,
                card=cards.name[card],
                compute=float(cards.compute[card]),
                bandwidth=float(cards.bandwidth[card]),
                slots=slots,
                s=int(rates[card, k] * ROUND) // slots,
                cost=int(np.clip(round(float(cost)), 1, LARGEST)),
                latency=float(np.clip(generator.lognormal(np.log(0.04), 0.6), 0.005, 0.5)),
                strategy=strategy,
                coalition=number % 2 if strategy.league else -1,
            )
        )
    return found


def _kinds(owners: np.ndarray, dishonest: float, generator: np.random.Generator) -> dict[int, Strategy]:
    """The strategy of each owner, so that a share of the devices is dishonest, in parts as stated."""
    count = np.bincount(owners)
    names = [int(owner) for owner in generator.permutation(np.flatnonzero(count))]
    left = {strategy: strategy.part * dishonest * owners.size for strategy in STRATEGIES}
    found = dict.fromkeys(names, HONEST)
    for owner in names:
        if sum(left.values()) < count[owner] / 2:
            break
        strategy = max(left, key=left.__getitem__)
        found[owner] = strategy
        left[strategy] -= count[owner]
    return found


def drawn_orders(
    recorded: Recorded, plans: list[Plan], orders: int, users: int, fee: float, generator: np.random.Generator
) -> list[Asked]:
    """Orders as the chat trace has them come, its gaps scaled so that the slots are as busy as ``LOAD`` says.

    An order is worth a multiple of its work's rent, that of a reference request at least: no slot is paid for less.
    """
    slots = np.bincount([plan.model for plan in plans], [plan.slots for plan in plans], len(MIX))
    held = slots > 0
    length = orders * max(np.array(MIX)[held] / slots[held]) / LOAD * ROUND
    at: Float = traces.draw_arrivals("chat", orders, generator, None)
    at = at * (length / max(float(at[-1]), 1.0)) if orders > 1 else at
    kinds = generator.choice(len(MIX), orders, p=MIX)
    which = generator.random(orders)
    markup = MARKUP * generator.lognormal(0.0, SPREAD, orders)
    user = generator.integers(0, users, orders)
    patience = ROUND * generator.integers(*PATIENCE, orders)
    tokens = [
        float(hardware.reference_seconds(model, np.array(hardware.REFERENCE_REQUEST[model.trace])))
        for model in recorded.stands_for
    ]
    found = list[Asked]()
    for number in range(orders):
        k = int(kinds[number])
        runs = recorded.runs[k]
        run = runs[int(which[number] * len(runs))]
        value = min(LARGEST, round(MICRO * tokens[k] * max(run.work, 1.0) * markup[number]))
        bid = int(value * (1 + fee))
        found.append(Asked(float(at[number]), int(user[number]), run, max(2, bid), int(patience[number])))
    return found


def seconds(plan: Plan, run: Run, recorded: Recorded) -> float:
    """Of a run on a device, all its slots being busy."""
    model = recorded.stands_for[plan.model]
    return float(hardware.seconds(model, run.row, plan.compute, plan.bandwidth)) * plan.slots
