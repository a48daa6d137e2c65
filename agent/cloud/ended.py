"""How a connection ended: what was met (`policy.classify` says what that means), and in words for people."""
import errno
from dataclasses import dataclass

from econduit_terminal.agent.transactions.request import shown
from econduit_terminal.agent.wire.errors import WireError
from econduit_terminal.agent.wire.events import Deregistered, Refusal, Refused
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import UNANSWERED, Reason

from .dialed import Dialed
from .liveness_check import GivenUp
from .policy import Finding
from .reasons import something_else

SHOWN = 80
"""Characters that are shown of what the cloud said."""
_KERNEL = {
    errno.ECONNRESET: Reason.RESET,
    errno.EPIPE: Reason.CLOSED,
    errno.ETIMEDOUT: Reason.TIMED_OUT,
    errno.EHOSTUNREACH: Reason.NO_ROUTE,
    errno.ENETUNREACH: Reason.NO_ROUTE,
    errno.ENETDOWN: Reason.INTERFACE_DOWN,
}
"""What the kernel says of a lost connection."""
_BY_THE_PEER = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)
_REFUSALS = {Refusal.FAILED: Finding.FAILED, Refusal.INVALID_TYPE: Finding.INVALID_TYPE}


@dataclass(frozen=True)
class Ended:
    """successor: the better connection that is open already. mss: the segment size that this endpoint needs from now
    on."""
    finding: Finding
    reason: str
    successor: Dialed | None = None
    mss: int | None = None


def refused(event: Refused, endpoint: Endpoint) -> Ended:
    """Not registered, or no longer: what looked like a registration was the beginning of another answer."""
    answer = shown(event.answer, SHOWN) or ""
    if event.kind is Refusal.OTHER:
        return Ended(Finding.OTHER, something_else(endpoint, event.answer, answer))
    return Ended(_REFUSALS[event.kind], Reason.REFUSED.text(answer))


def deregistered(event: Deregistered) -> Ended:
    """The cloud no longer has this terminal."""
    return Ended(Finding.DEREGISTERED, Reason.REFUSED.text(shown(event.answer, SHOWN)))


def broken(error: WireError, endpoint: Endpoint, *, registering: bool) -> Ended:
    """What came breaks the rules; before a registration it is no cloud's answer at all."""
    if registering:
        return Ended(Finding.OTHER, something_else(endpoint, "", str(error)))
    return Ended(Finding.CLOSED, str(error))


def lost(error: OSError, *, registering: bool) -> Ended:
    """The kernel ended it, or says that the peer did."""
    known = _KERNEL.get(error.errno or 0)
    reason = known.words if known else Reason.LOST.text(error.strerror or error)
    return Ended(Finding.CLOSED if error.errno in _BY_THE_PEER else Finding.LOST,
                 reason + UNANSWERED if registering else reason)


def given_up(by: GivenUp) -> Ended:
    """Silence that no dial met says nothing of the line yet, and a segment size that was the cause says what to change:
    then the next dial does not wait."""
    at_once = by.successor is None and (by.mss is not None or not by.dialed)
    return Ended(Finding.ASKED if at_once else Finding.LOST, by.reason, by.successor, by.mss)
