"""What a device sent, for the report: the bytes with times, and in texts; bounded, card numbers masked. PURE."""
import re
from dataclasses import dataclass

MAX_CHUNK = 2048
MAX_ENTRIES = 20_000
MAX_ENTRIES_A_CASE = 400
MAX_TEXT = 2000
_DIGITS = re.compile(rb"(?<![0-9])[0-9](?:[ \-.]?[0-9]){12,18}(?![0-9])")
_TRACK = re.compile(rb"[%;][Bb]?[0-9]{12,19}[\^=][^?\x03\x04]{0,128}\??")


@dataclass(frozen=True, slots=True)
class Entry:
    """`t` seconds since the run began; `way` "in" (from the device), "out", or "note" (`data` is a text then)."""

    t: float
    way: str
    where: str
    data: bytes
    more: int = 0

    def shown(self) -> dict[str, str | float | int]:
        """For result.json."""
        entry: dict[str, str | float | int] = {"t": round(self.t, 4), "dir": self.way, "hex": self.data.hex(),
                                               "link": self.where}
        if self.more:
            entry["more"] = self.more
        return entry


class WireLog:
    """What passed since the run began."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self.dropped = 0

    def add(self, t: float, way: str, where: str, data: bytes) -> None:
        """Remembers some bytes, or counts them when there are too many already."""
        if len(self._entries) >= MAX_ENTRIES:
            self.dropped += 1
            return
        kept = masked(data[:MAX_CHUNK + 32])[:MAX_CHUNK]
        self._entries.append(Entry(t, way, where, kept, max(0, len(data) - len(kept))))

    def sent(self, where: str) -> list[Entry]:
        """What was sent over a connection, in order."""
        return [entry for entry in self._entries if entry.where == where and entry.way == "out"]

    def between(self, start: float, end: float) -> list[Entry]:
        """What passed from `start` to `end`: the first and the last of it when it is much."""
        found = [entry for entry in self._entries if start <= entry.t <= end]
        half = MAX_ENTRIES_A_CASE // 2
        return found if len(found) <= 2 * half else found[:half] + found[-half:]


def told(text: str) -> str:
    """A text with a device's own words in it: card numbers masked, nothing that a screen obeys, bounded."""
    kept = masked(text[:MAX_TEXT + 32].encode("utf-8", "backslashreplace")).decode("utf-8", "replace")
    return printable(kept[:MAX_TEXT]) + ("…" if len(text) > MAX_TEXT else "")


def printable(text: str) -> str:
    """The same text, with a code for each character that cannot be seen."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def masked(data: bytes) -> bytes:
    """The same bytes, what looks like a card number (13 to 19 digits, Luhn) or track data masked, as long as before."""
    if not any(char in data for char in b"0123456789"):
        return data
    data = _TRACK.sub(lambda match: b"*" * len(match[0]), data)
    return _DIGITS.sub(_mask, data)


def _mask(match: re.Match[bytes]) -> bytes:
    digits = re.sub(rb"[^0-9]", b"", match[0])
    if not _luhn(digits):
        return match[0]
    kept, seen = len(digits) - 4, 0
    out = bytearray()
    for char in match[0]:
        seen += 48 <= char <= 57
        out.append(char if not 48 <= char <= 57 or seen <= 6 or seen > kept else ord("*"))
    return bytes(out)


def _luhn(digits: bytes) -> bool:
    total = 0
    for at, char in enumerate(reversed(digits)):
        value = (char - 48) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
