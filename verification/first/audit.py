"""Whom the system challenges (section 5): drawn from randomness that is revealed only after all have committed.

Auditors pledge a sealed nonce, each behind a bond, and reveal it once every result of the round is published. The
results are drawn from the hash of all nonces: one honest auditor is enough that nobody can know it before. Whoever is
last to reveal could see the draw and keep silent, which would draw a second time: so its bond is burnt and every
result of the round is challenged, as it is when nobody pledged.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256

from verification.errors import Refusal
from verification.first.accounts import Draft, lock, pledge_of, release, slash
from verification.first.challenge import dispute
from verification.first.rules import rules_of
from verification.first.tasks import SYSTEM, put_round, round_of, seal, task_of, tick


def seed_of(round_: str, nonces: Mapping[str, str]) -> bytes:
    """SHA-256 of all that was revealed, by auditor in order of their keys."""
    digest = sha256(b"distribute-lab/draw/1")
    for part in (round_, *(text for auditor in sorted(nonces) for text in (auditor, nonces[auditor]))):
        digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    return digest.digest()


def drawn(seed: bytes, task: str, p: Fraction) -> bool:
    """Whether a task is challenged: with chance exactly p over seeds, if SHA-256 is uniform, independently by task.

    A 256-bit hash x counts if it is below the largest multiple of p's denominator q; the task is drawn if
    x mod q < p q. Otherwise the next hash is taken.
    """
    limit = 2**256 - 2**256 % p.denominator
    attempt = 0
    while (x := int.from_bytes(sha256(seed + attempt.to_bytes(8, "big") + task.encode()).digest(), "big")) >= limit:
        attempt += 1
    return x % p.denominator < p.numerator


def pledge(draft: Draft, round_: str, auditor: str, sealed: str, now: int) -> None:
    """An auditor seals seal(auditor, round, "", nonce) behind a bond, before any reveal of the round.

    Raises:
        Refusal: unknown-round, pledges-closed, repeated-pledge, unknown-party, removed-party, beyond-balance.
    """
    tick(draft, now)
    rivals = round_of(draft, round_)
    if now >= rivals.reveals:
        raise Refusal("pledges-closed", f"{round_}: reveals have begun at {rivals.reveals}")
    if auditor in rivals.pledges:
        raise Refusal("repeated-pledge", f"{auditor} has pledged")
    lock(draft, auditor, pledge_of(auditor, round_), rules_of(draft).pledge)
    put_round(draft, round_, replace(rivals, pledges=rivals.pledges | {auditor: sealed}))


def reveal(draft: Draft, round_: str, auditor: str, nonce: str, now: int) -> None:
    """An auditor shows its nonce, within ``delta`` of the last publication, and has its bond returned.

    Raises:
        Refusal: unknown-round, no-such-pledge, too-early, late, not-what-was-sealed.
    """
    tick(draft, now)
    rivals = round_of(draft, round_)
    if auditor not in rivals.pledges or auditor in rivals.nonces:
        raise Refusal("no-such-pledge", f"{auditor} has nothing to reveal")
    if now < rivals.reveals:
        raise Refusal("too-early", f"{round_}: reveals begin at {rivals.reveals} or when all have published")
    if rivals.drawn or now > rivals.reveals + rules_of(draft).delta:
        raise Refusal("late", f"{round_}: revealing was due by {rivals.reveals + rules_of(draft).delta}")
    if seal(auditor, round_, "", nonce) != rivals.pledges[auditor]:
        raise Refusal("not-what-was-sealed", f"{round_}: the nonce does not match the seal")
    release(draft, pledge_of(auditor, round_), auditor)
    put_round(draft, round_, replace(rivals, nonces=rivals.nonces | {auditor: nonce}))


def draw(draft: Draft, round_: str, now: int) -> None:
    """Anyone draws, once all have revealed or are late: the system challenges the drawn results still open.

    Raises:
        Refusal: unknown-round, drawn, too-early.
    """
    tick(draft, now)
    rivals, rules = round_of(draft, round_), rules_of(draft)
    withheld = sorted(set(rivals.pledges) - set(rivals.nonces))
    if rivals.drawn:
        raise Refusal("drawn", f"{round_}: was drawn")
    if now < rivals.reveals or (withheld and now <= rivals.reveals + rules.delta):
        raise Refusal("too-early", f"{round_}: auditors have until {rivals.reveals + rules.delta}")
    for auditor in withheld:
        slash(draft, pledge_of(auditor, round_), draft.balance(pledge_of(auditor, round_)))
    seed, everyone = seed_of(round_, rivals.nonces), bool(withheld) or not rivals.nonces
    for name in rivals.tasks:
        task = task_of(draft, name)
        if (
            task.round == round_
            and task.state in ("opened", "challenged")
            and (everyone or drawn(seed, name, rules.audit))
        ):
            dispute(draft, name, SYSTEM)
    put_round(draft, round_, replace(rivals, drawn=True))
