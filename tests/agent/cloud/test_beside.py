import gevent
import pytest
from gevent.event import Event

from econduit_terminal.agent.cloud.beside import Beside, drop
from econduit_terminal.agent.cloud.dialed import DialFailed, Target
from econduit_terminal.agent.cloud.dialer import Dialer
from econduit_terminal.conf.values import Endpoint


@pytest.fixture
def wake():
    return Event()


@pytest.fixture
def beside(settings, wake):
    dialer = Dialer(settings)

    def dial(endpoints):
        try:
            return dialer.dial([Target(endpoint) for endpoint in endpoints])
        except DialFailed as failed:
            return failed
    it = Beside(dial, wake.set)
    yield it
    it.drop()


def test_what_is_taken_stays_open(beside, wake, clouds):
    assert not beside.running and beside.opened() is None
    beside.start([clouds[0].endpoint])
    assert beside.running and beside.opened() is None
    assert wake.wait(5)
    dialed = beside.opened()
    assert dialed.endpoint == clouds[0].endpoint and beside.running
    beside.take()
    assert not beside.running and not dialed.socket.closed
    dialed.socket.close()


def test_what_nobody_takes_is_closed_unused(beside, wake, clouds):
    beside.start([clouds[0].endpoint])
    wake.wait(5)
    dialed = beside.opened()
    beside.start([clouds[1].endpoint])
    assert dialed.socket.closed
    beside.drop()
    assert not beside.running
    clouds[0].accept().ended()


def test_a_failure_is_a_result(beside, wake):
    beside.start([Endpoint("127.0.0.1", 1)])
    assert wake.wait(5)
    assert "refused by 127.0.0.1:1" in str(beside.opened())


def test_a_bug_is_raised_where_it_is_looked_for(wake):
    it = Beside(lambda endpoints: 1 / 0, wake.set)
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
