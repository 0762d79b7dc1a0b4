"""What a file says under its keys, each read as the type that is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any

from inference.errors import InputError

SMALLEST, LARGEST = 1e-30, 1e12
"""Of a positive number: so that neither it nor its inverse leaves float32."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of a GGUF's header or of a config.json; null is as good as absent."""

    where: str
    values: Mapping[str, Any]

    def _typed(self, name: str, default: Any, kinds: tuple[type, ...], what: str) -> Any:
        value = self.values.get(name)
        if value is None:
            if default is None:
                raise InputError(f"{self.where}: the key {name} is missing")
            return default
        if type(value) not in kinds:
            raise InputError(f"{self.where}: {name} is {shortened(value)}, not {what}")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        return int(self._typed(name, default, (int,), "an integer"))

    def window(self, name: str, default: int = 0) -> int:
        """Positions that a layer sees; 0: all."""
        if (window := self.integer(name, default)) < 0:
            raise InputError(f"{self.where}: {name} is {window}; a window of 0, which is none, or more is allowed")
        return window

    def number(self, name: str, default: float | None = None) -> float:
        """A positive number of sensible size."""
        value = self._typed(name, default, (int, float), "a positive number")
        if not SMALLEST < value < LARGEST:
            allowed = f"a number from {SMALLEST:g} to {LARGEST:g}"
            raise InputError(f"{self.where}: {name} is {shortened(value)}, not {allowed}")
        return float(value)

    def text(self, name: str, default: str) -> str:
        """A text."""
        return str(self._typed(name, default, (str,), "text"))

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        return bool(self._typed(name, default, (bool,), "true or false"))

    def listed(self, name: str) -> list[Any]:
        """A list, empty where there is none."""
        return list(self._typed(name, [], (list,), "a list"))

    def table(self, name: str) -> "Keys":
        """An object, empty where there is none."""
        return Keys(f"{self.where}: {name}", self._typed(name, {}, (dict,), "an object"))

    def refuse(self, *names: str) -> None:
        """Refuse keys that would change what is computed and are not read here, by name.

        Raises:
            InputError: one of them is there and says something.
        """
        for name in names:
            if self.values.get(name):
                raise InputError(f"{self.where}: {name} is {shortened(self.values[name])}, which is not supported")
