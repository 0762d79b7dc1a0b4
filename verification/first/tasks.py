"""What a ledger knows of a task, its present result and the round it was assigned in (section 5)."""

from dataclasses import asdict, dataclass
from hashlib import sha256

from verification.errors import Refusal
from verification.first.accounts import Draft

WAITING = ("posted", "missed", "reversed", "handed-back")
SYSTEM = "system"
"""The challenger of audits, without a bond."""
OPEN = "open"
"""A dispute without a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task and its present result, if it has one."""

    user: str
    state: str = "posted"
    priority: int = 0
    """How often it came back."""
    why: str = ""
    """Why the last result did not stand."""
    provider: str = ""
    round: str = ""
    sealed: str = ""
    content: str = ""
    """What was sealed: the digest of the signed header, in hex."""
    window_ends: int = 0
    """The last tick at which it can be challenged."""
    disputes: dict[str, str]
    """By challenger: OPEN, or the reason for which it was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The results that were assigned together."""

    tasks: list[str]
    due: int
    """The last tick for sealing."""
    opens: int
    """The first tick for publishing: all have sealed, or are late."""
    reveals: int
    """The first tick for auditors' reveals: all have published, or are late."""
    unsealed: list[str]
    unpublished: list[str]
    pledges: dict[str, str]
    """What each auditor sealed."""
    nonces: dict[str, str]
    """What auditors revealed."""
    drawn: bool = False


def seal(owner: str, subject: str, content: str, nonce: str) -> str:
    """SHA-256, in hex, of who seals what about which subject: another owner cannot open a copy of it."""
    digest = sha256(b"distribute-lab/seal/1")
    for part in (owner, subject, content, nonce):
        digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    return digest.hexdigest()


def tick(draft: Draft, now: int) -> None:
    """Note the time.

    Raises:
        Refusal: bad-time, time-backwards.
    """
    if type(now) is not int or not 0 <= now < 2**62:
        raise Refusal("bad-time", f"now: {now!r} is not a tick")
    if now < (draft.fact("now") or 0):
        raise Refusal("time-backwards", f"now: {now} is before {draft.fact('now')}")
    draft.state_fact("now", now)


def task_of(draft: Draft, name: str) -> Task:
    """A task.

    Raises:
        Refusal: unknown-task.
    """
    plain = draft.fact(f"task:{name}")
    if plain is None:
        raise Refusal("unknown-task", f"there is no task {name!r}")
    return Task(**plain)


def round_of(draft: Draft, name: str) -> Round:
    """A round.

    Raises:
        Refusal: unknown-round.
    """
    plain = draft.fact(f"round:{name}")
    if plain is None:
        raise Refusal("unknown-round", f"there is no round {name!r}")
    return Round(**plain)


def open_tasks(draft: Draft, provider: str) -> list[str]:
    """The tasks a provider has a stake behind."""
    return draft.fact(f"open:{provider}") or []


def barred(draft: Draft, provider: str) -> bool:
    """Whether a challenge runs against any of the provider's results: it takes no new tasks meanwhile."""
    return any(task_of(draft, name).state == "challenged" for name in open_tasks(draft, provider))


def fresh(draft: Draft, kind: str, name: str) -> None:
    """That a name can be given to a new task or round.

    Raises:
        Refusal: bad-name, task-exists, round-exists.
    """
    if not isinstance(name, str) or not 0 < len(name) <= 128 or not name.isprintable():
        raise Refusal("bad-name", f"{kind}: {name!r} is not a name of 1 to 128 printable characters")
    if draft.fact(f"{kind}:{name}") is not None:
        raise Refusal(f"{kind}-exists", f"there is a {kind} {name!r} already")


def in_state(draft: Draft, name: str, *states: str) -> Task:
    """A task that is in one of the states.

    Raises:
        Refusal: unknown-task, wrong-state.
    """
    task = task_of(draft, name)
    if task.state not in states:
        raise Refusal("wrong-state", f"{name}: is {task.state}, not {' or '.join(states)}")
    return task


def put_task(draft: Draft, name: str, task: Task) -> None:
    """State a task anew."""
    draft.state_fact(f"task:{name}", asdict(task))


def put_round(draft: Draft, name: str, rivals: Round) -> None:
    """State a round anew."""
    draft.state_fact(f"round:{name}", asdict(rivals))
