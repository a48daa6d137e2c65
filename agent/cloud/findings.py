"""PURE. What the end of an open connection is as a `Finding`; the sandbox's fleet finds the same."""
import errno

from econduit_terminal.agent.wire.events import Refusal

from .policy import Finding

_REFUSALS = {Refusal.FAILED: Finding.FAILED, Refusal.INVALID_TYPE: Finding.INVALID_TYPE, Refusal.OTHER: Finding.OTHER}
_BY_THE_PEER = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)


def of_refusal(kind: Refusal) -> Finding:
    """An answer that is not a registration."""
    return _REFUSALS[kind]


def of_error(error: OSError) -> Finding:
    """The kernel ended it, or says that the peer did."""
    return Finding.CLOSED if error.errno in _BY_THE_PEER else Finding.LOST


def of_broken_rules(*, registering: bool) -> Finding:
    """What came breaks the rules; before a registration it is no cloud's answer at all."""
    return Finding.OTHER if registering else Finding.CLOSED


def of_overdue(*, arrived: bool) -> Finding:
    """An answer did not come in time. arrived: the peer's kernel acknowledged the question, for a program that is
    silent; otherwise nothing arrives there."""
    return Finding.MUTE if arrived else Finding.LOST
