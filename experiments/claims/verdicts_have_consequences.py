"""What follows from a challenge in the market that runs: the provider barred, and where it was wrong, removed; the
transaction reversed, the task back at a higher rank."""

from collections.abc import Iterable

import pandas as pd
from matplotlib.figure import Figure

from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict, _market_runs, undecided
from experiments.marketplace.simulation.fleet import ROUND
from experiments.progress import track
from verification.ledger.event import Event
from verification.market.accounts import escrow, fee

TITLE = "Barring, removal, reversal and priority follow from challenges"
PART = "market"
SECTION = "5"
STATEMENT = (
    "While a challenge is running, the challenged provider is temporarily barred from accepting tasks. … Punishments "
    "result in nefarious providers being removed from the network with prejudice and the invalid transaction being "
    "reversed. The user's task will then be returned to the auction with higher priority."
)
FEW = 10  # results that fell

# Orders, devices, seeds
GRID: dict[Size, tuple[int, int, int]] = {"tiny": (300, 40, 1), "small": (1_000, 150, 4), "full": (10_000, 1_000, 10)}
DISHONEST = 0.4
VARIED = {"who won": "{disputes.winner}", "how disputes end": "{disputes.reason}"}
FIXED = _market_runs.FIXED | {"dishonest devices": "40 %, of every kind"}
CHANGED = _market_runs.CHANGED


class Consequences:
    """Follows a market's events: a row a dispute that ended, and a row a result that fell."""

    def __init__(self) -> None:
        self.disputes: list[dict[str, object]] = []
        self.fallen: list[dict[str, object]] = []
        self._claims: dict[str, str] = {}
        self._leases: dict[str, dict[str, object]] = {}
        self._orders: dict[str, dict[str, object]] = {}
        self._barred: dict[str, list[int]] = {}
        """By device: since which tick, rounds that passed it by, leases that did not."""
        self._removed: dict[str, dict[str, object]] = {}

    def fold(self, event: Event) -> None:
        """Take in an event."""
        if event.request.kind == "assign":
            self._assigned([str(terms["device"]) for terms in event.request.content["leases"]])
        if event.request.kind == "verdict":
            self._verdict(event)
        for kind, subject, value in event.facts:
            if value is None:
                continue
            if kind == "claim":
                self._claims.setdefault(subject, value["lease"])
            elif kind == "lease":
                self._leases[subject] = value
            elif kind == "order":
                self._orders[subject] = value
            elif kind == "device" and value["disputed"]:
                self._barred.setdefault(subject, [event.tick, 0, 0])
            elif kind == "device":
                self._barred.pop(subject, None)

    def _assigned(self, devices: list[str]) -> None:
        for device, seen in self._barred.items():
            seen[1] += 1
            seen[2] += device in devices
        for device in devices:
            if device in self._removed:
                self._removed[device]["leases after"] = int(str(self._removed[device]["leases after"])) + 1

    def _verdict(self, event: Event) -> None:
        content = event.request.content
        name = self._claims[content["claim"]]
        lease = self._leases[name]
        device = str(lease["device"])
        since, rounds, leases = self._barred[device]
        self.disputes.append(
            {
                "winner": content["winner"],
                "reason": content["reason"],
                "barred": (event.tick - since) / ROUND,
                "rounds": rounds,
                "leases": leases,
            }
        )
        if content["winner"] == "challenger":
            self._fell(event, name, device)

    def _fell(self, event: Event, name: str, device: str) -> None:
        lease = self._leases[name]
        order = str(lease["order"])
        user, before = str(self._orders[order]["user"]), self._orders[order]
        facts = {(kind, subject): value for kind, subject, value in event.facts}
        after, then = facts.get(("order", order)) or before, facts.get(("device", device)) or {}
        own = {escrow(user, name), fee(user, name)}
        came = sum(amount for source, to, amount in event.moves if source in own and to == escrow(user, order))
        went = sum(amount for source, to, amount in event.moves if source in own and to != escrow(user, order))
        row: dict[str, object] = {
            "removed": bool(then.get("removed")),
            "leases after": 0,
            "returned": came / max(1, came + went),
            "whole": came >= int(str(lease["price"])),
            "waits": bool(after["waiting"]),
            "raised": int(str(after["rank"])) - int(str(before["rank"])),
            "order": order,
        }
        self.fallen.append(row)
        self._removed[device] = row


