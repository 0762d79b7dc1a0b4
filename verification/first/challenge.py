"""The life of a task's result (section 5): assigned, committed, opened, challenged, finalised, or back in the auction.

    posted ──assign──▶ assigned ──commit──▶ committed ──publish──▶ opened ──finalise──▶ finalised
                          │                     │                   │  ▲
                          └───────miss──────────┘           challenge  verdict: asserter
                                    ▼                               ▼  │
                                 missed                          challenged ──verdict: challenger──▶ reversed

``posted``, ``missed``, ``reversed`` and ``handed-back`` (its provider was found cheating elsewhere) wait in the
auction; each return raises the task's priority by one, by which the auction raises its v_i. Every function here is an
operation for ``Ledger.perform``; ``now`` is the caller's time in ticks, which never goes back.

*Times.* The results of a round are each other's rivals: all are sealed before any is published, so that none can be
copied, and all are published before any auditor reveals (audit.py), so that no cheat that was drawn can choose to be
merely late. Each of these has ``delta`` from the moment it became possible. A message that arrives within it is never
held against anyone; the first tick after it, it is refused, and the silent party loses.
*A lost challenge shields nothing*: the window neither closes nor moves, and disputes end in any order.
"""

from collections.abc import Sequence
from dataclasses import replace

from verification.errors import Refusal
from verification.first.accounts import (
    FUND,
    Draft,
    bond_of,
    escrow_of,
    free,
    lock,
    release,
    remove,
    slash,
    split,
    stake_of,
    standing,
)
from verification.first.rules import Rules, rules_of
from verification.first.tasks import (
    OPEN,
    SYSTEM,
    WAITING,
    Round,
    Task,
    barred,
    fresh,
    in_state,
    open_tasks,
    put_round,
    put_task,
    round_of,
    seal,
    task_of,
    tick,
)


def post(draft: Draft, name: str, user: str, now: int) -> None:
    """A user's task enters the auction.

    Raises:
        Refusal: bad-name, task-exists, unknown-party, removed-party.
    """
    tick(draft, now)
    standing(draft, user)
    fresh(draft, "task", name)
    put_task(draft, name, Task(user=user, disputes={}))


def assign(draft: Draft, name: str, pairs: Sequence[tuple[str, str, int]], now: int) -> None:
    """A round of the auction: (task, provider, price), the price from its user into escrow, a stake behind each.

    Raises:
        Refusal: bad-name, round-exists, empty-round, wrong-state, barred-party, unknown-party, removed-party,
            beyond-balance, or see ``amount_of``.
    """
    tick(draft, now)
    rules = rules_of(draft)
    fresh(draft, "round", name)
    if not pairs:
        raise Refusal("empty-round", "a round assigns a task")
    for task_name, provider, price in pairs:
        task = in_state(draft, task_name, *WAITING)
        if barred(draft, provider):
            raise Refusal("barred-party", f"{provider} is being challenged")
        lock(draft, task.user, escrow_of(task_name), price)
        lock(draft, provider, stake_of(provider, task_name), rules.stake)
        put_task(draft, task_name, replace(task, state="assigned", provider=provider, round=name))
        draft.state_fact(f"open:{provider}", [*open_tasks(draft, provider), task_name])
    tasks = [task_name for task_name, _, _ in pairs]
    due = now + rules.work + rules.delta
    reveals = due + 1 + rules.delta + 1
    put_round(
        draft,
        name,
        Round(
            tasks=tasks,
            due=due,
            opens=due + 1,
            reveals=reveals,
            unsealed=tasks,
            unpublished=tasks,
            pledges={},
            nonces={},
        ),
    )


