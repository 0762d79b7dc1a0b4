"""Orders as the auction sees them: which wait; and which are refused since no device could ever run them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    requests: Iterable[Mapping[str, Any]],
    came: Mapping[str, bytes],
    stored: Callable[[str], bytes | None],
) -> None:
    """That devices could run what is ordered: before it is performed, so that nobody waits in vain.

    Args:
        models: that are traded, by digest.
        requests: as the order's schema reads them.
        came: inputs, by digest; ``stored``: those that came before.

    Raises:
        Refusal: unknown-model, missing-input, unrunnable.
    """
    for asked in requests:
        model, raw = models.get(asked["model"]), came.get(asked["input"]) or stored(asked["input"])
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
