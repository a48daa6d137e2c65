"""Where a key is in a TOML file, and every syntax error in it, not only the first. PURE.

`tomllib` says neither. Lines are found by reading the file as people write the format: `[table]`, `key =`.
"""
import re
import tomllib
from dataclasses import dataclass
from typing import Any

MAX_MISTAKES = 50
_TABLE = re.compile(r"""^\s*\[+\s*(?P<name>[^\]]*?)\s*\]+\s*(#.*)?$""")
_KEY = re.compile(r"""^\s*(?P<key>[A-Za-z0-9_.\-"' ]+?)\s*=""")
_AT = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_ANY_KEY = re.compile(r"""^\s*["']?(?P<key>[^"'=#\[\]]+?)["']?\s*(=|$)""")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong: the line (from 1), the key as `table.key` or "" where there is none, and the words."""

    line: int
    key: str
    text: str

    def show(self, file: str) -> str:
        """`file:line: key: text`."""
        return f"{file}:{self.line}: " + (f"{self.key}: " if self.key else "") + self.text


def lines_of(text: str) -> dict[str, int]:
    """`table` and `table.key` → line. The first of several wins."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            table = _plain(match["name"])
            found.setdefault(table, number)
        elif match := _KEY.match(line):
            key = _plain(match["key"])
            found.setdefault(f"{table}.{key}" if table else key, number)
    return found


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def read(text: str) -> tuple[dict[str, Any], list[Mistake]]:
    """What could be read, and every syntax error: a line that is wrong is left out and the rest read again."""
    lines = text.split("\n")
    mistakes: list[Mistake] = []
    while True:
        try:
            return tomllib.loads("\n".join(lines)), mistakes
        except RecursionError:
            return {}, [*mistakes, Mistake(1, "", "lists or tables are nested too deeply in it")]
        except tomllib.TOMLDecodeError as error:
            at = _AT.search(str(error))
            number = min(int(at["line"]), len(lines)) if at and at["line"] else _last(lines)
            # An error may be noticed on the next line: what is wrong then is the last line with something in it.
            while number > 1 and not lines[number - 1].strip():
                number -= 1
            if not lines[number - 1].strip() or len(mistakes) >= MAX_MISTAKES:
                return {}, mistakes or [Mistake(number, "", str(error))]
            mistakes.append(Mistake(number, _key_at(lines, number), "no valid TOML: " + _AT.sub("", str(error))
                                    + f": {lines[number - 1].strip()[:80]!r}"))
            lines[number - 1] = ""


def _last(lines: list[str]) -> int:
    return max((number for number, line in enumerate(lines, 1) if line.strip()), default=1)


def _key_at(lines: list[str], number: int) -> str:
    """The key that a broken line seems to be about."""
    table = next((_plain(match["name"]) for line in reversed(lines[:number - 1]) if (match := _TABLE.match(line))), "")
    if lines[number - 1].lstrip().startswith("["):
        return ""
    key = _ANY_KEY.match(lines[number - 1])
    return ".".join(filter(None, (table, _plain(key["key"]) if key else "")))
