"""Which models a device could offer, and how many requests of each a round: from what it holds and has measured."""

from collections.abc import Iterable, Mapping

from experiments.marketplace.messages import Preflight, Suitable
from experiments.marketplace.models import Known

REQUEST = 64
"""Tokens of a request by which a device's rate is told: what one of a model comes to is known when it is ordered."""
LEAST, MOST = 2, 2**20
"""Of s: the auction takes floor(psi s), so with less a device that failed once would be leased nothing any more."""


def suitable(
    models: Iterable[Known],
    preflight: Preflight,
    speeds: Mapping[str, float],
    round_seconds: float,
    limit_seconds: float,
    psi: float,
) -> Suitable:
    """By model ``s``, floor(M T / (macs of a token x ``REQUEST``)), at least ``LEAST``, which what was not measured yet
    has; or why it is none for this device.

    Args:
        speeds: M, multiply-accumulates a second, by the names of models that the device measured.
        round_seconds: T.
        limit_seconds: that a lease gives: what is slower is refused.
        psi: the device's reliability, which it is told beside.
    """
    fits, reasons = dict[str, int](), dict[str, str]()
    for model in models:
        work = model.macs * REQUEST
        if model.memory > preflight.memory:
            reasons[model.name] = f"it needs {model.memory} bytes, the device has {preflight.memory}"
        elif (speed := speeds.get(model.name)) is None:
            fits[model.name] = LEAST
        elif not speed * limit_seconds >= work:
            takes = f"take {work / speed:.0f} s" if speed else "never come"
            reasons[model.name] = (
                f"{REQUEST} tokens would {takes}; longer rounds give a lease more than its {limit_seconds:g} s"
            )
        else:
            fits[model.name] = min(MOST, max(LEAST, int(speed * round_seconds / work)))
    return Suitable(fits, reasons, psi)
