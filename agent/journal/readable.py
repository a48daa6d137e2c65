"""All of a journal that can be read: damage to some of its rows must not cost the others."""
import sqlite3
from collections.abc import Generator
from dataclasses import replace

from .entry import Entry, State
from .rows import SELECT, Damaged, entry_of


class ReadableEntries:
    """answers_up_to: bytes of answers to give, besides those that nobody got yet; None: all. complete: nothing has been
    unreadable so far."""

    def __init__(self, connection: sqlite3.Connection, answers_up_to: int | None):
        self._db = connection
        self._left = float("inf") if answers_up_to is None else answers_up_to
        self.complete = True

    def read(self) -> Generator[Entry, None, None]:
        """Each once, the newest first. Raises nothing of the database."""
        seen: set[int] = set()
        for order in ("DESC", "ASC"):       # from the other end, more of a damaged file may be readable
            try:
                for row in self._db.execute(f"{SELECT} ORDER BY id {order}"):
                    if row[0] in seen:
                        continue
                    seen.add(row[0])
                    try:
                        entry = entry_of(row)
                    except Damaged:
                        self.complete = False
                    else:
                        yield self._limited(entry)
                return
            except sqlite3.Error:
                self.complete = False

    def _limited(self, entry: Entry) -> Entry:
        if entry.answer is None or entry.state is State.ANSWERED:
            return entry
        self._left -= len(entry.answer)
        return entry if self._left >= 0 else replace(entry, answer=None)
