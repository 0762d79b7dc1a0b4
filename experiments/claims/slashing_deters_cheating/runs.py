"""The settings in which slashing is tried, and one tidy row a setting and seed, simulation beside closed form."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from experiments.claims import Results, Size
from experiments.claims.slashing_deters_cheating.challengers import Delay, Griefing, Inspection
from experiments.claims.slashing_deters_cheating.deterrence import (
    CHEAT,
    HONEST,
    LEAVE,
    PUPPET,
    RULES,
    Audits,
    OpenTasks,
    loners,
    population,
)
from experiments.progress import track

Rows = Iterable[dict[str, object]]
MARGIN = 1.25  # p d (P + S) over kappa, of every table but the first
# Seeds, agents, epochs; of audits that nobody orders; markets and epochs of rivals; finalisations
GRID = {
    "tiny": (2, 60, 60, (100, 200), (6, 100), 4),
    "small": (4, 300, 250, (300, 1500), (25, 1000), 40),
    "full": (20, 1000, 600, (1000, 6000), (100, 3000), 400),
}
DETECTION, COST = Audits(0, 0).detection, Audits(0, 0).cost
PROBABILITIES = (0.02, 0.05, 0.2)
RATIOS = (0.6, 0.8, 0.95, 1.05, 1.25, 2.0)  # p d (P + S) over kappa
AUDIT = 0.05  # of every table but the first
OPEN = (1, 4, 12, 40)
BURNT, RACES = (0.0, 0.25, 0.5, 0.75, 1.0), (0.5, 1.0)
FALSE = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
BONDS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
CHALLENGERS = (1, 2, 5, 10, 20, 50, 70, 100)
JACKPOT = 20.0
VOLUNTEERS = "auditors paid by catches alone"


def stake(ratio: float, audit: float = AUDIT) -> float:
    """Stake at which p d (P + S) is ``ratio`` times kappa."""
    return ratio * COST / (audit * DETECTION) - 1.0


STAKE = stake(MARGIN)
INSPECTIONS = {
    VOLUNTEERS: Inspection(STAKE, STAKE),
    "three quarters of the stake burnt": Inspection(STAKE, STAKE / 4),
    "1 % of results forced to be wrong, jackpot 20": Inspection(STAKE, STAKE, forced=0.01, jackpot=JACKPOT),
    "5 % forced, jackpot 20": Inspection(STAKE, STAKE, forced=0.05, jackpot=JACKPOT),
    "the system audits 2 %": Inspection(STAKE, STAKE, system=0.02),
    "the system audits 5 %": Inspection(STAKE, STAKE, system=AUDIT),
}


def leaving() -> float:
    """f at which p f (P + Sigma) is P - kappa."""
    return (1 - COST) / (AUDIT * (1 + stake(2 * MARGIN)))


def play(size: Size) -> Results:
    """Every game, seed by seed."""
    seeds, agents, epochs, inspections, markets, finals = GRID[size]
    games = {
        "one_task": lambda seed: _one_task(seed, agents, epochs),
        "open_tasks": lambda seed: _open_tasks(seed, agents, epochs),
        "auditors": lambda seed: _auditors(seed, *inspections),
        "puppets": lambda seed: _puppets(seed, agents, epochs),
        "griefing": lambda seed: _griefing(seed, *markets),
        "accusations": lambda seed: _accusations(seed, agents, epochs),
    }
    results = {
        name: pd.DataFrame([{"seed": seed} | row for seed in track(range(seeds), name) for row in game(seed)])
        for name, game in games.items()
    }
    return results | {"delay": pd.DataFrame([row for seed in range(finals) for row in _delay(seed)])}


def _one_task(seed: int, agents: int, epochs: int) -> Rows:
    for p in PROBABILITIES:
        for ratio in RATIOS:
            game = Audits(p, stake(ratio, p))
            rng = np.random.default_rng(seed)
            seen, alone = (learn(game.play, 2, agents, epochs, rng) for learn in (population, loners))
            yield {
                "p": p,
                "S": game.stake,
                "ratio": ratio,
                "gain, closed form": game.expected()[CHEAT] - game.expected()[HONEST],
                "gain": seen.payoff[CHEAT] - seen.payoff[HONEST],
                "cheat": seen.share[CHEAT],
                "cheat, own experience": alone.share[CHEAT],
            }


def _open_tasks(seed: int, agents: int, epochs: int) -> Rows:
    for W in OPEN:
        for rule in RULES:
            game = OpenTasks(AUDIT, STAKE, W, rule)
            options, rng = game.options, np.random.default_rng(seed)
            learned = population(game.play, options.size, agents, epochs, rng)
            yield {
                "W": W,
                "rule": rule,
                "staked": game.stake * (W if rule == RULES[1] else 1),
                "most a cheat gains": game.gain(options[1:]).max(),
                "deterred": game.deterred(),
                "cheat": float(learned.share @ options) / W,
            }


def _auditors(seed: int, agents: int, epochs: int) -> Rows:
    for label, game in INSPECTIONS.items():
        cheat, look = game.simulate(agents, epochs, np.random.default_rng(seed))
        expected = game.equilibrium()
        spent = look * (game.audit_cost + game.forced * game.detection * game.jackpot) + game.system * game.audit_cost
        yield {
            "setting": label,
            "cheat, closed form": expected[0],
            "cheat": cheat,
            "look, closed form": expected[1],
            "look": look,
            "spent": spent,
        }


def _puppets(seed: int, agents: int, epochs: int) -> Rows:
    for first in RACES:
        for burnt in BURNT:
            game = Audits(AUDIT, STAKE, burnt=burnt, first=first)
            learned = population(game.play, 3, agents, epochs, np.random.default_rng(seed))
            yield {
                "first": first,
                "burnt": burnt,
                "lost": game.stake * (1 - first * (1 - burnt)),
                "gain, closed form": game.expected()[PUPPET] - game.expected()[HONEST],
                "cheat": learned.share[CHEAT] + learned.share[PUPPET],
            }


def _griefing(seed: int, markets: int, epochs: int) -> Rows:
    for bond in BONDS:
        game = Griefing(bond)
        griefs, done = game.simulate(markets, epochs, np.random.default_rng(seed))
        yield {
            "bond": bond,
            "griefs": griefs,
            "done": done,
            "harm": game.harm(),
            "cost": bond + game.message,
            "factor": game.factor(),
            "threshold": game.threshold(),
        }


def _accusations(seed: int, agents: int, epochs: int) -> Rows:
    for false in FALSE:
        game = Audits(AUDIT, stake(2 * MARGIN), false=false)
        learned = population(game.play, 4, agents, epochs, np.random.default_rng(seed))
        honest, cheat, _, leave = game.expected()
        yield {
            "f": false,
            "honest, closed form": honest,
            "cheat, closed form": cheat,
            "best": ("honest", "cheat", "leave")[int(np.argmax([honest, cheat, leave]))],
            "honest": learned.share[HONEST],
            "cheat": learned.share[CHEAT] + learned.share[PUPPET],
            "leave": learned.share[LEAVE],
        }


def _delay(seed: int) -> Rows:
    for parallel in (False, True):
        for k in CHALLENGERS:
            game = Delay(k, parallel)
            final, late = game.simulate(np.random.default_rng(seed))
            yield {
                "disputes": "all at once" if parallel else "one after another",
                "k": k,
                "closed form": game.expected() / 60,
                "minutes": final / 60,
                "late": float(late),
            }
