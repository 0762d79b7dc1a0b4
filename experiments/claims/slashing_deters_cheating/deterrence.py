"""Providers who learn what pays under slashing (section 5), each game beside its closed form.

Money is in prices of a lease. A provider that falls loses price and stake and comes back under a new key with a new
stake, so that no future is lost with an identity that costs nothing. Symbols and closed forms as in
``verification.economics.deterrence``: audits with chance p, a part q of the lot in the cheat's coalition, kappa the
cost of the work, stakes of sigma prices, of which S does not come back to the coalition. Comparison is exact: a
stranger who audits finds every cheat, a friend none, and a friend need not work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.random import Generator

from auction.market import Float, Int
from verification.economics import deterrence
from verification.market.rules import KAPPA, Rules

TASKS = 120  # leases of an agent between two decisions; divisible by the numbers of open ones that are tried
MUTATION = 0.0005  # share of agents that try something at random
EXPLORATION, STEP = 0.05, 0.1  # of agents who learn from their own experience alone
PACE = 1.0  # of imitation

Play = Callable[[Int, Generator], Float]
Rule = Literal["one stake", "a stake per lease", "a stake per lease, returned when the key falls elsewhere"]
RULES: tuple[Rule, ...] = (
    "one stake",
    "a stake per lease",
    "a stake per lease, returned when the key falls elsewhere",
)
MARKET = Rules()
"""The rules that a market has where nobody says otherwise."""


@dataclass(frozen=True)
class Learned:
    """What a population came to."""

    share: Float
    """(options,) of the agents, mean over the second half of the epochs"""
    payoff: Float
    """(options,) experienced per task, mean over all who played it"""


def imitate(option: Int, payoff: Float, options: int, rng: Generator, scale: float | None = None) -> Int:
    """Each agent meets another and copies it with a probability proportional to how much better that one fared.

    Proportional imitation (Schlag 1998): linear in payoffs, so that rare losses weigh what they are worth and shares
    follow the replicator equation in expectation. ``scale``: the largest difference there can be; this epoch's if None.
    """
    peer = rng.integers(option.size, size=option.size)
    better = PACE * (payoff[peer] - payoff) / (scale or max(float(np.ptp(payoff)), 1e-12))
    copied = np.where(rng.random(option.size) < better, option[peer], option)
    return np.where(rng.random(option.size) < MUTATION, rng.integers(options, size=option.size), copied)


def population(play: Play, options: int, agents: int, epochs: int, rng: Generator) -> Learned:
    """Agents who see how others fare; all options equally common at first."""
    option = rng.permutation(np.arange(agents) % options)
    return _record(options, epochs, option, play, lambda o, payoff: imitate(o, payoff, options, rng), rng)


def loners(play: Play, options: int, agents: int, epochs: int, rng: Generator) -> Learned:
    """Agents who know their own payoffs only: epsilon-greedy on exponential averages, optimistic at first."""
    value = np.full((agents, options), 1.0)
    everyone = np.arange(agents)

    def choose(option: Int, payoff: Float) -> Int:
        value[everyone, option] += STEP * (payoff - value[everyone, option])
        explores = rng.random(agents) < EXPLORATION
        return np.where(explores, rng.integers(options, size=agents), value.argmax(axis=1))

    return _record(options, epochs, rng.permutation(everyone % options), play, choose, rng)


def _record(
    options: int, epochs: int, option: Int, play: Play, choose: Callable[[Int, Float], Int], rng: Generator
) -> Learned:
    shares, sums, counts = np.zeros(options), np.zeros(options), np.zeros(options)
    for epoch in range(epochs):
        payoff = play(option, rng)
        played = np.bincount(option, minlength=options)
        counts += played
        sums += np.bincount(option, payoff, minlength=options)
        if epoch >= epochs // 2:
            shares += played / option.size
        option = choose(option, payoff)
    return Learned(shares / (epochs - epochs // 2), sums / np.maximum(counts, 1))


HONEST, CHEAT, PUPPET, LEAVE = range(4)


def stake(
    ratio: Fraction,
    p: Fraction,
    q: Fraction = MARKET.coalition_share,
    share: Fraction = MARKET.challenger_share,
    kappa: Fraction = KAPPA,
) -> Fraction:
    """sigma at which p ((1 - q)(1 + S) - q kappa) is ``ratio`` times kappa."""
    at_risk = (ratio / p + q) * kappa / (1 - q)
    return (at_risk - 1) / (1 - share)


@dataclass(frozen=True)
class Audits:
    """One lease at a time. Options: work honestly, cheat, cheat with a friend who claims before the verifier, leave."""

    audit: Fraction
    """p"""
    sigma: Fraction
    """prices staked"""
    friends: Fraction = MARKET.coalition_share
    """q"""
    share: Fraction = MARKET.challenger_share
    """of a fallen stake, to who won the dispute"""
    cost: Fraction = KAPPA
    """kappa"""
    false: Fraction = Fraction(0)
    """f: chance that an audit finds an honest provider wrong"""
    first: Fraction = Fraction(1)
    """chance that the friend claims before anyone else does"""

    def play(self, option: Int, rng: Generator) -> Float:
        """Payoff a lease of every agent over ``TASKS`` leases."""
        cheats = (option == CHEAT) | (option == PUPPET)
        audited = rng.binomial(TASKS, float(self.audit), option.size)
        friendly = rng.binomial(audited, float(self.friends))
        fallen = np.where(cheats, audited - friendly, rng.binomial(audited, float(self.false)))
        claimed = rng.binomial(np.where(option == PUPPET, fallen, 0), float(self.first))
        spared = float(self.cost) * np.where(cheats, TASKS + friendly, 0)
        fines = float(1 + self.sigma) * fallen - float(self.share * self.sigma) * claimed
        return np.where(option == LEAVE, 0.0, float(1 - self.cost) + (spared - fines) / TASKS)

    def expected(self) -> tuple[Fraction, ...]:
        """Expected payoff a lease of each option."""
        honest = 1 - self.cost
        cheats = [
            honest + deterrence.gain(self.audit, self.friends, self.sigma, back, self.cost)
            for back in (Fraction(0), self.first * self.share)
        ]
        return honest - self.audit * self.false * (1 + self.sigma), *cheats, Fraction(0)


@dataclass(frozen=True)
class OpenLeases:
    """W leases open at once. Option: on how many of them to cheat, with a friend who claims first."""

    audit: Fraction
    sigma: Fraction
    """prices staked, in all under "one stake", else for each lease"""
    leases: int
    """W"""
    rule: Rule
    friends: Fraction = MARKET.coalition_share
    share: Fraction = MARKET.challenger_share
    cost: Fraction = KAPPA

    @property
    def options(self) -> Int:
        """Numbers of leases to cheat on: none, one, a quarter, half, all."""
        W = self.leases
        return np.unique([0, 1, W // 4, W // 2, W])

    def play(self, option: Int, rng: Generator) -> Float:
        """Payoff a lease of every agent over ``TASKS`` leases, W at a time."""
        W = self.leases
        k = np.repeat(self.options[option], TASKS // W).reshape(option.size, -1)
        audited = rng.binomial(k, float(self.audit))
        friendly = rng.binomial(audited, float(self.friends))
        caught = audited - friendly
        lost = float(deterrence.loss(self.sigma, self.share))
        if self.rule == RULES[0]:
            fines = caught + lost * (caught > 0)
        elif self.rule == RULES[1]:
            fines = (1 + lost) * caught
        else:
            fines = W * (caught > 0)  # all are taken back unpaid, before the audits are over, and their stakes return
        return (float(1 - self.cost) + (float(self.cost) * (k + friendly) - fines) / W).mean(axis=1)

    def gain(self, k: int) -> Fraction:
        """Expected gain a lease of cheating on k of W leases over cheating on none; with d = p (1 - q):

        ``gain_on_one_stake``; k times ``gain`` with a stake per lease; k kappa (1 + p q) - W (1 - (1 - d)^k) where
        stakes return when the key falls elsewhere: then the leases are not paid, but that is all.
        """
        p, q, given = self.audit, self.friends, (self.audit, self.friends, self.sigma, self.share)
        if self.rule == RULES[0]:
            gained = deterrence.gain_on_one_stake(*given, k, self.cost)
        elif self.rule == RULES[1]:
            gained = k * deterrence.gain(*given, self.cost)
        else:
            gained = k * self.cost * (1 + p * q) - self.leases * (1 - (1 - p * (1 - q)) ** k)
        return gained / self.leases

    def deterred(self) -> bool:
        """Whether no number of leases is worth cheating on."""
        return all(self.gain(k) < 0 for k in range(1, self.leases + 1))
