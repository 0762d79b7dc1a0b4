"""Request traces and rental prices: read from a directory, or drawn from tables of what was measured in them.

Sources of the tables: Azure LLM inference traces 2023, chat and code (Microsoft, AzurePublicDataset, CC-BY 4.0),
GenTD26, requests to a Stable Diffusion service (Alibaba clusterdata, cluster-trace-v2026-GenAI, free for research and
study); 67 offers of vast.ai in the catalogue of SkyPilot, 2025.
"""

import csv
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path

import numpy as np

from auction.errors import InputError, unknown
from auction.market import Float, Int
from auction.readers import LARGEST_TEXT, opened

VARIABLE = "DISTRIBUTE_LAB_DATA"
EMBEDDED = "embedded"

TRACES = {  # file below the directory, its two columns
    "chat": ("azure_llm/AzureLLMInferenceTrace_conv.csv", ("ContextTokens", "GeneratedTokens")),
    "code": ("azure_llm/AzureLLMInferenceTrace_code.csv", ("ContextTokens", "GeneratedTokens")),
    "image": ("alibaba_genai/lora_request_trace.csv", ("num_images_per_prompt", "num_inference_steps")),
}
TIME = "TIMESTAMP"  # chat and code
STATUS, SUCCEEDED = "predict_status", "SUCCEED"  # image trace only
OFFERS = "gpu_rental_prices/vast_v8_reduced.csv"
LARGEST_COUNT = 10**9

PERCENT = (0, 1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 99, 99.9, 100)
# Quantiles of prompt and of generated tokens. The two are drawn independently: their rank correlation is 0.07 (chat)
# and -0.02 (code).
TOKENS = {
    "chat": (
        (2, 29, 181, 207, 372, 387, 396, 403, 414, 703, 984, 1020)
        + (1045, 1071, 1097, 1130, 1189, 1315, 1876, 2734, 4083, 4142, 6179, 14050),
        (7, 16, 41, 54, 67, 77, 85, 91, 96, 103, 113, 129)
        + (151, 177, 217, 384, 395, 400, 411, 424, 451, 601, 954, 1000),
    ),
    "code": (
        (3, 17, 75, 147, 232, 386, 578, 770, 939, 1075, 1261, 1469)
        + (1690, 1909, 2164, 2433, 2744, 3192, 3920, 5188, 7303, 7436, 7437, 7437),
        (6, 6, 6, 7, 7, 8, 9, 9, 10, 11, 12, 13) + (14, 16, 18, 20, 24, 29, 39, 55, 90, 251, 825, 1899),
    ),
}
# Quantiles of the microseconds between two requests that follow each other. Drawn independently, they keep less of the
# bursts than the traces hold: the rank correlation of neighbours is 0.04 (chat) and 0.15 (code).
GAPS = {
    "chat": (
        (2, 546, 6320, 16144, 26417, 36519, 48272, 60723, 73459, 87254, 101941, 118424)
        + (137612, 158680, 183170, 213606, 246733, 288826, 345918, 420656, 565194, 889671, 1411171, 4314579)
    ),
    "code": (
        (6, 22, 88, 209, 885, 1184, 2077, 3292, 5344, 15104, 38217, 63798)
        + (89557, 94990, 97944, 100130, 103996, 160069, 198832, 272856, 400776, 2205070, 79232503, 217168952)
    ),
}
# Values and their shares in thousandths, of images and of steps; rank correlation 0.11, drawn independently.
IMAGES = ({1: 578, 2: 82, 4: 191, 8: 149}, {20: 6, 25: 5, 28: 7, 30: 907, 35: 9, 40: 52, 50: 8, 64: 4, 100: 2})

