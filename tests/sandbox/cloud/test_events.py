"""The event log: order, exact bytes, bounds, waiting."""
import hashlib

import gevent
import pytest

from econduit_terminal.sandbox.cloud.events import EventLog


@pytest.mark.parametrize("data", [b"", b"text", bytes(range(256)), "ä€".encode()])
def test_bodies_come_back_byte_for_byte(data):
    events = EventLog()
    events.add("response", data)
    event, = events.since(0)
    assert event["body"].encode("utf-8", "surrogateescape") == data
    assert (event["size"], event["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_bounded_by_count_and_by_bytes_and_numbers_go_on():
    events = EventLog(limit=3, limit_bytes=100)
    for _ in range(10):
        events.add("heartbeat")
    assert [event["n"] for event in events.since(0)] == [8, 9, 10]
    assert [event["n"] for event in events.since(9)] == [10]
    events.add("response", b"x" * 60)
    events.add("response", b"x" * 60)
    assert [event["n"] for event in events.since(0)] == [12]


def test_waits_for_the_first_that_fits():
    events = EventLog()
    waiting = gevent.spawn(events.wait, 0, 10.0, "closed", "T1")
    gevent.sleep(0)
    events.add("closed", terminal="T2")
    events.add("registered", terminal="T1")
    events.add("closed", terminal="T1")
    assert [event["n"] for event in waiting.get(timeout=5)] == [3]
    assert events.wait(3, 0.01) == []


def test_no_body_reaches_the_log(caplog):
    caplog.set_level("DEBUG")
    EventLog().add("response", b"CARD 4111111111111111", terminal="T1\x1b[2J\nforged", ref="R1")
    assert "response:" in caplog.text and "R1" in caplog.text
    assert "4111" not in caplog.text and "\x1b" not in caplog.text and len(caplog.text.splitlines()) == 1
