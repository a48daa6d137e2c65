"""A request as it came in, and the little that may be known and said of it."""
import hashlib
from dataclasses import dataclass

from econduit_terminal.conf.logs import clean

from ..wire.messages import peek
from .pan import mask_label

_SHOWN = 64
_AROUND = b" \t\r\n"


@dataclass(eq=False)
class Request:
    """connection: the one it last came over. digest: SHA-256 where it has a RefID. label: who it is, for the log.

    The digest leaves out the white space around a request: where lines end, a part of the last message's end may stand
    before this one, and be missing when the same request comes again.
    """
    body: bytes
    connection: object
    ref_id: str | None
    command: str | None
    digest: bytes | None
    label: str

    @classmethod
    def of(cls, body: bytes, connection) -> "Request":
        seen = peek(body)
        digest = hashlib.sha256(body.strip(_AROUND)).digest() if seen.ref_id else None
        label = f"RefID={shown(seen.ref_id) or '-'} command={shown(seen.command) or '-'}"
        return cls(body, connection, seen.ref_id, seen.command, digest, label)


def shown(text: str | None, length: int = _SHOWN) -> str | None:
    """Text from outside as people may see it: printable, at most `length` characters, card numbers masked."""
    # Masking must not cost more for what is not shown: a RefID may be as long as a message.
    return None if text is None else clean(mask_label(text[:4 * length]), length)
