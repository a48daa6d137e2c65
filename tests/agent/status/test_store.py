import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from econduit_terminal.agent.status.store import StatusStore
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.status import Phase
from econduit_terminal.process.timestamps import rfc3339

START = datetime(2026, 11, 23, 7, 50, 24, 123999, tzinfo=UTC)


class Clocks:
    def __init__(self):
        self.seconds = 1000.0
        self.jump = 0.0

    def monotonic(self):
        return self.seconds

    def wall(self):
        return START + timedelta(seconds=self.seconds - 1000.0 + self.jump)


@pytest.fixture
def clocks():
    return Clocks()


@pytest.fixture
def store(clocks):
    return StatusStore("29531204", "1.2.3", monotonic=clocks.monotonic, wall=clocks.wall)


def test_starts_offline(store):
    status = store.snapshot().to_json()
    assert list(status)[:9] == ["display", "online", "idle", "reason", "since", "terminal_id", "endpoint",
                                "local_address", "interface"]
    assert (status["display"], status["online"], status["reason"]) == ("POS Offline", False, "starting")
    assert status["since"] == "2026-11-23T07:50:24.123Z"
    assert (status["terminal_id"], status["version"], status["phase"]) == ("29531204", "1.2.3", "starting")


# What is said, and then: online, reason, connects, disconnects, seconds after START of `since`
TABLE = {
    "online": ([("online", "h:80", "10.0.0.2", "eth0")], True, None, 1, {}, 1),
    "online and lost": ([("online", "h:80", "10.0.0.2", "eth0"), ("offline", "cable unplugged")],
                        False, "cable unplugged", 1, {"cable unplugged": 1}, 2),
    "the reason gets clearer": ([("online", "h:80", "a", None), ("offline", "reset"), ("offline", "no internet")],
                                False, "no internet", 1, {"reset": 1}, 2),
    "offline from the start": ([("offline", "no address")], False, "no address", 0, {}, 0),
    "twice": ([("online", "h:80", "a", "b"), ("offline", "x"), ("online", "h:80", "a", "b"), ("offline", "x")],
              False, "x", 2, {"x": 2}, 4),
    "refused, whatever it says": ([("online", "h:80", "a", "b"), ("offline", "registration refused: 4711")],
                                  False, "registration refused: 4711", 1, {"registration refused": 1}, 2),
    "no reason at all": ([("offline", "")], False, "unknown", 0, {}, 0),
}


@pytest.mark.parametrize("said, online, reason, connects, disconnects, since", TABLE.values(), ids=TABLE)
def test_states(store, clocks, said, online, reason, connects, disconnects, since):
    for name, *arguments in said:
        clocks.seconds += 1
        getattr(store, name)(*arguments)
    status = store.snapshot().to_json()
    assert (status["online"], status["reason"], status["connects"], status["disconnects"]) == (
        online, reason, connects, disconnects)
    assert status["display"] == ("POS Online" if online else "POS Offline")
    assert status["since"] == rfc3339(START + timedelta(seconds=since))
    assert (status["endpoint"] is not None) == online


def test_a_jump_of_the_wall_clock_is_no_offline_time(store, clocks):
    store.offline("no internet")
    clocks.jump = 86400
    clocks.seconds += 5
    store.online("h:80", "a", "b")
    assert 'econduit_offline_seconds_total{reason="no internet"} 5\n' in store.metrics()


def test_t7_a_clock_that_is_set_later_moves_the_dates_and_no_duration(store, clocks):
    clocks.jump = -1e9
    store.offline("no internet")
    clocks.seconds += 5
    store.online("h:80", "a", "b")
    clocks.seconds += 30
    store.acked()
    clocks.seconds += 25
    with store.subscribe() as changes:
        changes.wait(0)
        clocks.jump = 0.0       # NTP
        store.follow_wall_clock()
        status = changes.wait(0).to_json()
        assert status["since"] == rfc3339(START + timedelta(seconds=5))
        assert status["last_ack"] == rfc3339(START + timedelta(seconds=35))
        store.follow_wall_clock()
        assert changes.wait(0) is None
    clocks.jump = 0.4           # NTP slows a clock down or speeds it up by small steps
    assert store.snapshot().to_json()["since"] == status["since"]


