"""PURE. Bytes from a TCP stream to payloads, whatever the segments they came in and whatever the pauses between them.

The document (econduit-direct, "Overview") promises a terminator, two 0x04 bytes, only for what the terminal sends.
What arrives may have one or not, may be cut anywhere, and several messages may share a segment. Half a message must
never be taken for a whole one. A payload ends by the first of these that its bytes meet:

1. EOT EOT.
2. The end of its own format (`wire.formats`): a JSON value, an XML document, STX … ETX and a right LRC. What proves not
   to be of the format it began like ends by 1 or 4.
3. The last letter of a registration answer, if nothing follows yet, or if what follows, white space skipped, is EOT,
   `{`, `[`, `<` or STX. If another byte follows later, within a gap, it was another answer: a frame that `corrects` it.
   This alone depends on segments.
4. A quiet gap, for a payload that is none of these, from a peer that has not yet terminated a payload that counts (the
   caller says which do; `terminates`). Otherwise a gap ends nothing, and after `patience` the message has broken off,
   which is a protocol error.

What comes between payloads:

- EOT EOT behind a payload that ended by 2, 3 or 4 belongs to it, also when white space stands between. Every other EOT
  in front of a payload is dropped: half of a terminator, or more than one. A lone EOT inside a payload is payload.
- White space behind a payload that ended by 2 or 3, and comments and processing instructions behind an XML root, are
  dropped. Other white space, and a byte order mark, in front of a payload are a part of it; alone they are none.
- A gap that ends a payload leaves a lone EOT at its end out: the other half may still come, and is dropped then.

An application's answers (`application`) are read by the same rules, and: the end of the stream ends a payload of rule
4; a gap ends one whose last byte is a lone EOT whatever the application did before; ENQ, ACK and NAK in front of an
answer, or alone, are dropped.

| mode   | the bytes so far are                      | leads to                                                      |
|--------|-------------------------------------------|---------------------------------------------------------------|
| LEAD   | nothing of a payload, or what is in front | FORMAT at `{` `[` `<` STX, ANSWER, else PLAIN                 |
| FORMAT | an unfinished message of a known format   | LEAD when complete, PLAIN when malformed                      |
| ANSWER | the beginning of a registration answer    | SETTLE or LEAD when complete, PLAIN when it is something else |
| SETTLE | behind a registration answer              | LEAD at a byte that may follow or at a gap; else it corrects  |
| PLAIN  | anything else                             | LEAD at a gap                                                 |

EOT EOT leads from every mode to LEAD. A payload over `max_message` bytes is a protocol error, found before more than
that is held. Each byte is looked at once, however small the pieces.
"""
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from .errors import ProtocolError
from .formats import BOM, EOT, EOT2, STX, JsonEnd, Malformed, Scanner, StxEnd, XmlEnd

_SPACE = re.compile(rb"[ \t\r\n]*")
_SPACE_OR_BOM = re.compile(rb"(?:[ \t\r\n]|\xef\xbb\xbf)*")
_EOTS = re.compile(rb"\x04*")
_CONTROLS = re.compile(rb"[\x05\x06\x15 \t\r\n]*")
_ENQ_ACK_NAK = b"\x05\x06\x15"
_FORMATS = b"{[<\x02"
_MISC = ((b"<!--", b"-->"), (b"<?", b"?>"))
_DECLARATION = re.compile(rb"<\?xml[ \t\r\n?]")


@dataclass(frozen=True)
class Frame:
    """One payload. corrects: it stands for the registration answer before, which was only its beginning."""
    payload: bytes
    corrects: bool = False


class _Mode(Enum):
    LEAD = auto()
    FORMAT = auto()
    ANSWER = auto()
    SETTLE = auto()
    PLAIN = auto()


class _Behind(Enum):
    """What the last payload was, for what stands behind it."""
    NOTHING = auto()        # it had its EOT EOT
    PLAIN = auto()
    FORMAT = auto()
    XML = auto()


