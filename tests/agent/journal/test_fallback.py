import errno
import os
import resource
import sqlite3

import pytest
from journal_files import WHAT_HAPPENS

from econduit_terminal.agent.journal import fallback as module, schema
from econduit_terminal.agent.journal.ages import Moment
from econduit_terminal.agent.journal.entry import Answered, Entry, Outcome, Retention
from econduit_terminal.agent.journal.fallback import RETRY, RETRY_FIRST, FallbackJournal
from econduit_terminal.agent.journal.journal import Journal
from econduit_terminal.agent.journal.rows import SELECT
from econduit_terminal.agent.journal.watch import Watch
from econduit_terminal.agent.transactions.identity import Command, Identity

RETENTION = Retention(1000.0, 600.0)
NOW = Moment(1_800_000_000.0, "boot", 50.0)
BORN = NOW._replace(up=10.0)
LATER = NOW._replace(up=60.0)
CARD = b"Approved 4111111111111111"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def open_journal(path, clock):
    opened = []

    def begin(born=BORN):
        opened.append(FallbackJournal(path, born, clock))
        return opened[-1]
    yield begin
    for journal in opened:
        journal.close()


def entry(id, digest=b"digest"):
    return Entry(id, digest, str(id), "Sale", 10, NOW.wall, NOW)


def find(journal, digest, now):
    seen = journal.find(Identity(digest, b"ref", Command.OTHER), now, RETENTION)
    return seen and seen.first


def run(journal, id, digest=b"digest", answer=b"Approved"):
    assert journal.hand_over(entry(id, digest), None, RETENTION) is None
    assert journal.answer(id, Answered(answer, Outcome.ANSWER, None, 0.1), NOW)


def states(path):
    journal = Journal.open(path)
    try:
        return {found.id: found.state for found in journal._entries("")}
    finally:
        journal.close()


def fail(journal, monkeypatch, error, *, unreadable=False):
    """The next transaction on the file fails; unreadable: and so does whatever reads rows of it."""
    inner = journal._journal

    class Broken:
        def __init__(self, real):
            self.real, self.armed = real, True

        def __getattr__(self, name):
            return getattr(self.real, name)

        def execute(self, sql, *values):
            if self.armed and sql.startswith(("BEGIN", "COMMIT")):
                self.armed = sql != "COMMIT"
                raise error
            if unreadable and sql.startswith(SELECT):
                raise error
            return self.real.execute(sql, *values)

    monkeypatch.setattr(inner, "_db", Broken(inner._db))


def sqlite_error(name, text="disk trouble"):
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = getattr(sqlite3, name)
    return error


def raising(error):
    """A function that raises `error`, whatever it is called with."""
    def fails(*_):
        raise error
    return fails


def test_what_an_earlier_process_handed_over_is_lost_once(open_journal, path):
    journal = open_journal()
    run(journal, 1001)
    journal.hand_over(entry(1002, b"other"), None, RETENTION)
    journal.close()
    journal = open_journal(born=LATER)
    assert (journal.lost, journal.problem, journal.durable, journal.newest) == (1, None, True, 1002)
    assert find(journal, b"other", NOW).state == "unknown"
    journal.close()
    assert open_journal(born=LATER).lost == 0


@pytest.mark.parametrize("name", ["SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_CANTOPEN"])
def test_a_disk_that_fails_costs_durability_and_nothing_else(open_journal, path, clock, monkeypatch, name):
    journal = open_journal()
    run(journal, 1001)
    fail(journal, monkeypatch, sqlite_error(name))
    clock.now = 5.0
    run(journal, 1002, b"second")
    assert not journal.durable and journal.given_up == 1
    assert "cannot be used (disk trouble)" in journal.problem and "free space" in journal.problem
    assert find(journal, b"digest", NOW).answer == b"Approved"     # known from before, still not run twice
    assert find(journal, b"second", NOW).answer == b"Approved"
    assert states(path) == {1001: "answered"}                           # the file was not touched
    assert list(path.parent.glob("*damaged*")) == []
    clock.now += RETRY                                                  # the disk works again
    journal.deliver(1002, NOW)
    assert journal.durable and journal.problem is None
    assert states(path) == {1001: "answered", 1002: "delivered"}