def commit(draft: Draft, name: str, provider: str, sealed: str, now: int) -> None:
    """The provider publishes seal(provider, task, content, nonce): what it found, without showing it.

    Raises:
        Refusal: unknown-task, wrong-state, not-the-provider, late.
    """
    tick(draft, now)
    task = in_state(draft, name, "assigned")
    _acting(task, provider)
    if now > round_of(draft, task.round).due:
        raise Refusal("late", f"{name}: sealing was due by {round_of(draft, task.round).due}")
    put_task(draft, name, replace(task, state="committed", sealed=sealed))
    _advance(draft, task.round, name, now, published=False)


def publish(draft: Draft, name: str, provider: str, content: str, nonce: str, now: int) -> None:
    """The provider opens what it sealed; the window begins.

    Raises:
        Refusal: unknown-task, wrong-state, not-the-provider, rivals-unsealed, late, not-what-was-sealed.
    """
    tick(draft, now)
    rules = rules_of(draft)
    task = in_state(draft, name, "committed")
    _acting(task, provider)
    opens = round_of(draft, task.round).opens
    if now < opens:
        raise Refusal("rivals-unsealed", f"{name}: rivals have until {opens - 1} to seal")
    if now > opens + rules.delta:
        raise Refusal("late", f"{name}: opening was due by {opens + rules.delta}")
    if seal(provider, name, content, nonce) != task.sealed:
        raise Refusal("not-what-was-sealed", f"{name}: the opening does not match the seal")
    put_task(draft, name, replace(task, state="opened", content=content, window_ends=now + rules.window))
    _advance(draft, task.round, name, now, published=True)


def miss(draft: Draft, name: str, now: int) -> None:
    """Anyone notes that a provider was late: missed_share of its stake is burnt, the task goes back.

    Raises:
        Refusal: unknown-task, wrong-state, not-late.
    """
    tick(draft, now)
    rules = rules_of(draft)
    task = in_state(draft, name, "assigned", "committed")
    rivals = round_of(draft, task.round)
    due = rivals.due if task.state == "assigned" else rivals.opens + rules.delta
    if now <= due:
        raise Refusal("not-late", f"{name}: its provider has until {due}")
    stake = stake_of(task.provider, name)
    slash(draft, stake, split(draft.balance(stake), rules.missed_share)[0])
    _hand_back(draft, name, "missed", "late", now)


def challenge(draft: Draft, name: str, challenger: str, now: int) -> None:
    """A user or provider disputes a published result, behind a bond; others may at the same time.

    Raises:
        Refusal: unknown-task, wrong-state, window-closed, own-result, repeated-challenge, unknown-party,
            removed-party, beyond-balance.
    """
    tick(draft, now)
    task = in_state(draft, name, "opened", "challenged")
    if now > task.window_ends:
        raise Refusal("window-closed", f"{name}: could be challenged until {task.window_ends}")
    if challenger == task.provider:
        raise Refusal("own-result", f"{challenger} asserted it")
    if challenger in task.disputes:
        raise Refusal("repeated-challenge", f"{challenger} has challenged this result")
    lock(draft, challenger, bond_of(challenger, name), rules_of(draft).bond)
    dispute(draft, name, challenger)


def dispute(draft: Draft, name: str, challenger: str) -> None:
    """Open a dispute over a published result; the system's audits come here directly."""
    task = task_of(draft, name)
    put_task(draft, name, replace(task, state="challenged", disputes=task.disputes | {challenger: OPEN}))