class Framer:
    """Collects the bytes of one direction of one connection and gives back the payloads in them.

    max_message: the longest payload, in bytes. gap, patience: seconds (see the rules; patience None: the caller has a
    deadline of its own). answers: the registration answers, where there are any; the first payload is then taken for
    one until it proves to be something else. counts: is this payload, when terminated, evidence of the peer's habit?
    terminates: that habit, as known from before. application: the rules for an application's answers.
    `now` is monotonic time in seconds.
    """

    def __init__(self, max_message: int, *, gap: float, patience: float | None = None, answers: tuple[bytes, ...] = (),
                 counts: Callable[[bytes], bool] = lambda payload: True, terminates: bool = False,
                 application: bool = False):
        self.gap = gap
        self.patience = patience
        self.terminates = terminates
        self._max = max_message
        self._answers = answers
        self._counts = counts
        self._application = application
        self._first = bool(answers)
        self._buffer = bytearray()      # the payload begins at its beginning
        self._at = 0                    # where the scan goes on in LEAD and SETTLE
        self._last = 0.0                # when the last byte came
        self._mode = _Mode.LEAD
        self._scanner: Scanner | None = None
        self._answer = b""              # the registration answer that SETTLE is about
        self._kept = 0                  # bytes of a PLAIN payload that are certainly not half a terminator
        self._behind = _Behind.NOTHING
        self._evidence = False          # the last payload counts, and was not terminated yet
        self._eots = 0                  # EOTs in a row, in LEAD
        self._controls = 0              # where ENQ, ACK and NAK in front of an answer end, as far as is known
        self._misc = b""                # what ends the comment or instruction that is being dropped
        self._searched = 0              # no EOT EOT begins before here
        self._eot2 = -1                 # the first EOT EOT, where it is known

    @property
    def begun(self) -> bool:
        """The beginning of a payload is here, not only what may stand in front of one."""
        return self._mode in (_Mode.FORMAT, _Mode.ANSWER, _Mode.PLAIN) or (
            self._mode is _Mode.LEAD and (self._at < len(self._buffer) or bool(self._misc)))

    @property
    def rest(self) -> bytes:
        """What is here of an unfinished payload."""
        return bytes(self._buffer) if self.begun else b""

    def feed(self, data: bytes, now: float) -> None:
        """Take bytes; then `next_frame` until it is None."""
        if data:
            self._buffer += data
            self._last = now

    def next_frame(self) -> Frame | None:
        """The next payload that is complete now. Raises ProtocolError."""
        while True:
            if self._mode is _Mode.LEAD:
                found = self._lead()
                if not found:
                    self._check_size()
                    return None
            elif self._mode is _Mode.SETTLE:
                frame = self._settle()
                if frame or self._mode is _Mode.SETTLE:
                    return frame
            else:
                frame = self._payload()
                if frame:
                    return frame
                if self._mode is not _Mode.LEAD:
                    self._check_size()
                    return None

    def deadline(self) -> float | None:
        """When `quiet` has something to do, if nothing arrives until then."""
        after = self._bound()
        return None if after is None else self._last + after

    def quiet(self, now: float) -> Frame | None:
        """What the time that passed since the last byte makes of the bytes that are here. Raises ProtocolError."""
        due = self.deadline()
        if due is None or now < due:
            return None
        if self._mode is _Mode.SETTLE:
            self._begin_lead(_Behind.FORMAT)
            return self.next_frame()
        if self._mode is _Mode.LEAD and self._controls_alone():
            self._drop(len(self._buffer))
            return None
        if self._ended_by_a_gap():
            return self._take_all()
        if isinstance(self._scanner, XmlEnd) and self._scanner.blank:
            self._drop(len(self._buffer))
            self._begin_lead(_Behind.NOTHING)
            return None
        raise ProtocolError(f"a message broke off after {len(self._buffer)} bytes")

    def finish(self) -> Frame | None:
        """The stream ended, and that ends a payload without an end of its own. Raises ProtocolError for an unfinished
        message of a known format."""
        if not self.begun or self._mode is _Mode.LEAD and self._controls_alone():
            return None
        if self._mode is _Mode.FORMAT or self._misc:
            raise ProtocolError(f"the stream ended inside a message, after {len(self._buffer)} bytes")
        return self._take_all()

    # -- gaps ----------------------------------------------------------------------------------------------------------

    def _bound(self) -> float | None:
        """Seconds of quiet after which something is due."""
        if self._mode is _Mode.SETTLE:
            return self.gap
        if not self.begun:
            return None
        if self._mode is _Mode.LEAD and self._controls_alone() or self._ended_by_a_gap():
            return self.gap
        if self._mode is _Mode.ANSWER and self._first:
            return None         # the registration's own deadline
        return self.patience

    def _ended_by_a_gap(self) -> bool:
        if self._mode in (_Mode.LEAD, _Mode.FORMAT) or self._mode is _Mode.ANSWER and self._first:
            return False
        return not self.terminates or self._first or (
            self._application and self._buffer[-1] == EOT and len(self._buffer) > self._kept)

    def _controls_alone(self) -> bool:
        return self._application and self._at < len(self._buffer) and self._buffer[self._at] in _ENQ_ACK_NAK

    def _take_all(self) -> Frame:
        size = len(self._buffer)
        half = self._buffer[-1] == EOT and size > self._kept
        frame = self._end(size - half, _Behind.PLAIN)
        self._lead()            # the half is dropped, and remembered in case its other half comes
        return frame

    # -- the scan ------------------------------------------------------------------------------------------------------

    def _lead(self) -> bool:
        """Skip or drop what is in front of a payload. True: one begins."""
        buffer = self._buffer
        while self._at < len(buffer):
            byte = buffer[self._at]
            if self._misc:
                if not self._drop_misc():
                    return False
            elif byte in b" \t\r\n":
                self._eots = 0
                self._at = _SPACE.match(buffer, self._at).end()   
                if self._behind in (_Behind.FORMAT, _Behind.XML):
                    self._drop(self._at)
            elif byte == EOT:
                end = _EOTS.match(buffer, self._at).end()         
                self._eots += end - self._at
                self._drop(end)
                if self._eots >= 2:
                    self.terminates |= self._evidence
                    self._evidence = False
                    self._behind = _Behind.NOTHING
            elif byte == BOM[0] and BOM.startswith(piece := buffer[self._at:self._at + len(BOM)]):
                if len(piece) < len(BOM):
                    return False
                self._at += len(BOM)
                self._eots = 0
                self._behind = _Behind.NOTHING
            elif self._behind is _Behind.XML and byte == ord("<"):
                misc = self._begin_misc()
                if misc is None:
                    return False
                if not misc:
                    break
            elif self._controls_alone():
                end = self._controls = _CONTROLS.match(buffer, max(self._at, self._controls)).end()
                if end == len(buffer):
                    return False
                if buffer[end] != EOT and buffer[end] not in _FORMATS:
                    break
                self._drop(end)
            else:
                break
        else:
            return False
        self._begin()
        return True

    def _begin_misc(self) -> bool | None:
        """Is it a comment or an instruction behind the root that begins here? None: that is not known yet."""
        head = bytes(self._buffer[self._at:self._at + 6])
        if _DECLARATION.match(head):
            return False
        if b"<!--".startswith(head) or b"<?xml".startswith(head):
            return None
        for sign, closed_by in _MISC:
            if head.startswith(sign):
                self._misc, self._eots = closed_by, 0
                self._drop(self._at + len(sign))
                return True
        return False

    def _drop_misc(self) -> bool:
        eot2, limit = self._limit()
        end = self._buffer.find(self._misc, self._at, limit)
        if end < 0 and eot2 < 0:
            self._drop(max(0, limit - len(self._misc) + 1))
            return False
        self._drop(end + len(self._misc) if end >= 0 else eot2)
        self._misc = b""
        return True

    def _begin(self) -> None:
        byte, self._eots, self._kept = self._buffer[self._at], 0, 0
        self._mode, self._scanner = _Mode.FORMAT, None
        if byte in b"{[":
            self._scanner = JsonEnd(self._at)
        elif byte == ord("<"):
            self._scanner = XmlEnd(self._at)
        elif byte == STX:
            self._scanner = StxEnd(self._at)
        else:
            self._mode = _Mode.ANSWER if self._answers else _Mode.PLAIN

    def _payload(self) -> Frame | None:
        """The payload that began, if it is complete. None in the mode LEAD: it was nothing."""
        eot2, limit = self._limit()
        if self._scanner:
            try:
                end = self._scanner.scan(self._buffer, limit)
            except Malformed as malformed:
                self._mode, self._scanner, self._kept = _Mode.PLAIN, None, malformed.kept
            else:
                if end is not None:
                    return self._end(end, _Behind.XML if isinstance(self._scanner, XmlEnd) else _Behind.FORMAT)
        elif self._mode is _Mode.ANSWER and (frame := self._registration_answer()):
            return frame
        if eot2 < 0:
            return None
        if isinstance(self._scanner, XmlEnd) and self._scanner.blank:
            self._drop(eot2 + 2)
            self._begin_lead(_Behind.NOTHING)
            return None
        frame = self._end(eot2, _Behind.NOTHING)
        self._drop(2)
        self.terminates |= self._evidence
        self._evidence = False
        return frame

    def _limit(self) -> tuple[int, int]:
        """Where the first EOT EOT is (-1: none), and up to where the bytes are certainly in front of one."""
        if self._eot2 < 0:
            self._eot2 = self._buffer.find(EOT2, self._searched)
            self._searched = self._eot2 if self._eot2 >= 0 else max(0, len(self._buffer) - 1)
        if self._eot2 >= 0:
            return self._eot2, self._eot2
        return -1, len(self._buffer) - self._buffer.endswith(b"\x04")

    def _registration_answer(self) -> Frame | None:
        rest = bytes(self._buffer[self._at:self._at + max(map(len, self._answers))])
        for answer in self._answers:
            if not rest.startswith(answer):
                continue
            end = self._at + len(answer)
            follows = self._follows(end)
            if follows is None:
                frame = self._end(end, _Behind.FORMAT)
                self._mode, self._answer = _Mode.SETTLE, frame.payload
                return frame
            if follows:
                return self._end(end, _Behind.FORMAT)
            break
        else:
            if any(answer.startswith(rest) for answer in self._answers):
                return None
        self._mode = _Mode.PLAIN
        return None

    def _follows(self, at: int) -> bool | None:
        """May what is at `at`, white space skipped, stand behind a registration answer? None: nothing is there yet."""
        at = _SPACE_OR_BOM.match(self._buffer, at).end()          
        if BOM.startswith(self._buffer[at:at + len(BOM)]):
            return None
        return self._buffer[at] == EOT or self._buffer[at] in _FORMATS

    def _settle(self) -> Frame | None:
        follows = self._follows(0)
        if follows is None:
            self._check_size()
            return None
        if follows:
            self._begin_lead(_Behind.FORMAT)
            return None
        eot2, _ = self._limit()
        end = eot2 if eot2 >= 0 else len(self._buffer)
        frame = Frame(self._answer + bytes(self._buffer[:end]), corrects=True)
        self._drop(end)
        self._begin_lead(_Behind.NOTHING)
        return frame

    def _end(self, end: int, behind: _Behind) -> Frame:
        if end > self._max:
            self._too_long()
        payload = bytes(self._buffer[:end])
        self._drop(end)
        self._begin_lead(behind)
        self._evidence = self._counts(payload)
        self._first = False
        return Frame(payload)

    def _begin_lead(self, behind: _Behind) -> None:
        self._mode, self._scanner, self._behind = _Mode.LEAD, None, behind
        self._at = self._eots = 0

    def _drop(self, end: int) -> None:
        """The bytes before `end` are done with. (CPython moves a bytearray's beginning; it does not copy.)"""
        del self._buffer[:end]
        self._at = self._controls = 0
        self._searched = max(0, self._searched - end)
        self._eot2 = self._eot2 - end if self._eot2 >= end else -1

    def _check_size(self) -> None:
        if len(self._buffer) - self._buffer.endswith(b"\x04") > self._max:
            self._too_long()

    def _too_long(self) -> None:
        raise ProtocolError(f"a message of more than {self._max} bytes (max_message)")
