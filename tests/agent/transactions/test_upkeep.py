"""With a real journal and its earlier process: test_processor.py."""
from dataclasses import replace

import gevent
import pytest

from econduit_terminal.agent.journal.ages import Moment
from econduit_terminal.agent.journal.entry import Entry
from econduit_terminal.agent.journal.worker import JournalStuck
from econduit_terminal.agent.transactions import upkeep as module
from econduit_terminal.agent.transactions.delivery import DeliveryQueue
from econduit_terminal.agent.transactions.report import Report
from econduit_terminal.agent.transactions.upkeep import Upkeep

BORN = Moment(1_800_000_000.0, "boot", 100.0)
EARLIER = BORN._replace(up=50.0)


def entry(id, at=EARLIER, answer=b"Approved"):
    return Entry(id, b"digest", str(id), "Sale", 10, at.wall, at, answer=answer)


class Journal:
    """What is asked of the worker; `errors` are raised first, one a round."""

    def __init__(self):
        self.born, self.generation = BORN, 1
        self.entries, self.errors, self.rounds = [], [], 0

    def pending(self):
        if self.errors:
            raise self.errors.pop()
        return self.entries

    def housekeep(self):
        self.rounds += 1


@pytest.fixture
def journal():
    return Journal()


@pytest.fixture
def queue():
    return DeliveryQueue(600.0, lambda: BORN, lambda response: None, lambda response: None)


@pytest.fixture
def upkeep(journal, queue, monkeypatch):
    monkeypatch.setattr(module, "UPKEEP", 0.001)
    upkeep = Upkeep(journal, queue, Report(None, lambda: False, dict))
    running = []

    def begin():
        running.append(gevent.spawn(upkeep.work))
        return upkeep
    yield begin
    gevent.killall(running)


def test_answers_of_an_earlier_process_are_adopted_once(upkeep, journal, queue, settle):
    journal.entries = [entry(1), entry(2, answer=None), entry(3, at=BORN._replace(up=101.0))]
    assert upkeep().adopted.wait(5)
    assert queue.find(1).answer == b"Approved" and queue.waiting == 1
    settle(lambda: journal.rounds > 2)
    assert queue.waiting == 1


def test_so_are_those_of_a_file_that_could_not_be_read_before(upkeep, journal, queue, settle):
    upkeep()
    settle(lambda: journal.rounds > 0)
    journal.entries, journal.generation = [entry(1), entry(2)], 2
    settle(lambda: queue.waiting == 2)
    journal.entries, journal.generation = [entry(2), entry(3)], 3
    settle(lambda: queue.waiting == 3)


def test_one_that_is_being_sent_is_not_adopted_again(upkeep, journal, queue, settle, connection):
    there = connection()
    acknowledged = gevent.event.Event()
    there.send = lambda payload, timeout: acknowledged.wait(timeout)
    queue.attach(there)
    worker = gevent.spawn(queue.work)
    journal.entries = [entry(1)]
    upkeep()
    settle(lambda: queue.busy)
    gevent.sleep(0.01)
    journal.generation = 2
    settle(lambda: journal.rounds > 10)
    assert queue.waiting == 1
    acknowledged.set()
    settle(lambda: queue.waiting == 0)
    worker.kill()


def test_what_is_too_old_to_be_sent_is_not_kept_waiting(upkeep, journal, queue, settle):
    journal.entries = [replace(entry(1), at=BORN._replace(up=-501.0))]
    upkeep()
    settle(lambda: journal.rounds > 0)
    assert queue.waiting == 0


@pytest.mark.parametrize("error, told", [
    (JournalStuck("the disk did not answer"), "the disk did not answer"), (ZeroDivisionError(), "upkeep failed")])
def test_a_failure_holds_no_request_up_and_the_next_round_is_tried(upkeep, journal, queue, settle, caplog, error, told):
    journal.errors, journal.entries = [error], [entry(1)]
    assert upkeep().adopted.wait(5)
    settle(lambda: queue.waiting == 1)
    assert told in caplog.text
