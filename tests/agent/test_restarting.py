import logging

import gevent
import pytest
from gevent.event import Event

from econduit_terminal.agent import restarting
from econduit_terminal.agent.restarting import RestartingGreenlets


@pytest.fixture
def greenlets(monkeypatch):
    monkeypatch.setattr(restarting, "PAUSE", 0.01)
    running = RestartingGreenlets(logging.getLogger("part"))
    yield running
    running.stop()


def test_one_that_fails_is_started_again_and_the_others_go_on(greenlets, caplog):
    starts, steady, again = [], [], Event()

    def fails_once():
        starts.append(None)
        if len(starts) == 1:
            raise ZeroDivisionError
        again.set()
        Event().wait()

    def steadily():
        steady.append(None)
        Event().wait()

    greenlets.start(fails_once)
    greenlets.start(steadily)
    assert again.wait(5) and len(starts) == 2 and len(steady) == 1
    assert [record.name for record in caplog.records if "ZeroDivisionError" in record.message] == ["part"]


def test_stopped_they_stay_so(greenlets):
    begun, ended = Event(), Event()

    def work():
        begun.set()
        try:
            Event().wait()
        finally:
            ended.set()

    greenlets.start(work)
    assert begun.wait(5)
    greenlets.stop()
    assert ended.is_set()
    begun.clear()
    gevent.sleep(3 * restarting.PAUSE)
    assert not begun.is_set()