# Names of the offers -> names of the catalogue, and median dollars an hour for one card of an offer.
CARDS = {
    "A100_PCIE": ("A100 PCIe 80 GB", 0.87),
    "A100_SXM4": ("A100 SXM4 40 GB", 0.76),
    "A40": ("A40 PCIe", 0.6675),
    "B200": ("B200", 4.705),
    "H100_NVL": ("H100 NVL 94 GB", 2.1725),
    "H100_SXM": ("H100 SXM5 80 GB", 1.87),
    "H200": ("H200 SXM 141 GB", 2.61875),
    "L40S": ("L40S", 0.6),
    "RTX_3060": ("GeForce RTX 3060 12 GB", 0.27),
    "RTX_3060_Ti": ("GeForce RTX 3060 Ti", 0.1),
    "RTX_3070": ("GeForce RTX 3070", 0.48),
    "RTX_3080": ("GeForce RTX 3080", 0.0925),
    "RTX_3090": ("GeForce RTX 3090", 0.16625),
    "RTX_4060_Ti": ("GeForce RTX 4060 Ti 16 GB", 0.13),
    "RTX_4070S_Ti": ("GeForce RTX 4070 Ti SUPER", 0.18),
    "RTX_4090": ("GeForce RTX 4090", 0.395),
    "RTX_5090": ("GeForce RTX 5090", 0.4675),
    "RTX_6000Ada": ("RTX 6000 Ada Generation", 0.37),
    "RTX_A2000": ("RTX A2000", 0.66625),
    "RTX_A6000": ("RTX A6000", 0.425),
    "RTX_PRO_6000_S": ("RTX PRO 6000 Blackwell Server", 1.13),
    "Tesla_V100": ("Tesla V100 SXM2 16 GB", 0.10625),
}


def data_directory(option: str) -> Path | None:
    """Where the files are: the option, else the environment variable DISTRIBUTE_LAB_DATA; None for the tables.

    Args:
        option: a directory; "embedded" for the tables, whatever the environment says; empty to ask the environment.

    Raises:
        InputError: not a directory.
    """
    if option == EMBEDDED:
        return None
    named = option or os.environ.get(VARIABLE, "")
    if not named:
        return None
    directory = Path(named)
    if not directory.is_dir():
        origin = "option data" if option else VARIABLE
        raise InputError(f"{origin}: {named!r} is not a directory; one with the trace files, or {EMBEDDED!r}")
    return directory


def load_trace(directory: Path, trace: str) -> Int:
    """(rows, 2) prompt and generated tokens (chat, code), or images and steps (image), in the file's order.

    A file is read once a process, and again where it was written to; the array is read-only.
    Of the image trace only requests that succeeded and state both counts, above 0, are kept: of the published file's
    26,823 rows 431 are left out, the 25 without counts among them; of the two others (19,366 and 8,819 rows) none.

    Raises:
        InputError: a file or column that is missing, a count that is no whole number from 0 to LARGEST_COUNT, no rows.
    """
    path = directory / TRACES[trace][0]
    status = path.stat() if path.exists() else None
    return _trace(path, trace, status and (status.st_mtime_ns, status.st_size, status.st_ino))


@lru_cache(maxsize=2 * len(TRACES))
def _trace(path: Path, trace: str, version: tuple[int, int, int] | None) -> Int:
    columns = TRACES[trace][1]
    images = trace == "image"
    rows = []
    for number, row in _rows(path, (*columns, STATUS) if images else columns):
        if images and row[STATUS] != SUCCEEDED:
            continue
        counts = [0 if images and not row[column] else _count(path, number, column, row[column]) for column in columns]
        if not images or all(counts):
            rows.append(counts)
    if not rows:
        raise InputError(f"{path}: holds no usable row; at least one is needed")
    counted = np.array(rows, dtype=np.int64)
    counted.flags.writeable = False
    return counted


def draw_requests(trace: str, count: int, rng: np.random.Generator, rows: Int | None) -> Int:
    """(count, 2) rows of a trace, each as likely as any other; from the embedded table where ``rows`` is None.

    Tokens: the inverse of the distribution, linear between the measured quantiles, rounded; images and steps: values
    by their shares.
    """
    if rows is not None:
        return rows[rng.integers(0, rows.shape[0], count)]
    if trace == "image":
        columns = [_shared(table, rng.random(count)) for table in IMAGES]
    else:
        columns = [np.interp(100.0 * rng.random(count), PERCENT, table) for table in TOKENS[trace]]
    return np.rint(np.column_stack(columns)).astype(np.int64)


