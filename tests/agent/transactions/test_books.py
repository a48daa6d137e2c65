import errno
import os
import resource
import sqlite3

import pytest

from econduit_terminal.agent.transactions import books as module, schema
from econduit_terminal.agent.transactions.ages import Moment
from econduit_terminal.agent.transactions.books import RETRY, Books
from econduit_terminal.agent.transactions.identity import Command, Identity
from econduit_terminal.agent.transactions.journal import Entry, Journal

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
def open_books(path, clock):
    opened = []

    def begin(born=BORN):
        opened.append(Books(path, 1000.0, born, clock))
        return opened[-1]
    yield begin
    for books in opened:
        books.close()


def entry(id, digest=b"digest"):
    return Entry(id, digest, str(id), "Sale", 10, NOW.wall, NOW)


def find(books, digest, now):
    seen = books.call("find", Identity(digest, b"ref", Command.OTHER), now)
    return seen and seen.first


def run(books, id, digest=b"digest", answer=b"Approved"):
    assert books.call("hand", entry(id, digest), NOW, None) is None
    assert books.call("answer", id, answer, "answer", None, 0.1, NOW, False)


def states(path):
    journal = Journal(schema.connect(path), 1.0)
    try:
        return {found.id: found.state for found in journal._entries("")}
    finally:
        journal.close()


def fail(books, monkeypatch, error):
    """The next statement on the file fails."""
    journal = books._journal

    class Broken:
        def __init__(self, real):
            self.real, self.armed = real, True

        def __getattr__(self, name):
            return getattr(self.real, name)

        def execute(self, sql, *values):
            if self.armed and sql.startswith(("BEGIN", "COMMIT")):
                self.armed = sql != "COMMIT"
                raise error
            return self.real.execute(sql, *values)

    monkeypatch.setattr(journal, "_db", Broken(journal._db))


def sqlite_error(name, text="disk trouble"):
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = getattr(sqlite3, name)
    return error


def raising(error):
    """A function that raises `error`, whatever it is called with."""
    def fails(*_):
        raise error
    return fails


def test_what_an_earlier_process_handed_over_is_lost_once(open_books, path):
    books = open_books()
    run(books, 1001)
    books.call("hand", entry(1002, b"other"), NOW, None)
    books.close()
    books = open_books(born=LATER)
    assert (books.lost, books.problem, books.durable, books.newest) == (1, None, True, 1002)
    assert find(books, b"other", NOW).state == "unknown"
    books.close()
    assert open_books(born=LATER).lost == 0


@pytest.mark.parametrize("name", ["SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_CANTOPEN"])
def test_a_disk_that_fails_costs_durability_and_nothing_else(open_books, path, clock, monkeypatch, name):
    books = open_books()
    run(books, 1001)
    fail(books, monkeypatch, sqlite_error(name))
    clock.now = 5.0
    run(books, 1002, b"second")
    assert not books.durable and books.set_aside == 1
    assert "can not be used (disk trouble)" in books.problem and "free space" in books.problem
    assert find(books, b"digest", NOW).answer == b"Approved"     # known from before, still not run twice
    assert find(books, b"second", NOW).answer == b"Approved"
    assert states(path) == {1001: "answered"}                           # the file was not touched
    assert list(path.parent.glob("*damaged*")) == []
    clock.now += RETRY                                                  # the disk works again
    books.call("deliver", 1002, NOW)
    assert books.durable and books.problem is None
    assert states(path) == {1001: "answered", 1002: "delivered"}


def test_a_file_that_may_not_grow(open_books, path, clock):
    """What a full disk does, by the kernel's own hand."""
    books = open_books()
    run(books, 1001)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        for number in range(2, 40):
            run(books, 1000 + number, b"digest %d" % number, b"x" * 5000)
        assert not books.durable and books.set_aside == 1 and "free space" in books.problem
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    clock.now = RETRY
    assert all(find(books, b"digest %d" % number, NOW).answer == b"x" * 5000 for number in range(2, 40))
    assert books.durable and books.problem is None and len(states(path)) == 39


