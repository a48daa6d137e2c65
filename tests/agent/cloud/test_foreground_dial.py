"""When a dial is given up; what it opens, over real sockets, is in test_link.py."""
import gevent
import pytest
from gevent.event import Event

from econduit_terminal.agent.cloud.dialed import Dialed, DialFailed, DialResults, EndpointFailure
from econduit_terminal.agent.cloud.endpoints import Endpoints
from econduit_terminal.agent.cloud.foreground_dial import ForegroundDial
from econduit_terminal.agent.cloud.link_commands import LinkCommands
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport

A, B = Endpoint("primary.test", 80), Endpoint("secondary.test", 9001)
FAILED = DialFailed(DialResults({A: EndpointFailure(Finding.SILENT, "no answer")}))


class Plan:
    """Dials until `result` is there, from one local address."""

    def __init__(self):
        self.dialed, self.began, self.ended = [], Event(), Event()
        self.answered, self.result = Event(), FAILED

    def sources(self, endpoints, network):
        return {"10.0.0.1"}

    def dial(self, endpoints, network, now):
        self.dialed.append((list(endpoints), network))
        self.began.set()
        try:
            self.answered.wait()
            return self.result
        finally:
            self.ended.set()


class Terminal:
    """A dial, and what the others say meanwhile."""

    def __init__(self):
        self.commands, self.plan, self.network = LinkCommands(), Plan(), NetworkReport()
        self.dial = ForegroundDial(self.commands, self.plan, Endpoints([A, B]), lambda: self.network)

    def start(self):
        running = gevent.spawn(self.dial.run)
        assert self.plan.began.wait(5)
        return running

    def tell(self):
        self.commands.wakeup.set()
        gevent.idle()


@pytest.fixture
def terminal():
    return Terminal()


@pytest.mark.parametrize("result", [FAILED, Dialed(None, B, 0.1)])
def test_it_gives_what_came_of_it(terminal, result):
    running = terminal.start()
    terminal.plan.result = result
    terminal.plan.answered.set()
    assert running.get(timeout=5) is result
    assert terminal.plan.dialed == [([A, B], terminal.network)]


@pytest.mark.parametrize("command, word", [("stop", True), ("leave", "settings changed")])
def test_a_command_ends_it(terminal, command, word):
    running = terminal.start()
    setattr(terminal.commands, command, word)
    terminal.tell()
    assert running.get(timeout=5) is None
    assert terminal.plan.ended.is_set()


@pytest.mark.parametrize("network, over", [
    (NetworkReport(bind="eth1"), True),
    (NetworkReport(lost={"10.0.0.1": "cable unplugged"}), True),
    (NetworkReport(lost={"10.0.0.2": "Wi-Fi lost"}), False),
    (NetworkReport(verdict="no internet"), False),
])
def test_the_network_ends_it_if_that_makes_it_pointless(terminal, network, over):
    running = terminal.start()
    terminal.network = network
    terminal.tell()
    assert running.ready() is over
    terminal.plan.answered.set()
    assert running.get(timeout=5) is (None if over else FAILED)


def test_what_was_lost_before_it_does_not_end_it(terminal):
    terminal.network = NetworkReport(lost={"10.0.0.1": "cable unplugged"})
    running = terminal.start()
    terminal.network = NetworkReport(lost={"10.0.0.1": "cable unplugged"}, verify=True)
    terminal.tell()
    assert not running.ready()
    terminal.plan.answered.set()
    assert running.get(timeout=5) is FAILED


def test_a_connection_that_nobody_wants_any_more_is_closed(terminal):
    class Socket:
        closed = False

        def close(self):
            self.closed = True

    running, opened = terminal.start(), Socket()
    terminal.plan.result, terminal.commands.stop = Dialed(opened, A, 0.1), True
    terminal.plan.answered.set()        # in the same moment
    assert running.get(timeout=5) is None
    assert opened.closed


def test_the_same_dial_is_logged_once(terminal, caplog):
    caplog.set_level("INFO")
    terminal.plan.answered.set()
    for bind in (None, None, "eth1", "eth1", None):
        terminal.network = NetworkReport(bind=bind)
        terminal.dial.run()
    assert [record.message for record in caplog.records] == [
        f"dialing {A}, then {B}", f"dialing {A}, then {B} over eth1", f"dialing {A}, then {B}"]
