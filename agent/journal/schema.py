"""The journal's file: its pragmas, its tables, and the way from each older version to the newest.

| version | with   | what it brought                                                |
|---------|--------|----------------------------------------------------------------|
| 1       | 1.0.0  | the table of transactions                                      |
| 2       | 1.1.0  | what belongs to one RefID, and whether it was declined         |

A file of a later version than this software knows is not touched: that would be a downgrade of the package, and a
guess about money.
"""
import sqlite3
from pathlib import Path
from urllib.parse import quote

from ..transactions.declined import declined
from ..transactions.identity import Command, ref_key
from ..transactions.request import shown

RECENT = 5000
"""Rows of an older file whose RefIDs are read when it is brought up to date: a few days' worth, within a second."""

LAPSED = "answer IS NULL AND state IN ('delivered', 'expired')"
"""Rows whose answer memory alone had."""
MIGRATIONS = (
    """
    CREATE TABLE transactions (
        id              INTEGER PRIMARY KEY,    -- microseconds since 1970 at first, always rising
        state           TEXT NOT NULL
                        CHECK (state IN ('handed', 'answered', 'unknown', 'delivered', 'expired', 'scrubbed')),
        digest          BLOB,                   -- SHA-256 of the request; NULL without a RefID: it has no duplicates
        ref_id          TEXT,                   -- for people: printable, shortened, card numbers masked
        command         TEXT,                   -- likewise
        request_size    INTEGER NOT NULL,       -- bytes
        received        REAL NOT NULL,          -- wall clock, for people
        at_wall         REAL NOT NULL,          -- the moment of the hand-over, then of the answer: see ages.py
        at_boot         TEXT NOT NULL,
        at_up           REAL NOT NULL,
        took            REAL,                   -- seconds from the hand-over to the answer
        outcome         TEXT CHECK (outcome IN ('answer', 'failure', 'not_run')),
        reason          TEXT,                   -- of a failure, for people
        answer          BLOB,                   -- NULL before it is in and after it is scrubbed
        answer_size     INTEGER,                -- bytes
        card            INTEGER NOT NULL DEFAULT 0,     -- the answer looks like card data
        delivered       REAL,                   -- wall clock, for people
        CHECK (answer IS NULL OR state IN ('answered', 'delivered', 'expired'))
    );
    CREATE INDEX by_digest ON transactions (digest) WHERE digest IS NOT NULL;
    CREATE INDEX unsettled ON transactions (state) WHERE state IN ('handed', 'answered');
    CREATE INDEX kept ON transactions (id) WHERE answer IS NOT NULL;
    """,
    f"""
    ALTER TABLE transactions ADD COLUMN ref BLOB;       -- of the RefID, the same for all that belongs to it
    ALTER TABLE transactions ADD COLUMN declined INTEGER NOT NULL DEFAULT 0;    -- a Void whose answer says so
    UPDATE transactions SET ref = ref_of(CAST(ref_id AS BLOB)), declined = declined(CAST(command AS BLOB), answer),
                            ref_id = shown(CAST(ref_id AS BLOB)), command = shown(CAST(command AS BLOB))
        WHERE id IN (SELECT id FROM transactions WHERE digest IS NOT NULL ORDER BY id DESC LIMIT {RECENT});
    CREATE INDEX by_ref ON transactions (ref) WHERE ref IS NOT NULL;
    CREATE INDEX lapsed ON transactions (id) WHERE {LAPSED};
    """,
)
FILE = "journal.sqlite3"
BUSY_TIMEOUT = 2.0
"""Seconds to wait for somebody who reads the file (`econduit-agent transactions`)."""


_AS_VERSION_2 = """
    CREATE TEMP VIEW transactions AS SELECT
        id, state, digest, request_size, received, at_wall, at_boot, at_up, took, outcome, reason, answer, answer_size,
        card, delivered, declined(CAST(command AS BLOB), answer) AS declined,
        CASE WHEN id > {old} AND digest IS NOT NULL THEN ref_of(CAST(ref_id AS BLOB)) END AS ref,
        CASE WHEN id > {old} THEN shown(CAST(ref_id AS BLOB)) ELSE ref_id END AS ref_id,
        CASE WHEN id > {old} THEN shown(CAST(command AS BLOB)) ELSE command END AS command
    FROM main.transactions
"""
"""For a file that can only be read: what bringing it up to date would make of it. old: up to which id it is not."""


class NewerVersion(sqlite3.DatabaseError):
    """The file was written by a later version of this software."""


def connect(path: Path | None) -> sqlite3.Connection:
    """The journal at `path`, brought up to date as needed; in memory for None. Raises sqlite3.Error."""
    connection = sqlite3.connect(path or ":memory:", timeout=BUSY_TIMEOUT, isolation_level=None,
                                 check_same_thread=False)
    _prepare(connection)
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")     # Journal.tidy does it
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")    # no copies of answers in other files
        connection.execute("PRAGMA cache_size = -512")
        migrate(connection)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()     # opens the write-ahead log
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """The journal at `path`, where nothing can be written. Raises sqlite3.Error.

    Without its -shm file, a read-only directory lets SQLite read only what the write-ahead log had given back.
    """
    for how in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=BUSY_TIMEOUT,
                                     isolation_level=None, check_same_thread=False)
        _prepare(connection)
        try:
            connection.execute("PRAGMA temp_store = MEMORY")
            if connection.execute("PRAGMA user_version").fetchone()[0] == 1:
                connection.execute(_AS_VERSION_2.format(old=_before_recent(connection)))
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()     # as above; rows may be damaged
            return connection
        except sqlite3.Error as error:
            connection.close()
            last = error
    raise last


def _before_recent(connection: sqlite3.Connection) -> int:
    """The last id before the RECENT rows; 0 where there is none, and where damage hides it."""
    try:
        found = connection.execute(f"SELECT id FROM transactions ORDER BY id DESC LIMIT 1 OFFSET {RECENT}").fetchone()
    except sqlite3.DatabaseError:
        return 0
    return found[0] if found else 0


def _prepare(connection: sqlite3.Connection) -> None:
    connection.text_factory = _text
    connection.create_function("ref_of", 1, _ref, deterministic=True)
    connection.create_function("declined", 2, _declined, deterministic=True)
    connection.create_function("shown", 1, _shown, deterministic=True)


# For the migrations. Text comes as bytes: SQLite passes no text that is not UTF-8, and a damaged file may hold some.

def _ref(ref_id: bytes | None) -> bytes | None:
    """Of a RefID as version 1 has it, for people; None where that is not all of it."""
    text = None if ref_id is None else _text(ref_id)
    return None if text is None or text.endswith("…") or "\\" in text else ref_key(text)


def _declined(command: bytes | None, answer: bytes | None) -> bool:
    return (command is not None and answer is not None and Command.of(_text(command)) is Command.VOID
            and declined(answer))


def _shown(stored: bytes | None) -> str | None:
    return None if stored is None else shown(_text(stored))


def _text(stored: bytes) -> str:
    """In a damaged file anything may be where text was; SQLite's own complaint would quote it."""
    return stored.decode("utf-8", "replace")


def migrate(connection: sqlite3.Connection) -> None:
    """Every step that the file has not seen yet, all or none. Raises NewerVersion."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise NewerVersion(f"version {version}, but this software knows {len(MIGRATIONS)}: install the newer package")
    if version == len(MIGRATIONS):
        return
    statements = "".join(MIGRATIONS[version:])
    connection.executescript(f"BEGIN IMMEDIATE; {statements} PRAGMA user_version = {len(MIGRATIONS)}; COMMIT;")
