import gevent
import pytest
from gevent.event import Event

from econduit_terminal.agent.cloud.background_dial import BackgroundDial, drop
from econduit_terminal.agent.cloud.dialed import DialFailed, Target
from econduit_terminal.agent.cloud.dialer import Dialer
from econduit_terminal.conf.values import Endpoint


@pytest.fixture
def wake():
    return Event()


@pytest.fixture
def background(settings, wake):
    dialer = Dialer(settings)

    def dial(endpoints):
        try:
            return dialer.dial([Target(endpoint) for endpoint in endpoints])
        except DialFailed as failed:
            return failed
    it = BackgroundDial(dial, wake.set)
    yield it
    it.drop()


def test_what_is_taken_stays_open(background, wake, clouds):
    assert not background.running and background.opened() is None
    background.start([clouds[0].endpoint])
    assert background.running and background.opened() is None
    assert wake.wait(5)
    dialed = background.opened()
    assert dialed.endpoint == clouds[0].endpoint and background.running
    background.take()
    assert not background.running and not dialed.socket.closed
    dialed.socket.close()


def test_what_nobody_takes_is_closed_unused(background, wake, clouds):
    background.start([clouds[0].endpoint])
    wake.wait(5)
    dialed = background.opened()
    background.start([clouds[1].endpoint])
    assert dialed.socket.closed
    background.drop()
    assert not background.running
    clouds[0].accept().ended()


def test_a_failure_is_a_result(background, wake):
    background.start([Endpoint("127.0.0.1", 1)])
    assert wake.wait(5)
    assert "refused by 127.0.0.1:1" in str(background.opened())


def test_a_bug_is_raised_where_it_is_looked_for(wake):
    it = BackgroundDial(lambda endpoints: 1 / 0, wake.set)
    it.start([])
    assert wake.wait(5)
    with pytest.raises(ZeroDivisionError):
        it.opened()


def test_a_dial_that_nobody_wants_leaves_nothing_open(settings, clouds):
    dialing = gevent.spawn(Dialer(settings).dial, [Target(clouds[0].endpoint)])
    dialing.join(timeout=5)
    drop(dialing)
    assert dialing.value.socket.closed
    drop(None)