def test_while_the_disk_stays_broken_it_is_tried_now_and_then(open_books, path, clock, monkeypatch):
    path.parent.mkdir()
    path.mkdir()        # no file can be there
    books = open_books()
    assert not books.durable and str(path) in books.problem
    run(books, 1001)
    tries = []
    monkeypatch.setattr(books, "_open", lambda: tries.append(clock.now) or (_ for _ in ()).throw(OSError("still")))
    for clock.now in (RETRY / 2, RETRY, RETRY + 1, RETRY * 2):
        assert find(books, b"digest", NOW).state == "answered"
    assert tries == [RETRY, RETRY * 2]


def test_a_read_only_place(open_books, path, clock):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    path.parent.mkdir(mode=0o500)
    books = open_books()
    run(books, 1001)
    assert not books.durable and "make it writable" in books.problem
    path.parent.chmod(0o700)
    clock.now = RETRY
    books.call("deliver", 1001, NOW)
    assert books.durable and states(path) == {1001: "delivered"}


def test_what_ran_before_the_start_is_known_though_nothing_can_be_written(open_books, path, clock, monkeypatch):
    """A power failure, and the file system is read-only at the next boot."""
    books = open_books()
    run(books, 1001)
    books.call("hand", entry(1002, b"at work"), NOW, None)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "connect", read_only(schema.connect))
        books = open_books(born=LATER)
        assert not books.durable and "can not be used" in books.problem
        assert find(books, b"digest", LATER).answer == b"Approved"
        assert find(books, b"at work", LATER).state == "unknown" and books.lost == 1
        assert [found.id for found in books.call("pending")] == [1001] and books.newest == 1002
        books.call("deliver", 1001, LATER)
        run(books, 1003, b"third")
    clock.now = RETRY       # what memory knows better wins
    assert find(books, b"digest", LATER).state == "delivered" and books.durable and books.lost == 1
    assert states(path) == {1001: "delivered", 1002: "unknown", 1003: "answered"}


def test_a_disk_that_is_full_at_the_start_forgets_nothing(open_books, path):
    books = open_books()
    run(books, 1001)
    books.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        books = open_books(born=LATER)
        assert not books.durable and find(books, b"digest", LATER).answer == b"Approved"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def read_only(connect):
    def refuse(path):
        if path is not None:
            raise OSError(errno.EROFS, "Read-only file system")
        return connect(path)
    return refuse


@pytest.mark.parametrize("name", ["SQLITE_CORRUPT", "SQLITE_IOERR"])
def test_what_this_process_ran_is_known_though_nothing_can_be_read_any_more(open_books, monkeypatch, name):
    books = open_books()
    run(books, 1001)
    books.call("hand", entry(1002, b"at work"), NOW, None)
    books.call("hand", entry(1003, b"withdrawn"), NOW, None)
    books.call("withdraw", 1003)
    fail(books, monkeypatch, sqlite_error(name))
    monkeypatch.setattr(books._journal, "_entries", raising(sqlite_error(name)))
    monkeypatch.setattr(module.schema, "connect_to_read", raising(sqlite_error(name)))
    assert books.call("answer", 1002, b"Approved", "answer", None, 0.1, NOW, False)
    assert find(books, b"digest", NOW).state == "scrubbed"
    assert find(books, b"at work", NOW).answer == b"Approved"
    assert find(books, b"withdrawn", NOW) is None


def test_an_answer_that_could_not_be_read_for_a_while_is_still_the_file_s(open_books, path, clock, monkeypatch):
    """What memory knows of it without its answer does not take its place when the disk is well again."""
    books = open_books()
    run(books, 1001)
    run(books, 1003, b"card", CARD)
    books.call("hand", entry(1002, b"at work"), NOW, None)
    fail(books, monkeypatch, sqlite_error("SQLITE_IOERR"))
    monkeypatch.setattr(books._journal, "_entries", raising(sqlite_error("SQLITE_IOERR")))
    with monkeypatch.context() as unreadable:
        unreadable.setattr(module.schema, "connect_to_read", raising(sqlite_error("SQLITE_IOERR")))
        books.call("answer", 1002, b"Declined", "answer", None, 0.1, NOW, False)
    assert not books.durable and find(books, b"digest", NOW).answer is None
    books.call("deliver", 1003, NOW)
    clock.now = RETRY
    assert find(books, b"digest", NOW).answer == b"Approved" and books.durable
    books.close()
    assert [(found.id, found.answer) for found in open_books(born=LATER).call("pending")] == [
        (1001, b"Approved"), (1002, b"Declined")]
    assert states(path)[1003] == "scrubbed"
    assert all(CARD not in file.read_bytes() for file in path.parent.iterdir())


