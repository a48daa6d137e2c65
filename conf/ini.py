"""PURE: INI text → entries with line numbers, and every line that is not understood.

What is accepted: `[section]`, `key = value`, empty lines, and lines that begin with `#` or `;`. Nothing else:

- no `%` interpolation, no `[DEFAULT]` that leaks into all sections;
- no continuation lines: one stray blank would silently glue a key to the value above it;
- no comment behind a value: `#` and `;` are part of values such as templates;
- nothing twice within one file: of two values a person sees only one.

The standard configparser stops at the first mistake and forgets the line of every value, so it cannot do this.
"""
import re
from dataclasses import dataclass

_LONGEST_NAME = 64
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Entry:
    """`key = value` as written in `[section]`, at `line` (from 1)."""

    section: str
    key: str
    value: str
    line: int


@dataclass(frozen=True)
class Parsed:
    """What a file holds: `sections` as (name, line); `mistakes` as (line, what is wrong and what is accepted)."""

    entries: tuple[Entry, ...]
    sections: tuple[tuple[str, int], ...]
    mistakes: tuple[tuple[int, str], ...]


def parse(data: bytes) -> Parsed:
    """Never raises: whatever is wrong is in `mistakes`, and the rest is still read."""
    if data.startswith(_UTF16):
        return Parsed((), (), ((1, "the file is UTF-16, accepted: UTF-8"),))
    reader = _Reader()
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            reader.line(number, line.removesuffix(b"\r").decode())
        except UnicodeDecodeError:
            reader.mistake(number, "the line is not UTF-8 text, accepted: UTF-8")
    return Parsed(tuple(reader.entries.values()), tuple(reader.sections.items()), tuple(reader.mistakes))


class _Reader:
    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], Entry] = {}
        self.sections: dict[str, int] = {}
        self.mistakes: list[tuple[int, str]] = []
        self.section: str | None = None  # None: none yet, or one that is refused, whose keys say nothing more
        self.refused = False

    def mistake(self, number: int, what: str) -> None:
        self.mistakes.append((number, what))

    def line(self, number: int, line: str) -> None:
        """Take one line; what is wrong with it becomes a mistake."""
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            return
        strange = next((char for char in line if not char.isprintable() and char != "\t"), None)
        if strange is not None:  # among them the invisible ones that come along when text is copied from a document
            self.mistake(number, f"the invisible character U+{ord(strange):04X} is in the line, "
                                 "accepted: printable text")
        elif line[0].isspace():
            self.mistake(number, "the line is indented, accepted: every key and section at the start of its line, "
                                 "every value on one line")
        elif stripped[0] == "[":
            self._header(number, stripped)
        else:
            self._entry(number, stripped)

    def _header(self, number: int, line: str) -> None:
        self.section, self.refused = None, True
        match = re.fullmatch(r"\[([^\[\]]*)\]", line)
        if match is None or len(match[1]) > _LONGEST_NAME:
            self.mistake(number, f"{_short(line)} is not a section, accepted: [name] alone on its line")
        elif match[1].upper() == "DEFAULT":
            self.mistake(number, "[DEFAULT] is not accepted: write each key in its own section")
        elif match[1] in self.sections:
            self.mistake(number, f"[{match[1]}] is already set at line {self.sections[match[1]]}, "
                                 "accepted: each section once in a file")
            self.section = match[1]
        else:
            self.sections[match[1]] = number
            self.section = match[1]

    def _entry(self, number: int, line: str) -> None:
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or re.fullmatch(rf"[^\s:=]{{1,{_LONGEST_NAME}}}", key) is None:
            # The first word alone: behind it may be a password, and mistakes are shown to everybody.
            self.mistake(number, f"{_short(line.split()[0])} … is not understood, accepted: key = value")
        elif self.section is None:
            if not self.refused:
                self.mistake(number, f"{_short(key)} comes before any section, accepted: [section] above it")
        elif (earlier := self.entries.get((self.section, key))) is not None:
            self.mistake(number, f"{self.section}.{key}: already set at line {earlier.line}, "
                                 "accepted: each key once in a file")
        else:
            self.entries[self.section, key] = Entry(self.section, key, value, number)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
