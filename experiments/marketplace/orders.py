"""Orders as the auction sees them: which wait; and which are refused since no device could ever run them."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.marketplace.messages import MOST_OUTPUT
from experiments.marketplace.models import Known
from verification.errors import Refusal
from verification.ledger.event import Event


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
    for asked in requests:
        model, raw = models.get(asked["model"]), came.get(asked["input"])
        if model is None:
            names = ", ".join(sorted(known.name for known in models.values()))
            raise Refusal("unknown-model", f"no model {asked['model']} is traded here; {names} are")
        if raw is None:
            raise Refusal("missing-input", f"the input {asked['input']} has not come")
        shape = model.shape(asked, raw)
        if (size := 4 * shape.rows * shape.words) > MOST_OUTPUT:
            raise Refusal("unrunnable", f"{model.name}: an output of {size} bytes; at most {MOST_OUTPUT} are delivered")


def check_bid(requests: Sequence[Mapping[str, Any]], bid: int) -> None:
    """That a bid pays the least that leases of its models can come to: a micro-token each, and one of a fee.

    Raises:
        Refusal: bid-too-small.
    """
    least = 2 * len({asked["model"] for asked in requests})
    if bid < least:
        raise Refusal("bid-too-small", f"a bid of {bid} micro-tokens; no device could ever be leased it below {least}")
