import time

import gevent
import pytest

from econduit_terminal.agent.transactions import books as books_module, keeper as module, schema
from econduit_terminal.agent.transactions.identity import Command, Identity
from econduit_terminal.agent.transactions.journal import Entry
from econduit_terminal.agent.transactions.keeper import JournalStuck, Keeper


class Problems:
    def __init__(self):
        self.said = []

    def problem(self, name, text):
        self.said.append((name, text))


@pytest.fixture
def board():
    return Problems()


@pytest.fixture
def keeper(tmp_path, board):
    keeper = Keeper(tmp_path / "journal.sqlite3", 1000.0, board)
    yield keeper
    keeper.close()


@pytest.fixture
def slow(keeper, monkeypatch):
    """A function: from now on the disk takes so many seconds for each call."""
    seconds = [0.0]
    real = books_module.Books.call

    def call(self, *arguments):
        _native_sleep(seconds[0])
        return real(self, *arguments)
    monkeypatch.setattr(books_module.Books, "call", call)
    return lambda value: seconds.__setitem__(0, value)


def _native_sleep(seconds):
    time.sleep(seconds)


def entry(keeper, digest=b"d"):
    now = keeper.now()
    return Entry(keeper.new_id(), digest, "1", "Sale", 10, now.wall, now)


def find(keeper):
    return keeper.call("find", Identity(b"d", b"ref", Command.OTHER), keeper.now()).first


def test_calls_happen_in_order_and_off_the_hub(keeper):
    first = entry(keeper)
    keeper.post("hand", first, first.at, None)
    keeper.post("answer", first.id, b"Approved", "answer", None, 0.1, keeper.now(), False)
    found = find(keeper)
    assert (found.state, found.answer) == ("answered", b"Approved")
    assert keeper.durable and keeper.generation == 1 and first.at >= keeper.born


def test_a_slow_disk_does_not_stop_the_hub(keeper, slow):
    keeper.call("pending")
    slow(0.5)
    waiting = gevent.spawn(keeper.call, "pending")
    beats, began = 0, time.monotonic()
    while not waiting.ready():
        gevent.sleep(0.01)
        beats += 1
    assert time.monotonic() - began >= 0.4 and beats > 15


def test_a_disk_that_hangs_is_not_waited_for(keeper, slow):
    keeper.call("pending")
    slow(0.5)
    with pytest.raises(JournalStuck, match="gave no answer for 0.05 s"):
        keeper.call("pending", patience=0.05)
    slow(0.0)
    assert keeper.call("pending") == []


def test_the_queue_is_bounded(keeper, slow, monkeypatch):
    keeper.call("pending")
    slow(0.3)
    with pytest.raises(JournalStuck, match="calls wait"):
        for _ in range(module.MAX_CALLS + 2):
            keeper.post("pending")
    slow(0.0)


def test_problems_are_told_once_and_when_they_are_over(keeper, board, caplog):
    keeper.path.mkdir()
    keeper.call("pending")
    keeper.call("pending")
    (name, text), = board.said
    assert name == "journal" and "can not be used" in text and not keeper.durable
    keeper.path.rmdir()
    keeper._books._retry_at = 0.0
    first = entry(keeper)
    keeper.call("hand", first, first.at, None)
    assert board.said[1:] == [("journal", None)] and keeper.durable and "works again" in caplog.text


def test_our_own_mistakes_reach_the_caller_and_the_next_call_works(keeper):
    with pytest.raises(AttributeError):
        keeper.call("nonsense")
    assert keeper.call("pending") == []


def test_a_failed_clerk_is_replaced(keeper, monkeypatch, caplog):
    keeper.call("pending")
    monkeypatch.setattr(keeper, "_report", lambda: (_ for _ in ()).throw(ValueError("a bug")))
    with pytest.raises(JournalStuck):
        keeper.call("pending", patience=0.2)
    monkeypatch.undo()
    assert keeper.call("pending") == []
    assert "started again" in caplog.text


def test_ids_rise_above_those_of_earlier_processes_whatever_the_clock(tmp_path, board, monkeypatch):
    before = Keeper(tmp_path / "journal.sqlite3", 1000.0, board)
    first = entry(before)
    before.call("hand", first, first.at, None)
    before.close()
    monkeypatch.setattr(module.time, "time_ns", lambda: 5_000_000)       # 1970
    after = Keeper(tmp_path / "journal.sqlite3", 1000.0, board)
    after.call("pending")
    second = entry(after, b"second")
    assert second.id > first.id and after.lost == 1     # the first one's process is gone, though its id was higher
    after.close()


def test_close_finishes_what_waits_and_leaves_one_file(tmp_path, board):
    keeper = Keeper(tmp_path / "journal.sqlite3", 1000.0, board)
    first = entry(keeper)
    keeper.post("hand", first, first.at, None)
    keeper.close()
    keeper.close()
    assert [file.name for file in tmp_path.iterdir()] == ["journal.sqlite3"]
    again = Keeper(tmp_path / "journal.sqlite3", 1000.0, board)
    assert find(again).state == "unknown"     # it was born before `again`
    again.close()


def test_card_data_leaves_the_log_when_nobody_reads_any_more(keeper, monkeypatch):
    monkeypatch.setattr(module, "TIDY_AGAIN", 0.05)
    card = b'{"Account": "4111111111111111"}'
    first = entry(keeper)
    keeper.call("hand", first, first.at, None)
    keeper.call("answer", first.id, card, "answer", None, 0.1, keeper.now(), False)
    reader = schema.connect_to_read(keeper.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM transactions").fetchone()
    keeper.call("deliver", first.id, keeper.now())
    log = keeper.path.with_name(f"{keeper.path.name}-wal")
    assert card in log.read_bytes()
    reader.close()
    deadline = time.monotonic() + 10
    while card in log.read_bytes():
        assert time.monotonic() < deadline
        gevent.sleep(0.01)
    assert card not in keeper.path.read_bytes()
