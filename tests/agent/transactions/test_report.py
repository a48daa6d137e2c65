import gevent
import pytest

from econduit_terminal.agent.transactions.report import COUNTED, Report


class Store:
    def __init__(self):
        self.said = []

    def idle(self, flag):
        self.said.append(flag)

    def transactions(self, counts):
        self.said.append(counts)

    def observe(self, name, seconds):
        self.said.append((name, seconds))


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def report(store):
    report = Report(store, lambda: bool(report.now_busy), lambda: {"pending": 3})
    report.now_busy = False
    workers = [gevent.spawn(report.tell_changes), gevent.spawn(report.tell_floods)]
    yield report
    gevent.killall(workers)


def test_counts_are_all_there_from_the_start(report):
    report.count("answered")
    report.count("delivered", 5)
    assert report.counts() == {**dict.fromkeys(COUNTED, 0), "answered": 1, "delivered": 5, "pending": 3}


def test_many_changes_are_told_once_and_a_moment_later(report, store, settle):
    report.now_busy = True
    for _ in range(100):
        report.change()
    assert store.said == [] and report.settled.is_set()
    settle(lambda: store.said)
    gevent.sleep(0.05)
    assert store.said == [False, report.counts()]


def test_what_is_over_is_told_at_once(report, store):
    report.tell()
    report.took(0.5)
    assert store.said == [True, report.counts(), ("transaction", 0.5)]


def test_a_flood_is_one_line(report, caplog, settle):
    hidden = [report.crowded() for _ in range(1000)]
    assert not hidden[0] and hidden[-1]
    settle(lambda: "a flood" in caplog.text, timeout=10)
    gevent.sleep(1.2)
    assert caplog.text.count("a flood") == 1
