"""Adversaries that play for money: what each wins or loses on a ledger, and what honest parties do (section 5).

Each is a function of the rules that plays its game over challenge.py and returns what came of it: gains in micro-tokens
by party, below 0 where it lost, a payment received included; ``burnt``; and what its docstring names. Not all of these
end well: the docstrings say which.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from verification.errors import Refusal
from verification.first.accounts import BURNT, FUND, Draft, deposit, free, register, reward
from verification.first.audit import draw, pledge, reveal
from verification.first.bisection import Dispute, DisputeRules
from verification.first.challenge import assign, challenge, commit, finalise, post, publish, verdict
from verification.first.commitment import commit as committed
from verification.first.commitment import public
from verification.first.exhaustive_check import ASSERTER, CHALLENGERS, Chain, traced
from verification.first.ledger import Ledger
from verification.first.party import honest, play
from verification.first.rules import Rules, adopt
from verification.first.tasks import seal, task_of
from verification.first.transcript import replay, transcript

USER, PROVIDER, HONEST, AUDITOR, *PUPPETS = (f"{number:064x}" for number in range(1, 10))
PURSE, PRICE = 10**9, 1_000_000
RULES = Rules(audit=Fraction(0))
"""Nothing is audited: what happens is the adversary's doing."""
DISPUTE = 50
"""Ticks from a challenge to its verdict."""

Outcome = dict[str, int]


class Game:
    """A ledger on which one provider has just published the results of some tasks; the draw has chosen none.

    ``withholds``: a second auditor does not reveal its nonce, so that the draw chooses all.
    """

    def __init__(self, rules: Rules, tasks: int = 1, withholds: bool = False) -> None:
        self.ledger = Ledger(":memory:")
        self.tasks = [f"task-{number}" for number in range(tasks)]
        self.now = 0
        self.operations = 0
        self.do(adopt, rules)
        for party in (USER, PROVIDER, HONEST, AUDITOR, *PUPPETS):
            self.do(register, party)
            self.do(deposit, party, PURSE)
        for task in self.tasks:
            self.at(post, task, USER)
        self.at(assign, "round", [(task, PROVIDER, PRICE) for task in self.tasks])
        self.at(pledge, "round", AUDITOR, seal(AUDITOR, "round", "", "nonce"))
        if withholds:
            self.at(pledge, "round", PUPPETS[0], seal(PUPPETS[0], "round", "", "kept"))
        for task in self.tasks:
            self.at(commit, task, PROVIDER, seal(PROVIDER, task, "content", "nonce"))
        for task in self.tasks:
            self.at(publish, task, PROVIDER, "content", "nonce")
        self.at(reveal, "round", AUDITOR, "nonce")
        self.now += (rules.delta + 1) * withholds
        self.at(draw, "round")

    def do(self, change: Callable[..., None], *arguments: Any) -> None:
        self.operations += 1
        self.ledger.perform(str(self.operations), change, *arguments)

    def at(self, change: Callable[..., None], *arguments: Any) -> None:
        self.do(change, *arguments, self.now)

    def finalise_all(self) -> int:
        """When the last result is final, at the earliest."""
        ends = [task_of(Draft(self.ledger.state), task).window_ends for task in self.tasks]
        self.now = max(self.now, max(ends) + 1)
        for task in self.tasks:
            self.at(finalise, task)
        return self.now

    def gain(self, *parties: str) -> int:
        """Of parties together, what is still locked not counted."""
        return sum(self.ledger.balance(free(party)) - PURSE for party in parties)

    @property
    def burnt(self) -> int:
        return self.ledger.balance(BURNT)


def wrong_challenger(rules: Rules = RULES) -> Outcome:
    """Disputes a right result: it loses its bond, the provider is paid and has asserter_share of the bond for its cost.

    The provider is no worse off only if that share covers what defending cost it. The rules know no challenge of a
    party without a bond: it would be free.
    """
    game = Game(rules)
    game.at(challenge, game.tasks[0], PUPPETS[0])
    game.at(verdict, game.tasks[0], PUPPETS[0], "asserter", "tile-holds")
    game.finalise_all()
    return {"adversary": game.gain(PUPPETS[0]), "provider": game.gain(PROVIDER), "burnt": game.burnt}


