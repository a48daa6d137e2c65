"""The journal off the hub's thread: a slow disk delays the transaction that waits for it, and nothing else.

One native thread does the calls in their order; `_clerk` feeds it from a bounded queue. Whoever waits does so for
`PATIENCE` seconds at most and then gets JournalStuck: the call may still happen later, in its order.
"""
import logging
import time
from pathlib import Path

import gevent
from gevent.event import AsyncResult
from gevent.queue import Empty, Full, Queue
from gevent.threadpool import ThreadPool

from .ages import Moment
from .books import Books
from .schema import FILE

PATIENCE = 10.0
MAX_CALLS = 256
TIDY_AGAIN = 1.0
"""Seconds after which the clerk tries again what somebody who reads the file held back: card data leaves its files."""

log = logging.getLogger("journal")


class JournalStuck(Exception):
    """The disk did not answer in time."""


def open_journal(settings, board) -> "Keeper":
    """The journal in `settings.local.state_dir`; returns at once, and never raises for what is wrong with the disk.

    Only for the process that serves: what another one handed over and has not finished becomes `unknown`.
    """
    return Keeper(Path(settings.local.state_dir) / FILE, settings.transactions.keep, board)


class Keeper:
    """`journal.Journal` by name: `keeper.call("find", …)` waits for the result, `keeper.post("deliver", …)` does not.

    board: gets `problem("journal", …)`. set_aside: how often the file was given up. lost: how many transactions of an
    earlier process have an unknown outcome. generation: rises when rows may have come that nobody here has seen.
    """

    def __init__(self, path: Path, keep: float, board):
        self.path = path
        self.keep = keep
        self.set_aside = 0
        self.lost = 0
        self.durable = False
        self.generation = 0
        self._newest = time.time_ns() // 1000
        self._boot = _boot_id()
        self.born = self.now()
        self._board = board
        self._problem: str | None = None
        self._books: Books | None = None
        self._calls = Queue(MAX_CALLS)
        self._pool = ThreadPool(1)
        self._closed = False
        self._clerk = self._hire()

    def now(self) -> Moment:
        return Moment(time.time(), self._boot, time.clock_gettime(time.CLOCK_BOOTTIME))

    def new_id(self) -> int:
        """Above all ids before it, those of earlier processes too once the journal is open."""
        self._newest = max(self._newest + 1, time.time_ns() // 1000)
        return self._newest

    def call(self, name: str, *arguments, patience: float = PATIENCE):
        """The result. Raises JournalStuck after `patience` seconds, and what is our own mistake."""
        result = self.post(name, *arguments)
        try:
            return result.get(timeout=patience)
        except gevent.Timeout:
            raise JournalStuck(f"the journal's disk gave no answer for {patience:g} s") from None

    def post(self, name: str, *arguments) -> AsyncResult:
        """Later, in its order. Raises JournalStuck when so many calls wait that one more would have no end."""
        result = AsyncResult()
        try:
            self._calls.put_nowait((name, arguments, result))
        except Full:
            raise JournalStuck(f"{MAX_CALLS} calls wait for the journal's disk") from None
        return result

    def close(self, patience: float = PATIENCE) -> None:
        """Finish the calls that wait, then close the file."""
        if self._closed:
            return
        try:
            self.call("", patience=patience)
        except JournalStuck as error:
            log.error("the journal is left open: %s", error)
        self._closed = True
        self._clerk.kill()

    # -- the clerk ---------------------------------------------------------------------------------------------------

    def _hire(self):
        clerk = gevent.spawn(self._work)
        clerk.link_exception(self._failed)
        return clerk

    def _failed(self, clerk) -> None:
        log.critical("the journal's greenlet failed and is started again: %s", type(clerk.exception).__name__)
        self._clerk = self._hire()

    def _work(self) -> None:
        while True:
            try:
                untidy = self._books is not None and self._books.untidy
                name, arguments, result = self._calls.get(timeout=TIDY_AGAIN if untidy else None)
            except Empty:
                name, arguments, result = "tidy", (), AsyncResult()
            try:
                value = self._pool.apply(self._in_thread, (name, arguments))
            except Exception as error:
                log.error("the journal failed at %s: %r", name or "close", error)
                self._report()
                result.set_exception(error)
            else:
                self._report()
                result.set(value)

    def _in_thread(self, name: str, arguments):
        if self._books is None:
            self._books = Books(self.path, self.keep, self.born)
        self._books.keep = self.keep
        return self._books.call(name, *arguments) if name else self._books.close()

    def _report(self) -> None:
        books = self._books
        if books is None:
            return
        self._newest = max(self._newest, books.newest)
        if books.durable and not self.durable:
            self.generation += 1
        self.durable, self.set_aside, self.lost = books.durable, books.set_aside, books.lost
        if books.problem != self._problem:
            self._problem = books.problem
            if books.problem is None:
                log.warning("the journal works again")
            else:
                log.error("%s", books.problem)
            self._board.problem("journal", books.problem)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""       # then only the wall clock can tell, as over a reboot
