"""Requests as a payment application receives them: nothing says where one ends. PURE.

A request ends with its JSON object if it is one, else with its EOT EOT if it has one, else when the line falls quiet.
EOT EOT behind a JSON object belongs to it. Each byte is looked at once, however it arrives.
"""
import json
import re

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
        """Whether part of a request is held: call ``quiet`` when nothing more comes."""
        return bool(self._bytes)

    def receive(self, data: bytes) -> list[bytes]:
        """The requests that ``data`` completes. Raises TooLong."""
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

    def _size(self) -> int | None:
        """How many bytes of the buffer are a complete request; None when it goes on."""
        if self._bytes[:1] == b"{" and not self._plain:
            return self._object()
        end = self._bytes.find(END, max(0, self._looked - 1))
        self._looked = len(self._bytes)
        return end + len(END) if end >= 0 else None

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
