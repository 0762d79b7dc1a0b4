"""What a token costs on a card that lies idle anyway, beside renting one, and beside what the auction pays for it."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction.data import hardware, traces
from auction.data.hardware import ELECTRICITY, REFERENCE_CARD, REFERENCE_REQUEST, Cards, Model
from auction.market import MICRO, Float
from auction.mechanisms import run as settle
from experiments import plots, statistics
from experiments.claims import Results, Size, Verdict
from experiments.progress import track
from experiments.statistics import AMOUNT
from experiments.sweep import Draw, seed_range

TITLE = "Cost-efficiency of idle consumer cards"
PART = "allocation"
SECTION = "1"
STATEMENT = (
    "This approach not only ensures cost-efficiency but also delivers reliability and performance to a broader "
    "spectrum of users."
)
BATCH = 32

# Dollars that the makers announced at launch, of the cards that are rented too.
LIST_PRICE = {
    "GeForce RTX 3060 12 GB": 329.0,
    "GeForce RTX 3060 Ti": 399.0,
    "GeForce RTX 3070": 499.0,
    "GeForce RTX 3080": 699.0,
    "GeForce RTX 3090": 1499.0,
    "GeForce RTX 4060 Ti 16 GB": 499.0,
    "GeForce RTX 4070 Ti SUPER": 799.0,
    "GeForce RTX 4090": 1599.0,
    "GeForce RTX 5090": 1999.0,
}
HOURS = 20_000.0  # of full load that wear a card out. An assumption
WAITING = 0.1  # of the full power, drawn by a card with a model loaded that waits for work. An assumption
TARIFFS = (0.08, ELECTRICITY, 0.30, 0.45)  # dollars a kWh
UTILISATIONS = (1.0, 0.5, 0.2, 0.05)  # of the hours that a card waits or works
MARKETS = {"tiny": 2, "small": 10, "full": 40}
SIZE = (100, 200)
LANGUAGE = tuple(model for model in hardware.MODELS if model.trace != "image")

VARIED = {
    "model": "{costs.model}",
    "power price": "{costs.tariff} dollars a kWh",
    "share of its hours that a card works": "{costs.utilisation:%}",
    "requests at once on a rented card": f"1, {BATCH}",
}
FIXED = {
    "request": "512 prompt and 128 generated tokens",
    "speed": "roofline, 0.4 of the arithmetic and 0.6 of the bandwidth",
    "wear": f"list price over {HOURS:,.0f} hours of full load",
    "power": "nominal, of the card alone",
    "rental offers": "one catalogue of 2025",
    "requests at once on an idle card": "1",
}


def seconds(model: Model, cards: Cards, batch: int = 1) -> Float:
    """(cards,) seconds a generated token, its share of the prompt included, with ``batch`` requests served at once.

    Prompts are computed one after another; a step that decodes a token of each of B requests reads the weights once:
    s = (max(p F / C, W / b) + g max(B F / C, W / b) / B) / g, as ``hardware.seconds`` has it at B = 1.
    """
    prompt, generated = REFERENCE_REQUEST[model.trace]
    compute = model.flop / (hardware.COMPUTE_EFFICIENCY * cards.compute)
    reading = model.weights / (hardware.BANDWIDTH_EFFICIENCY * cards.bandwidth)
    first = np.maximum(prompt * compute, reading)
    return np.asarray(first / generated + np.maximum(batch * compute, reading) / batch)


def idle_hour(power: float, price: float, tariff: float, utilisation: float) -> float:
    """Dollars that an hour of work costs the owner of a card: power while it works and waits for it, and wear.

    Args:
        power: W.
        price: dollars of a new card; 0 to leave wear out.
        tariff: dollars a kWh.
        utilisation: hours of work over hours that the card is on for it.
    """
    drawn = power / 1000.0 * (1.0 + WAITING * (1.0 / utilisation - 1.0))
    return tariff * drawn + price / HOURS


def run(size: Size, block: int = 0) -> Results:
    """Dollars a million generated tokens: on idle cards, on rented ones, and as the auction prices them."""
    cards, offers = hardware.catalogue(), traces.load_offers(traces.data_directory(""))
    rows = []
    for model in LANGUAGE:
        fits = hardware.fits((model,), cards)
        for name in sorted({*offers, *LIST_PRICE}):
            place = cards.index(name)
            if not fits[place]:
                continue
            for batch in (1, BATCH):
                million = seconds(model, cards, batch)[place] * 1e6 / 3600.0
                if name in offers:
                    rows.append((model.name, name, "rented", batch, np.nan, np.nan, offers[name] * million))
            if name not in LIST_PRICE:
                continue
            hours = seconds(model, cards)[place] * 1e6 / 3600.0
            for tariff in TARIFFS:
                for used in UTILISATIONS:
                    for kind, price in (("idle, power", 0.0), ("idle, power and wear", LIST_PRICE[name])):
                        hour = idle_hour(float(cards.power[place]), price, tariff, used)
                        rows.append((model.name, name, kind, 1, tariff, used, hour * hours))
    columns = ["model", "card", "kind", "batch", "tariff", "utilisation", "dollars"]
    return {"costs": pd.DataFrame(rows, columns=columns), "auction": _auction(seed_range(MARKETS[size], block), offers)}


def _auction(seeds: range, offers: dict[str, float]) -> pd.DataFrame:
    """What users pay for a million tokens of chat 8B under the whitepaper's auction, one row a market."""
    generated, token = REFERENCE_REQUEST["chat"][1], offers[REFERENCE_CARD] / 3600.0
    rows = []
    for seed in track(seeds, "the auction's prices"):
        market = Draw("marketplace", *SIZE, seed, 1).market()
        found = settle(market, "whitepaper")
        won = np.unique(found.allocation.task)
        tokens = float(market.demand[won].sum()) * generated
        paid = float(found.payment.sum()) / MICRO * token
        rows.append((seed, len(won), 1e6 * paid / tokens if tokens else np.nan))
    return pd.DataFrame(rows, columns=["seed", "winners", "dollars"])


