"""The journal: what was handed to the payment application, and what became of it. Plain SQLite, one thread at a time.

| event   | from                         | to        | when                                                            |
|---------|------------------------------|-----------|-----------------------------------------------------------------|
| hand    | (nothing)                    | handed    | before the first byte goes to the payment application           |
| answer  | handed                       | answered  | its answer, or the failure answer in its place, is in           |
| lose    | handed                       | unknown   | a start finds it: nobody knows if it ran. It never runs again   |
| withdraw | handed                      | (nothing) | the disk was so slow that it was not handed over after all      |
| deliver | answered, delivered, expired | delivered | the cloud's TCP acknowledged all of the answer                  |
| expire  | answered                     | expired   | too old to be sent unasked; whoever asks again still gets it    |
| scrub   | delivered, expired           | scrubbed  | `keep` is over; with card data in it: at once, with `deliver`   |

Rules
- Each event is one SQL transaction, on the disk when the call returns (WAL, synchronous=FULL), and moves a row only out
  of the states above: an event that comes twice or too late changes nothing and returns False.
- A request is kept as a hash. An answer is kept in `answered`, `delivered` and `expired` alone, without its track data
  and verification values, and from `late_answer` on without its card numbers; then it is overwritten (secure_delete),
  and leaves the write-ahead log too: the log is emptied after each scrub.
- A row is a duplicate's first for `keep` seconds after its answer. RefIDs are unique for a day to the eConduit Cloud
  (`checkStatus` takes a date), so tomorrow's RefID 1234 is a new sale. A row whose answer was never delivered, or whose
  outcome is not known, counts for `RETAIN`.
- Two later rows of the same RefID change what a duplicate gets: see `find`.
"""
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

from .ages import Moment, age
from .crashpoints import reach
from .identity import Command, Identity
from .pan import looks_like_card_data, mask_all, mask_secrets
from .schema import BUSY_TIMEOUT

TRANSITIONS = {
    "answer": (("handed",), "answered"),
    "lose": (("handed",), "unknown"),
    "deliver": (("answered", "delivered", "expired"), "delivered"),
    "expire": (("answered",), "expired"),
    "scrub": (("delivered", "expired"), "scrubbed"),
}
RETAIN = 30 * 86400.0
"""Seconds that a row stays for people to look at; longer where `keep` is longer."""
MAX_ROWS = 50_000
MASKED_AT_ONCE = 20
"""Answers whose card numbers are masked in one go; the others wait for the next, a minute later."""


@dataclass(frozen=True)
class Entry:
    """One transaction. `at` is the moment of the hand-over, then of the answer; the rest as in schema.py.

    declined: see declined.py.
    """
    id: int
    digest: bytes | None
    ref_id: str | None
    command: str | None
    request_size: int
    received: float
    at: Moment
    state: str = "handed"
    took: float | None = None
    outcome: str | None = None
    reason: str | None = None
    answer: bytes | None = None
    answer_size: int | None = None
    card: bool = False
    delivered: float | None = None
    ref: bytes | None = None
    declined: bool = False


@dataclass(frozen=True)
class Seen:
    """What a request is a duplicate of. voided: a later Void of it was handed over, and not declined."""
    first: Entry
    voided: bool = False


_PLAIN = tuple(field.name for field in fields(Entry) if field.name != "at")
_COLUMNS = (*_PLAIN, "at_wall", "at_boot", "at_up")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM transactions"
_INSERT = f"INSERT OR REPLACE INTO transactions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_INSERT_NEW = _INSERT.replace("REPLACE", "IGNORE", 1)


