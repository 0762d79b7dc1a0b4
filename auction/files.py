"""Markets and outcomes on disk: JSON and npz in, one clear line for anything else; nothing is ever half-written."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from auction.allocation import Allocation
from auction.arrays import FLOAT64_MAX, amounts, integer, shown
from auction.cats import read_bids
from auction.certificate import Certificate
from auction.errors import InputError
from auction.market import FIELDS, OPTIONAL, READINGS, Market
from auction.outcome import Outcome
from auction.progress import History, Progress
from auction.readers import LARGEST_ARRAYS, LARGEST_TEXT, ensure_fields, read_json, read_npz

MARKETS, BIDS = (".json", ".npz"), ".txt"
TABLES = (".csv", ".tsv", ".xlsx", ".parquet", ".gz")
PAIR_FIELDS = ("task", "provider")
LONGEST_TEXT = 1000  # characters of a solver's name, a status, a proof


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well, and is removed otherwise."""
    ensure_writable(path)
    if path.exists() and not path.is_file():  # /dev/stdout and the like are written to, not replaced
        yield path
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        temporary.touch(exist_ok=False)  # a link planted there would be written through
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        with suppress(OSError):  # a name too long to exist is too long to remove
            temporary.unlink(missing_ok=True)


def ensure_writable(path: Path) -> None:
    """Refuse an output that cannot be written before any work is done for it."""
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a directory; a file is needed")
        if not path.parent.is_dir():
            raise InputError(f"{path}: its directory does not exist")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise InputError(f"{path}: cannot be written (permission denied)")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


def write_market(path: Path, market: Market) -> None:
    """Write market.json or market.npz, by suffix."""
    ensure_market_name(path)
    arrays = {name: getattr(market, name) for name in FIELDS}
    if market.arrival is not None:
        arrays["arrival"] = market.arrival
    names = None if market.names is None else {of: n for of, n in asdict(market.names).items() if n is not None}
    if path.suffix == ".npz":
        if names is not None:  # an array of bytes: text in UTF-8
            arrays["names"] = np.frombuffer(json.dumps(names, ensure_ascii=False).encode(), np.uint8)
        _ensure_readable(path, sum(np.asarray(array).nbytes for array in arrays.values()), LARGEST_ARRAYS)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        return
    fields = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in arrays.items()}
    text = json.dumps(fields | ({} if names is None else {"names": names})) + "\n"
    _ensure_readable(path, len(text), LARGEST_TEXT)
    with replacing(path) as temporary:
        temporary.write_text(text)


def _ensure_readable(path: Path, size: int, largest: int) -> None:
    if size > largest:
        smaller = "; .npz holds more" if path.suffix == ".json" else ""
        raise InputError(f"{path}: would have {size} bytes, of which at most {largest} are read{smaller}")


def ensure_market_name(path: Path) -> None:
    """The suffix of a market file that is to be written says its format."""
    if path.suffix not in MARKETS:
        raise InputError(f"{path}: a market file ends in {' or '.join(MARKETS)}")


def read_market(path: Path) -> Market:
    """Read and validate a market, or the bids of a file of CATS (.txt).

    Raises:
        InputError: not a market file, truncated, with missing or foreign fields, or with values out of range.
    """
    if path.suffix == BIDS:
        return read_bids(path)
    if path.suffix not in MARKETS:
        tables = "; tables of tasks and providers become one by `import`" if path.suffix in TABLES else ""
        raise InputError(f"{path}: a market file ends in {' or '.join(MARKETS)}, bids of CATS in {BIDS}{tables}")
    fields: dict[str, Any]
    if path.suffix == ".npz":
        fields = read_npz(path, FIELDS, "a market", OPTIONAL)
        if "names" in fields:
            fields["names"] = _text_in_bytes(path, fields["names"])
    else:
        ensure_fields(path, fields := read_json(path), FIELDS, "a market", OPTIONAL)
    try:
        return Market(**fields)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _text_in_bytes(path: Path, array: np.ndarray[Any, Any]) -> Any:
    try:
        return json.loads(array.astype(np.uint8, casting="safe").tobytes())
    except (TypeError, ValueError, RecursionError):
        raise InputError(f"{path}: names: not JSON in an array of bytes") from None


def summary_of(outcome: Outcome) -> dict[str, Any]:
    """The outcome without its pairs, as JSON."""
    return {
        "solver": outcome.solver,
        "reading": outcome.reading,
        "welfare": outcome.welfare,
        "bound": outcome.bound,
        "gap": outcome.gap,
        "proven_optimal": outcome.proven_optimal,
        "status": outcome.status,
        "seconds": outcome.seconds,
        "seed": outcome.seed,
        "options": outcome.options,
        "market_digest": outcome.market_digest,
        "certified_bound": outcome.certified_bound,
        "proof": outcome.proof,
        "remark": outcome.remark,
    }


def write_outcome(path: Path, outcome: Outcome) -> None:
    """Write outcome.json."""
    pairs = {name: getattr(outcome.allocation, name).tolist() for name in PAIR_FIELDS}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(summary_of(outcome) | {"history": outcome.history} | pairs) + "\n")


