"""What adversaries gain over many leases, on the market's own operations, beside the closed forms of ``economics``.

    python -m verification.adversaries.measure [cheats [tasks]]

The ledger is its fold alone, without a file; requests but for results and messages of disputes bear no signatures.
Money is in prices of a lease; whose work it saves, gains its cost, one price.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from scipy.stats import binomtest, norm

from verification.adversaries.cast import PRICE, PROVIDER, USER, key_of
from verification.adversaries.coordinate import settle
from verification.adversaries.scene import Scene, wrong
from verification.economics.deterrence import gain
from verification.economics.fund import drift, ruin
from verification.encoding.request import Request, request
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.ledger.chain import take
from verification.ledger.event import Event
from verification.ledger.operations import GENESIS, event_of
from verification.ledger.state import FUND, State
from verification.market.operations import OPERATIONS
from verification.market.records import Device
from verification.market.rules import Rules
from verification.protocol import protocol

OWNERS = 10
"""Who could audit, of equal deposits, so that parts of a lot are tenths."""
SHORT = {"window": 6, "delta": 60}
"""Rules under which nobody waits long."""
DEPOSIT = 10**9
UNSIGNED = "0" * 128


class Fold:
    """A ledger's state and what events make of it."""

    def __init__(self, first: Request) -> None:
        self.state, self.events, self.lowest = State(), 0, 2**63
        self._take(event_of(self.state, first, OPERATIONS, {}, self.blob))

    @property
    def head(self) -> tuple[int, str]:
        return self.state.number, self.state.head

    def blob(self, digest: str) -> bytes | None:
        """Nothing is kept: what an operation asks for comes with its request."""
        return None

    def perform(self, asked: Request, blobs: Mapping[str, bytes] | None = None) -> bool:
        self._take(event_of(self.state, asked, OPERATIONS, blobs or {}, self.blob))
        return True

    def _take(self, event: Event) -> None:
        take(self.state, event)
        self.events += 1
        self.lowest = min(self.lowest, self.state.balances.get(FUND, 0))


public_of = cache(public)


class Unsigned(Scene):
    """A scene over a fold."""

    def begin(self, path: Path | str, key: Ed25519PrivateKey) -> None:
        made = protocol(128, self.rules.levels, self.rules.message_limit)
        genesis = {"coordinator": public(key), "rules": self.rules.plain(), "protocol": made}
        self.ledger: Any = Fold(request(key, GENESIS, "", genesis))

    def signed(self, key: Ed25519PrivateKey, kind: str, content: Any) -> Request:
        return Request(kind, public_of(key), content, UNSIGNED, self.market)


@dataclass(frozen=True, slots=True)
class Measured:
    """Wrong results of one kind, beside closed forms."""

    who: str
    part: Fraction
    """Of the lot that the coalition holds; of the results that a challenger computes again."""
    cheats: int
    escaped: tuple[float, float, float]
    """Share that stands, with its 95 % interval (Clopper and Pearson)."""
    escaping: Fraction
    """In closed form."""
    gained: tuple[float, float, float]
    """Mean gain in prices beyond honest work, with its 95 % interval (normal)."""
    gaining: Fraction


def _measured(who: str, part: Fraction, stands: list[bool], gains: list[float], forms: tuple[Any, Any]) -> Measured:
    share = binomtest(sum(stands), len(stands)).proportion_ci()
    mean, error = float(np.mean(gains)), float(norm.ppf(0.975) * np.std(gains, ddof=1) / len(gains) ** 0.5)
    escaped = (float(np.mean(stands)), float(share.low), float(share.high))
    return Measured(who, part, len(stands), escaped, forms[0], (mean, mean - error, mean + error), forms[1])


def coalitions(cheats: int) -> Iterator[Measured]:
    """A provider, a verifier, both together, and the coordinator with a provider."""
    rules = Rules(**SHORT)  # type: ignore[arg-type]
    p, sigma, none = rules.audit, rules.sigma, Fraction(0)
    for tenths in range(4):
        q = Fraction(tenths, OWNERS)
        who = "a provider and verifiers" if tenths else "a provider alone"
        yield _measured(who, q, *_provider(rules, cheats, tenths), (1 - p * (1 - q), gain(p, q, sigma, none)))
    for tenths in (1, 3):
        q = Fraction(tenths, OWNERS)
        losing = Fraction(tenths, OWNERS - tenths + 1)  # friends drawn before the first stranger, on the average
        forms = (none, -p * losing * sigma)
        yield _measured("a verifier, of an honest provider", q, *_verifier(rules, cheats, tenths), forms)
    for looked in (none, Fraction(1, 10), Fraction(1, 4)):
        forms = (1 - looked, gain(looked, none, sigma, none))
        yield _measured("the coordinator and a provider", looked, *_spared(rules, cheats, looked), forms)


def _market(rules: Rules, friends: int) -> tuple[Unsigned, list[str]]:
    owners = [f"owner {number}" for number in range(OWNERS)]
    scene = Unsigned(rules, strangers=owners)
    for name in (PROVIDER, USER, *owners):
        scene.deposit(name, DEPOSIT)
    return scene, owners[:friends]


def _renew(scene: Scene, number: int, *names: str) -> None:
    """Who has lost its key goes on with a fresh one."""
    for name in names:
        if scene.find(Device, public_of(scene.parties[name].device)).removed:
            scene.add_device(name, key_of(f"{name} {number}"))
            scene.offer(name)