def test_a_file_that_may_not_grow(open_journal, path, clock):
    """What a full disk does, by the kernel's own hand."""
    journal = open_journal()
    run(journal, 1001)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        for number in range(2, 40):
            run(journal, 1000 + number, b"digest %d" % number, b"x" * 5000)
        assert not journal.durable and journal.given_up == 1 and "free space" in journal.problem
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    clock.now = RETRY
    assert all(find(journal, b"digest %d" % number, NOW).answer == b"x" * 5000 for number in range(2, 40))
    assert journal.durable and journal.problem is None and len(states(path)) == 39


def test_while_the_disk_stays_broken_it_is_tried_now_and_then(open_journal, path, clock, monkeypatch):
    path.parent.mkdir()
    path.mkdir()        # no file can be there
    journal = open_journal()
    assert not journal.durable and str(path) in journal.problem
    run(journal, 1001)
    tries = []
    monkeypatch.setattr(journal, "_open", lambda: tries.append(clock.now) or (_ for _ in ()).throw(OSError("still")))
    for clock.now in range(1, 123):     # it was tried at 0
        assert find(journal, b"digest", NOW).state == "answered"
    assert tries == [RETRY_FIRST, 3, 7, 15, 31, 31 + RETRY, 31 + 2 * RETRY, 31 + 3 * RETRY]
    monkeypatch.undo()
    path.rmdir()
    clock.now = 31 + 4 * RETRY
    find(journal, b"digest", NOW)
    assert journal.durable


def test_a_disk_full_for_a_moment_is_used_again_after_a_second(open_journal, path, clock, monkeypatch):
    journal = open_journal()
    for number in range(1001, 1004):
        fail(journal, monkeypatch, sqlite_error("SQLITE_FULL"))
        run(journal, number, b"digest %d" % number)
        assert not journal.durable
        clock.now += RETRY_FIRST
        journal.check()
        assert journal.durable
    assert set(states(path)) == {1001, 1002, 1003}


def test_a_read_only_place(open_journal, path, clock):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    path.parent.mkdir(mode=0o500)
    journal = open_journal()
    run(journal, 1001)
    assert not journal.durable and "make it writable" in journal.problem
    path.parent.chmod(0o700)
    clock.now = RETRY
    journal.deliver(1001, NOW)
    assert journal.durable and states(path) == {1001: "delivered"}


def test_what_ran_before_the_start_is_known_though_nothing_can_be_written(open_journal, path, clock, monkeypatch):
    """A power failure, and the file system is read-only at the next boot."""
    journal = open_journal()
    run(journal, 1001)
    journal.hand_over(entry(1002, b"at work"), None, RETENTION)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "connect", read_only(schema.connect))
        journal = open_journal(born=LATER)
        assert not journal.durable and "cannot be used" in journal.problem
        assert find(journal, b"digest", LATER).answer == b"Approved"
        assert find(journal, b"at work", LATER).state == "unknown" and journal.lost == 1
        assert [found.id for found in journal.pending()] == [1001] and journal.newest == 1002
        journal.deliver(1001, LATER)
        run(journal, 1003, b"third")
    clock.now = RETRY       # what memory knows better wins
    assert find(journal, b"digest", LATER).state == "delivered" and journal.durable and journal.lost == 1
    assert states(path) == {1001: "delivered", 1002: "unknown", 1003: "answered"}


def test_a_disk_that_is_full_at_the_start_forgets_nothing(open_journal, path):
    journal = open_journal()
    run(journal, 1001)
    journal.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        journal = open_journal(born=LATER)
        assert not journal.durable and find(journal, b"digest", LATER).answer == b"Approved"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def read_only(connect):
    def refuse(path):
        if path is not None:
            raise OSError(errno.EROFS, "Read-only file system")
        return connect(path)
    return refuse


