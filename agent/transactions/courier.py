"""Answers on their way to the cloud: each on the connection that is there or on the next, until it is acknowledged.

Rules
- In order of their requests, one at a time.
- Delivered means that the peer's TCP acknowledged every byte on a connection still up (`connection.send`). An answer
  whose connection ended first may have arrived all the same: it is sent again, once on each next connection. The cloud
  gets each answer at least once; a payment is never made again for it.
- Too old (`late_answer`) is not sent unasked. Whoever asks again gets it from the journal.
- An answer that says "not started, ask again" (busy, stopping) belongs to the connection it was asked on and goes with
  it: behind the same request asked again on the next one, it would be taken for that one's answer.
"""
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gevent.event import Event

from .ages import Moment, age

SEND_TIMEOUT = 30.0
"""Seconds. The connection's own timers (keepalive, TCP_USER_TIMEOUT) are to notice a loss much earlier."""
SLOWEST = 2000.0
"""Bytes a second that a line is granted beyond that: a long answer over a cellular line must arrive some day."""
MAX_PARCELS = 256

log = logging.getLogger("transactions")


@dataclass(eq=False)
class Parcel:
    """id: of its row in the journal, None without one. since: when the answer was in, or last asked for.

    bound: the only connection it may go to. label: who it is, for the log.
    """
    answer: bytes
    label: str
    since: Moment
    id: int | None = None
    bound: object = None


class Courier:
    """delivered(parcel) and expired(parcel) are called once for each that is done with, from the courier's greenlet."""

    def __init__(self, late_answer: float, now: Callable[[], Moment], delivered, expired):
        self.late_answer = late_answer
        self._sending: Parcel | None = None
        self._now = now
        self._delivered = delivered
        self._expired = expired
        self._parcels: deque[Parcel] = deque()
        self._connection = None
        self._spent = None      # the connection that failed to deliver
        self._wake = Event()

    @property
    def connection(self):
        return self._connection

    @property
    def busy(self) -> bool:
        """Something is being sent, or will be at once."""
        return self._sending is not None or self._live() and any(self._fits(parcel) for parcel in self._parcels)

    @property
    def waiting(self) -> int:
        return len(self._parcels)

    def find(self, id: int) -> Parcel | None:
        """The parcel with the answer of this row that is still to be sent.

        Not the one that is being sent: the cloud may have it already, and be asking for another.
        """
        return next((parcel for parcel in self._parcels if parcel.id == id and parcel is not self._sending), None)

    def add(self, parcel: Parcel) -> None:
        if len(self._parcels) >= MAX_PARCELS:
            waiting = [old for old in self._parcels if old is not self._sending]
            given_up = next((old for old in waiting if old.id is None), waiting[0])
            log.error("%d answers wait for the cloud: %s waits no longer", MAX_PARCELS, given_up.label)
            self._parcels.remove(given_up)
            self._expired(given_up)     # who asks for it still gets it
        self._parcels.append(parcel)
        self._wake.set()

    def attach(self, connection) -> None:
        self._connection = connection
        self.sort_out()
        self._wake.set()

    def detach(self, connection) -> None:
        if self._connection is connection:
            self._connection = None
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
            self._drop_bound()
            while self._live() and (parcel := next(filter(self._fits, self._parcels), None)) is not None:
                self._send(parcel)
                self._drop_bound()

    def _drop_bound(self) -> None:
        for parcel in [parcel for parcel in self._parcels if not self._fits(parcel)]:
            self._parcels.remove(parcel)
            log.info("%s: its connection is gone, and its answer with it", parcel.label)

    def _live(self) -> bool:
        return self._connection is not None and self._connection is not self._spent

    def _fits(self, parcel: Parcel) -> bool:
        return parcel.bound is None or parcel.bound is self._connection

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
            self._spent = connection
            log.warning("%s: answer of %d bytes not acknowledged on connection %s, kept for the next",
                        parcel.label, len(parcel.answer), connection.number)
        elif parcel in self._parcels:
            self._parcels.remove(parcel)
            self._delivered(parcel)
