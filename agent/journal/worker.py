"""The journal off the hub's thread: a slow disk delays the transaction that waits for it, and nothing else.

One native thread does the calls in their order; a greenlet feeds it from a bounded queue. A caller waits for
`CALL_TIMEOUT` seconds at most and then gets JournalStuck: the call may still happen later, in its order.
"""
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import gevent
from gevent.event import AsyncResult
from gevent.queue import Empty, Full, Queue
from gevent.threadpool import ThreadPool

from ..restarting import RestartingGreenlets
from ..transactions.identity import Identity
from .ages import Moment
from .entry import Answered, Duplicate, Entry, Retention
from .fallback import FallbackJournal

CALL_TIMEOUT = 10.0
"""Seconds."""
SLOWEST_SCAN = 512 << 10
"""Bytes of an answer that are scanned for card data in a second, on the slowest terminals."""
MAX_CALLS = 256
TIDY_AGAIN = 1.0
"""Seconds until card data is removed from the files again, after somebody who reads them delayed that."""
WATCH_INTERVAL = 5.0
"""Seconds without a call after which the worker checks that the file is still there."""

log = logging.getLogger("journal")

T = TypeVar("T")


class JournalStuck(Exception):
    """The disk did not answer in time."""


class StatusStore(Protocol):
    def problem(self, name: str, text: str | None) -> None: ...


@dataclass(frozen=True)
class _Call:
    work: Callable[[FallbackJournal], Any]
    result: "AsyncResult[Any]"


class JournalWorker:
    """The journal at `path`, for the one process that serves; never raises for a failing disk.

    Calls that wait for their result raise JournalStuck, and our own bugs; the others only log them. retention: may
    be replaced. store: where problems are shown. durable: the file is in use. given_up: how often it was.
    lost: how many transactions of an earlier process have an unknown outcome. generation: rises when rows may have come
    that nobody here has seen.
    """

    def __init__(self, path: Path, retention: Retention, store: StatusStore):
        self.path = path
        self.retention = retention
        self.durable = False
        self.generation = self.given_up = self.lost = 0
        self._newest = time.time_ns() // 1000
        self._boot = _boot_id()
        self.born = self.now()
        self._store = store
        self._problem: str | None = None
        self._journal: FallbackJournal | None = None
        self._calls: Queue[_Call] = Queue(MAX_CALLS)
        self._pool = ThreadPool(1)
        self._closed = False
        self._greenlets = RestartingGreenlets(log)
        self._greenlets.start(self._work)

    def now(self) -> Moment:
        return Moment(time.time(), self._boot, time.clock_gettime(time.CLOCK_BOOTTIME))

    def new_id(self) -> int:
        """Above all ids before it, those of earlier processes too once the journal is open."""
        self._newest = max(self._newest + 1, time.time_ns() // 1000)
        return self._newest

    # -- what waits for its result -----------------------------------------------------------------------------------

    def hand_over(self, entry: Entry, identity: Identity | None) -> Duplicate | None:
        retention = self.retention
        return self.wait_for(lambda journal: journal.hand_over(entry, identity, retention))

    def answer(self, id: int, answered: Answered, now: Moment) -> bool:
        timeout = CALL_TIMEOUT + len(answered.answer) / SLOWEST_SCAN
        return self.wait_for(lambda journal: journal.answer(id, answered, now), timeout)

    def find(self, identity: Identity) -> Duplicate | None:
        now, retention = self.now(), self.retention
        return self.wait_for(lambda journal: journal.find(identity, now, retention))

    def pending(self) -> list[Entry]:
        return self.wait_for(FallbackJournal.pending)

    def housekeep(self) -> None:
        now, retention = self.now(), self.retention
        self.wait_for(lambda journal: journal.housekeep(now, retention))

    def wait_for(self, work: Callable[[FallbackJournal], T], timeout: float = CALL_TIMEOUT) -> T:
        """What `work` returns; it is done in the thread. Raises JournalStuck after `timeout` seconds."""
        result: AsyncResult[T] = AsyncResult()
        try:
            self._calls.put_nowait(_Call(work, result))
        except Full:
            raise JournalStuck(f"{MAX_CALLS} calls wait for the journal's disk") from None
        try:
            return cast(T, result.get(timeout=timeout))
        except gevent.Timeout:
            raise JournalStuck(f"the journal's disk gave no answer for {timeout:g} s") from None

    # -- what does not -----------------------------------------------------------------------------------------------

    def withdraw(self, id: int) -> None:
        self._note(lambda journal: journal.withdraw(id))

    def deliver(self, id: int) -> None:
        now = self.now()
        self._note(lambda journal: journal.deliver(id, now))

    def expire(self, id: int) -> None:
        self._note(lambda journal: journal.expire(id))

    def _note(self, work: Callable[[FallbackJournal], object]) -> None:
        try:
            self._calls.put_nowait(_Call(work, AsyncResult()))
        except Full:
            log.error("the journal missed an entry: %d calls wait for its disk", MAX_CALLS)

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self, timeout: float = CALL_TIMEOUT) -> None:
        """Finish the calls that wait, then close the file."""
        if self._closed:
            return
        try:
            self.wait_for(FallbackJournal.close, timeout)
        except JournalStuck as error:
            log.error("the journal is left open: %s", error)
        self._closed = True
        self._greenlets.stop()

    # -- the greenlet and its thread ---------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            untidy = self._journal is not None and self._journal.untidy
            try:
                call = self._calls.get(timeout=TIDY_AGAIN if untidy else WATCH_INTERVAL)
            except Empty:
                call = _Call(FallbackJournal.check, AsyncResult())
            try:
                value = self._pool.apply(self._in_thread, (call.work,))
            except Exception as error:  # noqa: BLE001  it is the caller's
                log.error("the journal failed: %r", error)
                self._report()
                call.result.set_exception(error)
            else:
                self._report()
                call.result.set(value)

    def _in_thread(self, work: Callable[[FallbackJournal], T]) -> T:
        if self._journal is None:
            self._journal = FallbackJournal(self.path, self.born)
        return work(self._journal)

    def _report(self) -> None:
        journal = self._journal
        if journal is None:
            return
        self._newest = max(self._newest, journal.newest)
        self.durable, self.generation = journal.durable, journal.opened
        self.given_up, self.lost = journal.given_up, journal.lost
        if journal.problem != self._problem:
            self._problem = journal.problem
            if journal.problem is None:
                log.warning("the journal works again")
            else:
                log.error("%s", journal.problem)
            self._store.problem("journal", journal.problem)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""       # then only the wall clock can tell, as over a reboot