class Journal:
    """The events above on one open connection (`schema.connect`). `keep`: seconds. Calls raise sqlite3.Error.

    untidy: something scrubbed may still stand in the write-ahead log; `tidy` is to be called again.
    """

    def __init__(self, connection: sqlite3.Connection, keep: float):
        self.keep = keep
        self._db = connection
        self.untidy = True          # a crash may have left the log full of what was scrubbed
        self._cut: set[int] = set()     # rows that came here without the answer that they had elsewhere

    # -- events ------------------------------------------------------------------------------------------------------

    def hand(self, entry: Entry, now: Moment, identity: Identity | None) -> Seen | None:
        """Write `entry` down, unless it is a duplicate: then the first of it comes back and nothing is written.

        identity: None where it is a transaction of its own whatever came before.
        """
        with self._commit("handing"):
            if (seen := self.find(identity, now)) is not None:
                return seen
            self._insert(entry)
        return None

    def answer(self, id: int, answer: bytes, outcome: str, reason: str | None, took: float, now: Moment,
               declined: bool = False) -> bool:
        """outcome: `answer` of the application, `failure` after it had the request, or certainly `not_run`.

        took: seconds since the hand-over. declined: what declined.py says of the answer to a Void.
        """
        card, kept = looks_like_card_data(answer), mask_secrets(answer)
        with self._commit("answering"):
            return self._move("answer", "id = ?", id, answer=kept, answer_size=len(answer), outcome=outcome,
                              reason=reason, card=card, declined=declined, took=took,
                              at_wall=now.wall, at_boot=now.boot, at_up=now.up)

    def withdraw(self, id: int) -> bool:
        with self._commit():
            return bool(self._db.execute("DELETE FROM transactions WHERE id = ? AND state = 'handed'", (id,)).rowcount)

    def deliver(self, id: int, now: Moment) -> bool:
        with self._commit("delivering"):
            moved = self._move("deliver", "id = ?", id, delivered=now.wall)
            self._scrub("id = ? AND card", id)
        reach("delivered")
        self.tidy()
        reach("checkpointed")
        return moved

    def expire(self, id: int) -> bool:
        with self._commit():
            return self._move("expire", "id = ?", id)

    def lose(self, born: Moment) -> int:
        """At the start: what an earlier process handed over, before `born`, and did not finish. How many.

        By the time since boot, not by the ids: those of a process may be below its predecessor's (a clock set back).
        """
        with self._commit():
            return self._move("lose", "(at_boot <> ? OR at_up < ?)", born.boot, born.up)

    def housekeep(self, now: Moment, late_answer: float) -> None:
        """Scrub what is older than `keep`, mask the card numbers in what is older than `late_answer`, forget what is
        older than `RETAIN`, empty the log when need be."""
        old = self._older("answer IS NOT NULL AND state <> 'answered'", self.keep, now)
        late = self._older("card AND answer IS NOT NULL", late_answer, now)[:MASKED_AT_ONCE]
        ancient = self._older("state IN ('unknown', 'scrubbed') ORDER BY id LIMIT 100", self._retain, now)
        with self._commit():
            for id in old:
                self._scrub("id = ?", id)
            for id in set(late).difference(old):
                self._mask(id)
            self._db.executemany("DELETE FROM transactions WHERE id = ?", [(id,) for id in ancient])
            self._db.execute("DELETE FROM transactions WHERE id IN (SELECT id FROM transactions WHERE state IN "
                             "('unknown', 'scrubbed') ORDER BY delivered IS NULL, id LIMIT "
                             "max(0, (SELECT count(*) FROM transactions) - ?))", (MAX_ROWS,))
        self.tidy()

    # -- questions ---------------------------------------------------------------------------------------------------

    def find(self, identity: Identity | None, now: Moment) -> Seen | None:
        """What a request is a duplicate of: the newest row with one of its digests that still counts.

        - A TipAdjust sets a value: after a different TipAdjust of its RefID it is meant, and no duplicate.
        - A Sale or Auth whose answer was delivered is `voided` by a Void of its RefID that was handed over later, and
          not declined: then its answer is true no more.
        """
        if identity is None:
            return None
        first = next((entry for entry in self._known(identity) if self._counts(entry, now)), None)
        if first is None:
            return None
        later = self._later(identity, first)
        if identity.command is Command.TIP_ADJUST and Command.TIP_ADJUST in later:
            return None
        reusable = identity.command in (Command.SALE, Command.AUTH) and first.delivered is not None
        return Seen(first, voided=reusable and Command.VOID in later)

    def pending(self) -> list[Entry]:
        """Answers that nobody got yet, in the order of their requests."""
        return list(self._entries("WHERE state = 'answered' ORDER BY id"))

    def newest(self) -> int:
        """The highest id there is; 0 for none."""
        return self._db.execute("SELECT coalesce(max(id), 0) FROM transactions").fetchone()[0]

    # -- the whole ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises sqlite3.DatabaseError when the file is damaged."""
        found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"the file is damaged: {found}")

    def copy_to(self, other: "Journal", answers_up_to: int, over: bool = True) -> bool:
        """All rows that can be read, over those of `other`: was that all of them?

        answers_up_to: bytes of answers to take along, beside those that nobody got yet. A row whose answer stays behind
        never takes the place of a row that has it, which takes its place. over=False: no other row takes another's.
        """
        copied, complete = {}, True
        for order in ("WHERE state = 'answered' ORDER BY id", "ORDER BY id DESC", "ORDER BY id"):
            try:
                for entry in self._entries(order):
                    if entry.id in copied:
                        continue
                    if entry.answer is not None and entry.state != "answered":
                        answers_up_to -= len(entry.answer)
                        if answers_up_to < 0:
                            entry = replace(entry, answer=None, state="scrubbed")
                            other._cut.add(entry.id)
                    copied[entry.id] = entry
            except sqlite3.Error:
                complete = False    # from the other end, more of a damaged file may be readable
        with other._commit():
            for entry in copied.values():
                completes = entry.answer is not None and entry.id in other._cut
                try:
                    other._insert(entry, _INSERT if completes or over and entry.id not in self._cut else _INSERT_NEW)
                    if completes:
                        other._cut.discard(entry.id)
                except sqlite3.IntegrityError:
                    complete = False    # damage has made nonsense of this row; it must not cost the others
        return complete

    def add_missing(self, entries) -> None:
        """Those of `entries` whose ids are not here. One without its answer may have it elsewhere: see `copy_to`."""
        with self._commit():
            for entry in entries:
                if self._insert(entry, _INSERT_NEW) and entry.state == "scrubbed":
                    self._cut.add(entry.id)

    def tidy(self) -> None:
        """After a scrub: what it overwrote leaves the write-ahead log. A reader may hold it back until a later call."""
        if self.untidy:
            self._db.execute("PRAGMA busy_timeout = 0")
            try:
                held_back, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")
            self.untidy = bool(held_back)

    def close(self) -> None:
        self._db.close()

    # -- SQL ---------------------------------------------------------------------------------------------------------

    @property
    def _retain(self) -> float:
        return max(RETAIN, self.keep)

    def _known(self, identity: Identity):
        """The rows with this request, as this release knows it or as an earlier one did; the newest first."""
        digests = (identity.digest, *identity.earlier)
        return self._entries(f"WHERE digest IN ({', '.join('?' * len(digests))}) ORDER BY id DESC", *digests)

    def _later(self, identity: Identity, first: Entry) -> set[Command]:
        """What was handed over for this RefID after `first`, and not declined."""
        return {Command.of(command) for command, in self._db.execute(
            "SELECT command FROM transactions WHERE ref = ? AND id > ? AND outcome IS NOT 'not_run' AND NOT declined",
            (identity.ref, first.id))}

    def _counts(self, entry: Entry, now: Moment) -> bool:
        """Is a row still one that a request may be a duplicate of?"""
        if entry.state in ("handed", "answered"):
            return True
        known = entry.state != "unknown" and entry.delivered is not None
        return age(entry.at, now) <= (self.keep if known else self._retain)

    def _older(self, where: str, seconds: float, now: Moment) -> list[int]:
        """The ids of rows that are older than `seconds`."""
        rows = self._db.execute(f"SELECT id, at_wall, at_boot, at_up FROM transactions WHERE {where}")
        return [id for id, *at in rows if age(Moment(*at), now) > seconds]

    def _mask(self, id: int) -> None:
        answer, = self._db.execute("SELECT answer FROM transactions WHERE id = ?", (id,)).fetchone()
        self._db.execute("UPDATE transactions SET answer = ?, card = 0 WHERE id = ?", (mask_all(answer), id))
        self.untidy = True

    @contextmanager
    def _commit(self, step: str | None = None):
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            if step:
                reach(step)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _insert(self, entry: Entry, statement: str = _INSERT) -> int:
        """How many rows that wrote: 0 or 1."""
        return self._db.execute(statement, (*(getattr(entry, name) for name in _PLAIN), *entry.at)).rowcount

    def _move(self, event: str, where: str, *keys, **columns) -> int:
        origins, target = TRANSITIONS[event]
        assignments = "".join(f", {name} = ?" for name in columns)
        return self._db.execute(
            f"UPDATE transactions SET state = ?{assignments} "
            f"WHERE {where} AND state IN ({', '.join('?' * len(origins))})",
            (target, *columns.values(), *keys, *origins)).rowcount

    def _scrub(self, where: str, key: int) -> None:
        if self._move("scrub", where, key, answer=None):
            self.untidy = True

    def _entries(self, clause: str, *values):
        for row in self._db.execute(f"{_SELECT} {clause}", values):
            plain = dict(zip(_PLAIN, row))
            flags = {name: bool(plain[name]) for name in ("card", "declined")}
            yield Entry(**{**plain, **flags}, at=Moment(*row[len(_PLAIN):]))
