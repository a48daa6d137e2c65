"""When the primary is dialed in the background, and when it is taken; the whole move stands in test_link.py."""
import gevent
import pytest

from econduit_terminal.agent.cloud.dialed import Dialed, DialFailed, DialResults, EndpointFailure
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.agent.cloud.primary_return import AGAIN, Move, PrimaryReturn
from econduit_terminal.conf.values import Endpoint

PRIMARY = Endpoint("primary.test", 80)
BACK = DialFailed(DialResults({PRIMARY: EndpointFailure(Finding.REFUSED, "refused by primary.test:80")}))


class Socket:
    closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def made():
    """It, at once, after 300 s; what its dials give, to be set; and how often it dialed."""
    class Primary:
        dials, gives = 0, None

        def dial(self, endpoints):
            assert list(endpoints) == [PRIMARY]
            self.dials += 1
            return self.gives
    primary = Primary()
    it = PrimaryReturn(primary.dial, lambda: None, Move(PRIMARY, 300.0))
    it.start(1000.0)
    yield it, primary
    it.close()


def check(it, now, idle=True, quiet=True):
    opened = it.check(now, idle=idle, quiet=lambda: quiet)
    gevent.idle()
    return opened


def test_nothing_before_its_time_nor_while_busy(made):
    it, primary = made
    assert it.due(idle=True) == 1300 and it.due(idle=False) is None
    assert check(it, 1299) is None and check(it, 1400, idle=False) is None and primary.dials == 0


def test_it_is_dialed_taken_and_stays_open(made):
    it, primary = made
    primary.gives = Dialed(Socket(), PRIMARY, 0.1)
    assert check(it, 1300) is None and primary.dials == 1 and it.due(idle=True) is None
    assert check(it, 1301) is primary.gives
    it.take()
    it.close()
    assert not primary.gives.socket.closed


def test_one_that_does_not_open_is_tried_again_after_the_same_time(made, caplog):
    caplog.set_level("INFO")
    it, primary = made
    primary.gives = BACK
    for now in (1300, 1600.5, 1901):
        assert check(it, now) is None and check(it, now + 0.5) is None
        assert it.due(idle=True) == now + 0.5 + 300
    assert primary.dials == 3 and "is not back: refused by primary.test:80; next try in 300 s" in caplog.text


@pytest.mark.parametrize("idle, quiet", [(False, True), (True, False)])
def test_what_comes_in_between_puts_it_off_and_the_open_one_is_closed_unused(made, idle, quiet):
    it, primary = made
    primary.gives = Dialed(Socket(), PRIMARY, 0.1)
    check(it, 1300)
    assert check(it, 1301, idle=idle, quiet=quiet) is None
    assert primary.gives.socket.closed and it.due(idle=True) == pytest.approx(1301 + AGAIN)


def test_the_primary_itself_returns_nowhere_and_a_new_time_counts_at_once(made):
    it, primary = made
    it.move = None
    assert it.due(idle=True) is None and check(it, 5000) is None
    it.move = Move(PRIMARY, 10.0)
    assert it.due(idle=True) == 1010
    unregistered = PrimaryReturn(primary.dial, lambda: None, Move(PRIMARY, 0.0))
    assert unregistered.due(idle=True) is None and check(unregistered, 5000) is None and primary.dials == 0
