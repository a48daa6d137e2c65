"""The journal: what was handed to the payment application, and what became of it. Plain SQLite, one thread at a time.

- Each event (entry.py has their table) is one SQL transaction, on the disk when the call returns (WAL,
  synchronous=FULL), and moves a row only out of the states that the table names: an event that comes twice or too late
  changes nothing and returns False.
- A request is kept as a hash. An answer is kept in `answered`, `delivered` and `expired` alone, without its track data
  and verification values, and from `late_answer` on without its card numbers; then it is overwritten (secure_delete),
  and leaves the write-ahead log too: the log is emptied after each scrub.
- For `keep` seconds after its answer, a row makes the same request a duplicate. RefIDs are unique for a day to the
  eConduit Cloud (`checkStatus` takes a date): tomorrow's RefID 1234 is a new sale. A row whose answer was never
  delivered, or whose outcome is not known, counts as long as it is there (`Retention.rows`).
- Two later rows of the same RefID change what a duplicate gets: see `find`.
"""
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from ..transactions.failpoints import failpoint
from ..transactions.identity import Command, Identity
from ..transactions.pan import examine, mask_all
from . import schema
from .ages import CLOCK_STEP, Moment, age
from .entry import Answered, Duplicate, Entry, Event, Retention, State
from .readable import ReadableEntries
from .rows import BARE, INSERT, MERGE, SELECT, Damaged, entry_of, values
from .watch import Watch

MAX_ROWS = 50_000
MASKED_AT_ONCE = 20
"""Answers whose card numbers are masked in one go; the others wait for the next, a minute later."""
MAX_LOG = 4 << 20
EVENT = 16 << 10
"""Bytes of the write-ahead log after which it is emptied in any case, and that an event writes into it, about."""


