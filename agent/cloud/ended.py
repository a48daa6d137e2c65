"""How a connection ended: what was met (`policy.classify` says what that means), and in words for people."""
import errno
from dataclasses import dataclass

from econduit_terminal.agent.transactions.request import shown
from econduit_terminal.agent.wire.errors import WireError
from econduit_terminal.agent.wire.events import Deregistered, Refusal, Refused
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import UNANSWERED, Reason

from . import findings
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
    other = event.kind is Refusal.OTHER
    reason = something_else(endpoint, event.answer, answer) if other else Reason.REFUSED.text(answer)
    return Ended(findings.of_refusal(event.kind), reason)


def deregistered(event: Deregistered) -> Ended:
    """The cloud no longer has this terminal."""
    return Ended(Finding.DEREGISTERED, Reason.REFUSED.text(shown(event.answer, SHOWN)))


def broken(error: WireError, endpoint: Endpoint, *, registering: bool) -> Ended:
    """What came breaks the rules."""
    reason = something_else(endpoint, "", str(error)) if registering else str(error)
    return Ended(findings.of_broken_rules(registering=registering), reason)


def lost(error: OSError, *, registering: bool) -> Ended:
    """The kernel ended it, or says that the peer did."""
    known = _KERNEL.get(error.errno or 0)
    reason = known.words if known else Reason.LOST.text(error.strerror or error)
    return Ended(findings.of_error(error), reason + UNANSWERED if registering else reason)


def given_up(by: GivenUp) -> Ended:
    """Silence that no dial met says nothing of the line yet, and a segment size that was the cause says what to change:
    then the next dial does not wait."""
    at_once = by.successor is None and (by.mss is not None or not by.dialed)
    return Ended(Finding.ASKED if at_once else Finding.LOST, by.reason, by.successor, by.mss)
