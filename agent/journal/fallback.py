"""The journal whatever the disk does: on the file while that works, in memory while it does not.

| what went wrong                      | what happens                                                                 |
|--------------------------------------|------------------------------------------------------------------------------|
| the file is damaged, or written into | what can be read goes to a new file; the old is renamed `.damaged-<time>`    |
| removed, replaced, mounted over      | what is known goes to the file that the path leads to now, a new one perhaps |
| full, read-only, missing, I/O error  | what can be read goes to memory, at the start too; the file stays as it is   |
| it works again                       | memory goes back into the file                                               |

Serving continues in every row of this table, and nothing that this process has seen is run twice: the last `REMEMBERED`
are known, without their answers, even where nothing of the file can be read any more. What memory holds does not
outlive the process: that is the one protection lost while the file cannot be used, and `problem` says so. So the file
is tried again after `RETRY_FIRST`, then after twice as long each time, up to `RETRY`: most disks are full for seconds.
Memory keeps `ANSWERS_IN_MEMORY` bytes of answers: the newest, and those that nobody got yet before the others.

Plain Python for one thread: no gevent and no logging, which belong to the hub's.
"""
import os
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from econduit_terminal.process import memory

from ..transactions.identity import Identity
from .ages import Moment
from .entry import Answered, Duplicate, Entry, Retention
from .journal import Journal
from .rows import Damaged
from .watch import FAMILIES

RETRY_FIRST, RETRY = 1.0, 30.0
"""Seconds until the file is tried again: after its first failure, and at most."""
DAMAGED_KEPT = 3
ANSWERS_IN_MEMORY = 8 << 20
REMEMBERED = 1000
ANSWERS_READ = 16 << 20
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

T = TypeVar("T")


