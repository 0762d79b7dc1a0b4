"""Bad input stops here: arrays and numbers of known shape and range, or one line that says what is allowed."""

import reprlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auction.errors import InputError

INT64_MAX = int(np.iinfo(np.int64).max)
FLOAT64_MAX = float(np.finfo(np.float64).max)
Shape = tuple[int | None, ...]  # None: any length


def shown(value: Any) -> str:
    """A value of any kind and size in a line."""
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) and value.ndim else reprlib.repr(value)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself, read-only."""
    array.setflags(write=False)
    return array


def _position(name: str, index: Any) -> str:
    return name + "".join(f"[{int(i)}]" for i in index)


def _numeric(name: str, value: Any, shape: Shape, allowed: str) -> NDArray[Any]:
    """The value as an array of numbers of that shape; of lists as objects, so that nothing is converted yet."""
    if np.ma.is_masked(value):
        raise InputError(f"{name}: has masked entries; {_describe(shape)} of {allowed} is needed")
    try:
        array = np.asarray(value) if isinstance(value, np.ndarray) else np.array(value, dtype=object)
    except ValueError:
        raise InputError(f"{name}: rows of unequal length; {_describe(shape)} of {allowed} is needed") from None
    if array.shape[:1] == (0,) and array.ndim <= len(shape):
        array = array.reshape((0,) + tuple(length or 0 for length in shape[1:]))
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        if any(isinstance(item, list | tuple) for item in array.flat):
            raise InputError(f"{name}: rows of unequal length; {_describe(shape)} of {allowed} is needed")
        raise InputError(f"{name}: has shape {array.shape}; {_describe(shape)} of {allowed} is needed")
    if array.dtype.kind == "O" and not set(map(type, array.flat)) <= {int, float}:
        for index, item in np.ndenumerate(array):
            if isinstance(item, bool | np.bool_) or not isinstance(item, int | float | np.integer | np.floating):
                raise InputError(f"{_position(name, index)}: {shown(item)} is not allowed; {allowed}")
    if array.dtype.kind not in "Oiuf":
        raise InputError(f"{name}: not numbers; {_describe(shape)} of {allowed} is needed")
    return array


def _describe(shape: Shape) -> str:
    if shape == (None,):
        return "a list"
    return f"a list of {shape[0]}" if len(shape) == 1 else f"an array of {' x '.join(map(str, shape))}"


def _refuse(name: str, array: NDArray[Any], bad: NDArray[np.bool_], allowed: str) -> None:
    if bad.any():
        index = np.argwhere(bad)[0]
        raise InputError(f"{_position(name, index)}: {array[tuple(index)]} is not allowed; {allowed}")


def amounts(name: str, value: Any, shape: Shape, unit: str = "") -> NDArray[np.int64]:
    """A read-only int64 array of non-negative integers; whole floats are taken where that loses nothing."""
    allowed = f"integers from 0 to {INT64_MAX}" + (f", {unit}" if unit else "")
    array = _numeric(name, value, shape, allowed)
    if array.dtype.kind == "O" and not all(isinstance(item, int) and 0 <= item <= INT64_MAX for item in array.flat):
        for index, item in np.ndenumerate(array):
            whole = not isinstance(item, float | np.floating) or _whole(item)
            if not whole or not 0 <= item <= INT64_MAX:
                raise InputError(f"{_position(name, index)}: {shown(item)} is not allowed; {allowed}")
    elif array.dtype.kind == "f":
        _refuse(name, array, ~_whole(array.astype(np.float64)), allowed)
    elif array.dtype.kind == "u":
        _refuse(name, array, array > np.uint64(INT64_MAX), allowed)
    array = array.astype(np.int64, order="C")
    _refuse(name, array, array < 0, allowed)
    return frozen(array)


def _whole(number: Any) -> Any:
    """Whether floats are integers that float64 holds exactly: 2^53 may have been 2^53 + 1."""
    return (abs(number) < 2.0**53) & (number == np.floor(number))


def reals(name: str, value: Any, shape: Shape, upper: float = np.inf) -> NDArray[np.float64]:
    """A read-only float64 array of finite numbers from 0 to ``upper``."""
    allowed = "finite numbers from 0 up" if upper == np.inf else f"numbers from 0 to {upper:g}"
    array = _numeric(name, value, shape, allowed)
    if array.dtype.kind == "O":
        for index, item in np.ndenumerate(array):
            if abs(item) > FLOAT64_MAX:  # conversion would fail on an integer this large
                raise InputError(f"{_position(name, index)}: {shown(item)} is not allowed; {allowed}")
    array = array.astype(np.float64, order="C")
    _refuse(name, array, ~(np.isfinite(array) & (array >= 0) & (array <= upper)), allowed)
    return frozen(array + 0.0)  # + 0.0: no negative zero


def integer(name: str, value: Any, lower: int, upper: int = INT64_MAX) -> int:
    """A single integer from ``lower`` to ``upper``; of numpy or a whole float as well."""
    number = value.item() if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0 else value
    if isinstance(number, float) and _whole(number):
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not lower <= number <= upper:
        raise InputError(f"{name}: {shown(number)} is not allowed; an integer from {lower} to {upper}")
    return number


def within(name: str, what: str, total: float, limit: int) -> None:
    """Refuse a total at or above the limit."""
    if not total < limit:
        raise InputError(f"{name}: {what} is {total:.3g}; it must stay below {limit} (2^62) to fit int64")