def compared(costs: pd.DataFrame, tariff: float = ELECTRICITY, utilisation: float = 1.0) -> pd.DataFrame:
    """By model: dollars a million tokens on the idle cards that hold it, and rented; NaN where no idle card does."""
    rows = []
    for model, own in costs.groupby("model", sort=False):
        here = own[(own["tariff"] == tariff) & (own["utilisation"] == utilisation)]
        idle = {kind: here[here["kind"] == kind]["dollars"] for kind in ("idle, power", "idle, power and wear")}
        rented = own[own["kind"] == "rented"].groupby("batch")["dollars"].min()
        wear = idle["idle, power and wear"]
        rows.append(
            (model, len(wear), idle["idle, power"].median(), wear.median(), wear.min(), rented[1], rented[BATCH])
        )
    columns = ["model", "idle cards", "power", "power and wear", "cheapest", "rented, one at once", "rented, batched"]
    return pd.DataFrame(rows, columns=columns)


def check(results: Results) -> Verdict:
    """The criterion at a tariff of 0.15 dollars and full use, for every model that an idle card holds."""
    table = compared(results["costs"])
    held = table[table["idle cards"] > 0]
    one = (held["power and wear"] < held["rented, one at once"]).all()
    batched = (held["power and wear"] < held["rented, batched"]).all()
    chat = held[held["model"] == "chat 8B"].iloc[0]
    low_use = compared(results["costs"], utilisation=min(UTILISATIONS)).set_index("model").loc["chat 8B"]
    mean, low, high = statistics.mean_interval(results["auction"]["dollars"].dropna(), AMOUNT)
    without = ", ".join(table[table["idle cards"] == 0]["model"])
    same = same_card(results["costs"])
    return Verdict(
        "upheld" if one and batched else "qualified" if one else "refuted",
        f"a million tokens of chat 8B: {chat['power and wear']:.2f} dollars on the median idle card, "
        f"{chat['rented, one at once']:.2f} on the cheapest rented one, {chat['rented, batched']:.2f} where that "
        f"serves {BATCH} requests at once",
        f"Power alone is {chat['power']:.2f}, and a card rented costs {same.median():.1f} times what it costs its "
        f"owner ({same.min():.1f} to {same.max():.1f}): the cheapest offers and batches undo that. Where a card works "
        f"{min(UTILISATIONS):.0%} of its hours the median owner breaks even at {low_use['power and wear']:.2f}. "
        f"Users of the auction, where costs are rental prices, pay {mean:.2f} ({low:.2f} to {high:.2f}, "
        f"{len(results['auction'])} markets). " + (f"No consumer card at hand holds {without}." if without else ""),
    )