def repeating_challenger(rules: Rules = RULES) -> Outcome:
    """Disputes a right result again and again: refused under its own key, a bond each under four others.

    All at the window's last tick: payment comes ``delay`` ticks late, the length of one dispute whatever the number of
    keys, since disputes run at once. Nothing prevents that delay; it is bought at a bond a key, and one is enough.
    """
    game = Game(rules)
    task = game.tasks[0]
    window_ends = task_of(Draft(game.ledger.state), task).window_ends
    game.at(challenge, task, PUPPETS[0])
    game.at(verdict, task, PUPPETS[0], "asserter", "tile-holds")
    refused = 0
    try:
        game.at(challenge, task, PUPPETS[0])
    except Refusal as refusal:
        refused = int(refusal.reason == "repeated-challenge")
    game.now = window_ends
    for puppet in PUPPETS[1:]:
        game.at(challenge, task, puppet)
    game.now += DISPUTE
    for puppet in PUPPETS[1:]:
        game.at(verdict, task, puppet, "asserter", "tile-holds")
    return {
        "delay": game.finalise_all() - (window_ends + 1),
        "refused": refused,
        "adversary": game.gain(*PUPPETS),
        "provider": game.gain(PROVIDER),
        "burnt": game.burnt,
    }


def thrown_dispute(rules: Rules = RULES) -> Outcome:
    """A cheat's sock-puppet disputes the wrong result first and throws the dispute: it shields nothing.

    An honest challenger has the whole window still and wins; the coalition has lost its stake and, burnt, part of the
    puppet's bond. If nobody honest acts in the window, the wrong result becomes final, puppet or none.
    """
    game = Game(rules)
    game.at(challenge, game.tasks[0], PUPPETS[0])
    game.at(verdict, game.tasks[0], PUPPETS[0], "asserter", "silent")
    game.at(challenge, game.tasks[0], HONEST)
    game.at(verdict, game.tasks[0], HONEST, "challenger", "tile-differs")
    return {
        "adversary": game.gain(PROVIDER, PUPPETS[0]),
        "honest": game.gain(HONEST),
        "user": game.gain(USER),
        "fund": game.ledger.balance(FUND),
        "burnt": game.burnt,
    }


def puppet_wins(rules: Rules = RULES) -> Outcome:
    """A cheat about to be caught has its own sock-puppet win the race: it gets the challenger's share back.

    An honest challenger who was as right has its bond returned and nothing else: nothing prevents that, so only what
    goes to the fund or is burnt deters, ``adversary``. ``unburnt`` is what the coalition loses where the burnt share
    goes to the challenger instead, ``all_to_challenger`` where the fund's does too: then cheating costs nothing.
    ``with_fund``: the first again, where the coalition also holds the fund.
    """

    def played(rules: Rules) -> tuple[int, int, int]:
        game = Game(rules)
        for challenger in (HONEST, PUPPETS[0]):
            game.at(challenge, game.tasks[0], challenger)
        game.at(verdict, game.tasks[0], PUPPETS[0], "challenger", "conceded")
        return game.gain(PROVIDER, PUPPETS[0]), game.gain(HONEST), game.ledger.balance(FUND)

    adversary, right, fund = played(rules)
    everything = Fraction(1)
    return {
        "adversary": adversary,
        "honest": right,
        "with_fund": adversary + fund,
        "unburnt": played(replace(rules, challenger_share=everything - rules.verifier_share))[0],
        "all_to_challenger": played(replace(rules, challenger_share=everything, verifier_share=Fraction(0)))[0],
    }


