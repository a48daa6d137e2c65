"""The journal whatever the disk does: on the file while that works, in memory while it does not.

| what went wrong                      | what happens                                                               |
|--------------------------------------|----------------------------------------------------------------------------|
| the file is damaged                  | what can be read goes to a new file; the old is renamed `.damaged-<time>`  |
| full, read-only, missing, I/O error  | what can be read goes to memory, at the start too; the file stays as it is |
| it works again (tried every `RETRY`) | memory goes back into the file                                             |

Serving goes on in every row of this table, and nothing that this process has seen is run twice: the last `REMEMBERED`
are known even where nothing of the file can be read any more. What memory holds does not outlive the process: that is
the one protection lost while `problem` is not None, and the text says so.

Plain Python for one thread: no gevent and no logging, which would be the hub's.
"""
import os
import sqlite3
import time
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from . import schema
from .ages import Moment
from .journal import Entry, Journal

RETRY = 30.0
DAMAGED_KEPT = 3
ANSWERS_IN_MEMORY = 4 << 20
REMEMBERED = 1000
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_FAMILIES = ("", "-wal", "-shm")


class Books:
    """`path`: the file. `keep`: seconds. `born`: the moment at which this process began.

    problem: text for people while something is wrong, else None. set_aside: how often the file was given up.
    durable: the file is in use. newest: the highest id in it when it was opened. lost: see `Journal.lose`.
    """

    def __init__(self, path: Path, keep: float, born: Moment, monotonic=time.monotonic):
        self.path = path
        self.keep = keep
        self.born = born
        self.problem: str | None = None
        self.set_aside = 0
        self.lost = 0
        self.newest = 0
        self._monotonic = monotonic
        self._retry_at = 0.0
        self.durable = False
        self._known = False     # all rows of the file are in memory, or were
        self._own: OrderedDict[int, Entry] = OrderedDict()      # this process's last, without their answers
        self._missed: deque[tuple] = deque(maxlen=REMEMBERED)   # what became of rows that only the file has whole
        self._journal = Journal(schema.connect(None), keep)
        self._attempt_file()

    def call(self, name: str, *arguments):
        """`Journal.name(*arguments)`, in memory when the disk fails meanwhile. Raises for our own mistakes alone."""
        if not self.durable and self._monotonic() >= self._retry_at:
            self._attempt_file()
        self._journal.keep = self.keep
        try:
            result = getattr(self._journal, name)(*arguments)
        except (sqlite3.Error, OSError) as error:
            if not self.durable or isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
                raise
            self._give_up(error)
            result = getattr(self._journal, name)(*arguments)
        self._remember(name, arguments, result)
        return result

    @property
    def untidy(self) -> bool:
        """See `Journal`; in memory there is nothing to tidy."""
        return self.durable and self._journal.untidy

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._journal.close()

    def _remember(self, event: str, arguments, result) -> None:
        if event == "hand" and result is None:
            entry = arguments[0]
            self._own[entry.id] = entry
            if len(self._own) > REMEMBERED:
                self._own.popitem(last=False)
        elif event == "answer" and result:
            id, answer, outcome, reason, took, now, declined = arguments
            if id in self._own:
                self._own[id] = replace(self._own[id], state="scrubbed", at=now, outcome=outcome, reason=reason,
                                        took=took, answer_size=len(answer), declined=declined)
        elif event == "withdraw":
            self._own.pop(arguments[0], None)
        elif event in ("deliver", "expire") and not result and not self.durable:
            self._missed.append((event, arguments))

    def _attempt_file(self) -> None:
        """From memory to the file, if it can be had."""
        try:
            journal = self._open()
        except (sqlite3.Error, OSError) as error:
            if not _is_damage(error) or not self._rename(error):
                self._out_of_order(error)
                return
            try:
                journal = self._open()
            except (sqlite3.Error, OSError) as again:
                self._out_of_order(again)
                return
        try:
            self._journal.copy_to(journal, 1 << 62)
            for event, arguments in self._missed:
                getattr(journal, event)(*arguments)
            self._missed.clear()
            lost = journal.lose(self.born)
            journal.tidy()
            self.newest = max(self.newest, journal.newest())
        except sqlite3.Error as error:
            journal.close()
            self._out_of_order(error)
            return
        self.lost += lost
        self._journal.close()
        self._journal, self.durable, self._known = journal, True, True
        if self.problem and not self.problem.startswith("damaged"):
            self.problem = None

    def _open(self) -> Journal:
        journal = Journal(schema.connect(self.path), self.keep)
        try:
            journal.check()
        except sqlite3.Error:
            self._rescue(journal)
            journal.close()
            raise
        return journal

    def _give_up(self, error) -> None:
        """The file fails under us: to memory with all that can be read, and back at once if a new file will do."""
        self.durable = False
        broken, self._journal = self._journal, Journal(schema.connect(None), self.keep)
        self._known = self._rescue(broken)
        self._journal.add_missing(self._own.values())
        with suppress(sqlite3.Error):
            broken.close()
        self.set_aside += 1
        if _is_damage(error) and self._rename(error):
            self._attempt_file()
        else:
            self._out_of_order(error)

    def _rescue(self, broken: Journal, over: bool = True) -> bool:
        """Into memory what can be read: was that all?"""
        with suppress(sqlite3.Error):
            return broken.copy_to(self._journal, ANSWERS_IN_MEMORY, over)
        return False

    def _read(self) -> None:
        """A file that can not be written may still be read: what ran before this start must not run again."""
        with suppress(sqlite3.Error, OSError):
            journal = Journal(schema.connect_to_read(self.path), self.keep)
            self._known = self._rescue(journal, over=False)
            journal.close()
            self.lost += self._journal.lose(self.born)
            self.newest = max(self.newest, self._journal.newest())

    def _out_of_order(self, error) -> None:
        if not self._known:
            self._read()
        self._retry_at = self._monotonic() + RETRY
        self.problem = (f"the journal {self.path} can not be used ({error}): transactions go on, but until this is "
                        "mended a restart of the agent forgets which of them ran; free space, or make it writable")

    def _rename(self, error) -> bool:
        """The damaged file is kept for whoever looks into it: the last few of them."""
        aside = f"{self.path}.damaged-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
        try:
            for family in _FAMILIES:
                with suppress(FileNotFoundError):
                    os.rename(f"{self.path}{family}", f"{aside}{family}")
            self._forget_old()
        except OSError:
            return False
        self.problem = (f"damaged journal ({error}) set aside as {aside}: transactions go on, what could be read was "
                        "taken over; look at the disk")
        return True

    def _forget_old(self) -> None:
        aside = sorted(path for path in self.path.parent.glob(f"{self.path.name}.damaged-*")
                       if not path.name.endswith(_FAMILIES[1:]))
        for path in aside[:-DAMAGED_KEPT]:
            for family in _FAMILIES:
                Path(f"{path}{family}").unlink(missing_ok=True)


def _is_damage(error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.DatabaseError) and (
        code is None and "damaged" in str(error) or code is not None and code & 0xFF in _DAMAGED)
