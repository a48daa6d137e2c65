"""What a terminal is answered: the four shapes of a right answer or acknowledgement, and twelve wrong answers. PURE."""
import random
from dataclasses import dataclass
from enum import Enum

EOT = b"\x04"
END = EOT + EOT
OK = b"OK-REGISTRATION"
FAILED = b"FAILED-REGISTRATION"
INVALID_TYPE = b"FAILED-INVALID-TERMINAL-TYPE"
ACK = b'{"Status":"OK"}'


class Shape(Enum):
    """How a text of the cloud's ends and in how many segments it comes."""

    TERMINATED = "EOT EOT"
    BARE = "bare"
    CRLF = "CR LF and EOT EOT"
    SPLIT = "split in two segments"

    def pieces(self, text: bytes) -> tuple[bytes, ...]:
        """The segments to send."""
        match self:
            case Shape.TERMINATED:
                return (text + END,)
            case Shape.BARE:
                return (text,)
            case Shape.CRLF:
                return (text + b"\r\n" + END,)
            case Shape.SPLIT:
                return (text[:7], text[7:] + END)


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """Not an answer to a registration, sent in the place of one."""

    name: str
    data: bytes


def _random_bytes() -> bytes:
    """64 bytes, the same in each run, that no rule could end early."""
    source = random.Random("econduit-certify")
    return bytes(source.choice([value for value in range(256) if value not in (2, 4, 60, 91, 123)]) for _ in range(64))


_PAGE = b"<html><body>Please log in</body></html>"
WRONG_ANSWERS: tuple[WrongAnswer, ...] = (
    WrongAnswer("FAILED-REGISTRATION", FAILED + END),
    WrongAnswer("FAILED-INVALID-TERMINAL-TYPE", INVALID_TYPE + END),
    WrongAnswer("OK", b"OK" + END),
    WrongAnswer("ok-registration", b"ok-registration" + END),
    WrongAnswer("OK-REGISTRATION-X", b"OK-REGISTRATION-X" + END),
    WrongAnswer("OK-REGISTRATION welcome", b"OK-REGISTRATION welcome" + END),
    WrongAnswer("OK-REGISTRATIO", b"OK-REGISTRATIO" + END),
    WrongAnswer('{"Status":"OK"}', ACK + END),
    WrongAnswer('{"Status":"ERROR"}', b'{"Status":"ERROR"}' + END),
    WrongAnswer("HTTP/1.1 200 OK with a page", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: "
                + str(len(_PAGE)).encode() + b"\r\n\r\n" + _PAGE),
    WrongAnswer("an empty message", END),
    WrongAnswer("64 random bytes", _random_bytes() + END),
)
