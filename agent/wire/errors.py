"""PURE. The wire's own errors: nothing else may leave `agent.wire`, whatever arrives."""
from collections.abc import Iterable

from .events import SessionEvent


class WireError(Exception):
    """The connection is useless; the text says why, for support."""


class ProtocolError(WireError):
    """What arrived cannot be a message of this protocol: the peer broke its rules.

    `events` are those that came before it, so that nothing is lost with it.
    """

    def __init__(self, message: str, events: Iterable[SessionEvent] = ()):
        super().__init__(message)
        self.events = tuple(events)


class AnswerOverdue(WireError):
    """The peer's kernel may be there, its application did not answer in time."""


class MisuseError(WireError):
    """A bug of ours: a call that the state table does not allow."""