def same_card(costs: pd.DataFrame) -> pd.Series:
    """By card, chat 8B, one request at once: its rental price over its owner's power and wear at full use."""
    own = costs[(costs["model"] == "chat 8B") & (costs["batch"] == 1)]
    rented = own[own["kind"] == "rented"].set_index("card")["dollars"]
    here = (own["kind"] == "idle, power and wear") & (own["tariff"] == ELECTRICITY) & (own["utilisation"] == 1.0)
    return (rented / own[here].set_index("card")["dollars"]).dropna()


def figures(results: Results) -> dict[str, Figure]:
    """Dollars a million tokens by model and card; and over the use of a card, by tariff."""
    costs = results["costs"]
    figure, (left, right) = plots.canvas(2, width=10.0, height=3.8)
    shown = {"idle, power": "power", "idle, power and wear": "power and wear"}
    models = [model.name for model in LANGUAGE]
    base = costs[(costs["tariff"].isna()) | ((costs["tariff"] == ELECTRICITY) & (costs["utilisation"] == 1.0))]
    series = {
        **{label: base[base["kind"] == kind] for kind, label in shown.items()},
        "rented, one at once": base[(base["kind"] == "rented") & (base["batch"] == 1)],
        f"rented, {BATCH} at once": base[(base["kind"] == "rented") & (base["batch"] == BATCH)],
    }
    for offset, (label, own), colour in zip((-0.27, -0.09, 0.09, 0.27), series.items(), plots.PALETTE, strict=False):
        left.scatter(
            own["dollars"], [models.index(each) - offset for each in own["model"]], s=14, color=colour, label=label
        )
    left.set_yticks(range(len(models)), models)
    left.set(xscale="log", xlabel="dollars a million tokens, one dot a card")
    left.legend(loc="upper center", bbox_to_anchor=(0.4, -0.2), ncols=2)
    chat = costs[(costs["model"] == "chat 8B") & (costs["kind"] == "idle, power and wear")]
    for tariff, colour in zip(TARIFFS, plots.PALETTE, strict=False):
        own = chat[chat["tariff"] == tariff].groupby("utilisation")["dollars"].median()
        right.plot(own.index, own, marker="o", markersize=4, color=colour, label=f"{tariff:.2f} dollars a kWh")
    rented = compared(costs).set_index("model").loc["chat 8B"]
    right.axhline(rented["rented, one at once"], color=plots.INK, linewidth=0.8)
    right.axhline(rented["rented, batched"], color=plots.INK, linewidth=0.8, linestyle=":")
    right.set(xscale="log", yscale="log", xlabel="share of its hours that a card works", ylabel="break-even, chat 8B")
    right.set_xticks(UTILISATIONS, [f"{each:.0%}" for each in UTILISATIONS])
    right.minorticks_off()
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return {
        "What a million tokens cost, and the price at which the median idle card breaks even; lines: rented, one "
        f"request at once, and {BATCH} (dotted)": figure
    }


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Break-even prices by model, power price and use; what the auction's users pay."""
    settings = [(tariff, used) for tariff in TARIFFS for used in UTILISATIONS]
    wide = [compared(results["costs"], *each).assign(**{"dollars a kWh": each[0], "use": each[1]}) for each in settings]
    return {
        "Dollars a million tokens at 0.15 dollars a kWh and full use": compared(results["costs"]),
        "Break-even price a million tokens over power price and use": pd.concat(wide, ignore_index=True),
        "What users pay a million tokens of chat 8B in the whitepaper's auction": results["auction"],
    }
