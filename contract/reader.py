"""JSON from another process, read field by field. PURE.

Rules
- A key that is missing or null gets its default, so that whoever reads the result may rely on every field.
- Unknown keys are ignored: a newer peer may say more.
- A wrong type is an error that names the field and says what is expected.
- Text goes on to a display and a log: no control characters, limited length. Lists and objects are limited too.
"""
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from econduit_terminal.process.text import clean

MAX_TEXT = 200
MAX_ITEMS = 64
MAX_SHOWN = 60

T = TypeVar("T")


class ContractError(ValueError):
    """What is wrong with what was said, and what is accepted."""


def parse_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object. Raises ContractError."""
    if not body.strip():
        return {}
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except ContractError:
        raise
    except UnicodeDecodeError:
        raise ContractError("the body is not UTF-8; send a JSON object in UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ContractError(f"the body is not JSON ({clean(str(error), 80)}); send a JSON object") from None
    if not isinstance(value, dict):
        raise ContractError(f"the body is {called(value)}; send a JSON object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ContractError(f"the body holds {name}, which is not JSON; send a JSON object")


class Reader:
    """The fields of one JSON object. `where`: its place, for errors, such as `interfaces[2].`."""

    def __init__(self, given: Mapping[str, Any], where: str = ""):
        self._given = given
        self._where = where

    def place(self, key: str) -> str:
        """The full name of a field, for errors."""
        return f"{self._where}{clean(key, MAX_SHOWN)}"

    def text(self, key: str, default: str = "") -> str:
        value = self._typed(key, str, "text")
        return default if value is None else clean(value, MAX_TEXT)

    def optional(self, key: str) -> str | None:
        """Text, or None where it is missing, null or empty."""
        return self.text(key) or None

    def exactly(self, key: str, expected: str) -> str | None:
        """Text as it was said, not fit to be shown."""
        return self._typed(key, str, expected)

    def flag(self, key: str, default: bool) -> bool:
        value = self._typed(key, bool, "true or false")
        return default if value is None else value

    def optional_flag(self, key: str) -> bool | None:
        return self._typed(key, bool, "true, false or null")

    def number(self, key: str) -> float | None:
        value = self._given.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ContractError(f"{self.place(key)}: {called(value)}, expected a number")
        try:
            if value is not None and not math.isfinite(value):
                raise ContractError(f"{self.place(key)}: {value}, expected a finite number")
        except OverflowError:
            raise ContractError(f"{self.place(key)}: more digits than a number may have") from None
        return value

    def whole(self, key: str, default: int) -> int:
        value = self.number(key)
        return default if value is None else int(value)

    def optional_whole(self, key: str) -> int | None:
        value = self.number(key)
        return None if value is None else int(value)

    def one_of(self, key: str, accepted: Mapping[str, T], default: T) -> T:
        """What this text stands for in `accepted`."""
        value = self.text(key)
        if not value:
            return default
        if value not in accepted:
            raise ContractError(f"{self.place(key)}: {clean(value, 40)!r}, expected one of {', '.join(accepted)}")
        return accepted[value]

    def texts(self, key: str) -> tuple[str, ...]:
        found = self._list(key)
        for value in found:
            if not isinstance(value, str):
                raise ContractError(f"{self.place(key)}: holds {called(value)}, expected text only")
        return tuple(clean(value) for value in found)

    def objects(self, key: str, read: Callable[["Reader"], T]) -> tuple[T, ...]:
        """Each object of a list, as `read` has it."""
        found = []
        for number, value in enumerate(self._list(key)):
            place = f"{self.place(key)}[{number}]"
            if not isinstance(value, dict):
                raise ContractError(f"{place}: {called(value)}, expected an object")
            found.append(read(Reader(value, f"{place}.")))
        return tuple(found)

    def object(self, key: str) -> dict[str, Any]:
        """An object as it was said; empty where it is missing."""
        return self._typed(key, dict, "an object") or {}

    def mapping(self, key: str, read: Callable[["Reader", str], T], expected: str = "an object") -> dict[str, T]:
        """Each entry of an object, as `read` has it."""
        value = self._typed(key, dict, expected) or {}
        self._limited(value, key)
        inner = Reader(value, f"{self.place(key)}.")
        return {clean(name): read(inner, name) for name in value}

    def _list(self, key: str) -> list[Any]:
        value = self._typed(key, list, "a list") or []
        self._limited(value, key)
        return value

    def _limited(self, items: list[Any] | dict[str, Any], key: str) -> None:
        if len(items) > MAX_ITEMS:
            raise ContractError(f"{self.place(key)}: {len(items)} entries, expected {MAX_ITEMS} at most")

    def _typed(self, key: str, kind: type[T], expected: str) -> T | None:
        """The value of that type, or None where it is missing or null."""
        value = self._given.get(key)
        if value is not None and not isinstance(value, kind):
            raise ContractError(f"{self.place(key)}: {called(value)}, expected {expected}")
        return value


def called(value: object) -> str:
    """The value's JSON type, for people."""
    names: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list",
                              dict: "an object"}
    return names.get(type(value), "null")
