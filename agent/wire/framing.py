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
   which is a protocol error. A lone EOT at the end is left out: its other half may still come, and is dropped then.

An application's answers (`application`) are read by the same rules, and the end of the stream ends a payload of rule 4,
too. A lone EOT inside a payload is payload; what comes between payloads is the business of `wire.separators`.

| mode    | the bytes so far are                      | leads to                                                     |
|---------|-------------------------------------------|--------------------------------------------------------------|
| BETWEEN | nothing of a payload, or what is in front | FORMAT at `{` `[` `<` STX; else ANSWER, or PLAIN             |
| FORMAT  | an unfinished message of a known format   | BETWEEN when complete, PLAIN when malformed                  |
| ANSWER  | the beginning of a registration answer    | SETTLE or BETWEEN when complete, PLAIN when it continues     |
| SETTLE  | after a registration answer               | BETWEEN at a byte that may follow, at a gap, or correcting it|
| PLAIN   | anything else                             | BETWEEN at a gap                                             |

EOT EOT leads from every mode to BETWEEN. A payload over `max_message` bytes is a protocol error, found before more than
that is held. Each byte is looked at once, however small the pieces.
"""
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from econduit_terminal.contract.reason import Reason

from .buffer import Buffer
from .errors import ProtocolError
from .formats import BOM, EOT, STX, JsonScanner, Malformed, Scanner, StxScanner, run_end
from .separators import FORMATS, Preceding, SeparatorScanner
from .xml import XmlScanner

_SPACE_OR_BOM = re.compile(rb"(?:[ \t\r\n]|\xef\xbb\xbf)*")
_SPACE_SHOWN = 16


@dataclass(frozen=True)
class Frame:
    """One payload. corrects: it replaces the registration answer before it, which was only its beginning."""
    payload: bytes
    corrects: bool = False


class _Mode(Enum):
    BETWEEN = auto()
    FORMAT = auto()
    ANSWER = auto()
    SETTLE = auto()
    PLAIN = auto()


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
        self._longest = max(map(len, answers), default=0)
        self._counts = counts
        self._first = bool(answers)     # the first payload, which is the answer to a registration
        self._buffer = Buffer()         # the payload begins at its beginning
        self.last = 0.0                 # when the last byte came
        self._mode = _Mode.BETWEEN
        self._separators = SeparatorScanner(application=application)
        self._scanner: Scanner | None = None
        self._answer = b""              # the registration answer that SETTLE is about
        self._kept = 0                  # bytes of a PLAIN payload that are certainly not half a terminator
        self._evidence = False          # the last payload counts, and was not terminated yet

    @property
    def begun(self) -> bool:
        """The beginning of a payload is here, not only what may precede one."""
        if self._mode is _Mode.BETWEEN:
            return self._separators.undecided(self._buffer)
        return self._mode is not _Mode.SETTLE

    @property
    def rest(self) -> bytes:
        """What is here of an unfinished payload."""
        return bytes(self._buffer.bytes) if self.begun else b""

    def feed(self, data: bytes, now: float) -> None:
        """Take bytes; then `next_frame` until it is None."""
        if data:
            self._buffer.add(data)
            self.last = now

    def next_frame(self) -> Frame | None:
        """The next payload that is complete now. Raises ProtocolError."""
        while True:
            mode = self._mode
            if mode is _Mode.BETWEEN:
                frame = None
                self._look_for_a_payload()
            elif mode is _Mode.SETTLE:
                frame = self._settle()
            else:
                frame = self._payload()
            if frame:
                return frame
            if self._mode is mode or not self._buffer:
                if len(self._buffer) - self._buffer.half > self._max:
                    self._too_long()
                return None

    def deadline(self) -> float | None:
        """When `quiet` has something to do, if nothing arrives until then."""
        after = self._bound()
        return None if after is None else self.last + after

    def quiet(self, now: float) -> Frame | None:
        """What the time that passed since the last byte makes of the bytes that are here. Raises ProtocolError."""
        due = self.deadline()
        if due is None or now < due:
            return None
        if self._mode is _Mode.SETTLE:
            self._to_separators(Preceding.FORMAT)
            return self.next_frame()
        if self._ended_by_a_gap():
            return self._take_all()
        if self._between_controls():
            self._separators.drop_controls(self._buffer)
            return self.next_frame()
        if self._nothing():
            self._buffer.drop(len(self._buffer))
            self._to_separators(Preceding.TERMINATED)
            return None
        raise ProtocolError(Reason.BROKE_OFF.text(len(self._buffer)))

    def finish(self) -> Frame | None:
        """The stream ended, and that ends a payload without an end of its own. Raises ProtocolError where it cuts off a
        message of a known format."""
        if not self.begun or self._nothing():
            return None
        if self._mode is _Mode.FORMAT or self._separators.in_misc:
            raise ProtocolError(f"the stream ended inside a message, after {len(self._buffer)} bytes")
        return self._take_all()

    # -- gaps ----------------------------------------------------------------------------------------------------------

    def _bound(self) -> float | None:
        """Seconds of quiet after which something is due."""
        if self._mode is _Mode.SETTLE or self._between_controls() or self._ended_by_a_gap():
            return self.gap
        if not self.begun or (self._mode is _Mode.ANSWER and self._first):
            return None         # for an answer the registration has its own deadline
        return self.patience

    def _ended_by_a_gap(self) -> bool:
        """By rule 4. The first payload is: no cloud has shown a habit by its answer to a registration."""
        if self._mode is _Mode.PLAIN:
            return self._first or not self.terminates
        return self._mode is _Mode.ANSWER and not self._first and not self.terminates

    def _between_controls(self) -> bool:
        return self._mode is _Mode.BETWEEN and self._separators.controls_alone(self._buffer)

    def _nothing(self) -> bool:
        """What is here is no message, should the bytes end here."""
        return self._between_controls() or (self._scanner is not None and self._scanner.blank)

    def _take_all(self) -> Frame:
        half = self._buffer.half and len(self._buffer) > self._kept
        frame = self._end(len(self._buffer) - half, Preceding.PLAIN)
        self._look_for_a_payload()      # the half is dropped there, and remembered in case its other half comes
        return frame

    # -- the scan ------------------------------------------------------------------------------------------------------

    def _look_for_a_payload(self) -> None:
        """Go over what comes between payloads, and begin the next one."""
        begins = self._separators.skip(self._buffer)
        if self._separators.terminated:
            self.terminates |= self._evidence
            self._evidence = False
        if not begins:
            return
        at = self._separators.at
        byte = self._buffer.bytes[at]
        self._mode, self._scanner, self._kept = _Mode.FORMAT, None, 0
        if byte in b"{[":
            self._scanner = JsonScanner(at)
        elif byte == ord("<"):
            self._scanner = XmlScanner(at)
        elif byte == STX:
            self._scanner = StxScanner(at)
        else:
            self._mode = _Mode.ANSWER if self._answers else _Mode.PLAIN

    def _payload(self) -> Frame | None:
        """The payload that began, if it is complete."""
        buffer = self._buffer
        if self._mode is _Mode.ANSWER and (frame := self._registration_answer()):
            return frame
        if self._scanner:
            try:
                end = self._scanner.scan(buffer.bytes, buffer.limit)
            except Malformed as malformed:
                self._mode, self._scanner, self._kept = _Mode.PLAIN, None, malformed.kept
            else:
                if end is not None:
                    return self._end(end, Preceding.XML if isinstance(self._scanner, XmlScanner) else Preceding.FORMAT)
        if buffer.eot2 < 0:
            return None
        if self._nothing():
            buffer.drop(buffer.eot2)
            self._to_separators(Preceding.TERMINATED)
            return None
        return self._end(buffer.eot2, Preceding.PLAIN)     # and the EOT EOT is found after it

    def _registration_answer(self) -> Frame | None:
        at = self._separators.at
        here = bytes(self._buffer.bytes[at:at + self._longest])
        answer = next((answer for answer in self._answers if here.startswith(answer)), None)
        if answer:
            end = at + len(answer)
            may_follow = self._may_follow(end)
            if may_follow is None:
                frame = self._end(end, Preceding.FORMAT)
                self._mode, self._answer = _Mode.SETTLE, frame.payload
                return frame
            if may_follow:
                return self._end(end, Preceding.FORMAT)
        if answer or not any(answer.startswith(here) for answer in self._answers):
            self._mode = _Mode.PLAIN
        return None

    def _may_follow(self, at: int) -> bool | None:
        """May what is at `at`, white space skipped, follow a registration answer? None: nothing is there yet."""
        data = self._buffer.bytes
        at = run_end(_SPACE_OR_BOM, data, at, len(data))
        if BOM.startswith(data[at:at + len(BOM)]):
            return None
        return data[at] == EOT or data[at] in FORMATS

    def _settle(self) -> Frame | None:
        may_follow = self._may_follow(0)
        if may_follow is None:
            space = run_end(_SPACE_OR_BOM, self._buffer.bytes, 0, len(self._buffer))
            self._answer += self._buffer.bytes[:min(space, _SPACE_SHOWN)]
            self._buffer.drop(space)
            return None
        if may_follow:
            self._to_separators(Preceding.FORMAT)
            return None
        end = self._buffer.eot2 if self._buffer.eot2 >= 0 else len(self._buffer)
        frame = Frame(self._answer + bytes(self._buffer.bytes[:end]), corrects=True)
        self._buffer.drop(end)
        self._to_separators(Preceding.TERMINATED)
        return frame

    def _end(self, end: int, preceding: Preceding) -> Frame:
        if end > self._max:
            self._too_long()
        payload = bytes(self._buffer.bytes[:end])
        self._buffer.drop(end)
        self._to_separators(preceding)
        self._evidence, self._first = self._counts(payload), False
        return Frame(payload)

    def _to_separators(self, preceding: Preceding) -> None:
        self._mode, self._scanner, self._evidence = _Mode.BETWEEN, None, False
        self._separators.begin(preceding)

    def _too_long(self) -> None:
        raise ProtocolError(Reason.TOO_LONG.text(self._max))
