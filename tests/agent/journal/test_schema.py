import errno
import hashlib
import os
import sqlite3
import stat
import time

import pytest

from econduit_terminal.agent.journal import schema
from econduit_terminal.agent.journal.ages import Moment
from econduit_terminal.agent.journal.entry import Retention
from econduit_terminal.agent.journal.fallback import FallbackJournal
from econduit_terminal.agent.journal.journal import Journal
from econduit_terminal.agent.transactions.identity import Identity


def pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_fresh_file_is_durable_scrubbing_and_private(tmp_path):
    path = tmp_path / "state" / "journal.sqlite3"
    journal = Journal.open(path)
    connection = journal._db
    assert [pragma(connection, name) for name in ("journal_mode", "synchronous", "secure_delete", "user_version")] == [
        "wal", 2, 1, len(schema.MIGRATIONS)]
    connection.execute("INSERT INTO transactions (state, request_size, received, at_wall, at_boot, at_up) "
                       "VALUES ('handed', 1, 0, 0, '', 0)")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {f"journal.sqlite3{tail}": 0o600 for tail in ("", "-wal", "-shm")}
    journal.close()


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "journal.sqlite3"
    Journal.open(path).close()
    os.chmod(path, 0o644)
    Journal.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_older_file_is_brought_up_to_date_once(tmp_path):
    path = tmp_path / "journal.sqlite3"
    path.touch()
    for _ in range(2):
        connection = schema.connect(path)
        assert pragma(connection, "user_version") == len(schema.MIGRATIONS)
        connection.close()


def test_a_migration_is_all_or_nothing(monkeypatch):
    connection = schema.connect(None)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE transactions ADD COLUMN tip;",
                                               "CREATE TABLE other (a); SELECT nonsense;"))
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection)
    connection.rollback()
    assert pragma(connection, "user_version") == len(schema.MIGRATIONS) - 2
    assert "tip" not in {row[1] for row in connection.execute("PRAGMA table_info(transactions)")}


def test_each_later_migration_runs_once(monkeypatch):
    connection = schema.connect(None)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE transactions ADD COLUMN tip;"))
    schema.migrate(connection)
    schema.migrate(connection)
    assert pragma(connection, "user_version") == len(schema.MIGRATIONS)


def test_a_later_version_is_not_touched(tmp_path):
    path = tmp_path / "journal.sqlite3"
    connection = schema.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(schema.NewerVersion, match="install the newer package"):
        schema.connect(path)
    assert path.read_bytes() == before


def test_a_link_in_the_journal_s_place_is_not_followed(tmp_path):
    (tmp_path / "journal.sqlite3").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        Journal.open(tmp_path / "journal.sqlite3")
    assert not (tmp_path / "elsewhere").exists()


# -- the journal of 1.0.0 --------------------------------------------------------------------------------------------

RETENTION = Retention(1000.0, 600.0)
SALE = b'{"RefID":"1","Command":"Sale","Amount":"2.50"}'
NOW = Moment(1_800_000_000.0, "boot", 500.0)
BORN = NOW._replace(up=400.0)


def digest(body):
    return hashlib.sha256(body).digest()


STATES = {      # in version 1: state, outcome, answer, delivered -> what the same request finds in version 2
    "handed": (None, None, None, "unknown"), "unknown": (None, None, None, "unknown"),
    "answered": ("answer", b'{"ResultCode":"Approved"}', None, "answered"),
    "delivered": ("answer", b'{"ResultCode":"Approved"}', NOW.wall, "delivered"),
    "expired": ("answer", b'{"ResultCode":"Approved"}', None, "expired"),
    "scrubbed": ("failure", None, None, "scrubbed"),
}


def version_1(path, *rows):
    """A journal as 1.0.0 left it when it was killed. rows: (ref_id, command, body, state)."""
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN; {schema.MIGRATIONS[0]} PRAGMA user_version = 1; COMMIT;")
    for id, (ref_id, command, body, state) in enumerate(rows, 1):
        outcome, answer, delivered, _ = STATES[state] if isinstance(state, str) else state
        connection.execute(
            "INSERT INTO transactions (id, state, digest, ref_id, command, request_size, received, at_wall, at_boot, "
            "at_up, outcome, answer, answer_size, delivered) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (id, state if isinstance(state, str) else "delivered", body and digest(body), ref_id, command, 46, NOW.wall,
             NOW.wall, "boot", 300.0 + id, outcome, answer, answer and len(answer), delivered))
    connection.commit()
    connection.close()


def read_only(monkeypatch):
    def refuse(path, real=schema.connect):
        if path is not None:
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path)
    monkeypatch.setattr(schema, "connect", refuse)


@pytest.mark.parametrize("writable", [True, False], ids=["writable", "read-only"])
@pytest.mark.parametrize("written", [SALE, b'{ "Command":"Sale", "Amount":"2.50", "RefID":"\\u0031" }', b"\x04" + SALE])
@pytest.mark.parametrize("state", STATES)
def test_after_the_upgrade_nothing_runs_twice_and_answers_that_waited_are_there(tmp_path, monkeypatch, state, written,
                                                                                writable):
    """1.0.0 knew a request by its bytes; whoever sends those again, or the same value, is known whatever is written."""
    path = tmp_path / "state" / "journal.sqlite3"
    version_1(path, ("1", "Sale", written if written.startswith(b"{ ") else SALE, state))
    if not writable:
        read_only(monkeypatch)
    journal = FallbackJournal(path, BORN)
    try:
        found = journal.find(Identity.of(written, "1", "Sale"), NOW, RETENTION).first
        assert found.state == STATES[state][3] and found.answer == STATES[state][1]
        assert [entry.id for entry in journal.pending()] == ([1] if state == "answered" else [])
        assert journal.durable is writable and journal.lost == (state == "handed")
    finally:
        journal.close()