def test_t7_a_status_that_is_asked_for_first_wakes_those_who_were_told_before(store, clocks):
    with store.subscribe() as changes:
        assert changes.wait(0).since == rfc3339(START)
        clocks.jump = 86400
        assert store.snapshot().to_json()["since"] == rfc3339(START + timedelta(days=1))
        assert changes.wait(0).since == rfc3339(START + timedelta(days=1))


def test_t5_the_status_says_until_when_it_may_be_believed(store, clocks):
    assert (store.snapshot().to_json()["written_uptime"], store.snapshot().to_json()["valid_for"]) == (1000.0, 10.0)
    clocks.seconds += 2.5
    assert store.snapshot().to_json()["written_uptime"] == 1002.5
    assert StatusStore("1").snapshot().to_json()["written_uptime"] <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_only_changes_wake_subscribers_and_they_coalesce(store):
    with store.subscribe() as changes:
        assert changes.wait(0).reason == "starting"
        assert changes.wait(0) is None
        store.offline("one")
        store.offline("two")
        assert changes.wait(0).reason == "two"
        assert changes.wait(0) is None
        for name, *arguments in (["offline", "two"], ["idle", True], ["problem", "x", None], ["transactions", {}],
                                 ["identity", "29531204"], ["phase", Phase.STARTING]):
            getattr(store, name)(*arguments)
            assert changes.wait(0) is None, name
    store.offline("three")
    assert changes.wait(0) is None  # no longer subscribed


def test_a_report_that_says_the_same_wakes_nobody_and_is_kept(store, clocks):
    with store.subscribe() as changes:
        store.network(NetworkReport.from_json({"verdict": "online", "sent": "1"}))
        changes.wait(0)
        clocks.seconds += 10
        store.network(NetworkReport.from_json({"verdict": "online", "sent": "2"}))
        assert changes.wait(0) is None
        assert store.snapshot().to_json()["network"]["sent"] == "2"
        store.network(NetworkReport.from_json({"verdict": "no internet", "sent": "3"}))
        assert changes.wait(0).network.verdict == "no internet"
    clocks.seconds += 4
    assert store.report_age() == 4


def test_the_wait_counts_down(store, clocks):
    store.phase(Phase.WAITING, 12.5)
    clocks.seconds += 2
    assert store.snapshot().to_json()["retry_in"] == 10.5
    clocks.seconds += 20
    assert store.snapshot().to_json()["retry_in"] == 0
    store.phase(Phase.DIALING)
    assert store.snapshot().to_json()["retry_in"] is None


def test_last_ack_belongs_to_the_connection(store, clocks):
    store.online("h:80", "a", "b")
    clocks.seconds += 60
    store.acked()
    assert store.snapshot().to_json()["last_ack"] == "2026-11-23T07:51:24.123Z"
    store.offline("reset")
    assert store.snapshot().to_json()["last_ack"] == "2026-11-23T07:51:24.123Z"  # support asks when it was last well
    store.online("h:80", "a", "b")
    assert store.snapshot().to_json()["last_ack"] is None


def test_problems_come_and_go(store):
    store.problem("display", "port taken\x1b[31m\nby another")
    text = store.snapshot().to_json()["problems"]["display"]
    assert "\x1b" not in text and "\n" not in text
    store.problem("display", None)
    assert store.snapshot().to_json()["problems"] == {}


def test_as_line_is_one_line_of_json(store):
    store.identity("Ünï\u2028")
    line = store.snapshot().to_line()
    assert line.endswith(b"}\n") and line.count(b"\n") == 1
    assert json.loads(line) == store.snapshot().to_json()
