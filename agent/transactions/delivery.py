"""Answers on their way to the cloud: each on the connection that is there or on the next, until it is acknowledged.

Rules
- In order of their requests, one at a time; but one that failed on a connection lets smaller ones pass on the next: on
  a path that loses large segments alone, it must not take an approval with it again and again.
- Delivered means that the peer's TCP acknowledged every byte on a connection still up (`connection.send`). An answer
  whose connection ended first may have arrived all the same: it is sent again, once on each next connection. The cloud
  gets each answer at least once; a payment is never made again for it.
- Too old (`late_answer`) is not sent unasked. A repeated request gets it from the journal.
- An answer that says "not started, ask again" (busy, stopping) is a refusal. It belongs to the connection it was asked
  on and goes with it: after the same request on the next one, it would be taken for that one's answer.
  Refusals go out many at once; a cloud that asks more than it takes in loses the connection.
"""
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gevent.event import Event

from ..journal.ages import Moment, age
from ..wire.formats import EOT2
from .request import Connection

SEND_TIMEOUT = 30.0
"""Seconds. The connection's own timers (keepalive, TCP_USER_TIMEOUT) are to notice a loss much earlier."""
SLOWEST = 2000.0
"""Bytes a second that a line is granted beyond that: a long answer over a cellular line must arrive eventually."""
MAX_WAITING = 256
MAX_BYTES = 32 << 20
"""Of the answers that wait, in all."""
REFUSALS_AT_ONCE = 64 << 10
MAX_REFUSALS = 4 << 20
"""Bytes of refusals that wait: more than ten thousand of them."""

log = logging.getLogger("transactions")


@dataclass(eq=False)
class PendingResponse:
    """id: of its row in the journal, None without one. since: when the answer was in, or last asked for.

    label: which it is, for the log; "" for no line there. count: answers in it, several of refusals. failed: it
    was not acknowledged on an earlier connection.
    """
    answer: bytes
    label: str
    since: Moment
    id: int | None = None
    count: int = 1
    failed: bool = False


class DeliveryQueue:
    """`delivered` and `expired` are called once for each that is done with, mostly from the greenlet of `work`."""

    def __init__(self, late_answer: float, now: Callable[[], Moment], delivered: Callable[[PendingResponse], None],
                 expired: Callable[[PendingResponse], None]):
        self.late_answer = late_answer
        self._sending: PendingResponse | None = None
        self._now = now
        self._delivered = delivered
        self._expired = expired
        self._waiting: deque[PendingResponse] = deque()
        self._refusals: deque[tuple[bytes, str]] = deque()      # for the connection that is there
        self._refused = 0       # bytes of them
        self._connection: Connection | None = None
        self._spent: Connection | None = None       # the one that failed to deliver
        self._wake = Event()

    @property
    def connection(self) -> Connection | None:
        return self._connection

    @property
    def busy(self) -> bool:
        """Something is being sent, or will be at once."""
        return self._sending is not None or (self._live() is not None and bool(self._refusals or self._waiting))

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """One answer more would take the place of another."""
        return len(self._waiting) >= MAX_WAITING or sum(len(response.answer) for response in self._waiting) >= MAX_BYTES

    def carries(self, id: int) -> bool:
        """The answer of this row is still to be sent, or is being sent."""
        return any(waiting.id == id for waiting in self._waiting)

    def find(self, id: int) -> PendingResponse | None:
        """What carries the answer of this row, and is still to be sent.

        Not the one that is being sent: the cloud may have it already, and be asking for another.
        """
        return next((waiting for waiting in self._waiting if waiting.id == id and waiting is not self._sending), None)

    def add(self, response: PendingResponse) -> None:
        while self.full and (old := next((old for old in self._waiting if old is not self._sending), None)) is not None:
            log.error("%d answers wait for the cloud: %s waits no longer", len(self._waiting), old.label)
            self._waiting.remove(old)
            self._expired(old)          # a repeated request still gets it
        self._waiting.append(response)
        self._wake.set()

    def refuse(self, answer: bytes, label: str, connection: Connection | None) -> None:
        """A refusal for `connection`; one that is gone, or does not take what it asks for, gets none."""
        if connection is None or connection is not self._live():
            return
        self._refusals.append((answer, label))
        self._refused += len(answer)
        self._wake.set()
        if self._refused > MAX_REFUSALS:
            log.error("connection %s: the cloud asks more than it takes in (%d refusals wait), it is ended",
                      connection.number, len(self._refusals))
            connection.fail("more requests than answers that were taken")
            self._spent = connection
            self._drop_refusals()

    def attach(self, connection: Connection) -> None:
        self._drop_refusals()
        self._connection = connection
        self.sort_out()
        self._wake.set()

    def detach(self, connection: Connection) -> None:
        if self._connection is connection:
            self._connection = None
            self._drop_refusals()
        self._wake.set()

    def sort_out(self) -> None:
        """Give up what has waited too long. Called where a wait may be over, not for what can be sent at once."""
        now = self._now()
        for response in list(self._waiting):
            if age(response.since, now) > self.late_answer and response is not self._sending:
                self._waiting.remove(response)
                log.warning("%s: the answer is older than late_answer (%g s) and is not sent unasked",
                            response.label, self.late_answer)
                self._expired(response)

    def work(self) -> None:
        """The greenlet's work, without an end. Started again after a bug, it continues with those that wait."""
        self._wake.set()
        while True:
            self._wake.wait()
            self._wake.clear()
            while (connection := self._live()) and (self._refusals or self._waiting):
                if self._refusals:
                    self._send(self._next_refusals(), connection)
                if self._live() is connection and self._waiting:
                    self._send(self._next(), connection)

    def _next(self) -> PendingResponse:
        first = self._waiting[0]
        return min(self._waiting, key=lambda response: len(response.answer)) if first.failed else first

    def _next_refusals(self) -> PendingResponse:
        answers: list[bytes] = []
        labels: list[str] = []
        size = 0
        while self._refusals and size < REFUSALS_AT_ONCE:
            answer, label = self._refusals.popleft()
            answers.append(answer)
            labels += filter(None, [label])
            size += len(answer)
        self._refused -= size
        more = f" and {len(answers) - 1} more" if labels and len(answers) > 1 else ""
        return PendingResponse(EOT2.join(answers), "".join(labels[:1]) + more, self._now(), count=len(answers))

    def _drop_refusals(self) -> None:
        if self._refusals:
            log.info("%d refusals go with their connection", len(self._refusals))
        self._refusals.clear()
        self._refused = 0

    def _live(self) -> Connection | None:
        """The connection that is there, as long as it delivers."""
        return None if self._connection is self._spent else self._connection

    def _send(self, response: PendingResponse, connection: Connection) -> None:
        self._sending = response
        try:
            arrived = connection.send(response.answer, SEND_TIMEOUT + len(response.answer) / SLOWEST)
        except Exception:       # a bug in there is no reason to lose an answer, or to wait for the connection's end
            log.exception("%s: sending failed on connection %s", response.label, connection.number)
            connection.fail("an answer could not be sent")
            arrived = False
        finally:
            self._sending = None
        if not arrived:
            self._spent, response.failed = connection, True
            log.warning("%s: answer of %d bytes not acknowledged on connection %s%s", response.label,
                        len(response.answer), connection.number,
                        ", kept for the next" if response in self._waiting else "")
            return
        if response in self._waiting:
            self._waiting.remove(response)
        self._delivered(response)