def test_an_answer_that_another_reader_still_gets_is_known(open_books, monkeypatch):
    books = open_books()
    run(books, 1001)
    fail(books, monkeypatch, sqlite_error("SQLITE_IOERR"))
    monkeypatch.setattr(books._journal, "_entries", raising(sqlite_error("SQLITE_IOERR")))
    run(books, 1002, b"second")
    assert not books.durable
    assert find(books, b"digest", NOW).answer == b"Approved"


def test_a_file_that_is_no_database_is_set_aside(open_books, path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database, " * 500)
    books = open_books()
    run(books, 1001)
    aside, = path.parent.glob("*.damaged-*")
    assert aside.read_bytes().startswith(b"this is no database")
    assert books.durable and books.problem.startswith("damaged journal") and str(aside) in books.problem
    assert states(path) == {1001: "answered"}


def test_what_can_be_read_of_a_damaged_file_is_taken_over(open_books, path):
    books = open_books()
    for number in range(400):
        run(books, 1001 + number, b"digest %d" % number, b"Approved" * 40)
    books.call("housekeep", NOW, 600.0)
    books.close()
    with path.open("r+b") as file:      # a page in the middle is lost, the root is not
        file.seek(4096 * (path.stat().st_size // 4096 // 2))
        file.write(b"\xff" * 4096)
    books = open_books(born=LATER)
    assert books.durable and books.problem.startswith("damaged journal")
    known = sum(find(books, b"digest %d" % number, NOW) is not None for number in range(400))
    assert 200 < known < 400
    assert len(list(path.parent.glob("*.damaged-*"))) == 1


def test_nonsense_in_a_damaged_file_costs_no_other_row_and_is_not_quoted(open_books, path, monkeypatch):
    books = open_books()
    for number in (1, 2, 3):
        run(books, 1000 + number, b"digest %d" % number)
    database = books._journal._db
    database.execute("PRAGMA ignore_check_constraints = ON")
    database.execute("UPDATE transactions SET state = CAST(x'ff41' AS TEXT), reason = CAST(x'ff42' AS TEXT) "
                     "WHERE id = 1002")
    fail(books, monkeypatch, sqlite_error("SQLITE_CORRUPT", "database disk image is malformed"))
    run(books, 1004, b"digest 4")
    assert books.durable and books.problem.startswith("damaged journal (database disk image is malformed)")
    assert states(path) == {1001: "answered", 1002: "scrubbed", 1003: "answered", 1004: "answered"}


def test_damage_found_at_work_goes_to_a_new_file_at_once(open_books, path, monkeypatch):
    books = open_books()
    run(books, 1001)
    fail(books, monkeypatch, sqlite_error("SQLITE_CORRUPT", "database disk image is malformed"))
    run(books, 1002, b"second")
    assert books.durable and books.set_aside == 1 and books.problem.startswith("damaged journal")
    assert states(path) == {1001: "answered", 1002: "answered"}


def test_only_the_last_damaged_files_are_kept(open_books, path, monkeypatch):
    for number in range(5):
        monkeypatch.setattr(module.time, "strftime", lambda *_: f"2026112{number}T000000")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"broken" * 1000)
        open_books().close()
    assert sorted(file.name[-15:] for file in path.parent.glob("*.damaged-*")) == [
        f"2026112{number}T000000" for number in (2, 3, 4)]


def test_a_file_of_a_later_version_is_left_alone(open_books, path):
    open_books().close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    books = open_books()
    run(books, 1001)
    assert not books.durable and "install the newer package" in books.problem
    assert list(path.parent.glob("*damaged*")) == []


def test_our_own_mistakes_are_not_the_disk_s(open_books):
    books = open_books()
    run(books, 1001)
    with pytest.raises(sqlite3.IntegrityError):
        books.call("hand", Entry(1002, b"other", None, None, None, 0.0, NOW), NOW, None)      # no size
    assert books.durable and books.problem is None
    run(books, 1003, b"other")
