"""Requests as a payment application receives them: nothing says where one ends. PURE.

A request ends with its JSON object, its XML document or its STX frame (ETX and a right LRC) if it is one, else with its
EOT EOT if it has one, else when the line falls quiet. EOT EOT behind any of them belongs to it. Each byte is looked at
once, however it arrives.
"""
import json
import re
from xml.parsers import expat

END = b"\x04\x04"
BLANK = b"\x04 \r\n\t"
_TOKEN = re.compile(rb'\\.|["{}]', re.DOTALL)


class TooLong(Exception):
    """More bytes than the limit came without an end."""


class Requests:
    """Feed it what arrives; it hands back whole requests."""

    def __init__(self, limit: int = 1 << 20) -> None:
        self._limit = limit
        self._bytes = bytearray()
        self._begin()

    @property
    def pending(self) -> bool:
        """Whether part of a request is held: call `quiet` when nothing more comes."""
        return bool(self._bytes)

    def receive(self, data: bytes) -> list[bytes]:
        """The requests that `data` completes. Raises TooLong."""
        self._bytes += data
        found = []
        while (size := self._size()) is not None:
            found.append(bytes(self._bytes[:size]).removesuffix(END))
            del self._bytes[:size]
            self._begin()
        if len(self._bytes) > self._limit:
            raise TooLong(f"more than {self._limit} bytes without an end")
        return [request for request in found if request.strip(BLANK)]

    def quiet(self) -> list[bytes]:
        """What came before the line fell quiet, as one request."""
        request = bytes(self._bytes).removesuffix(END)
        self._bytes.clear()
        self._begin()
        return [request] if request.strip(BLANK) else []

    def _begin(self) -> None:
        self._looked, self._depth, self._quoted, self._plain = 0, 0, False, False
        self._xml = Document()
        self._lrc = 0

    def _size(self) -> int | None:
        """How many bytes of the buffer are a complete request; None when it goes on."""
        if self._bytes[:1] == b"{" and not self._plain:
            return self._object()
        if not self._plain and self._bytes[:1] in (bytearray(b"<"), bytearray(b"\x02")):
            stx = self._bytes[:1] == b"\x02"
            size = self._frame() if stx else self._xml.feed(bytes(self._bytes[self._looked:]))
            if size is not None:
                return size
            if not stx and not self._xml.broken:
                self._looked = len(self._bytes)
                return None
            if not stx:
                self._plain, self._looked = True, 0
        end = self._bytes.find(END, max(0, self._looked - 1))
        self._looked = len(self._bytes)
        return end + len(END) if end >= 0 else None

    def _frame(self) -> int | None:
        """STX … ETX LRC; the exclusive or of everything behind STX is 0 with a right LRC."""
        for at in range(max(1, self._looked), len(self._bytes)):
            before, self._lrc = self._lrc, self._lrc ^ self._bytes[at]
            if self._bytes[at - 1] == 0x03 and before == self._bytes[at]:
                return at + 1
        return None

    def _object(self) -> int | None:
        at = self._looked
        for token in _TOKEN.finditer(self._bytes, self._looked):
            at = token.end()
            if token[0] == b'"':
                self._quoted = not self._quoted
            elif not self._quoted and token[0] in (b"{", b"}"):
                self._depth += 1 if token[0] == b"{" else -1
                if self._depth == 0:
                    break
        else:
            half_escape = self._bytes[-1:] == b"\\" and at < len(self._bytes)
            self._looked = len(self._bytes) - half_escape
            return None
        try:
            json.loads(self._bytes[:at])
        except (ValueError, RecursionError):
            self._plain, self._looked = True, 0
            return self._size()
        return at


class Document:
    """Where an XML document ends, by the system's own parser. `broken`: it is not one."""

    def __init__(self) -> None:
        self.broken = False
        self._parser = expat.ParserCreate()
        if hasattr(self._parser, "SetReparseDeferralEnabled"):
            self._parser.SetReparseDeferralEnabled(False)
        self._depth = 0
        self._ended = False
        self._fed = 0
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, data: bytes) -> int | None:
        """How many bytes from the beginning are the document; None when it goes on (or is broken)."""
        # It ends with a ">": fed up to each of them, the parser says at which one.
        for piece in re.findall(rb"[^>]*>|[^>]+", data):
            try:
                self._parser.Parse(piece, False)
            except (expat.ExpatError, ValueError):
                self.broken = True
                return None
            self._fed += len(piece)
            if self._ended:
                return self._fed
        return None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._ended = self._depth == 0
