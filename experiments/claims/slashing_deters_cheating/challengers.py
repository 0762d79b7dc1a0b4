"""Who challenges, and why (section 5): auditors who live on it, rivals who grief, cheats who delay; with closed forms.

Money is in prices of a lease; symbols as in ``deterrence``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from auction.market import Float, Int
from experiments.claims.slashing_deters_cheating.deterrence import MARKET, TASKS, imitate
from verification.dispute.clocks import budgets


@dataclass(frozen=True)
class Inspection:
    """Providers cheat or not, auditors look or not, and nobody orders either: the verifier's dilemma."""

    stake: float
    reward: float
    """R: what an auditor receives for a cheat it finds"""
    audit_cost: float = 1.0
    """c: recomputation of one lease"""
    system: float = 0.0
    """chance of an audit by lot, whatever the auditors do; ``friends`` of the lot pass a cheat"""
    forced: float = 0.0
    """share of leases whose result is made wrong on purpose"""
    jackpot: float = 0.0
    """J: what finding one of those pays"""
    cost: float = 1.0
    friends: float = 0.0

    def simulate(self, agents: int, epochs: int, rng: Generator) -> tuple[float, float]:
        """Share of leases cheated on and share that auditors look at, over the second half of the epochs.

        Both populations imitate. They circle the equilibrium; averages over time are what it predicts, provided that
        the pace does not vary with the state: hence the fixed scales.
        """
        stakes = (self.cost + 1 + self.stake, self.audit_cost + self.reward + self.forced * self.jackpot)
        cheats, looks = (rng.permutation(np.arange(agents) % 2) for _ in range(2))
        sums = np.zeros(2)
        for epoch in range(epochs):
            x, a = cheats.mean(), looks.mean()
            if epoch >= epochs // 2:
                sums += x, a
            caught = rng.binomial(TASKS * cheats, a + (1 - a) * self.system * (1 - self.friends))
            earned = 1 - self.cost * (1 - cheats) - caught * (1 + self.stake) / TASKS
            forced = rng.binomial(TASKS * looks, self.forced)
            found = rng.binomial(TASKS * looks - forced, x)
            prize = (found * self.reward + forced * self.jackpot) / TASKS
            cheats = imitate(cheats, earned, 2, rng, stakes[0])
            looks = imitate(looks, prize - self.audit_cost * looks, 2, rng, stakes[1])
        share, looked = sums / (epochs - epochs // 2)
        return float(share), float(looked)

    def equilibrium(self) -> tuple[float, float]:
        """x* = (c - phi J) / ((1 - phi) R) of the leases cheated on; a* makes d (1 + S) = kappa, d = a + (1-a) p (1-q).

        No cheating where the lot alone deters it; nobody looks where even cheats everywhere would not pay for it.
        """
        needed, lot = self.cost / (1 + self.stake), self.system * (1 - self.friends)
        x = (self.audit_cost - self.forced * self.jackpot) / ((1 - self.forced) * self.reward)
        if lot >= needed:
            return 0.0, float(x < 0)
        if x <= 0:
            return 0.0, 1.0
        return (1.0, 0.0) if x >= 1 else (x, min(1.0, (needed - lot) / (1 - lot)))


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
    compensation: float = float(MARKET.asserter_share)

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
    """Dishonest challengers who all come when the window ends and use all the time they have; in ticks.

    Their disputes are played one after another: a device that plays one at a time is never late for another.
    """

    challengers: int
    """k"""
    clock: bool
    """a budget for each dispute, or a bound for each move"""
    rounds: int = 20
    """of a dispute: a move of the challenger and a reply of the asserter each"""
    delta: int = MARKET.delta
    work: int = 60
    """ticks of the lease's work limit"""
    reply: float = 1.0
    """r: mean time the asserter's one machine needs for a reply; uniform between 0 and 2 r"""
    window: int = MARKET.window

    @property
    def used(self) -> int:
        """Ticks that a challenger can use up in one dispute."""
        return budgets(self.delta, self.work)["challenger"] if self.clock else self.rounds * self.delta

    def simulate(self, rng: Generator) -> float:
        """When the result is final."""
        replies = rng.uniform(0.0, 2 * self.reply, (self.challengers, self.rounds))
        return float(self.window + self.challengers * self.used + replies.sum())

    def expected(self) -> float:
        """window + k (ticks of a challenger + rounds r)."""
        return self.window + self.challengers * (self.used + self.rounds * self.reply)