def fifty_tasks(rules: Rules = RULES) -> Outcome:
    """A cheat on fifty open tasks at once is caught on one: no payment is made for any, all fifty go back.

    It loses fifty stakes where a proven cheat forfeits all (``per_task``), the one where it forfeits the proven task's
    (``proven_only``). One stake behind all fifty (``one_stake``: a fiftieth behind each) costs it a fiftieth of the
    first, for the same fifty payments if it is not caught (``uncaught``).
    """

    def caught(rules: Rules) -> tuple[int, int]:
        game = Game(rules, tasks=50)
        game.at(challenge, game.tasks[7], HONEST)
        game.at(verdict, game.tasks[7], HONEST, "challenger", "tile-differs")
        book = Draft(game.ledger.state)
        back = sum(task_of(book, task).state in ("reversed", "handed-back") for task in game.tasks)
        return game.gain(PROVIDER), back if game.gain(USER) == 0 else 0

    uncaught = Game(rules, tasks=50)
    uncaught.finalise_all()
    per_task, back = caught(replace(rules, forfeit_all=True))
    return {
        "per_task": per_task,
        "proven_only": caught(replace(rules, forfeit_all=False))[0],
        "one_stake": caught(replace(rules, forfeit_all=True, stake=rules.stake // 50))[0],
        "uncaught": uncaught.gain(PROVIDER),
        "handed_back": back,
    }


def bought_verdict(rules: Rules = RULES) -> Outcome:
    """Referee and challenger collude against a right result: the honest provider loses its stake, its place for good.

    The ledger obeys the verdict and knows no appeal: the coalition gains the challenger's share and, where the referee
    is paid from the fund, the verifier's. What remains is that anyone can replay the dispute's transcript:
    ``exposed`` is 1 if the verdict written under it does not follow from the signed messages, and ``exposed_true`` 0
    since the true one does. Restitution is outside the protocol.
    """
    game = Game(rules)
    game.at(challenge, game.tasks[0], PUPPETS[0])
    game.at(verdict, game.tasks[0], PUPPETS[0], "challenger", "bought")
    fund = game.ledger.balance(FUND)
    if fund:
        game.do(reward, PUPPETS[1], fund)
    true, bought = _transcripts()
    chain = Chain((False,) * 4)
    return {
        "adversary": game.gain(PUPPETS[0], PUPPETS[1]),
        "provider": game.gain(PROVIDER),
        "user": game.gain(USER),
        "burnt": game.burnt,
        "exposed": int(replay(bought, chain) != ""),
        "exposed_true": int(replay(true, chain) != ""),
    }


def bought_acquittal(rules: Rules = RULES) -> Outcome:
    """Referee and cheat collude: honest challengers lose their bonds, the wrong result becomes final and is paid for.

    The cheat has its share of the bonds. A transcript exposes it as in ``bought_verdict``; nothing else does.
    """
    game = Game(rules)
    game.at(challenge, game.tasks[0], HONEST)
    game.at(verdict, game.tasks[0], HONEST, "asserter", "bought")
    game.finalise_all()
    return {"adversary": game.gain(PROVIDER), "honest": game.gain(HONEST), "user": game.gain(USER), "burnt": game.burnt}


def withheld_reveal(rules: Rules = RULES) -> Outcome:
    """An auditor that keeps its nonce to itself loses its pledge, and every result of the round is challenged.

    ``audited`` counts them, of three; without the withholding the draw chooses none.
    """
    game = Game(rules, tasks=3, withholds=True)
    audited = sum(task_of(Draft(game.ledger.state), task).state == "challenged" for task in game.tasks)
    return {"adversary": game.gain(PUPPETS[0]), "audited": audited, "burnt": game.burnt}


def _transcripts() -> tuple[dict[str, Any], dict[str, Any]]:
    """A dispute that an honest asserter wins, and the same messages under the opposite verdict."""
    chain = Chain((False,) * 4)
    right, wrong = traced(chain, (0, 0, 0, 0, 0)), traced(chain, (0, 0, 1, 1, 0))
    opened = committed("task", right, ASSERTER, bytes(32))
    dispute = Dispute(chain, opened.header, public(CHALLENGERS[0]), DisputeRules(delay=10))
    events = play(dispute, honest("asserter", ASSERTER, right), honest("challenger", CHALLENGERS[0], wrong))
    true = transcript({"name": "chain"}, opened, dispute, events)
    return true, true | {"verdict": true["verdict"] | {"winner": "challenger", "loser": "asserter"}}


ADVERSARIES: dict[str, Callable[[Rules], Outcome]] = {
    "wrong-challenger": wrong_challenger,
    "repeating-challenger": repeating_challenger,
    "thrown-dispute": thrown_dispute,
    "puppet-wins": puppet_wins,
    "fifty-tasks": fifty_tasks,
    "bought-verdict": bought_verdict,
    "bought-acquittal": bought_acquittal,
}
