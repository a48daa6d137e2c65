"""Settings, a journal, payment applications and a cloud's connection for the tests of the transactions."""
from dataclasses import replace
from pathlib import Path

import gevent
import pytest
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

from econduit_terminal.agent.journal.entry import Retention
from econduit_terminal.agent.journal.schema import FILE
from econduit_terminal.agent.journal.worker import JournalWorker
from econduit_terminal.agent.status.store import StatusStore
from econduit_terminal.agent.transactions.processor import Processor
from econduit_terminal.conf.settings import load
from econduit_terminal.conf.values import Application, Endpoint


class FakeApplication:
    """A payment application: keeps what it ran. `behave(socket, request)` may be set to do something else."""

    def __init__(self):
        self.runs = []
        self.asked = Event()
        self.hold = Event()
        self.hold.set()
        self.behave = self.approve
        self.server = StreamServer(("127.0.0.1", 0), self._serve)
        self.server.start()
        self.application = Application("tcp", Endpoint("127.0.0.1", self.server.server_port))

    def _serve(self, connection, address):
        with connection:
            request = connection.recv(1 << 20)
            self.runs.append(request)
            self.asked.set()
            self.hold.wait()
            self.behave(connection, request)

    @staticmethod
    def approve(connection, request):
        connection.sendall(b'{"ResultCode":"Approved","for":%d}\x04\x04' % len(request))


class CloudConnection:
    """What the link gives: `verdicts` are what `send` says, True once they are used up."""

    def __init__(self, number=1, verdicts=()):
        self.number = number
        self.sent = []
        self.failed = None
        self.verdicts = list(verdicts)
        self.wrote = Event()

    def send(self, payload, timeout):
        assert timeout > 0
        gevent.sleep(0)
        self.sent += payload.split(b"\x04\x04")      # refusals may come many at once
        self.wrote.set()
        return self.verdicts.pop(0) if self.verdicts else True

    def fail(self, why):
        self.failed = why

    def wait(self, count, timeout=15):
        with gevent.Timeout(timeout):
            while len(self.sent) < count:
                self.wrote.wait()
                self.wrote.clear()
        return self.sent


@pytest.fixture
def app():
    app = FakeApplication()
    yield app
    app.hold.set()
    app.server.stop()


@pytest.fixture
def connection():
    """A class of connections to a cloud that acknowledges everything, or what it is told."""
    return CloudConnection


@pytest.fixture
def settings(tmp_path, app):
    """A function: the shipped settings with this test's state_dir and application, and what else [transactions] is to
    have."""
    def make(**transactions):
        shipped = load(None)
        return replace(shipped, local=replace(shipped.local, state_dir=str(tmp_path / "state")),
                       transactions=replace(shipped.transactions, **{"application": app.application, **transactions}))
    return make


@pytest.fixture
def start(settings):
    """A function that starts a processor with its journal, as a fresh process would; `stop` is a crash."""
    running = []

    def begin(**transactions):
        chosen = settings(**transactions)
        store = StatusStore("T1")
        journal = JournalWorker(Path(chosen.local.state_dir) / FILE, Retention(0.0, 0.0), store)
        processor = Processor(chosen, "T1", journal, store)
        processor.start()
        processor.store, processor.journal = store, journal
        running.append(processor)

        def stop():
            if processor in running:
                running.remove(processor)
                processor.close()
                journal.close()
        processor.stop = stop
        return processor

    yield begin
    for processor in list(running):
        processor.stop()


@pytest.fixture
def settle():
    """A function that waits until a condition holds, on the hub; an assertion error after `timeout` seconds."""
    def until(condition, timeout=15):
        with gevent.Timeout(timeout, AssertionError("the condition did not come true")):
            while not condition():
                gevent.sleep(0.002)
    return until


@pytest.fixture
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]     # bound, not listening: refuses
