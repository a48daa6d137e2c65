"""A request as it came in, and the little that may be known and said of it."""
from dataclasses import dataclass
from typing import Protocol

from econduit_terminal.process.logs import clean

from ..wire.lookup import peek
from .identity import Command, Identity
from .pan import mask_label

_SHOWN = 64


class Connection(Protocol):
    """What answers go over."""
    number: int

    def send(self, payload: bytes, timeout: float) -> bool: ...
    def fail(self, why: str) -> None: ...


@dataclass(eq=False)
class Request:
    """connection: the one it last came over. identity: None without a RefID. label: who it is, for the log.

    hidden: it is one of so many that it gets no line in the log.
    """
    body: bytes
    connection: Connection | None
    ref_id: str | None
    command: str | None
    identity: Identity | None
    label: str
    hidden: bool = False

    @classmethod
    def of(cls, body: bytes, connection: Connection | None, ref_id_field: int | None = None) -> "Request":
        seen = peek(body, ref_id_field)
        identity = Identity.of(body, seen.ref_id, seen.command)
        label = f"RefID={shown(seen.ref_id) or '-'} command={shown(seen.command) or '-'}"
        return cls(body, connection, seen.ref_id, seen.command, identity, label)

    def same_as(self, other: "Request") -> bool:
        return self.identity is not None and other.identity is not None and (
            self.identity.digest == other.identity.digest)

    def adjusts_differently(self, other: "Request") -> bool:
        """Both are TipAdjusts of one RefID, and not the same."""
        ours, theirs = self.identity, other.identity
        return (ours is not None and theirs is not None and ours.command is theirs.command is Command.TIP_ADJUST
                and ours.ref == theirs.ref and ours.digest != theirs.digest)

    def voided_by(self, other: "Request") -> bool:
        """A Sale or Auth, and a Void of its RefID."""
        ours, theirs = self.identity, other.identity
        return (ours is not None and theirs is not None and ours.command in (Command.SALE, Command.AUTH)
                and theirs.command is Command.VOID and ours.ref == theirs.ref)


def shown(text: str | None, length: int = _SHOWN) -> str | None:
    """Text from outside as people may see it: printable, at most `length` characters, card numbers masked."""
    # Masking must not cost more for what is not shown: a RefID may be as long as a message.
    return None if text is None else clean(mask_label(text[:4 * length]), length)
