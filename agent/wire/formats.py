"""PURE. Where messages of the known formats end, read piece by piece: JSON and STX … ETX LRC here, XML in `wire.xml`.

| class       | begins with | complete at                                  | Malformed                              |
|-------------|-------------|----------------------------------------------|----------------------------------------|
| JsonScanner | `{` or `[`  | the bracket that closes the first one        | a bracket that closes another kind;    |
|             |             |                                              | what is not JSON at its end            |
| XmlScanner  | `<`         | the `>` of the root's closing tag, or of a   | a closing tag of another name; what is |
|             |             | root that closes itself                      | no markup                              |
| StxScanner  | STX (0x02)  | the byte after the first ETX (0x03), if it   | that byte is another                   |
|             |             | is the XOR of all bytes between STX and ETX, |                                        |
|             |             | ETX included; it may be 0x04                 |                                        |

Rules

- A scanner looks at each byte once, however small the pieces: `scan` resumes where it stopped. Only the last few bytes,
  which may be the beginning of `-->` or of a longer sign, are looked at twice; and a JSON value once more as a whole.
- `scan(buffer, limit)` reads no byte at or after `limit` but the LRC: what is there may end the message by another
  rule. The payload begins at `buffer[0]`, its format at the index that the scanner was made with.
- Malformed is no error of the wire: the payload is of none of these formats, and ends as such.
"""
import re
from typing import Protocol

from . import lenient

EOT = 0x04
EOT2 = b"\x04\x04"
STX = 0x02
ETX = 0x03
BOM = b"\xef\xbb\xbf"
SPACE = b" \t\r\n"
_AROUND = SPACE + b"\x04"
_IN_FRONT = re.compile(rb"(?:[ \t\r\n\x04]+|\xef\xbb\xbf)*")
_OUTSIDE_STRING = re.compile(rb'["{}\[\]]')
_INSIDE_STRING = re.compile(rb'["\\]')
_OPENING_OF = {ord("}"): ord("{"), ord("]"): ord("[")}


def bare(payload: bytes) -> bytes:
    """A payload without white space and EOT around it and byte order marks in front."""
    found = _IN_FRONT.match(payload)
    return payload[found.end() if found else 0:].rstrip(_AROUND)


def run_end(pattern: re.Pattern[bytes], data: bytearray, at: int, limit: int) -> int:
    """Where the bytes end that the pattern takes from `at` on."""
    found = pattern.match(data, at, limit)
    return found.end() if found else at


class Malformed(Exception):
    """The payload is not of this format. The bytes before `kept` certainly belong to it, an EOT among them too."""

    def __init__(self, kept: int = 0):
        super().__init__(kept)
        self.kept = kept


class Scanner(Protocol):
    @property
    def blank(self) -> bool:
        """What was read so far is no message, should the bytes end here."""

    def scan(self, buffer: bytearray, limit: int) -> int | None:
        """The index after the payload's last byte; None while that is not here yet. Raises Malformed."""


class JsonScanner:
    blank = False

    def __init__(self, begin: int):
        self._at = begin
        self._open = bytearray()        # the brackets that are open
        self._in_string = False

    def scan(self, buffer: bytearray, limit: int) -> int | None:
        while True:
            found = (_INSIDE_STRING if self._in_string else _OUTSIDE_STRING).search(buffer, self._at, limit)
            if found is None:
                self._at = max(self._at, limit)
                return None
            at = found.start()
            byte = buffer[at]
            self._at = at + 1
            if byte == ord("\\"):
                if at + 1 >= limit:
                    self._at = at
                    return None
                self._at = at + 2
            elif byte == ord('"'):
                self._in_string = not self._in_string
            elif byte in b"{[":
                self._open.append(byte)
            elif self._open.pop() != _OPENING_OF[byte]:
                raise Malformed
            elif not self._open:
                if not lenient.is_json(buffer[:self._at]):
                    raise Malformed
                return self._at


class StxScanner:
    blank = False

    def __init__(self, begin: int):
        self._begin = begin
        self._at = begin + 1

    def scan(self, buffer: bytearray, limit: int) -> int | None:
        etx = buffer.find(ETX, self._at, limit)
        if etx < 0:
            self._at = max(self._at, limit)
            return None
        self._at = etx
        if etx + 1 == len(buffer):
            return None
        if buffer[etx + 1] != lrc(buffer[self._begin + 1:etx + 1]):
            raise Malformed(kept=etx + 2)
        return etx + 2


def lrc(data: bytes | bytearray) -> int:
    """The XOR of all bytes: folded as long numbers, since a message may have a million."""
    number, size = int.from_bytes(data, "big"), len(data)
    while size > 1:
        half = size // 2
        number = (number >> 8 * half) ^ (number & ((1 << 8 * half) - 1))
        size -= half
    return number
