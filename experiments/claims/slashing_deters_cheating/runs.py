"""The settings in which slashing is tried, and one tidy row a setting and seed, simulation beside closed form."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pandas as pd

from experiments.claims import Results, Size
from experiments.claims.slashing_deters_cheating import coalitions, drains
from experiments.claims.slashing_deters_cheating.challengers import Delay, Griefing, Inspection
from experiments.claims.slashing_deters_cheating.deterrence import (
    CHEAT,
    HONEST,
    LEAVE,
    MARKET,
    PUPPET,
    RULES,
    Audits,
    OpenLeases,
    loners,
    population,
    stake,
)
from experiments.progress import track
from experiments.sweep import seed_range
from verification.economics.deterrence import largest_false_rate

Rows = Iterable[dict[str, object]]
MARGIN = Fraction(6, 5)  # p ((1 - q)(1 + S) - q kappa) over kappa, of every table but the first; the market's is 1.24
# Seeds, agents, epochs; of audits that nobody orders; markets and epochs of rivals; finalisations; results a coalition;
# funds and tasks of each
GRID = {
    "tiny": (2, 60, 60, (100, 200), (6, 100), 4, 200, (4, 2000)),
    "small": (4, 300, 250, (300, 1500), (25, 1000), 40, 10_000, (100, 100_000)),
    "full": (20, 1000, 600, (1000, 6000), (100, 3000), 400, 100_000, (1000, 100_000)),
}
TENTH, NONE, ALL = Fraction(1, 10), Fraction(0), Fraction(1)
PROBABILITIES = (Fraction(1, 20), TENTH, MARKET.audit)
RATIOS = (6 * TENTH, 8 * TENTH, Fraction(19, 20), Fraction(21, 20), MARGIN, Fraction(2))
AUDIT = MARKET.audit  # of every table but the first
STAKE = stake(MARGIN, AUDIT)
OPEN = (1, 4, 12, 40)
SHARES, RACES = (NONE, Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), ALL), (Fraction(1, 2), ALL)
FRIENDS = coalitions.PARTS
RECKONED, UNRECKONED = "a fifth of the lot", "no friend"
FALSE = tuple(Fraction(f, 20) for f in range(7))
FALSE_COST = Fraction(3, 5)  # kappa where honest work has a margin to lose
BONDS = (0.0, 0.25, 0.5, 0.75, 1.0, 2.0, float(MARKET.bond_prices))
CHALLENGERS = (1, 2, 5, 10, 20, 50, 100)
JACKPOT = 40.0
VOLUNTEERS = "auditors paid by catches alone"
LOT = f"a lot draws {AUDIT}"


def _inspection(**changed: float) -> Inspection:
    given = {"stake": float(STAKE), "reward": float(STAKE)}
    return Inspection(**(given | changed))


INSPECTIONS = {
    VOLUNTEERS: _inspection(),
    "three quarters of the stake burnt": _inspection(reward=float(STAKE) / 4),
    "1 % of results forced to be wrong, jackpot 40": _inspection(forced=0.01, jackpot=JACKPOT),
    "5 % forced, jackpot 40": _inspection(forced=0.05, jackpot=JACKPOT),
    "a lot draws 1/20": _inspection(system=0.05, friends=float(MARKET.coalition_share)),
    LOT: _inspection(system=float(AUDIT), friends=float(MARKET.coalition_share)),
}


def leaving() -> Fraction:
    """f at which honest work brings nothing any more."""
    return largest_false_rate(AUDIT, MARKET.sigma, FALSE_COST)


def play(size: Size, block: int = 0) -> Results:
    """Every game, seed by seed; coalitions and funds by draws of their own."""
    seeds, agents, epochs, inspections, markets, finals, leases, funds = GRID[size]
    games = {
        "one_lease": lambda seed: _one_lease(seed, agents, epochs),
        "open_leases": lambda seed: _open_leases(seed, agents, epochs),
        "friends": lambda seed: _friends(seed, agents, epochs),
        "auditors": lambda seed: _auditors(seed, *inspections),
        "puppets": lambda seed: _puppets(seed, agents, epochs),
        "griefing": lambda seed: _griefing(seed, *markets),
        "accusations": lambda seed: _accusations(seed, agents, epochs),
    }
    results = {
        name: pd.DataFrame(
            [{"seed": seed} | row for seed in track(seed_range(seeds, block), name) for row in game(seed)]
        )
        for name, game in games.items()
    }
    return results | {
        "delay": pd.DataFrame([row for seed in seed_range(finals, block) for row in _delay(seed)]),
        "coalitions": pd.DataFrame(coalitions.play(leases, block)),
        "funds": pd.DataFrame(drains.play(*funds, block)),
    }


def _gain(game: Audits, option: int) -> float:
    expected = game.expected()
    return float(expected[option] - expected[HONEST])


def _one_lease(seed: int, agents: int, epochs: int) -> Rows:
    for p in PROBABILITIES:
        for ratio in RATIOS:
            game = Audits(p, stake(ratio, p))
            rng = np.random.default_rng(seed)
            seen, alone = (learn(game.play, 3, agents, epochs, rng) for learn in (population, loners))
            yield {
                "p": float(p),
                "sigma": float(game.sigma),
                "ratio": float(ratio),
                "gain, closed form": _gain(game, PUPPET),
                "gain": seen.payoff[PUPPET] - seen.payoff[HONEST],
                "cheat": seen.share[CHEAT] + seen.share[PUPPET],
                "cheat, own experience": alone.share[CHEAT] + alone.share[PUPPET],
            }


def _open_leases(seed: int, agents: int, epochs: int) -> Rows:
    for W in OPEN:
        for rule in RULES:
            game = OpenLeases(AUDIT, STAKE, W, rule)
            options, rng = game.options, np.random.default_rng(seed)
            learned = population(game.play, options.size, agents, epochs, rng)
            yield {
                "W": W,
                "rule": rule,
                "staked": float(game.sigma * (1 if rule == RULES[0] else W)),
                "most a cheat gains": float(max(game.gain(int(k)) for k in options[1:])),
                "deterred": game.deterred(),
                "cheat": float(learned.share @ options) / W,
            }


def _friends(seed: int, agents: int, epochs: int) -> Rows:
    for reckoned, sigma in ((RECKONED, Fraction(MARKET.sigma)), (UNRECKONED, stake(MARGIN, AUDIT, NONE))):
        for q in FRIENDS:
            game = Audits(AUDIT, sigma, q)
            learned = population(game.play, 3, agents, epochs, np.random.default_rng(seed))
            yield {
                "reckoned": reckoned,
                "sigma": float(sigma),
                "q": float(q),
                "gain, closed form": _gain(game, PUPPET),
                "cheat": learned.share[CHEAT] + learned.share[PUPPET],
            }


def _auditors(seed: int, agents: int, epochs: int) -> Rows:
    for label, game in INSPECTIONS.items():
        cheat, look = game.simulate(agents, epochs, np.random.default_rng(seed))
        expected = game.equilibrium()
        spent = look * (game.audit_cost + game.forced * game.jackpot) + game.system * game.audit_cost
        yield {
            "setting": label,
            "cheat, closed form": expected[0],
            "cheat": cheat,
            "look, closed form": expected[1],
            "look": look,
            "spent": spent,
        }


def _puppets(seed: int, agents: int, epochs: int) -> Rows:
    sigma = stake(MARGIN, AUDIT, share=NONE)
    for first in RACES:
        for share in SHARES:
            game = Audits(AUDIT, sigma, share=share, first=first)
            learned = population(game.play, 3, agents, epochs, np.random.default_rng(seed))
            yield {
                "first": float(first),
                "share": float(share),
                "lost": float(sigma * (1 - first * share)),
                "gain, closed form": _gain(game, PUPPET),
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
        game = Audits(AUDIT, Fraction(MARKET.sigma), cost=FALSE_COST, false=false)
        learned = population(game.play, 4, agents, epochs, np.random.default_rng(seed))
        honest, _, cheat, leave = map(float, game.expected())
        yield {
            "f": float(false),
            "honest, closed form": honest,
            "cheat, closed form": cheat,
            "best": ("honest", "cheat", "leave")[int(np.argmax([honest, cheat, leave]))],
            "honest": learned.share[HONEST],
            "cheat": learned.share[CHEAT] + learned.share[PUPPET],
            "leave": learned.share[LEAVE],
        }


def _delay(seed: int) -> Rows:
    for clock in (False, True):
        for k in CHALLENGERS:
            game = Delay(k, clock)
            yield {
                "disputes": "a budget for each dispute" if clock else "a bound for each move",
                "k": k,
                "bonds": k * MARKET.bond_prices,
                "closed form": game.expected() / 60,
                "minutes": game.simulate(np.random.default_rng(seed)) / 60,
            }
