"""A wrong result, a claim against it, and their dispute, on a ledger of their own: what ``dispute`` shows (section 5).

A user orders, the asserter's device delivers what its trace gives, the challenger claims its own root with a bond, and
the coordinator conducts the dispute and settles it. Nobody else is there: the result is not audited, and no deputy
plays for an asserter that is silent.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.adversaries.break_dispute import Wrapper
from verification.adversaries.cast import PRICE, PROVIDER
from verification.adversaries.coordinate import settle, told
from verification.adversaries.scene import Scene
from verification.computation import Computation
from verification.dispute.dispute import Dispute
from verification.encoding.signature import public
from verification.market.records import Claim, Device, Lease, Order
from verification.market.rules import Rules
from verification.task import Task
from verification.trace import Trace

CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True)
class Contest:
    """A dispute that was settled."""

    dispute: Dispute
    transcript: dict[str, Any]
    settled: dict[str, Any]
    """Price, stake and bond; what the challenger, the fund and the fire gained; what became of the task and the key."""
    head: str
    """Of the ledger: N:DIGEST of its last event."""


def contest(
    task: Task,
    computation: Computation,
    wrong: Trace,
    right: Trace,
    prompt_chunk: int,
    wrap: Wrapper | None = None,
    path: Path | str = ":memory:",
) -> Contest:
    """Dispute a wrong trace, with keys made for it.

    Args:
        computation: the referee's.
        wrap: how the asserter breaks the protocol.
        path: of the ledger's file, which must not be there.
    """
    scene = Scene(
        Rules(),
        computation=computation,
        task=task,
        right=right,
        strangers=(),
        own=False,
        keys=lambda name: Ed25519PrivateKey.generate(),
        prompt_chunk=prompt_chunk,
        path=path,
    )
    with scene.ledger:
        asserter = scene.parties[PROVIDER]
        challenger = scene.join(CHALLENGER, serves=False)
        asserter.trace, asserter.wrap = wrong, wrap
        asserter.pace = challenger.pace = 1
        lease = scene.lend(unaudited=True)
        stake = scene.find(Lease, lease).stake
        scene.deliver(lease)
        scene.publish(lease)
        claim = scene.claim(CHALLENGER, lease, right)
        bond = scene.find(Claim, claim).bond
        settle(scene, lambda: claim in scene.decided)
        order = scene.find(Order, scene.names("order")[0])
        settled = {
            "price": PRICE,
            "stake": stake,
            "bond": bond,
            "reward": scene.gain(CHALLENGER),
            "fund": scene.fund,
            "burnt": scene.burnt,
            "removed": scene.find(Device, public(asserter.device)).removed,
            "task": _fate(order),
        }
        held = scene.decided[claim]
        return Contest(held.dispute, told(scene, held), settled, "{}:{}".format(*scene.ledger.head))


def _fate(order: Order) -> str:
    """What became of the order."""
    return f"waits again, ranked higher by {order.rank}" if order.waiting else "stays with its device"
