"""PURE. Bytes from a TCP stream to payloads, whatever the segments they came in.

The document (econduit-direct, "Overview") promises a terminator, two 0x04 bytes, only for what the terminal sends.
What arrives may have one or not, may be cut anywhere, and several messages may share a segment. Therefore a
payload ends, by the first of these that is met while its bytes are read in order:

1. EOT EOT. It always ends a payload, even inside a JSON string (where a raw 0x04 is not allowed anyway).
2. The closing bracket of a complete, valid JSON object or array that began the payload.
3. The last letter of a registration answer, for the first payload of a connection; what follows is the next payload,
   since a bare answer and the first request may share a segment.
4. A quiet gap, which the caller measures and tells by `quiet()`.

What follows from "in order": where a payload ends depends on the bytes alone, never on the segments.

- An EOT EOT behind a payload that ended by 2, 3 or 4 belongs to it, also when white space stands between.
- A lone 0x04 is payload. Payloads that hold nothing but white space and EOT are no payloads.
- A gap does not end a JSON value or a registration answer that is not complete: half a request must never be run.
  After `patience` gaps in a row such a message has broken off, which is a protocol error. The same patience is given
  to a payload that ends in a lone 0x04, whose twin may be in the next segment; then it ends as it is.
- A payload over `max_message` bytes is a protocol error, found before more than that is held.

Each byte is looked at once, however small the pieces: the scan goes on where it stopped (`_at`).

| mode   | the payload so far is                    | leaves to                                                  |
|--------|------------------------------------------|------------------------------------------------------------|
| TAIL   | nothing; the one before may want its EOT | START                                                      |
| START  | white space only                         | JSON at { or [, ANSWER at first, else OPAQUE               |
| JSON   | an unfinished JSON object or array       | TAIL when complete, OPAQUE when it proves not to be JSON   |
| ANSWER | the beginning of a registration answer   | TAIL when complete, OPAQUE when it is something else       |
| OPAQUE | anything else                            | TAIL at a gap                                              |

EOT EOT leads from every mode to START.
"""
import re
from enum import Enum, auto

from . import lenient
from .errors import ProtocolError

EOT = 0x04
EOT2 = b"\x04\x04"
REGISTRATION_ANSWERS = (b"OK-REGISTRATION", b"FAILED-REGISTRATION", b"FAILED-INVALID-TERMINAL-TYPE")
PATIENCE = 20
"""Gaps in a row after which an unfinished message has broken off: 5 s with the shipped `frame_gap` of 250 ms."""

_BLANK = b" \t\r\n\x04"
_SPACE = re.compile(rb"[ \t\r\n]*")
_OUTSIDE_STRING = re.compile(rb'[\x04"{}\[\]]')
_INSIDE_STRING = re.compile(rb'[\x04"\\]')
_OPENING_OF = {ord("}"): ord("{"), ord("]"): ord("[")}


class _Mode(Enum):
    TAIL = auto()
    START = auto()
    JSON = auto()
    ANSWER = auto()
    OPAQUE = auto()