class FallbackJournal:
    """`path`: the file. `born`: the moment at which this process began. The calls are those of `Journal`, and raise
    for our own bugs alone.

    durable: the file is in use. opened, given_up: how often it was. newest: the highest id in it when it was opened.
    lost: see `Journal.lose`.
    """

    def __init__(self, path: Path, born: Moment, monotonic: Callable[[], float] = time.monotonic):
        self.path = path
        self.born = born
        self.durable = False
        self.opened = self.given_up = 0
        self.lost = 0
        self.newest = 0
        self._failure: str | None = None    # why the file is not in use
        self._incident: str | None = None   # what happened to it, until the next start
        self._monotonic = monotonic
        self._retry_at = 0.0
        self._retry_after = RETRY_FIRST
        self._known = False     # all rows of the file are in memory, or were
        self._abandoned: list[Journal] = []     # of files that are not ours to close
        self._own: OrderedDict[int, Entry] = OrderedDict()      # the last ones, without their answers
        self._journal = Journal.in_memory()
        self._attempt()

    @property
    def problem(self) -> str | None:
        """Text for people."""
        return self._failure or self._incident

    @property
    def untidy(self) -> bool:
        return self._journal.untidy

    # -- the calls ---------------------------------------------------------------------------------------------------

    def hand_over(self, entry: Entry, identity: Identity | None, retention: Retention) -> Duplicate | None:
        seen = self._event(entry.id, lambda journal: journal.hand_over(entry, identity, retention))
        if seen is None:
            self._own.setdefault(entry.id, entry)
        return seen

    def answer(self, id: int, answered: Answered, now: Moment) -> bool:
        moved = self._event(id, lambda journal: journal.answer(id, answered, now))
        if not self.durable:
            self._journal.shed(ANSWERS_IN_MEMORY)
        return moved

    def withdraw(self, id: int) -> bool:
        return self._event(id, lambda journal: journal.withdraw(id))

    def deliver(self, id: int, now: Moment) -> bool:
        return self._event(id, lambda journal: journal.deliver(id, now))

    def expire(self, id: int) -> bool:
        return self._event(id, lambda journal: journal.expire(id))

    def find(self, identity: Identity, now: Moment, retention: Retention) -> Duplicate | None:
        return self._do(lambda journal: journal.find(identity, now, retention))

    def pending(self) -> list[Entry]:
        return self._do(Journal.pending)

    def housekeep(self, now: Moment, retention: Retention) -> None:
        self._do(lambda journal: journal.housekeep(now, retention))

    def check(self) -> None:
        """To be called now and then: is the file still there, does it work again, is something left to be tidied?"""
        self._do(Journal.tidy)

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._journal.close()

    def _event(self, id: int, work: Callable[[Journal], T]) -> T:
        result = self._do(work)
        with suppress(sqlite3.Error):       # a file that fails just now is noticed at the next call
            if (entry := self._journal.entry(id)) is None:
                self._own.pop(id, None)
            else:
                self._own[id] = entry
        if len(self._own) > REMEMBERED:
            self._own.popitem(last=False)
        return result

    def _do(self, work: Callable[[Journal], T]) -> T:
        """In memory when the disk fails meanwhile."""
        if not self.durable and self._monotonic() >= self._retry_at:
            self._attempt()
        try:
            self._check_place()
            return work(self._journal)
        except (sqlite3.Error, OSError) as error:
            if not self.durable or isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
                raise
            self._give_up(error)
            return work(self._journal)

    # -- from the file to memory -------------------------------------------------------------------------------------

    def _give_up(self, error: Exception, keep_log: bool = False) -> None:
        """The file fails under us: to memory with all that can be read, and back at once if a new file will do.

        keep_log: SQLite is not to write its log into the file, as it does when it closes one that is still there.
        """
        broken = self._to_memory()
        renamed = keep_log and self._rename(error)
        with suppress(sqlite3.Error):
            broken.close()
        if renamed or (_is_damage(error) and self._rename(error)):
            self._attempt()
        else:
            self._fail(error)

    def _check_place(self) -> None:
        """Somebody took the file away from us: what is known goes to where the path leads now. Raises OSError."""
        watch = self._journal.watch
        if watch is None or (tampering := watch.tampering()) is None:
            return
        if watch.written_into:
            self._give_up(Damaged(tampering), keep_log=True)
            return
        old = self._to_memory()
        if watch.lookalike:
            self._abandoned.append(old)
        else:
            with suppress(sqlite3.Error):
                old.close()
        self._incident = (f"{tampering} while the agent ran: all that was known is in the file again; find out what "
                          "did that, since nothing would be known had the agent been stopped then")
        self._attempt()

    def _to_memory(self) -> Journal:
        """With all that can be read, and what is known of the rest. What was in use comes back, to be closed."""
        old, self._journal = self._journal, Journal.in_memory()
        self.durable = False
        self.given_up += 1
        self._known = self._rescue(old)
        self._journal.merge(self._own.values())
        return old

    def _rescue(self, broken: Journal) -> bool:
        """Into memory what can be read: was that all?"""
        with suppress(sqlite3.Error):
            return broken.copy_to(self._journal, ANSWERS_IN_MEMORY)
        return False

    def _fail(self, error: Exception) -> None:
        if not self._known:
            self._read()
        self._retry_at = self._monotonic() + self._retry_after
        self._retry_after = min(2 * self._retry_after, RETRY)
        self._failure = (f"the journal {self.path} cannot be used ({error}): transactions go on, but until this is "
                         "fixed a restart of the agent forgets which of them ran; free space, or make it writable")

    def _read(self) -> None:
        """A file that cannot be written may still be read: what ran before this start must not run again."""
        with suppress(sqlite3.Error, OSError):
            journal = Journal.read_only(self.path)
            self._known = self._rescue(journal)
            journal.close()
            self._begin(self._journal)

    # -- from memory to the file -------------------------------------------------------------------------------------

    def _attempt(self) -> None:
        """From memory to the file, if it is available."""
        journal = None
        try:
            journal = self._open()
            self._journal.copy_to(journal)
            self._begin(journal)
            self._own = OrderedDict((entry.id, entry) for entry in journal.recent(REMEMBERED, ANSWERS_READ))
            journal.tidy()
        except (sqlite3.Error, OSError) as error:
            if journal is not None:
                journal.close()
            self._fail(error)
            return
        self._journal.close()
        returned = self._failure is not None or self.given_up > 0
        self._journal, self.durable, self._known, self._failure = journal, True, True, None
        self._retry_after = RETRY_FIRST
        self.opened += 1
        if returned:
            memory.trim()       # of what the journal in memory took: 10 MB and more

    def _open(self) -> Journal:
        journal = None
        try:
            journal = Journal.open(self.path)
            journal.check()
            return journal
        except sqlite3.Error as error:
            if journal is not None:
                self._rescue(journal)
                journal.close()
            elif _is_damage(error):
                self._read()        # it kept an older file from being brought up to date
            if not (_is_damage(error) and self._rename(error)):
                raise
        return Journal.open(self.path)

    def _begin(self, journal: Journal) -> None:
        """It holds rows of earlier processes."""
        self.lost += journal.lose(self.born)
        self.newest = max(self.newest, journal.newest())

    def _rename(self, why: Exception) -> bool:
        """The damaged file is kept for an investigation: the last few of them."""
        aside = f"{self.path}.damaged-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
        try:
            for family in FAMILIES:
                with suppress(FileNotFoundError):
                    os.rename(f"{self.path}{family}", f"{aside}{family}")
            earlier = sorted(path for path in self.path.parent.glob(f"{self.path.name}.damaged-*")
                             if not path.name.endswith(FAMILIES[1:]))
            for path in earlier[:-DAMAGED_KEPT]:
                for family in FAMILIES:
                    Path(f"{path}{family}").unlink(missing_ok=True)
        except OSError:
            return False
        self._incident = (f"damaged journal ({why}) set aside as {aside}: transactions go on, what could be read was "
                          "taken over; look at the disk")
        return True


def _is_damage(error: Exception) -> bool:
    return isinstance(error, Damaged) or (
        isinstance(error, sqlite3.DatabaseError) and (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _DAMAGE)