def load_arrivals(directory: Path, trace: str) -> Float:
    """(rows,) seconds since the first request of a trace (chat, code), ascending; time zones are not looked at.

    Raises:
        InputError: as ``load_trace``, a trace without a time of arrival, or a time that is none.
    """
    _ensure_timed(trace)
    path = directory / TRACES[trace][0]
    times = []
    for number, row in _rows(path, (TIME,)):
        try:
            times.append(datetime.fromisoformat(row[TIME]).replace(tzinfo=UTC))
        except ValueError:
            raise _refused(path, number, TIME, row[TIME], "a date and time in ISO 8601") from None
    if not times:
        raise InputError(f"{path}: holds no usable row; at least one is needed")
    first = min(times)
    return np.sort([(time - first).total_seconds() for time in times])


def draw_arrivals(trace: str, count: int, rng: np.random.Generator, recorded: Float | None) -> Float:
    """(count,) seconds since the first of so many consecutive requests (chat, code), ascending.

    A stretch of ``recorded``, each as likely as any other; from the embedded quantiles of the gaps, drawn
    independently, logarithms linear between them, where that is None.

    Raises:
        InputError: a trace without a time of arrival, or one shorter than ``count``.
    """
    _ensure_timed(trace)
    if recorded is None:
        gaps = np.exp(np.interp(100.0 * rng.random(count), PERCENT, np.log(GAPS[trace]))) / 1e6
        arrival = np.cumsum(gaps)
    elif recorded.size < count:
        raise InputError(f"trace {trace}: holds {recorded.size} arrivals; {count} are needed")
    else:
        start = rng.integers(0, recorded.size - count + 1)
        arrival = recorded[start : start + count]
    return arrival - arrival[:1]


def _ensure_timed(trace: str) -> None:
    if trace not in GAPS:
        raise unknown("trace of arrivals", trace, GAPS)


def load_offers(directory: Path | None) -> dict[str, float]:
    """Median dollars an hour for one card, by the catalogue's name; the embedded table where ``directory`` is None.

    Raises:
        InputError: a file or column that is missing, an unknown card, a count below 1, a price that is not above 0.
    """
    if directory is None:
        return dict(CARDS.values())
    path = directory / OFFERS
    offered: dict[str, list[float]] = {}
    for number, row in _rows(path, ("gpu", "count", "price_usd_hr")):
        if row["gpu"] not in CARDS:
            raise _refused(path, number, "gpu", row["gpu"], f"one of {', '.join(CARDS)}")
        count = _count(path, number, "count", row["count"])
        if not count:
            raise _refused(path, number, "count", row["count"], f"a whole number from 1 to {LARGEST_COUNT}")
        price = _number(row["price_usd_hr"])
        if not 0 < price < LARGEST_COUNT:
            raise _refused(path, number, "price_usd_hr", row["price_usd_hr"], "dollars an hour, above 0")
        offered.setdefault(CARDS[row["gpu"]][0], []).append(price / count)
    return {name: float(np.median(prices)) for name, prices in sorted(offered.items())}


def _shared(table: dict[int, int], uniform: np.ndarray) -> np.ndarray:
    shares = np.cumsum(list(table.values())) / sum(table.values())
    return np.array(list(table))[np.searchsorted(shares, uniform, side="right")]


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The wanted columns of each row, stripped, with the line it ends on; the header is line 1."""
    try:
        with opened(path, LARGEST_TEXT) as file:
            reader = csv.DictReader(TextIOWrapper(file, encoding="utf-8-sig", newline=""))
            header = reader.fieldnames or []
            for column in columns:
                if column not in header:
                    raise InputError(f"{path}: has no column {column!r}; it needs {', '.join(columns)}")
            for row in reader:
                yield reader.line_num, {column: (row[column] or "").strip() for column in columns}
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV file in UTF-8 ({error})") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _count(path: Path, row: int, column: str, text: str) -> int:
    number = _number(text)
    if not 0 <= number <= LARGEST_COUNT or number % 1:
        raise _refused(path, row, column, text, f"a whole number from 0 to {LARGEST_COUNT}")
    return int(number)


def _refused(path: Path, row: int, column: str, text: str, allowed: str) -> InputError:
    return InputError(f"{path}: row {row}, column {column}: {text[:40]!r} is not allowed; {allowed}")