@pytest.mark.parametrize("name", ["SQLITE_CORRUPT", "SQLITE_IOERR"])
def test_what_this_process_ran_is_known_though_nothing_can_be_read_any_more(open_journal, monkeypatch, name):
    journal = open_journal()
    run(journal, 1001)
    journal.hand_over(entry(1002, b"at work"), None, RETENTION)
    journal.hand_over(entry(1003, b"withdrawn"), None, RETENTION)
    journal.withdraw(1003)
    fail(journal, monkeypatch, sqlite_error(name), unreadable=True)
    monkeypatch.setattr(schema, "connect_to_read", raising(sqlite_error(name)))
    assert journal.answer(1002, Answered(b"Approved", Outcome.ANSWER, None, 0.1), NOW)
    assert (find(journal, b"digest", NOW).state, find(journal, b"digest", NOW).answer) == ("answered", None)
    assert find(journal, b"at work", NOW).answer == b"Approved"
    assert find(journal, b"withdrawn", NOW) is None


def test_an_answer_that_could_not_be_read_for_a_while_is_still_the_file_s(open_journal, path, clock, monkeypatch):
    """What memory knows of it without its answer does not take its place when the disk is well again."""
    journal = open_journal()
    run(journal, 1001)
    run(journal, 1003, b"card", CARD)
    journal.hand_over(entry(1002, b"at work"), None, RETENTION)
    fail(journal, monkeypatch, sqlite_error("SQLITE_IOERR"), unreadable=True)
    with monkeypatch.context() as unreadable:
        unreadable.setattr(schema, "connect_to_read", raising(sqlite_error("SQLITE_IOERR")))
        journal.answer(1002, Answered(b"Declined", Outcome.ANSWER, None, 0.1), NOW)
    assert not journal.durable and find(journal, b"digest", NOW).answer is None
    journal.deliver(1003, NOW)
    clock.now = RETRY
    assert find(journal, b"digest", NOW).answer == b"Approved" and journal.durable
    journal.close()
    assert [(found.id, found.answer) for found in open_journal(born=LATER).pending()] == [
        (1001, b"Approved"), (1002, b"Declined")]
    assert states(path)[1003] == "scrubbed"
    assert all(CARD not in file.read_bytes() for file in path.parent.iterdir())


def test_an_answer_that_another_reader_still_gets_is_known(open_journal, monkeypatch):
    journal = open_journal()
    run(journal, 1001)
    fail(journal, monkeypatch, sqlite_error("SQLITE_IOERR"), unreadable=True)
    run(journal, 1002, b"second")
    assert not journal.durable
    assert find(journal, b"digest", NOW).answer == b"Approved"