class Framer:
    """Collects the bytes of one direction of one connection and gives back the payloads in them.

    max_message: the longest payload, in bytes. registration: the first payload may be a bare registration answer.
    patience: see the rules above, in gaps; None waits without end (the caller has a deadline of its own).
    """

    def __init__(self, max_message: int, *, registration: bool = False, patience: int | None = PATIENCE):
        self._max = max_message
        self._patience = patience
        self._first = registration
        self._buffer = bytearray()
        self._start = 0         # where the payload begins
        self._gaps = 0
        self._begin(_Mode.START)

    @property
    def pending(self) -> bool:
        """Bytes wait for the rest of their message, or for a gap: the caller should measure one."""
        return len(self._buffer) > 0

    @property
    def begun(self) -> bool:
        """The beginning of a payload is here, not only white space."""
        return self._mode in (_Mode.JSON, _Mode.ANSWER, _Mode.OPAQUE)

    def receive(self, data: bytes) -> list[bytes]:
        """The payloads that are complete now. Raises ProtocolError (which carries those before the fault)."""
        self._gaps = 0
        self._buffer += data
        frames = []
        while (frame := self._next(frames)) is not None:
            if frame.strip(_BLANK):
                frames.append(frame)
        del self._buffer[:self._start]
        self._at -= self._start
        self._start = 0
        return frames

    def quiet(self) -> list[bytes]:
        """To be called each time that `frame_gap` passed without a byte while `pending`. Raises ProtocolError."""
        self._gaps += 1
        patient = self._patience is None or self._gaps < self._patience
        if not self._buffer.strip(_BLANK) or self._mode is _Mode.OPAQUE:
            if self._buffer.endswith(b"\x04") and patient:
                return []
            return self._take_all()
        if self._mode is _Mode.ANSWER or patient:
            return []           # the registration's own deadline bounds ANSWER
        raise ProtocolError(f"a message broke off after {len(self._buffer)} bytes")

    def finish(self) -> list[bytes]:
        """The stream ended, and that ends an opaque payload too. Raises ProtocolError for an unfinished one."""
        if self._buffer.strip(_BLANK) and self._mode is not _Mode.OPAQUE:
            raise ProtocolError(f"the stream ended inside a message, after {len(self._buffer)} bytes")
        return self._take_all()

    # -- the scan ------------------------------------------------------------------------------------------------

    def _begin(self, mode: _Mode) -> None:
        self._mode = mode
        self._at = self._start      # where the scan goes on
        self._open = bytearray()    # the JSON brackets that are open
        self._in_string = False

    def _take_all(self) -> list[bytes]:
        frame = bytes(self._buffer)
        self._buffer.clear()
        self._begin(_Mode.TAIL)
        return [frame] if frame.strip(_BLANK) else []

    def _end(self, end: int, consumed: int, mode: _Mode, frames) -> bytes:
        frame = bytes(self._buffer[self._start:end])
        if len(frame) > self._max:
            self._too_long(frames)
        self._first = False
        self._start = consumed
        self._begin(mode)
        return frame

    def _too_long(self, frames):
        raise ProtocolError(f"a message of more than {self._max} bytes (max_message)", frames)

    def _next(self, frames) -> bytes | None:
        """One payload (perhaps a blank one) out of the buffer; None when it holds no complete one."""
        scan = {_Mode.TAIL: self._scan_tail, _Mode.START: self._scan_start, _Mode.JSON: self._scan_json,
                _Mode.ANSWER: self._scan_answer, _Mode.OPAQUE: self._scan_opaque}
        while True:
            mode = self._mode
            frame = scan[mode](frames)
            if frame is not None:
                return frame
            if self._mode is mode:
                size = len(self._buffer) - self._start
                if size - self._buffer.endswith(b"\x04") > self._max:
                    self._too_long(frames)
                return None

    def _skip_space(self) -> int | None:
        """The first byte that is no white space, or None where there is none yet."""
        self._at = _SPACE.match(self._buffer, self._at).end()
        return self._buffer[self._at] if self._at < len(self._buffer) else None

    def _eot2(self, at: int) -> bool | None:
        """Is the EOT at `at` the first of two? None: the next byte is not here yet."""
        if at + 1 == len(self._buffer):
            return None
        return self._buffer[at + 1] == EOT

    def _scan_tail(self, frames):
        byte = self._skip_space()
        if byte is None or byte == EOT and (double := self._eot2(self._at)) is None:
            return None
        if byte == EOT and double:
            self._start = self._at + 2
        self._begin(_Mode.START)

    def _scan_start(self, frames):
        byte = self._skip_space()
        if byte is None:
            return None
        if byte == EOT:
            double = self._eot2(self._at)
            if double is None:
                return None
            if double:
                return self._end(self._at, self._at + 2, _Mode.START, frames)
        if byte in b"{[":
            self._mode = _Mode.JSON
        else:
            self._mode = _Mode.ANSWER if self._first else _Mode.OPAQUE

    def _scan_answer(self, frames):
        rest = bytes(self._buffer[self._at:self._at + len(max(REGISTRATION_ANSWERS, key=len))])
        for answer in REGISTRATION_ANSWERS:
            if rest.startswith(answer):
                end = self._at + len(answer)
                return self._end(end, end, _Mode.TAIL, frames)
        if not any(answer.startswith(rest) for answer in REGISTRATION_ANSWERS):
            self._mode = _Mode.OPAQUE

    def _scan_opaque(self, frames):
        end = self._buffer.find(EOT2, self._at)
        if end >= 0:
            return self._end(end, end + 2, _Mode.START, frames)
        self._at = max(self._at, len(self._buffer) - 1)     # the last byte may be the first EOT of two

    def _scan_json(self, frames):
        while True:
            found = (_INSIDE_STRING if self._in_string else _OUTSIDE_STRING).search(self._buffer, self._at)
            if found is None:
                self._at = len(self._buffer)
                return None
            at, byte = found.start(), self._buffer[found.start()]
            self._at = at
            if byte == EOT:
                double = self._eot2(at)
                if double is None:
                    return None
                if double:
                    return self._end(at, at + 2, _Mode.START, frames)
            elif byte == ord("\\"):
                if at + 1 == len(self._buffer):
                    return None
                if self._buffer[at + 1] != EOT:
                    self._at += 1
            elif byte == ord('"'):
                self._in_string = not self._in_string
            elif byte in b"{[":
                self._open.append(byte)
            elif self._open.pop() != _OPENING_OF[byte]:
                self._mode = _Mode.OPAQUE
                return None
            self._at += 1
            if not self._open:
                if lenient.parse(self._buffer[self._start:self._at]) is not None:
                    return self._end(self._at, self._at, _Mode.TAIL, frames)
                self._mode = _Mode.OPAQUE
                return None