def _provider(rules: Rules, cheats: int, friends: int) -> tuple[list[bool], list[float]]:
    """Every result is wrong; friends among the verifiers confirm it."""
    scene, names = _market(rules, friends)
    for name in names:
        scene.parties[name].league = True
    scene.parties[PROVIDER].trace = wrong(scene)
    stands, gains = list[bool](), list[float]()
    for number in range(cheats):
        before, fallen = scene.gain(PROVIDER, *names), len(scene.verdicts)
        scene.serve()
        settle(scene)
        stands.append(len(scene.verdicts) == fallen)
        gains.append((scene.gain(PROVIDER, *names) - before) / PRICE)
        _renew(scene, number, PROVIDER)
    return stands, gains


def _verifier(rules: Rules, tasks: int, friends: int) -> tuple[list[bool], list[float]]:
    """Friends that are drawn, one after another until a stranger is, make up a root without any work; the result that
    they accuse stands."""
    scene, names = _market(rules, friends)
    for name in names:
        scene.parties[name].trace = wrong(scene)
    stands, gains = list[bool](), list[float]()
    for number in range(tasks):
        own, money = scene.gain(PROVIDER), scene.gain(*names)
        scene.serve()
        settle(scene)
        stands.append(scene.gain(PROVIDER) <= own)
        gains.append((scene.gain(*names) - money) / PRICE)
        _renew(scene, number, *names)
    return stands, gains


def _spared(rules: Rules, cheats: int, looked: Fraction) -> tuple[list[bool], list[float]]:
    """The coordinator seals secrets that draw no wrong result; of those shown a stranger computes a part again."""
    scene, _ = _market(rules, 0)
    scene.parties[PROVIDER].trace = wrong(scene)
    generator, stands, gains = np.random.default_rng(0), list[bool](), list[float]()
    for number in range(cheats):
        before, fallen = scene.gain(PROVIDER), len(scene.verdicts)
        lease = scene.serve(drawn=False)
        scene.publish(lease)
        if generator.random() < looked:
            scene.claim("owner 0", lease, scene.right)
        settle(scene)
        stands.append(len(scene.verdicts) == fallen)
        gains.append((scene.gain(PROVIDER) - before) / PRICE)
        _renew(scene, number, PROVIDER)
    return stands, gains


@dataclass(frozen=True, slots=True)
class Funded:
    """What became of the fund, in prices, of which the largest is one."""

    tasks: int
    sham: int
    """Orders from the coalition to itself."""
    fresh: int
    """Of those, to a newcomer with a fresh key."""
    audits: int
    begun: float
    lowest: float
    ended: float
    expected: float
    """By what an order brings the fund on the average, in closed form."""
    refused: int
    """Rounds refused since the fund was short."""
    coalition: float
    """What the coalition gained, work apart."""
    bound: float
    """On the chance that the fund ever runs out, for every strategy (Lundberg)."""
    seconds: float
    """Of processor time."""
    events: int


def fund(tasks: int, batch: int = 100) -> Funded:
    """Of every five orders three are a user's, to strangers; one is the coalition's to its own provider, one to a
    newcomer with a fresh key that leaves at once. Of the lots over a user's order it holds three tenths.
    """
    rules, start = Rules(largest_price=2 * PRICE, fund_prices=25, **SHORT), process_time()  # type: ignore[arg-type]
    scene, friends = _market(rules, 2)
    scene.join("own user", deposit=DEPOSIT, serves=False)
    honest, coalition = [f"owner {number}" for number in range(len(friends), OWNERS)], [PROVIDER, "own user", *friends]
    refused = sham = fresh = 0
    begun, gone = scene.draft.balance(FUND), list[str]()
    for number in range(tasks):
        try:
            if number % 5 < 3:
                scene.serve(honest[number % len(honest)])
            elif number % 5 == 3:
                scene.serve(PROVIDER, user="own user")
                sham += 1
            else:
                name = f"newcomer {number}"
                scene.join(name, deposit=rules.sigma * PRICE)
                scene.serve(name, user="own user")
                gone.append(name)
                sham, fresh = sham + 1, fresh + 1
        except Refusal as refusal:
            if refusal.reason != "fund-short":
                raise
            refused += 1
        if number % batch == batch - 1 or number == tasks - 1:
            settle(scene)
            for name in gone:
                coalition.append(name)
                scene.ask(name, "remove", {"device": public_of(scene.parties[name].device)})
            gone.clear()
    scene.state.check()
    return Funded(
        tasks=tasks,
        sham=sham,
        fresh=fresh,
        audits=scene.state.retired["audit"][0],
        begun=begun / PRICE,
        lowest=scene.ledger.lowest / PRICE,
        ended=scene.draft.balance(FUND) / PRICE,
        expected=begun / PRICE + tasks * float(drift(rules.audit, rules.fee, Fraction(1))),
        refused=refused,
        coalition=scene.gain(*coalition) / PRICE,
        bound=ruin(begun / (2 * PRICE), rules.audit, rules.fee, Fraction(1)),
        seconds=process_time() - start,
        events=scene.ledger.events,
    )


def main(cheats: int, tasks: int) -> None:
    """Print both tables."""
    for row in coalitions(cheats):
        print(
            f"{row.who:<36}{row.part!s:>5}{row.cheats:>7}   escaped {row.escaped[0]:.4f} ({row.escaped[1]:.4f} to "
            f"{row.escaped[2]:.4f}; {float(row.escaping):.4f})   gain {row.gained[0]:+.3f} ({row.gained[1]:+.3f} to "
            f"{row.gained[2]:+.3f}; {float(row.gaining):+.3f})",
            flush=True,
        )
    print(fund(tasks))


if __name__ == "__main__":
    main(*map(int, (sys.argv[1:] + ["2000", "100000"][len(sys.argv) - 1 :])))
