"""Providers who learn what pays under slashing (section 5), each game beside its closed form.

Money is in payments of a task. A caught provider loses payment and stake and comes back under a new key with a new
stake, so that no future is lost with an identity that costs nothing. Symbols: payment P, cost kappa of honest work,
audit probability p, detection d, stake Sigma, and S, the part of it that leaves the cheat's coalition.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

from auction.market import Float, Int

TASKS = 120  # of an agent between two decisions; divisible by the numbers of open tasks that are tried
MUTATION = 0.0005  # share of agents that try something at random
EXPLORATION, STEP = 0.05, 0.1  # of agents who learn from their own experience alone
PACE = 1.0  # of imitation

Play = Callable[[Int, Generator], Float]
Rule = Literal["one stake", "stake per open task", "one stake, all audited once one is caught"]
RULES: tuple[Rule, ...] = ("one stake", "stake per open task", "one stake, all audited once one is caught")


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


@dataclass(frozen=True)
class Audits:
    """One open task at a time. Options: work honestly, cheat, cheat with a sock-puppet that challenges first, leave."""

    audit: float
    """p"""
    stake: float
    """Sigma"""
    payment: float = 1.0
    """P"""
    cost: float = 0.6
    """kappa"""
    detection: float = 0.9
    """d"""
    false: float = 0.0
    """f: probability that an audit finds an honest provider guilty"""
    burnt: float = 1.0
    """share of a slashed stake that nobody receives; the challenger receives the rest"""
    first: float = 1.0
    """probability that the sock-puppet challenges before anyone else does"""

    def play(self, option: Int, rng: Generator) -> Float:
        """Payoff a task of every agent over ``TASKS`` tasks."""
        cheats = (option == CHEAT) | (option == PUPPET)
        audited = rng.binomial(TASKS, self.audit, option.size)
        guilty = rng.binomial(audited, np.where(cheats, self.detection, self.false))
        returned = rng.binomial(np.where(option == PUPPET, guilty, 0), self.first) * (1 - self.burnt) * self.stake
        worked = TASKS * (self.payment - np.where(cheats, 0.0, self.cost))
        payoff = worked - guilty * (self.payment + self.stake) + returned
        return np.where(option == LEAVE, 0.0, payoff / TASKS)

    def expected(self) -> Float:
        """(4,) expected payoff a task of each option."""
        P, fine = self.payment, self.audit * (self.payment + self.stake)
        back = self.audit * self.detection * self.first * (1 - self.burnt) * self.stake
        cheat = P - self.detection * fine
        return np.array([P - self.cost - self.false * fine, cheat, cheat + back, 0.0])


@dataclass(frozen=True)
class OpenTasks:
    """W tasks open at once. Option: on how many of them to cheat."""

    audit: float
    stake: float
    """in all under "one stake", for each task under "stake per open task" """
    open_tasks: int
    """W"""
    rule: Rule
    payment: float = 1.0
    cost: float = 0.6
    detection: float = 0.9

    @property
    def options(self) -> Int:
        """Numbers of tasks to cheat on: none, one, a quarter, half, all."""
        W = self.open_tasks
        return np.unique([0, 1, W // 4, W // 2, W])

    def play(self, option: Int, rng: Generator) -> Float:
        """Payoff a task of every agent over ``TASKS`` tasks, W at a time."""
        W = self.open_tasks
        k = np.repeat(self.options[option], TASKS // W).reshape(option.size, -1)
        caught = rng.binomial(rng.binomial(k, self.audit), self.detection)
        fines = self.stake * (caught if self.rule == RULES[1] else caught > 0)
        if self.rule == RULES[2]:
            caught = caught + rng.binomial(np.where(caught > 0, k - caught, 0), self.detection)
        return ((self.payment * (W - caught) - self.cost * (W - k) - fines) / W).mean(axis=1)

    def gain(self, k: Int) -> Float:
        """Expected gain a task of cheating on k of W tasks over cheating on none:

        k kappa - k p d P - (1 - (1 - p d)^k) S under one stake; k S p d in place of the last term with a stake per
        open task; with all audited once one is caught, the payments of the others are lost too with probability d.
        """
        q, some = self.audit * self.detection, 1 - (1 - self.audit * self.detection) ** k
        reversed_ = k * q + (self.detection * k * (some - q) if self.rule == RULES[2] else 0.0)
        fines = self.stake * (k * q if self.rule == RULES[1] else some)
        return (k * self.cost - self.payment * reversed_ - fines) / self.open_tasks

    def deterred(self) -> bool:
        """Whether no number of tasks is worth cheating on."""
        return bool((self.gain(np.arange(1, self.open_tasks + 1)) < 0).all())