def verdict(draft: Draft, name: str, challenger: str, winner: str, reason: str, now: int) -> None:
    """The referee's word on one dispute, which a transcript must support: ``winner`` is asserter or challenger.

    Asserter: floor(bond x asserter_share) goes to it, the rest is burnt; its result stays open to others. Challenger:
    of the stake floor(challenger_share) goes to it, floor(verifier_share) to the fund, the rest is burnt; the cheat is
    removed for good, its payment goes back to the user and the task to the auction, as do all its other open tasks;
    other challengers have their bonds returned.

    Raises:
        Refusal: unknown-task, wrong-state, no-such-dispute, unknown-winner.
    """
    tick(draft, now)
    task = in_state(draft, name, "challenged")
    if task.disputes.get(challenger) != OPEN:
        raise Refusal("no-such-dispute", f"{name}: {challenger} disputes nothing")
    rules = rules_of(draft)
    if winner == "asserter":
        bond = bond_of(challenger, name)
        slash(draft, bond, draft.balance(bond), (free(task.provider), rules.asserter_share))
        disputes = task.disputes | {challenger: reason}
        put_task(
            draft, name, replace(task, state="challenged" if OPEN in disputes.values() else "opened", disputes=disputes)
        )
    elif winner == "challenger":
        _punish(draft, rules, task.provider, name, challenger, reason, now)
    else:
        raise Refusal("unknown-winner", f"winner: {winner!r} is neither asserter nor challenger")


def _punish(draft: Draft, rules: Rules, cheat: str, proven: str, challenger: str, reason: str, now: int) -> None:
    to_challenger = FUND if challenger == SYSTEM else free(challenger)
    shares = ((to_challenger, rules.challenger_share), (FUND, rules.verifier_share))
    for name in open_tasks(draft, cheat):
        if name == proven or rules.forfeit_all:
            stake = stake_of(cheat, name)
            slash(draft, stake, draft.balance(stake), *shares)
        if name == proven:
            _hand_back(draft, name, "reversed", reason, now)
        else:
            _hand_back(draft, name, "handed-back", "its provider cheated", now)
    remove(draft, cheat)


def finalise(draft: Draft, name: str, now: int) -> None:
    """Anyone ends a result's window: the payment and the stake go to the provider.

    Raises:
        Refusal: unknown-task, wrong-state (open disputes: challenged), window-open, undrawn.
    """
    tick(draft, now)
    task = in_state(draft, name, "opened")
    if now <= task.window_ends:
        raise Refusal("window-open", f"{name}: can be challenged until {task.window_ends}")
    if not round_of(draft, task.round).drawn:
        raise Refusal("undrawn", f"{name}: the system's challenges of {task.round} are not drawn yet")
    for account in (escrow_of(name), stake_of(task.provider, name)):
        release(draft, account, task.provider)
    _close(draft, name, task.provider)
    put_task(draft, name, replace(task, state="finalised"))


def _hand_back(draft: Draft, name: str, state: str, why: str, now: int) -> None:
    """To the auction: the payment to the user, bonds to challengers, what is left of the stake to the provider."""
    task = task_of(draft, name)
    release(draft, escrow_of(name), task.user)
    release(draft, stake_of(task.provider, name), task.provider)
    for challenger in task.disputes:
        release(draft, bond_of(challenger, name), challenger)
    _close(draft, name, task.provider)
    put_task(draft, name, Task(user=task.user, state=state, priority=task.priority + 1, why=why, disputes={}))
    _advance(draft, task.round, name, now, published=True)


def _close(draft: Draft, name: str, provider: str) -> None:
    draft.state_fact(f"open:{provider}", [other for other in open_tasks(draft, provider) if other != name])


def _advance(draft: Draft, round_name: str, name: str, now: int, published: bool) -> None:
    """A rival has sealed, or published, or left: when the last has, the next phase begins at once."""
    rivals = round_of(draft, round_name)
    unsealed = [other for other in rivals.unsealed if other != name]
    unpublished = [other for other in rivals.unpublished if other != name] if published else rivals.unpublished
    opens = rivals.opens if unsealed else min(rivals.opens, now)
    reveals = min(rivals.reveals, opens + rules_of(draft).delta + 1)
    if not unpublished:
        reveals = min(reveals, now)
    put_round(
        draft, round_name, replace(rivals, unsealed=unsealed, unpublished=unpublished, opens=opens, reveals=reveals)
    )


def _acting(task: Task, provider: str) -> None:
    if provider != task.provider:
        raise Refusal("not-the-provider", f"{provider} was not assigned it")