class Journal:
    """The events on one open connection (schema.py). Calls raise sqlite3.Error.

    watch: of the file; None for a journal in memory, and for one that is only read. untidy: something scrubbed may
    still be in the write-ahead log; `tidy` is to be called again.
    """

    def __init__(self, connection: sqlite3.Connection, watch: Watch | None = None):
        self._db = connection
        self.watch = watch
        self.untidy = watch is not None     # a crash may have left the log full of what was scrubbed
        self._logged = 0
        self._booted = float("-inf")        # when this boot began, as the wall clock said last

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """The journal at `path`, made or brought up to date as needed. Raises OSError and sqlite3.Error."""
        watch = Watch(path)
        try:
            connection = schema.connect(path)
        except BaseException:
            watch.close()
            raise
        watch.begin()
        return cls(connection, watch)

    @classmethod
    def in_memory(cls) -> "Journal":
        return cls(schema.connect(None))

    @classmethod
    def read_only(cls, path: Path) -> "Journal":
        return cls(schema.connect_to_read(path))

    # -- events ------------------------------------------------------------------------------------------------------

    def hand_over(self, entry: Entry, identity: Identity | None, retention: Retention) -> Duplicate | None:
        """Write `entry` down, unless it is a duplicate: then the first of it comes back and nothing is written.

        identity: None where it is a transaction of its own whatever came before.
        """
        with self._commit("handing"):
            if (duplicate := self.find(identity, entry.at, retention)) is not None:
                return duplicate
            self._db.execute(INSERT, values(entry))
        return None

    def answer(self, id: int, answered: Answered, now: Moment) -> bool:
        examined = examine(answered.answer)
        self._logged += len(examined.masked)
        with self._commit("answering"):
            return bool(self._move(
                Event.ANSWER, "id = ?", id, answer=examined.masked, answer_size=len(answered.answer),
                outcome=answered.outcome, reason=answered.reason, card=examined.card, declined=answered.declined,
                took=answered.took, at_wall=now.wall, at_boot=now.boot, at_up=now.up))

    def withdraw(self, id: int) -> bool:
        with self._commit():
            return bool(self._db.execute("DELETE FROM transactions WHERE id = ? AND state = 'handed'", (id,)).rowcount)

    def deliver(self, id: int, now: Moment) -> bool:
        with self._commit("delivering"):
            moved = self._move(Event.DELIVER, "id = ?", id, delivered=now.wall)
            self._scrub("id = ? AND card", id)
        failpoint("delivered")
        self.tidy()
        failpoint("checkpointed")
        return bool(moved)

    def expire(self, id: int) -> bool:
        with self._commit():
            return bool(self._move(Event.EXPIRE, "id = ?", id))

    def lose(self, born: Moment) -> int:
        """At the start: what an earlier process handed over, before `born`, and did not finish. How many.

        By the time since boot, not by the ids: those of a process may be below its predecessor's (a clock set back).
        """
        with self._commit():
            earlier = "(at_boot <> ? OR at_up < ?)"
            self._move(Event.EXPIRE, f"answer IS NULL AND {earlier}", born.boot, born.up)   # memory alone had it
            return self._move(Event.LOSE, earlier, born.boot, born.up)

    def housekeep(self, now: Moment, retention: Retention) -> None:
        """Scrub what is older than `keep`, mask the card numbers in what is older than `late_answer`, forget what is
        older than a row stays, empty the log when need be."""
        old = [id for where in ("answer IS NOT NULL AND state <> 'answered'", schema.LAPSED)
               for id in self._older(where, retention.keep, now)]
        late = self._older("card AND answer IS NOT NULL", retention.late_answer, now)[:MASKED_AT_ONCE]
        ancient = self._older("state IN ('unknown', 'scrubbed') ORDER BY id LIMIT 100", retention.rows, now)
        with self._commit():
            self._follow_clock(now)
            for id in old:
                self._scrub("id = ?", id)
            for id in set(late).difference(old):
                self._mask(id)
            self._db.executemany("DELETE FROM transactions WHERE id = ?", [(id,) for id in ancient])
            excess = self._db.execute("SELECT count(*) FROM transactions").fetchone()[0] - MAX_ROWS
            if excess > 0:
                self._db.execute("DELETE FROM transactions WHERE id IN (SELECT id FROM transactions WHERE state IN "
                                 "('unknown', 'scrubbed') ORDER BY delivered IS NULL, id LIMIT ?)", (excess,))
        self.tidy()

    # -- questions ---------------------------------------------------------------------------------------------------

    def find(self, identity: Identity | None, now: Moment, retention: Retention) -> Duplicate | None:
        """What a request is a duplicate of: the newest row with one of its digests that still counts.

        - A TipAdjust sets a value: after a different TipAdjust of its RefID it is meant, and no duplicate.
        - A Sale or Auth whose answer was delivered is `voided` by a Void of its RefID that was handed over later, and
          not declined: then its answer is no longer true.
        """
        if identity is None:
            return None
        digests = (identity.digest, *identity.earlier)
        known = self._entries(f"WHERE digest IN ({', '.join('?' * len(digests))}) ORDER BY id DESC", *digests)
        first = next((entry for entry in known if entry.counts(now, retention)), None)
        if first is None:
            return None
        if first.state is State.EXPIRED and age(first.at, now) > retention.keep:
            first = replace(first, answer=None)     # `housekeep` has not come by yet
        later = {Command.of(command) for command, in self._db.execute(
            "SELECT command FROM transactions WHERE ref = ? AND id > ? AND outcome IS NOT 'not_run' AND NOT declined",
            (identity.ref, first.id))}
        if identity.command is Command.TIP_ADJUST and Command.TIP_ADJUST in later:
            return None
        reusable = identity.command in (Command.SALE, Command.AUTH) and first.delivered is not None
        return Duplicate(first, voided=reusable and Command.VOID in later)

    def entry(self, id: int) -> Entry | None:
        """Without its answer."""
        row = self._db.execute(f"{BARE} WHERE id = ?", (id,)).fetchone()
        return None if row is None else entry_of(row)

    def recent(self, number: int, reading: int) -> list[Entry]:
        """The newest rows, the newest last, without their answers.

        reading: bytes of answers to read past at most, since what follows an answer is found through all of it.
        """
        first = None
        for id, size in self._db.execute("SELECT id, coalesce(length(answer), 0) FROM transactions "
                                         "ORDER BY id DESC LIMIT ?", (number,)):
            reading -= size
            if reading < 0:
                break
            first = id
        return [entry_of(row) for row in self._db.execute(f"{BARE} WHERE id >= ? ORDER BY id", (first,))]

    def pending(self) -> list[Entry]:
        """Answers that nobody got yet, in the order of their requests."""
        return list(self._entries("WHERE state = 'answered' AND answer IS NOT NULL ORDER BY id"))

    def newest(self) -> int:
        """The highest id there is; 0 for none."""
        newest: int = self._db.execute("SELECT coalesce(max(id), 0) FROM transactions").fetchone()[0]
        return newest

    # -- the whole ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises Damaged."""
        found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise Damaged(f"the file is damaged: {found}")

    def copy_to(self, other: "Journal", answers_up_to: int | None = None) -> bool:
        """All rows that can be read: was that all of them? Of two versions of a row, the later state wins.

        answers_up_to: bytes of answers to take along, besides those that nobody got yet; None: all. A row that comes
        without its answer takes none away: the answer may be where it comes to.
        """
        readable, merged = ReadableEntries(self._db, answers_up_to), True
        with other._commit(), closing(readable.read()) as entries:
            for entry in entries:
                try:
                    other._merge(entry)
                except sqlite3.IntegrityError:
                    merged = False      # damage garbled this row; it must not cost the others
        other.untidy = other.watch is not None
        return readable.complete and merged

    def merge(self, entries: Iterable[Entry]) -> None:
        """As `copy_to`, from elsewhere."""
        with self._commit():
            for entry in entries:
                self._merge(entry)

    def shed(self, limit: int) -> None:
        """Keep at most `limit` bytes of answers: those go first that were delivered first, then those that are too old
        to be sent, and then those that wait to be."""
        rows = self._db.execute("SELECT id, length(answer) FROM transactions WHERE answer IS NOT NULL ORDER BY "
                                "state = 'answered' DESC, delivered IS NULL DESC, delivered DESC, id DESC").fetchall()
        with self._commit():
            for id, size in rows:
                limit -= size
                if limit < 0:
                    self._db.execute("UPDATE transactions SET answer = NULL WHERE id = ?", (id,))

    def tidy(self) -> None:
        """After a scrub: what it overwrote leaves the write-ahead log. A reader may delay that until a later call.

        A log that is only long starts over in the same blocks, which are written faster than new ones.
        """
        if self.watch is None or not (self.untidy or self._logged >= MAX_LOG):
            return
        self._db.execute("PRAGMA busy_timeout = 0")
        try:
            how = "TRUNCATE" if self.untidy else "PASSIVE"
            held_back, _, _ = self._db.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {schema.BUSY_TIMEOUT * 1000:.0f}")
        self.watch.written()
        self.untidy, self._logged = bool(held_back), 0

    def close(self) -> None:
        self._db.close()
        if self.watch is not None:
            self.watch.close()

    # -- SQL ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def _commit(self, step: str | None = None) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            if step:
                failpoint(step)
            self._db.execute("COMMIT")
            self._logged += EVENT
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _move(self, event: Event, where: str, *keys: object, **columns: object) -> int:
        assignments = "".join(f", {name} = ?" for name in columns)
        return self._db.execute(
            f"UPDATE transactions SET state = ?{assignments} "
            f"WHERE {where} AND state IN ({', '.join('?' * len(event.origins))})",
            (event.target, *columns.values(), *keys, *event.origins)).rowcount

    def _scrub(self, where: str, key: int) -> None:
        if self._move(Event.SCRUB, where, key, answer=None):
            self.untidy = self.watch is not None

    def _mask(self, id: int) -> None:
        answer, = self._db.execute("SELECT answer FROM transactions WHERE id = ?", (id,)).fetchone()
        self._db.execute("UPDATE transactions SET answer = ?, card = 0 WHERE id = ?", (mask_all(answer), id))
        self.untidy = self.watch is not None

    def _follow_clock(self, now: Moment) -> None:
        """A clock that starts wrong (no battery) dates this boot's rows too early until it is set; after the next boot
        they would be old, and no duplicates. None is dated earlier: a clock that is put back may be wrong now."""
        before, self._booted = self._booted, now.wall - now.up
        if self._booted - before > CLOCK_STEP:
            self._db.execute("UPDATE transactions SET at_wall = at_up + ? WHERE at_boot = ? AND at_wall < at_up + ?",
                             (self._booted, now.boot, self._booted - CLOCK_STEP))

    def _merge(self, entry: Entry) -> None:
        self._db.execute(MERGE, values(entry))

    def _older(self, where: str, seconds: float, now: Moment) -> list[int]:
        """The ids of rows that are older than `seconds`."""
        rows = self._db.execute(f"SELECT id, at_wall, at_boot, at_up FROM transactions WHERE {where}")
        return [id for id, *at in rows if age(Moment(*at), now) > seconds]

    def _entries(self, clause: str, *values: object) -> Iterator[Entry]:
        return map(entry_of, self._db.execute(f"{SELECT} {clause}", values))