@pytest.mark.parametrize("writable", [True, False], ids=["writable", "read-only"])
@pytest.mark.parametrize("void, voided", [("Approved", True), ("Declined", False)])
def test_a_void_of_1_0_0_counts_unless_it_was_declined(tmp_path, monkeypatch, void, voided, writable):
    path = tmp_path / "journal.sqlite3"
    version_1(path, ("1", "Sale", SALE, "delivered"),
              ("1", "Void", b"void", ("answer", b'{"ResultCode":"%s"}' % void.encode(), NOW.wall, None)))
    if not writable:
        read_only(monkeypatch)
    journal = FallbackJournal(path, BORN)
    assert journal.find(Identity.of(SALE, "1", "Sale"), NOW, RETENTION).voided is voided
    journal.close()


@pytest.mark.parametrize("writable", [True, False], ids=["writable", "read-only"])
@pytest.mark.parametrize("void", ["unknown", "handed", "scrubbed"])
def test_a_void_of_1_0_0_counts_though_its_answer_is_not_kept(tmp_path, monkeypatch, void, writable):
    path = tmp_path / "journal.sqlite3"
    version_1(path, ("1", "Sale", SALE, "delivered"), ("1", "Void", b"void", void))
    with monkeypatch.context() as patched:
        if not writable:
            read_only(patched)
        journal = FallbackJournal(path, BORN)
        assert journal.durable is writable
        assert journal.find(Identity.of(SALE, "1", "Sale"), NOW, RETENTION).voided
    journal._retry_at = 0.0
    journal.check()
    assert journal.durable and journal.find(Identity.of(SALE, "1", "Sale"), NOW, RETENTION).voided
    journal.close()


def test_a_tip_adjust_of_1_0_0_is_known(tmp_path):
    bodies = [b'{"RefID":"1","Command":"TipAdjust","Amount":"%d"}' % amount for amount in (2, 3)]
    path = tmp_path / "journal.sqlite3"
    version_1(path, *(("1", "TipAdjust", body, "delivered") for body in bodies))
    journal = FallbackJournal(path, BORN)
    identities = [Identity.of(body, "1", "TipAdjust") for body in bodies]
    assert [journal.find(identity, NOW, RETENTION) is None for identity in identities] == [True, False]
    journal.close()


@pytest.mark.parametrize("later", [False, True], ids=["at once", "when the disk works again"])
def test_card_numbers_that_1_0_0_took_for_ref_ids_are_masked_in_the_file(tmp_path, monkeypatch, later):
    path = tmp_path / "journal.sqlite3"
    version_1(path, ("4111.1111.1111.1111", "Sale", SALE, "delivered"), (None, None, None, "delivered"),
              ("x" * 63 + "…", "4111\t1111\t1111\t1111", b"other", "scrubbed"))
    if later:
        with monkeypatch.context() as patched:
            read_only(patched)
            journal = FallbackJournal(path, BORN)
        journal._retry_at = 0.0
        journal.check()
        journal.close()
    connection = schema.connect(path)
    assert connection.execute("SELECT ref_id, command, ref IS NULL FROM transactions ORDER BY id").fetchall() == [
        ("****.****.****.1111", "Sale", 0), (None, None, 1), ("x" * 63 + "…", "****\\t****\\t****\\t1111", 1)]
    connection.close()


def test_a_full_file_of_1_0_0_is_brought_up_to_date_within_the_patience_of_a_request(tmp_path):
    path = tmp_path / "journal.sqlite3"
    version_1(path, *((f"INV-2026-{number:06}", "Sale", b"%d" % number, "delivered") for number in range(20_000)))
    began = time.process_time()
    schema.connect(path).close()
    assert time.process_time() - began < 3


@pytest.mark.parametrize("writable", [True, False], ids=["writable", "read-only"])
def test_what_can_be_read_of_a_damaged_file_of_1_0_0_is_known(tmp_path, monkeypatch, writable):
    path = tmp_path / "journal.sqlite3"
    bodies = [b'{"RefID":"%d","Command":"Sale"}' % number for number in range(400)]
    version_1(path, *((str(number), "Sale", body, ("answer", b"Approved" * 40, NOW.wall, None))
                      for number, body in enumerate(bodies)))
    with path.open("r+b") as file:      # a page in the middle is lost, the root is not
        file.seek(4096 * (path.stat().st_size // 4096 // 2))
        file.write(b"\xff" * 4096)
    if not writable:
        read_only(monkeypatch)
    journal = FallbackJournal(path, BORN)
    known = sum(journal.find(Identity.of(body, str(number), "Sale"), NOW, RETENTION) is not None
                for number, body in enumerate(bodies))
    assert journal.problem.startswith("damaged journal" if writable else "the journal")
    journal.close()
    assert 200 < known < 400 and journal.durable is writable


def test_text_that_is_none_does_not_keep_a_file_from_being_brought_up_to_date(tmp_path):
    path = tmp_path / "journal.sqlite3"
    version_1(path, ("1", "Sale", SALE, "delivered"))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE transactions SET ref_id = CAST(x'ff41' AS TEXT), command = CAST(x'ff' AS TEXT)")
    connection.commit()
    connection.close()
    schema.connect(path).close()
