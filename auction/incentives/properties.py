"""What a mechanism promises, measured on one market: who loses, what is left over, welfare, and regret."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from auction import mechanisms, solvers
from auction.errors import InputError
from auction.incentives.misreports import regrets
from auction.market import Int, Market
from auction.welfare import provider_utility, user_utility, welfare

MISREPORTS = (0.5, 0.8, 1.25, 2.0)
BOUND_SECONDS = 20.0


def properties(
    market: Market,
    mechanism: str,
    *,
    reading: str | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    misreports: Sequence[float] = MISREPORTS,
    sample: int = 20,
) -> dict[str, Any]:
    """Individual rationality, budget balance, welfare beside its bound, surplus and regret; micro-tokens.

    Args:
        misreports: factors on value (and demand, those above 1), at least one, each positive.
        sample: how many tasks misreport, drawn by the seed; all where there are fewer.

    Returns:
        ``users_losing``, ``providers_losing``: how many have a negative utility; ``worst_loss``: the largest of their
        losses; ``budget_surplus``: payments less receipts; ``welfare`` and ``optimum_or_bound``, the optimum where it
        is proven within seconds; ``user_surplus``, ``provider_surplus``: sums of utilities; ``regret_mean``,
        ``regret_max``, ``share_gaining``: over the sampled tasks, by misreports of value and inflated demand;
        ``split_regret_mean``, ``split_regret_max``, ``split_share_gaining``: the same by false names; ``epsilon``: of
        differential privacy, or None.

    Raises:
        InputError: as ``mechanisms.run``, factors that are not positive, or a sample below 1.
    """
    if not misreports or not all(0 < factor < float("inf") for factor in misreports):
        raise InputError(f"misreports: {list(misreports)} is not allowed; positive factors, at least one")
    if sample < 1:
        raise InputError(f"sample: {sample} is not allowed; an integer from 1 up")
    _, chosen, _ = mechanisms.prepare(mechanism, reading, seed, options or {})

    settled = mechanisms.run(market, mechanism, reading=chosen, seed=seed, options=options)
    users = user_utility(market, settled.allocation, settled.payment)
    providers = provider_utility(market, settled.allocation, settled.receipt)
    bound = solvers.solve(market, "column_generation", reading=chosen, time_limit=BOUND_SECONDS, seed=seed).bound
    tasks = np.sort(np.random.default_rng(seed).permutation(market.tasks)[:sample])
    most = regrets(
        market,
        lambda reported: mechanisms.run(reported, mechanism, reading=chosen, seed=seed, options=options),
        tasks,
        misreports,
    )
    honest_demand = np.maximum(most["value"], most["demand"])
    return {
        "users_losing": int((users < 0).sum()),
        "providers_losing": int((providers < 0).sum()),
        "worst_loss": int(-min(users.min(initial=0), providers.min(initial=0))),
        "budget_surplus": settled.budget_surplus,
        "welfare": welfare(market, settled.allocation),
        "optimum_or_bound": bound,
        "user_surplus": int(users.sum()),
        "provider_surplus": int(providers.sum()),
        **_spread("", honest_demand),
        "epsilon": settled.epsilon,
        **_spread("split_", most["split"]),
    }


def _spread(prefix: str, regret: Int) -> dict[str, Any]:
    return {
        f"{prefix}regret_mean": float(regret.mean()) if regret.size else 0.0,
        f"{prefix}regret_max": int(regret.max(initial=0)),
        f"{prefix}share_gaining": float((regret > 0).mean()) if regret.size else 0.0,
    }
