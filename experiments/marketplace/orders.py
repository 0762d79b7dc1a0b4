"""Orders as the auction sees them: which wait; and which are refused since no device could ever run them."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.marketplace.messages import MOST_OUTPUT
from experiments.marketplace.models import Known
from verification.errors import Refusal
from verification.ledger.event import Event

OWN = ("input", "limit", "seed")
"""What each request of an order may have of its own; each temperature takes a graph."""
MOST_DRAWN = 16


class Orders:
    """A fold of the events: all that wait, in the order in which they came."""

    def __init__(self) -> None:
        self.waiting: dict[str, dict[str, Any]] = {}
        """The ledger's facts of orders of which some requests wait, by name."""

    def fold(self, event: Event) -> None:
        for kind, subject, value in event.facts:
            if kind == "order":
                if value is not None and value["waiting"]:
                    self.waiting[subject] = value
                else:
                    self.waiting.pop(subject, None)


def check_requests(
    models: Mapping[str, Known],
    requests: Sequence[Mapping[str, Any]],
    came: Mapping[str, bytes],
) -> None:
    """That devices could run what is ordered: before it is performed, so that nobody waits in vain.

    Args:
        models: that are traded, by digest.
        requests: as the order's schema reads them.
        came: inputs, by digest. What others sent is not taken: digests are public, and whoever named another's would be
            shown its prompt by a device of its own.

    Raises:
        Refusal: empty-order, unknown-model, missing-input, unrunnable.
    """
    if not requests:
        raise Refusal("empty-order", "an order has a request")
    drawn = {tuple((name, value) for name, value in asked.items() if name not in OWN) for asked in requests}
    if len(drawn) > MOST_DRAWN:
        raise Refusal("unrunnable", f"{len(drawn)} ways to draw tokens; an order has at most {MOST_DRAWN}")
    for asked in requests:
        model, raw = models.get(asked["model"]), came.get(asked["input"])
        if model is None:
            names = ", ".join(sorted(known.name for known in models.values()))
            raise Refusal("unknown-model", f"no model {asked['model']} is traded here; {names} are")
        if raw is None:
            raise Refusal("missing-input", f"the input {asked['input']} has not come")
        if (size := 4 * model.words(asked, raw)) > MOST_OUTPUT:
            raise Refusal("unrunnable", f"{model.name}: an output of {size} bytes; at most {MOST_OUTPUT} are delivered")


def check_bid(requests: Sequence[Mapping[str, Any]], bid: int) -> None:
    """That a bid pays the least that leases of its models can come to: a micro-token each, and one of a fee.

    Raises:
        Refusal: bid-too-small.
    """
    least = 2 * len({asked["model"] for asked in requests})
    if bid < least:
        raise Refusal("bid-too-small", f"a bid of {bid} micro-tokens; no device could ever be leased it below {least}")