def followed(events: Iterable[Event]) -> Consequences:
    """What followed in a market."""
    found = Consequences()
    for event in events:
        found.fold(event)
    return found


def run(size: Size, block: int = 0) -> Results:
    """Every dispute and every fallen result of markets with cheats, from their ledgers' events."""
    orders, devices, seeds = GRID[size]
    disputes, fallen = [], []
    for seed in track(_market_runs.seeds(seeds, block), "markets with disputes"):
        with _market_runs.ran(seed, orders, devices, DISHONEST) as world:
            found = followed(world.ledger.events())
            lives = world.measures.lives
        disputes += [row | {"seed": seed} for row in found.disputes]
        fallen += [row | {"seed": seed, "outcome": lives[str(row.pop("order"))].outcome} for row in found.fallen]
    columns = ["removed", "leases after", "returned", "whole", "waits", "raised", "seed", "outcome"]
    return {
        "disputes": pd.DataFrame(disputes, columns=["winner", "reason", "barred", "rounds", "leases", "seed"]),
        "fallen": pd.DataFrame(fallen, columns=columns),
    }


def _held(results: Results) -> dict[str, int]:
    """In how many of the cases each part of the sentence held."""
    disputes, fallen = results["disputes"], results["fallen"]
    return {
        "barred": int((disputes["leases"] == 0).sum()),
        "removed": int((fallen["removed"] & (fallen["leases after"] == 0)).sum()),
        "reversed": int((fallen["whole"] & (fallen["returned"] == 1)).sum()),
        "returned with priority": int((fallen["waits"] & (fallen["raised"] > 0)).sum()),
    }


def check(results: Results) -> Verdict:
    """The criterion: each part of the sentence, each time."""
    disputes, fallen = results["disputes"], results["fallen"]
    if len(fallen) < FEW:
        return undecided(f"{len(fallen)} results fell; at least {FEW} are needed.")
    held = _held(results)
    wanted = {"barred": len(disputes)} | dict.fromkeys(list(held)[1:], len(fallen))
    broken = [f"{name} {held[name]} of {wanted[name]}" for name in held if held[name] < wanted[name]]
    verdict: Judgement = "refuted" if broken else "upheld"
    passed = int((disputes["rounds"] > 0).sum())
    served = float((fallen["outcome"] == "served").mean())
    return Verdict(
        verdict,
        "; ".join(broken)
        if broken
        else f"{passed} of {passed} challenged devices that a round passed by were leased nothing meanwhile, "
        f"{len(fallen)} of {len(fallen)} that were wrong were removed, the payment returned, the task ranked higher",
        f"Of {len(disputes)} disputes the others ended before the next round. Of the tasks that came back {served:.0%} "
        "were served.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """For how long devices were barred, by who won."""
    figure, (axes,) = plots.canvas()
    for colour, (winner, own) in zip(plots.PALETTE, results["disputes"].groupby("winner"), strict=False):
        ordered = own["barred"].sort_values()
        shares = (pd.RangeIndex(len(ordered)) + 1) / len(ordered)
        axes.step(ordered, shares, where="post", color=colour, label=f"won by the {winner}")
    axes.set(xlabel="rounds for which the device was barred", ylabel="of the disputes", ylim=(0, 1.02))
    plots.percent(axes)
    plots.legend(axes)
    return {"How long challenged devices were barred": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Each part of the sentence, and how disputes ended."""
    held, disputes = _held(results), results["disputes"]
    wanted = [len(disputes)] + [len(results["fallen"])] * (len(held) - 1)
    ends = disputes.groupby(["winner", "reason"], as_index=False).agg(
        disputes=("barred", "size"), barred=("barred", "median"), rounds=("rounds", "sum"), leases=("leases", "sum")
    )
    return {
        "What follows, and how often it did": pd.DataFrame({"part": held.keys(), "held": held.values(), "of": wanted}),
        "How disputes ended": ends,
    }
