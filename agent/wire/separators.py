"""PURE. What comes between two payloads: bytes that are dropped, or that belong to the next one.

| bytes                                | after what                   | they are                                       |
|--------------------------------------|------------------------------|------------------------------------------------|
| EOT EOT                              | a payload that ended without | its end, also when white space is between them |
| any other EOT                        | anything                     | half a terminator, or one too many: dropped,   |
|                                      |                              | with all in front of it                        |
| white space                          | a known format               | dropped                                        |
| comments, processing instructions    | an XML root                  | dropped                                        |
| other white space, a byte order mark | anything                     | a part of the next payload; alone they are none|
| ENQ, ACK, NAK                        | (an application's answers)   | dropped in front of EOT or a known format, or  |
|                                      |                              | alone                                          |

An XML declaration begins the next document and is no processing instruction. Nothing here depends on segments.
"""
import re
from enum import Enum, auto

from .buffer import Buffer
from .formats import BOM, EOT, SPACE, run_end

FORMATS = b"{[<\x02"
"""What messages of the known formats begin with."""
_SPACES = re.compile(rb"[ \t\r\n]*")
_EOTS = re.compile(rb"\x04*")
_CONTROL = b"\x05\x06\x15"
_CONTROLS = re.compile(rb"[\x05\x06\x15 \t\r\n]*")
_COMMENT, _INSTRUCTION = b"<!--", b"<?"
_DECLARATION = re.compile(rb"<\?xml[ \t\r\n?]")


class Preceding(Enum):
    """What the last payload was, as far as it matters to what follows it."""
    TERMINATED = auto()
    PLAIN = auto()
    FORMAT = auto()
    XML = auto()


class SeparatorScanner:
    """application: what comes are an application's answers."""

    def __init__(self, *, application: bool):
        self._application = application
        self.begin(Preceding.TERMINATED)

    def begin(self, preceding: Preceding) -> None:
        """A payload ended, and was dropped from the buffer."""
        self._preceding = preceding
        self.at = 0                     # where the scan continues; after `skip`: where the payload begins
        self.terminated = False         # an EOT EOT was here
        self._eots = 0                  # EOTs in a row
        self._controls = 0              # up to where ENQ, ACK and NAK are known
        self._closed_by = b""           # what ends the comment or instruction that is being dropped

    def undecided(self, buffer: Buffer) -> bool:
        """Something is here besides white space, and what it is depends on what follows."""
        return self.at < len(buffer) or self.in_misc

    @property
    def in_misc(self) -> bool:
        """A comment or an instruction after a root is not at its end."""
        return bool(self._closed_by)

    def controls_alone(self, buffer: Buffer) -> bool:
        return self._application and self.at < len(buffer) and buffer.bytes[self.at] in _CONTROL

    def drop_controls(self, buffer: Buffer) -> None:
        """They stayed alone; a byte order mark after them belongs to what may come."""
        self._drop(buffer, self._controls)

    def skip(self, buffer: Buffer) -> bool:
        """Go over what is here, and drop what is to be dropped. True: a payload begins at `at`."""
        while self.at < len(buffer):
            byte = buffer.bytes[self.at]
            if self._closed_by:
                went_on: bool | None = self._drop_misc(buffer)
            elif byte in SPACE:
                went_on = self._skip_space(buffer)
            elif byte == EOT:
                went_on = self._drop_eots(buffer)
            elif byte == BOM[0]:
                went_on = self._skip_bom(buffer)
            elif byte == ord("<") and self._preceding is Preceding.XML:
                went_on = self._begin_misc(buffer)
            elif self.controls_alone(buffer):
                went_on = self._drop_controls(buffer)
            else:
                return True
            if not went_on:
                return went_on is False
        return False

    # Each returns True where it advanced, False where a payload begins, None where that is not known yet.

    def _skip_space(self, buffer: Buffer) -> bool:
        self._eots = 0
        self.at = run_end(_SPACES, buffer.bytes, self.at, len(buffer))
        if self._preceding in (Preceding.FORMAT, Preceding.XML):
            self._drop(buffer, self.at)
        return True

    def _drop_eots(self, buffer: Buffer) -> bool:
        end = run_end(_EOTS, buffer.bytes, self.at, len(buffer))
        self._eots += end - self.at
        self._drop(buffer, end)
        if self._eots >= 2:
            self.terminated, self._preceding = True, Preceding.TERMINATED
        return True

    def _skip_bom(self, buffer: Buffer) -> bool | None:
        piece = buffer.bytes[self.at:self.at + len(BOM)]
        if not BOM.startswith(piece):
            return False
        if len(piece) < len(BOM):
            return None
        self.at += len(BOM)
        self._eots, self._preceding = 0, Preceding.TERMINATED
        return True

    def _begin_misc(self, buffer: Buffer) -> bool | None:
        head = bytes(buffer.bytes[self.at:self.at + 6])
        if _DECLARATION.match(head):
            return False
        if (_COMMENT.startswith(head) and head != _COMMENT) or b"<?xml".startswith(head):
            return None
        if head.startswith(_COMMENT):
            self._closed_by = b"-->"
        elif head.startswith(_INSTRUCTION):
            self._closed_by = b"?>"
        else:
            return False
        self._eots = 0
        self._drop(buffer, self.at + (len(_COMMENT) if self._closed_by == b"-->" else len(_INSTRUCTION)))
        return True

    def _drop_misc(self, buffer: Buffer) -> bool | None:
        end = buffer.bytes.find(self._closed_by, self.at, buffer.limit)
        if end < 0 and buffer.eot2 < 0:
            self._drop(buffer, max(0, buffer.limit - len(self._closed_by) + 1))
            return None
        self._drop(buffer, end + len(self._closed_by) if end >= 0 else buffer.eot2)
        self._closed_by = b""
        return True

    def _drop_controls(self, buffer: Buffer) -> bool | None:
        end = self._controls = run_end(_CONTROLS, buffer.bytes, max(self.at, self._controls), len(buffer))
        begins = end + len(BOM) if buffer.bytes[end:end + len(BOM)] == BOM else end
        if BOM.startswith(buffer.bytes[begins:begins + len(BOM)]):
            return None
        if buffer.bytes[begins] != EOT and buffer.bytes[begins] not in FORMATS:
            return False
        self._drop(buffer, end)
        return True

    def _drop(self, buffer: Buffer, end: int) -> None:
        buffer.drop(end)
        self.at = self._controls = 0
