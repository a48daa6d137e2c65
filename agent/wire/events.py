"""PURE. What `wire.session` says of the bytes that came: an event each, in their order."""
from dataclasses import dataclass
from enum import Enum, auto


class Refusal(Enum):
    """Who refused: the cloud in one of the document's two ways, or something else that answers in its place."""
    FAILED = auto()
    INVALID_TYPE = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Registered:
    """OK-REGISTRATION came, `seconds` after Register was sent."""
    seconds: float


@dataclass(frozen=True)
class Refused:
    """Any other answer came; `answer` is its text.

    It may come after Registered: what had looked like OK-REGISTRATION was the beginning of something else, and the
    registration is withdrawn.
    """
    answer: str
    kind: Refusal


@dataclass(frozen=True)
class Deregistered:
    """The cloud says that it no longer has this terminal; `answer` is its text."""
    answer: str
    kind: Refusal


@dataclass(frozen=True)
class Acknowledged:
    """The cloud acknowledged a heartbeat."""


@dataclass(frozen=True)
class SurplusAck:
    """An ack came that nobody waits for."""


@dataclass(frozen=True)
class StatusNotice:
    """The cloud said something that is neither an answer nor a transaction; a heartbeat asks if it still has us."""
    text: str


@dataclass(frozen=True)
class Transaction:
    """A request for the payment application, exactly as it came, without the terminator."""
    request: bytes


SessionEvent = Registered | Refused | Deregistered | Acknowledged | SurplusAck | StatusNotice | Transaction