def _optional_integer(fields: dict[str, Any], name: str) -> int | None:
    return None if fields.get(name) is None else integer(name, fields[name], lower=-(2**62))


def _optional_text(fields: dict[str, Any], name: str) -> str | None:
    return None if fields.get(name) is None else _text(fields, name)


def _seconds(name: str, seconds: Any) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= FLOAT64_MAX:
        raise InputError(f"{name}: {shown(seconds)} is not allowed; a number from 0 up")
    return seconds


def _history(listed: Any) -> History:
    if not isinstance(listed, list):
        raise InputError(f"history: {shown(listed)} is not allowed; a list of [seconds, welfare, bound]")
    history = []
    for number, point in enumerate(listed):
        name = f"history[{number}]"
        if not isinstance(point, list) or len(point) != 3:
            raise InputError(f"{name}: {shown(point)} is not allowed; [seconds, welfare, bound]")
        known = dict(zip(("welfare", "bound"), point[1:], strict=True))
        try:
            history.append(Progress(_seconds("seconds", point[0]), *(_optional_integer(known, one) for one in known)))
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    return tuple(history)


def _text(fields: dict[str, Any], name: str) -> str:
    text = fields[name]
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise InputError(f"{name}: {shown(text)} is not allowed; text of at most {LONGEST_TEXT} characters")
    return text


def read_outcome(path: Path) -> Outcome:
    """Read an outcome; that its claims hold is for ``check`` to say.

    Raises:
        InputError: not an outcome file, or fields of the wrong kind.
    """
    fields = read_json(path)
    kinds = {"options": dict, "proven_optimal": bool}
    needed = (
        *PAIR_FIELDS,
        "reading",
        "welfare",
        "bound",
        "seconds",
        "seed",
        "solver",
        "status",
        "market_digest",
        *kinds,
    )
    for name in needed:
        if name not in fields:
            raise InputError(f"{path}: lacks {name!r}; an outcome has {', '.join(needed)}")
    try:
        for name, kind in kinds.items():
            if not isinstance(fields[name], kind):
                raise InputError(f"{name}: {shown(fields[name])} is not allowed; a {kind.__name__}")
        if fields["reading"] not in READINGS:
            raise InputError(f"reading: {shown(fields['reading'])} is not allowed; {' or '.join(READINGS)}")
        task = amounts("task", fields["task"], (None,))
        outcome = Outcome(
            solver=_text(fields, "solver"),
            status=_text(fields, "status"),
            market_digest=_text(fields, "market_digest"),
            **{name: fields[name] for name in (*kinds, "reading")},
            seconds=_seconds("seconds", fields["seconds"]),
            allocation=Allocation.of(task, amounts("provider", fields["provider"], (task.size,))),
            welfare=integer("welfare", fields["welfare"], lower=-(2**62)),
            bound=_optional_integer(fields, "bound"),
            seed=integer("seed", fields["seed"], lower=0),
            certified_bound=_optional_integer(fields, "certified_bound"),
            proof=_optional_text(fields, "proof"),
            remark=_optional_text(fields, "remark"),
            history=_history(fields.get("history", [])),
        )
        if isinstance(gap := fields.get("gap", outcome.gap), bool) or gap != outcome.gap:
            raise InputError(f"gap: {shown(gap)} is not allowed; (bound - welfare) / bound is {outcome.gap}")
        return outcome
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def write_certificate(path: Path, certificate: Certificate) -> None:
    """Write certificate.json: integer prices, by provider or by slot vector, and the bound they prove.

    ``unit`` is written only where the lattice of demands was made coarse, ``repeat`` only where covers may use a
    provider more than once.
    """
    fields = {"market_digest": certificate.market_digest, "reading": certificate.reading, "bound": certificate.bound}
    rows = {"vector": certificate.vector, "unit": certificate.unit}
    rows_written = {name: array.tolist() for name, array in rows.items() if array is not None}
    repeat = {"repeat": True} if certificate.repeat else {}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(fields | rows_written | repeat | {"price": certificate.price.tolist()}) + "\n")


def read_certificate(path: Path) -> Certificate:
    """Read a certificate; that its prices prove its bound is for ``derived_bound`` to say.

    Raises:
        InputError: not a certificate, or prices or vectors that are not non-negative integers.
    """
    fields = read_json(path)
    for name in ("market_digest", "reading", "bound", "price"):
        if name not in fields:
            raise InputError(f"{path}: lacks {name!r}; a certificate has market_digest, reading, bound, price, vector")
    try:
        if fields["reading"] not in READINGS:
            raise InputError(f"reading: {shown(fields['reading'])} is not allowed; {' or '.join(READINGS)}")
        price = amounts("price", fields["price"], (None,))
        if not isinstance(repeat := fields.get("repeat", False), bool):
            raise InputError(f"repeat: {shown(repeat)} is not allowed; true or false")
        listed, unit = fields.get("vector"), fields.get("unit")
        return Certificate(
            market_digest=_text(fields, "market_digest"),
            reading=fields["reading"],
            bound=integer("bound", fields["bound"], lower=0),
            price=price,
            vector=None if listed is None else amounts("vector", listed, (None, None)),
            unit=None if unit is None else amounts("unit", unit, (None,)),
            repeat=repeat,
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
