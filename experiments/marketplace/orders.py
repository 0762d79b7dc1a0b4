"""Orders as the auction sees them: which wait; and which are refused since no device could ever run them."""

from collections.abc import Mapping
from typing import Any

from experiments.marketplace.models import Known
from verification.encoding.schema import read
from verification.errors import Refusal
from verification.ledger.event import Event
from verification.market.orders import ORDER


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


def check_order(models: Mapping[str, Known], content: Any, blobs: Mapping[str, bytes]) -> None:
    """That devices could run an order: before it is performed, so that nobody waits in vain.

    Args:
        models: that are traded, by digest.
        content: of the request.
        blobs: inputs, by digest, that came with it or are known.

    Raises:
        Refusal: malformed, unknown-model, missing-input, unrunnable.
    """
    for asked in read(ORDER, content)["requests"]:
        model = models.get(asked["model"])
        if model is None:
            names = ", ".join(sorted(known.name for known in models.values()))
            raise Refusal("unknown-model", f"no model {asked['model']} is traded here; {names} are")
        if asked["input"] not in blobs:
            raise Refusal("missing-input", f"the input {asked['input']} has not come")
        model.shape(asked, blobs[asked["input"]])
