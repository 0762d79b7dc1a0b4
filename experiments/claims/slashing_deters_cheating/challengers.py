"""Who challenges, and why (section 5): auditors who live on it, rivals who grief, cheats who delay; with closed forms.

Money is in payments of a task; symbols as in ``deterrence``.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from auction.market import Float, Int
from experiments.claims.slashing_deters_cheating.deterrence import TASKS, imitate


@dataclass(frozen=True)
class Inspection:
    """Providers cheat or not, auditors look or not, and nobody orders either: the verifier's dilemma."""

    stake: float
    reward: float
    """R: what an auditor receives for a cheat it finds"""
    audit_cost: float = 0.6
    """c: recomputation of one task"""
    system: float = 0.0
    """probability of an audit by the system, whatever the auditors do"""
    forced: float = 0.0
    """share of tasks whose result is made wrong on purpose"""
    jackpot: float = 0.0
    """J: what finding one of those pays"""
    payment: float = 1.0
    cost: float = 0.6
    detection: float = 0.9

    def simulate(self, agents: int, epochs: int, rng: Generator) -> tuple[float, float]:
        """Share of tasks cheated on and share that auditors look at, over the second half of the epochs.

        Both populations imitate. They circle the equilibrium; averages over time are what it predicts, provided that
        the pace does not vary with the state: hence the fixed scales.
        """
        stakes = (self.cost + self.payment + self.stake, self.audit_cost + self.reward + self.forced * self.jackpot)
        cheats, looks = (rng.permutation(np.arange(agents) % 2) for _ in range(2))
        sums = np.zeros(2)
        for epoch in range(epochs):
            x, a = cheats.mean(), looks.mean()
            if epoch >= epochs // 2:
                sums += x, a
            caught = rng.binomial(TASKS * cheats, (a + (1 - a) * self.system) * self.detection)
            earned = self.payment - self.cost * (1 - cheats) - caught * (self.payment + self.stake) / TASKS
            forced = rng.binomial(TASKS * looks, self.forced)
            found = rng.binomial(rng.binomial(TASKS * looks - forced, x), self.detection)
            prize = (found * self.reward + rng.binomial(forced, self.detection) * self.jackpot) / TASKS
            cheats = imitate(cheats, earned, 2, rng, stakes[0])
            looks = imitate(looks, prize - self.audit_cost * looks, 2, rng, stakes[1])
        share, looked = sums / (epochs - epochs // 2)
        return float(share), float(looked)

    def equilibrium(self) -> tuple[float, float]:
        """x* = (c / d - phi J) / ((1 - phi) R) of the tasks cheated on; a* makes p d (P + S) = kappa, p = a + (1-a) p0.

        No cheating where the system alone deters it; nobody looks where even cheats everywhere would not pay for it.
        """
        needed = self.cost / (self.detection * (self.payment + self.stake))
        x = (self.audit_cost / self.detection - self.forced * self.jackpot) / ((1 - self.forced) * self.reward)
        if self.system >= needed:
            return 0.0, float(x < 0)
        if x <= 0:
            return 0.0, 1.0
        return (1.0, 0.0) if x >= 1 else (x, min(1.0, (needed - self.system) / (1 - self.system)))


@dataclass(frozen=True)
class Griefing:
    """Rivals in small markets challenge one another without cause: who is challenged is barred for a window.

    Its tasks go to the others. Per provider and window: ``load`` tasks arrive, ``capacity`` can be done.
    """

    bond: float
    """B: what a lost challenge costs; ``compensation`` of it goes to whom was challenged"""
    rivals: int = 10
    load: float = 20.0
    capacity: float = 25.0
    margin: float = 0.4
    """P - kappa"""
    answer: float = 0.1
    """what answering a dispute costs the provider"""
    recomputation: float = 0.6
    """what settling it costs whoever recomputes"""
    message: float = 0.01
    """what a challenge costs besides the bond"""
    compensation: float = 0.0

    def window(self, griefs: Int, rng: Generator) -> tuple[Float, Float]:
        """(markets, rivals): payoffs of a window, and tasks done; ``griefs`` says who challenges someone at random."""
        markets, n = griefs.shape
        step = rng.integers(1, n, size=griefs.shape)
        victim = (np.arange(n) + step) % n
        hits = np.zeros(griefs.shape)
        np.add.at(hits, (np.arange(markets)[:, None], victim), griefs)
        active = hits == 0
        arrived = rng.poisson(self.load * n, (markets, 1))
        done = active * np.minimum(arrived / np.maximum(active.sum(axis=1, keepdims=True), 1), self.capacity)
        received = hits * (self.compensation * self.bond - self.answer)
        return self.margin * done + received - griefs * (self.bond + self.message), done

    def simulate(self, markets: int, epochs: int, rng: Generator) -> tuple[float, float]:
        """Share of providers who grief and share of the arriving work that is done, over the second half."""
        griefs = rng.integers(2, size=(markets, self.rivals))
        sums = np.zeros(2)
        for epoch in range(epochs):
            payoff, done = self.window(griefs, rng)
            if epoch >= epochs // 2:
                sums += griefs.mean(), done.mean() / self.load
            griefs = imitate(griefs.ravel(), payoff.ravel(), 2, rng).reshape(griefs.shape)
        share, work = sums / (epochs - epochs // 2)
        return float(share), float(work)

    def harm(self) -> float:
        """What one challenge costs an honest provider: its margin for a window and the answer, less compensation."""
        return self.load * self.margin + self.answer - self.compensation * self.bond

    def factor(self) -> float:
        """Griefing factor: what a challenge costs the rival and whoever recomputes, over what it costs the attacker."""
        return (self.harm() + self.recomputation) / (self.bond + self.message)

    def threshold(self) -> float:
        """Bond above which a lone griefer loses: (P - kappa) min(load / (n - 1), capacity - load) less the message."""
        gained = min(self.load / (self.rivals - 1), self.capacity - self.load)
        return self.margin * gained - self.message


@dataclass(frozen=True)
class Delay:
    """Dishonest challengers who all come when the window ends and use all the time they have; in seconds."""

    challengers: int
    """k"""
    parallel: bool
    """all disputes at once, or one after another"""
    rounds: int = 20
    """of a dispute: a move of the challenger and a reply of the asserter each"""
    bound: float = 60.0
    """Delta: who is silent longer loses"""
    reply: float = 1.0
    """r: mean time the asserter's one machine needs for a reply; uniform between 0 and 2 r"""
    window: float = 600.0

    def simulate(self, rng: Generator) -> tuple[float, bool]:
        """When the result is final, and whether the honest asserter missed the bound somewhere."""
        needed = rng.uniform(0.0, 2 * self.reply, (self.challengers, self.rounds))
        if not self.parallel:
            return self.window + self.challengers * self.rounds * self.bound + float(needed.sum()), False
        asked = [(self.window + self.bound, dispute, 0) for dispute in range(self.challengers)]
        free, late = self.window, False
        while asked:
            moved, dispute, done = heapq.heappop(asked)
            free = max(free, moved) + needed[dispute, done]
            late |= free - moved > self.bound
            if done + 1 < self.rounds:
                heapq.heappush(asked, (free + self.bound, dispute, done + 1))
        return float(free), late

    def expected(self) -> float:
        """window + k rounds (Delta + r) in sequence; window + rounds (Delta + r) + (k - 1) r at once.

        The latter where k r <= Delta + r: the first replies queue and space out the rest.
        """
        one, k = self.rounds * (self.bound + self.reply), self.challengers
        return self.window + (one + (k - 1) * self.reply if self.parallel else k * one)
