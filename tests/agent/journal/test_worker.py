import threading
import time

import gevent
import pytest

from econduit_terminal.agent.journal import schema, worker as module
from econduit_terminal.agent.journal.entry import Answered, Entry, Outcome, Retention
from econduit_terminal.agent.journal.fallback import FallbackJournal
from econduit_terminal.agent.journal.worker import JournalStuck, JournalWorker
from econduit_terminal.agent.transactions.identity import Command, Identity

RETENTION = Retention(1000.0, 600.0)


class Problems:
    def __init__(self):
        self.said = []

    def problem(self, name, text):
        self.said.append((name, text))


@pytest.fixture
def store():
    return Problems()


@pytest.fixture
def worker(tmp_path, store):
    worker = JournalWorker(tmp_path / "journal.sqlite3", RETENTION, store)
    yield worker
    worker.close()


@pytest.fixture
def slow(worker, monkeypatch):
    """A function: from now on the disk takes so many seconds for each call."""
    seconds = [0.0]
    real = FallbackJournal._do

    def do(self, work):
        _native_sleep(seconds[0])
        return real(self, work)
    monkeypatch.setattr(FallbackJournal, "_do", do)
    return lambda value: seconds.__setitem__(0, value)


def _native_sleep(seconds):
    time.sleep(seconds)


def entry(worker, digest=b"d"):
    now = worker.now()
    return Entry(worker.new_id(), digest, "1", "Sale", 10, now.wall, now)


def approved(answer=b"Approved"):
    return Answered(answer, Outcome.ANSWER, None, 0.1)


def find(worker):
    return worker.find(Identity(b"d", b"ref", Command.OTHER)).first


def test_calls_happen_in_order_and_off_the_hub(worker):
    first = entry(worker)
    worker._note(lambda journal: journal.hand_over(first, None, RETENTION))
    worker._note(lambda journal: journal.answer(first.id, approved(), first.at))
    found = find(worker)
    assert (found.state, found.answer) == ("answered", b"Approved")
    assert worker.durable and worker.generation == 1 and first.at >= worker.born


def test_a_slow_disk_does_not_stop_the_hub(worker, monkeypatch):
    worker.pending()
    held, real = threading.Event(), FallbackJournal._do

    def do(self, work):
        assert held.wait(10), "the hub has stopped"
        return real(self, work)
    monkeypatch.setattr(FallbackJournal, "_do", do)
    waiting = gevent.spawn(worker.pending)
    for _ in range(20):
        gevent.sleep(0.01)
        assert not waiting.ready()
    held.set()
    assert waiting.get(timeout=5) == []


def test_a_disk_that_hangs_is_not_waited_for(worker, slow):
    worker.pending()
    slow(0.5)
    with pytest.raises(JournalStuck, match="gave no answer for 0.05 s"):
        worker.wait_for(FallbackJournal.pending, timeout=0.05)
    slow(0.0)
    assert worker.pending() == []


def test_the_queue_is_bounded(worker, slow, caplog):
    worker.pending()
    slow(0.3)
    for id in range(module.MAX_CALLS + 2):
        worker.expire(id)       # does not wait, and says that it was not taken
    assert "missed an entry" in caplog.text
    with pytest.raises(JournalStuck, match="calls wait"):
        worker.pending()
    slow(0.0)


def test_problems_are_told_once_and_when_they_are_over(worker, store, caplog):
    worker.path.mkdir()
    worker.pending()
    worker.pending()
    (name, text), = store.said
    assert name == "journal" and "cannot be used" in text and not worker.durable
    worker.path.rmdir()
    worker._journal._retry_at = 0.0
    first = entry(worker)
    worker.hand_over(first, None)
    assert store.said[1:] == [("journal", None)] and worker.durable and "works again" in caplog.text


def test_our_own_bugs_reach_the_caller_and_the_next_call_works(worker):
    with pytest.raises(ZeroDivisionError):
        worker.wait_for(lambda journal: 1 / 0)
    assert worker.pending() == []


def test_a_failed_greenlet_is_replaced(worker, monkeypatch, caplog):
    worker.pending()
    monkeypatch.setattr(worker, "_report", lambda: (_ for _ in ()).throw(ValueError("a bug")))
    with pytest.raises(JournalStuck):
        worker.wait_for(FallbackJournal.pending, timeout=0.2)
    monkeypatch.undo()
    assert worker.pending() == []
    assert "started again" in caplog.text


def test_ids_rise_above_those_of_earlier_processes_whatever_the_clock(tmp_path, store, monkeypatch):
    before = JournalWorker(tmp_path / "journal.sqlite3", RETENTION, store)
    first = entry(before)
    before.hand_over(first, None)
    before.close()
    monkeypatch.setattr(module.time, "time_ns", lambda: 5_000_000)       # 1970
    after = JournalWorker(tmp_path / "journal.sqlite3", RETENTION, store)
    after.pending()
    second = entry(after, b"second")
    assert second.id > first.id and after.lost == 1     # the first one's process is gone, though its id was higher
    after.close()


def test_close_finishes_what_waits_and_leaves_one_file(tmp_path, store):
    worker = JournalWorker(tmp_path / "journal.sqlite3", RETENTION, store)
    first = entry(worker)
    worker._note(lambda journal: journal.hand_over(first, None, RETENTION))
    worker.close()
    worker.close()
    assert [file.name for file in tmp_path.iterdir()] == ["journal.sqlite3"]
    again = JournalWorker(tmp_path / "journal.sqlite3", RETENTION, store)
    assert find(again).state == "unknown"     # it was born before `again`
    again.close()


def test_card_data_leaves_the_log_when_nobody_reads_any_more(worker, monkeypatch):
    monkeypatch.setattr(module, "TIDY_AGAIN", 0.05)
    card = b'{"Account": "4111111111111111"}'
    first = entry(worker)
    worker.hand_over(first, None)
    worker.answer(first.id, approved(card), worker.now())
    reader = schema.connect_to_read(worker.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM transactions").fetchone()
    worker.deliver(first.id)
    worker.pending()
    log = worker.path.with_name(f"{worker.path.name}-wal")
    assert card in log.read_bytes()
    reader.close()
    deadline = time.monotonic() + 10
    while card in log.read_bytes():
        assert time.monotonic() < deadline
        gevent.sleep(0.01)
    assert card not in worker.path.read_bytes()
