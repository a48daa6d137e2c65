"""Answers on their way to the cloud: each on the connection that is there or on the next, until it is acknowledged.

Rules
- In order of their requests, one at a time; but one that failed on a connection lets smaller ones pass on the next: on
  a path that loses large segments alone, it must not take an approval with it again and again.
- Delivered means that the peer's TCP acknowledged every byte on a connection still up (`connection.send`). An answer
  whose connection ended first may have arrived all the same: it is sent again, once on each next connection. The cloud
  gets each answer at least once; a payment is never made again for it.
- Too old (`late_answer`) is not sent unasked. Whoever asks again gets it from the journal.
- An answer that says "not started, ask again" (busy, stopping) is a refusal. It belongs to the connection it was asked
  on and goes with it: behind the same request asked again on the next one, it would be taken for that one's answer.
  Refusals go out many at once; a cloud that asks more than it takes in loses the connection.
"""
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gevent.event import Event

from ..journal.ages import Moment, age
from ..wire.formats import EOT2

SEND_TIMEOUT = 30.0
"""Seconds. The connection's own timers (keepalive, TCP_USER_TIMEOUT) are to notice a loss much earlier."""
SLOWEST = 2000.0
"""Bytes a second that a line is granted beyond that: a long answer over a cellular line must arrive some day."""
MAX_PARCELS = 256
MAX_BYTES = 32 << 20
"""Of the answers that wait, in all."""
REFUSALS_AT_ONCE = 64 << 10
MAX_REFUSALS = 4 << 20
"""Bytes of refusals that wait: more than ten thousand of them."""

log = logging.getLogger("transactions")


@dataclass(eq=False)
class Parcel:
    """id: of its row in the journal, None without one. since: when the answer was in, or last asked for.

    label: who it is, for the log; "" for what gets no line there. count: answers in it, several of refusals. failed: it
    was not acknowledged on an earlier connection.
    """
    answer: bytes
    label: str
    since: Moment
    id: int | None = None
    count: int = 1
    failed: bool = False


class Courier:
    """delivered(parcel) and expired(parcel) are called once for each that is done with, from the courier's greenlet."""

    def __init__(self, late_answer: float, now: Callable[[], Moment], delivered, expired):
        self.late_answer = late_answer
        self._sending: Parcel | None = None
        self._now = now
        self._delivered = delivered
        self._expired = expired
        self._parcels: deque[Parcel] = deque()
        self._refusals: deque[tuple[bytes, str]] = deque()      # for the connection that is there
        self._refused = 0       # bytes of them
        self._connection = None
        self._spent = None      # the connection that failed to deliver
        self._wake = Event()

    @property
    def connection(self):
        return self._connection

    @property
    def busy(self) -> bool:
        """Something is being sent, or will be at once."""
        return self._sending is not None or (self._live() and bool(self._refusals or self._parcels))

    @property
    def waiting(self) -> int:
        return len(self._parcels)

    @property
    def full(self) -> bool:
        """One answer more would take the place of another."""
        return len(self._parcels) >= MAX_PARCELS or sum(len(parcel.answer) for parcel in self._parcels) >= MAX_BYTES

    def find(self, id: int) -> Parcel | None:
        """The parcel with the answer of this row that is still to be sent.

        Not the one that is being sent: the cloud may have it already, and be asking for another.
        """
        return next((parcel for parcel in self._parcels if parcel.id == id and parcel is not self._sending), None)

    def add(self, parcel: Parcel) -> None:
        while self.full and (old := next((old for old in self._parcels if old is not self._sending), None)) is not None:
            log.error("%d answers wait for the cloud: %s waits no longer", len(self._parcels), old.label)
            self._parcels.remove(old)
            self._expired(old)          # who asks for it still gets it
        self._parcels.append(parcel)
        self._wake.set()

    def refuse(self, answer: bytes, label: str, connection) -> None:
        """A refusal for `connection`; one that is gone, or does not take what it asks for, gets none."""
        if connection is not self._connection or not self._live():
            return
        self._refusals.append((answer, label))
        self._refused += len(answer)
        self._wake.set()
        if self._refused > MAX_REFUSALS:
            log.error("connection %s: the cloud asks more than it takes in (%d refusals wait), it is ended",
                      connection.number, len(self._refusals))
            connection.give_up("more requests than answers that were taken")
            self._spent = connection
            self._drop_refusals()

    def attach(self, connection) -> None:
        self._drop_refusals()
        self._connection = connection
        self.sort_out()
        self._wake.set()

    def detach(self, connection) -> None:
        if self._connection is connection:
            self._connection = None
            self._drop_refusals()
        self._wake.set()

    def sort_out(self) -> None:
        """Give up what has waited too long. Called where a wait may be over, not for what can be sent at once."""
        now = self._now()
        for parcel in list(self._parcels):
            if age(parcel.since, now) > self.late_answer and parcel is not self._sending:
                self._parcels.remove(parcel)
                log.warning("%s: the answer is older than late_answer (%g s) and is not sent unasked",
                            parcel.label, self.late_answer)
                self._expired(parcel)

    def work(self) -> None:
        """The greenlet: for ever. Started again after a bug, it goes on with those that wait."""
        self._wake.set()
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._live() and (self._refusals or self._parcels):
                if self._refusals:
                    self._send(self._next_refusals())
                if self._live() and self._parcels:
                    self._send(self._next())

    def _next(self) -> Parcel:
        first = self._parcels[0]
        return min(self._parcels, key=lambda parcel: len(parcel.answer)) if first.failed else first

    def _next_refusals(self) -> Parcel:
        answers, labels, size = [], [], 0
        while self._refusals and size < REFUSALS_AT_ONCE:
            answer, label = self._refusals.popleft()
            answers.append(answer)
            labels += filter(None, [label])
            size += len(answer)
        self._refused -= size
        more = f" and {len(answers) - 1} more" if labels and len(answers) > 1 else ""
        return Parcel(EOT2.join(answers), "".join(labels[:1]) + more, self._now(), count=len(answers))

    def _drop_refusals(self) -> None:
        if self._refusals:
            log.info("%d refusals go with their connection", len(self._refusals))
        self._refusals.clear()
        self._refused = 0

    def _live(self) -> bool:
        return self._connection is not None and self._connection is not self._spent

    def _send(self, parcel: Parcel) -> None:
        connection = self._connection
        self._sending = parcel
        try:
            arrived = connection.send(parcel.answer, SEND_TIMEOUT + len(parcel.answer) / SLOWEST)
        except Exception:
            log.exception("%s: sending failed on connection %s", parcel.label, connection.number)
            arrived = False
        finally:
            self._sending = None
        if not arrived:
            self._spent, parcel.failed = connection, True
            log.warning("%s: answer of %d bytes not acknowledged on connection %s%s", parcel.label, len(parcel.answer),
                        connection.number, ", kept for the next" if parcel in self._parcels else "")
            return
        if parcel in self._parcels:
            self._parcels.remove(parcel)
        self._delivered(parcel)