def test_a_file_that_is_no_database_is_set_aside(open_journal, path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database, " * 500)
    journal = open_journal()
    run(journal, 1001)
    aside, = path.parent.glob("*.damaged-*")
    assert aside.read_bytes().startswith(b"this is no database")
    assert journal.durable and journal.problem.startswith("damaged journal") and str(aside) in journal.problem
    assert states(path) == {1001: "answered"}


def test_what_can_be_read_of_a_damaged_file_is_taken_over(open_journal, path):
    journal = open_journal()
    for number in range(400):
        run(journal, 1001 + number, b"digest %d" % number, b"Approved" * 40)
    journal.housekeep(NOW, RETENTION)
    journal.close()
    with path.open("r+b") as file:      # a page in the middle is lost, the root is not
        file.seek(4096 * (path.stat().st_size // 4096 // 2))
        file.write(b"\xff" * 4096)
    journal = open_journal(born=LATER)
    assert journal.durable and journal.problem.startswith("damaged journal")
    known = sum(find(journal, b"digest %d" % number, NOW) is not None for number in range(400))
    assert 200 < known < 400
    assert len(list(path.parent.glob("*.damaged-*"))) == 1


def test_nonsense_in_a_damaged_file_costs_no_other_row_and_is_not_quoted(open_journal, path, monkeypatch):
    journal = open_journal()
    for number in (1, 2, 3):
        run(journal, 1000 + number, b"digest %d" % number)
    database = journal._journal._db
    database.execute("PRAGMA ignore_check_constraints = ON")
    database.execute("UPDATE transactions SET state = CAST(x'ff41' AS TEXT), reason = CAST(x'ff42' AS TEXT) "
                     "WHERE id = 1002")
    fail(journal, monkeypatch, sqlite_error("SQLITE_CORRUPT", "database disk image is malformed"))
    run(journal, 1004, b"digest 4")
    assert journal.durable and journal.problem.startswith("damaged journal (database disk image is malformed)")
    assert states(path) == {1001: "answered", 1002: "answered", 1003: "answered", 1004: "answered"}


def test_damage_found_at_work_goes_to_a_new_file_at_once(open_journal, path, monkeypatch):
    journal = open_journal()
    run(journal, 1001)
    fail(journal, monkeypatch, sqlite_error("SQLITE_CORRUPT", "database disk image is malformed"))
    run(journal, 1002, b"second")
    assert journal.durable and journal.given_up == 1 and journal.problem.startswith("damaged journal")
    assert states(path) == {1001: "answered", 1002: "answered"}


def test_only_the_last_damaged_files_are_kept(open_journal, path, monkeypatch):
    for number in range(5):
        monkeypatch.setattr(module.time, "strftime", lambda *_, number=number: f"2026112{number}T000000")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"broken" * 1000)
        open_journal().close()
    assert sorted(file.name[-15:] for file in path.parent.glob("*.damaged-*")) == [
        f"2026112{number}T000000" for number in (2, 3, 4)]


def test_a_file_of_a_later_version_is_left_alone(open_journal, path):
    open_journal().close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    journal = open_journal()
    run(journal, 1001)
    assert not journal.durable and "install the newer package" in journal.problem
    assert list(path.parent.glob("*damaged*")) == []


def test_our_own_mistakes_are_not_the_disk_s(open_journal):
    journal = open_journal()
    run(journal, 1001)
    with pytest.raises(sqlite3.IntegrityError):
        journal.hand_over(Entry(1002, b"other", None, None, None, 0.0, NOW), None, RETENTION)      # no size
    assert journal.durable and journal.problem is None
    run(journal, 1003, b"other")


# -- somebody takes the file away ------------------------------------------------------------------------------------

@pytest.mark.parametrize("happens, told", WHAT_HAPPENS.values(), ids=WHAT_HAPPENS)
def test_m12_whatever_happens_to_the_file_it_is_set_right_from_memory(open_journal, path, clock, happens, told):
    journal = open_journal()
    run(journal, 1001)
    run(journal, 1002, b"delivered")
    journal.deliver(1002, NOW)
    journal.hand_over(entry(1003, b"at work"), None, RETENTION)
    happens(path)
    journal.check()
    if "directory in" not in str(happens) and path.is_file():
        assert journal.durable and told in journal.problem
    assert find(journal, b"digest", NOW).answer == b"Approved"
    assert journal.answer(1003, Answered(b"Approved", Outcome.ANSWER, None, 0.1), NOW)
    run(journal, 1004, b"later")
    if path.is_dir():
        assert not journal.durable and "cannot be used" in journal.problem
        path.rmdir()
        clock.now = RETRY
        journal.check()
    assert journal.durable and told in journal.problem      # until the next start
    journal.close()
    journal = open_journal(born=LATER)
    assert journal.problem is None
    assert [(found.id, found.answer) for found in journal.pending()] == [
        (number, b"Approved") for number in (1001, 1003, 1004)]
    assert find(journal, b"delivered", LATER).delivered == NOW.wall and find(journal, b"at work", LATER) is not None


@pytest.mark.parametrize("happens", [happens for happens, _ in WHAT_HAPPENS.values()], ids=WHAT_HAPPENS)
def test_m12_without_a_look_it_is_noticed_at_the_next_call(open_journal, path, happens):
    journal = open_journal()
    run(journal, 1001)
    happens(path)
    run(journal, 1002, b"second")
    assert journal.problem is not None
    journal.close()
    if not path.is_dir():
        journal = open_journal(born=LATER)
        assert find(journal, b"digest", LATER) and find(journal, b"second", LATER)


def test_m12_what_is_known_joins_what_is_in_the_file_that_is_there_now(open_journal, path, tmp_path):
    """A backup of the morning is put back in the afternoon."""
    journal = open_journal()
    run(journal, 1001)
    run(journal, 1002, b"second")
    journal.close()
    backup = tmp_path / "backup"
    backup.write_bytes(path.read_bytes())
    journal = open_journal()
    journal.deliver(1001, NOW)
    run(journal, 1003, b"third")
    os.replace(backup, path)
    journal.check()
    assert states(path) == {1001: "delivered", 1002: "answered", 1003: "answered"}
    assert find(journal, b"digest", NOW).answer == b"Approved"


def test_m12_a_file_of_the_same_number_on_another_disk_keeps_its_log(open_journal, path, monkeypatch):
    """SQLite would delete the log of the file that the path leads to now: it goes by the number alone."""
    journal = open_journal()
    run(journal, 1001)
    old = journal._journal
    os.rename(path.parent, f"{path.parent}.old")
    monkeypatch.setattr(Watch, "lookalike", True)
    run(journal, 1002, b"second")
    assert old in journal._abandoned and journal.durable
    old._db.execute("SELECT 1")         # still open
    journal.close()
    assert states(path) == {1001: "answered", 1002: "answered"}


def test_m12_again_and_again(open_journal, path):
    journal = open_journal()
    for number in range(20):
        run(journal, 1001 + number, b"digest %d" % number)
        path.unlink()
    journal.check()
    assert len(states(path)) == 20 and len(os.listdir(f"/proc/{os.getpid()}/fd")) < 100


# -- memory ----------------------------------------------------------------------------------------------------------

def answers_in_memory(journal):
    rows = journal._journal._db.execute("SELECT id, length(answer) FROM transactions")
    return {id: size for id, size in rows if size}


def test_m14_memory_keeps_so_many_bytes_and_the_oldest_delivered_go_first(open_journal, path, clock):
    path.parent.mkdir()
    path.mkdir()        # no file can be there
    journal = open_journal()
    size = 900_000
    for number in range(120):
        run(journal, 1000 + number, b"digest %d" % number, b"x" * size)
        if number != 50:
            journal.deliver(1000 + number, NOW._replace(wall=NOW.wall + number))
        assert sum(answers_in_memory(journal).values()) <= module.ANSWERS_IN_MEMORY
    kept = answers_in_memory(journal)
    assert set(kept) == {1050, *range(1112, 1120)}      # what nobody got, and the newest
    assert all(find(journal, b"digest %d" % number, NOW) for number in range(120))    # none runs twice
    path.rmdir()
    clock.now = RETRY
    journal.check()
    assert journal.durable and [found.id for found in journal.pending()] == [1050]
    assert len(states(path)) == 120
    journal.housekeep(NOW._replace(up=NOW.up + 2000), RETENTION)
    assert set(states(path).values()) == {"answered", "scrubbed"}


def test_m14_what_a_file_held_is_taken_along_within_the_same_bound(open_journal, monkeypatch):
    journal = open_journal()
    for number in range(30):
        run(journal, 1000 + number, b"digest %d" % number, b"x" * 900_000)
        journal.deliver(1000 + number, NOW)
    fail(journal, monkeypatch, sqlite_error("SQLITE_IOERR"))
    run(journal, 1030, b"last", b"y")
    assert not journal.durable
    assert sum(answers_in_memory(journal).values()) <= module.ANSWERS_IN_MEMORY
    assert max(answers_in_memory(journal)) == 1030 and 1029 in answers_in_memory(journal)


def test_m14_an_answer_that_memory_had_to_drop_is_expired_by_the_next_start(open_journal, path, clock, monkeypatch):
    monkeypatch.setattr(module, "ANSWERS_IN_MEMORY", 10)
    path.parent.mkdir()
    path.mkdir()
    journal = open_journal()
    run(journal, 1001, b"first", b"x" * 8)
    run(journal, 1002, b"second", b"y" * 8)
    path.rmdir()
    clock.now = RETRY
    journal.check()
    journal.close()
    journal = open_journal(born=LATER)
    assert [found.id for found in journal.pending()] == [1002] and states(path) == {1001: "expired", 1002: "answered"}
    assert find(journal, b"first", LATER).answer is None
