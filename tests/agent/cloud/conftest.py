"""A cloud of a few lines, the shipped settings with short times, and stand-ins that write down what they are told."""
from dataclasses import replace

import gevent
import pytest
from gevent import socket
from gevent.event import Event
from gevent.queue import Queue

from econduit_terminal.conf.settings import load
from econduit_terminal.conf.values import Endpoint

LIMIT = 15.0


class Recorder:
    """A list of what happened, that can be waited on."""

    def __init__(self):
        self.entries = []
        self._added = Event()

    def add(self, *entry):
        self.entries.append(entry)
        self._added.set()

    def wait(self, *entry, count=1):
        with gevent.Timeout(LIMIT, AssertionError(f"no {entry} in {self.entries}")):
            while self.entries.count(entry) < count:
                self._added.clear()
                self._added.wait()


class FakeStatusStore(Recorder):
    online_now = False

    def __init__(self):
        super().__init__()
        self.found, self.problems = {}, {}

    def online(self, endpoint, local_address, interface):
        self.online_now = True
        self.add("online", endpoint)

    def offline(self, reason):
        self.online_now = False
        self.add("offline", reason)

    @property
    def reasons(self):
        return [entry[1] for entry in self.entries if entry[0] == "offline"]

    def acked(self):
        self.add("acked")

    def phase(self, phase, retry_in=None):
        self.add("phase", phase.value)

    def observe(self, name, seconds):
        self.add("observe", name)

    def endpoints(self, found):
        """Not in the entries: it tells of every dial."""
        self.found = {entry.endpoint: entry.to_json() for entry in found}

    def problem(self, name, text):
        if self.problems.get(name) != text:
            self.problems[name] = text
            self.add("problem", name, text)


class Transactions(Recorder):
    busy = False

    def receive(self, request):
        self.add("receive", request)

    def attach(self, connection):
        self.add("attach", connection.number)

    def detach(self, connection):
        self.add("detach", connection.number)


class Peer:
    """The cloud's end of one connection."""

    def __init__(self, sock):
        self.socket = sock
        self._received = b""

    def expect(self, data):
        """Read until `data` came; everything before and with it is taken."""
        with gevent.Timeout(LIMIT, AssertionError(f"no {data} in {self._received}")):
            while data not in self._received:
                more = self.socket.recv(4096)
                assert more, f"the end instead of {data}, after {self._received}"
                self._received += more
        self._received = self._received.partition(data)[2]

    def ended(self):
        """Read to the end of the stream."""
        with gevent.Timeout(LIMIT, AssertionError("no end")):
            try:
                while self.socket.recv(4096):
                    pass
            except ConnectionResetError:
                pass

    def send(self, data):
        self.socket.sendall(data)

    def register(self):
        self.expect(b"\x04\x04")
        self.send(b"OK-REGISTRATION\x04\x04")

    def close(self):
        self.socket.close()


class Cloud:
    """A listening socket of the cloud; `accept` gives the next connection."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self.endpoint = Endpoint(*self._listener.getsockname())
        self._peers = Queue()
        self._all = []
        self.listen()

    def listen(self):
        self._listener.listen(8)
        self._accepting = gevent.spawn(self._accept)

    def _accept(self):
        while True:
            peer = Peer(self._listener.accept()[0])
            self._all.append(peer)
            self._peers.put(peer)

    def accept(self):
        with gevent.Timeout(LIMIT, AssertionError("nobody dialed")):
            return self._peers.get()

    @property
    def dialed(self):
        return len(self._all)

    def close(self):
        """Refuse from now on."""
        self._accepting.kill()
        self._listener.close()

    def reopen(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(self.endpoint)
        self.listen()

    def end(self):
        self.close()
        for peer in self._all:
            peer.close()


@pytest.fixture
def clouds():
    """The primary and the secondary."""
    made = Cloud(), Cloud()
    yield made
    for cloud in made:
        cloud.end()


@pytest.fixture
def blackhole():
    """An endpoint that takes no connection and refuses none: its backlog is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(3):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    yield Endpoint(*listener.getsockname())
    for sock in (*fillers, listener):
        sock.close()


@pytest.fixture
def settings(clouds):
    """Shipped settings that name the two clouds, with short times."""
    shipped = load(None)
    return replace(
        shipped,
        cloud=replace(shipped.cloud, primary=clouds[0].endpoint, secondary=clouds[1].endpoint),
        registration=replace(shipped.registration, timeout=0.5),
        heartbeat=replace(shipped.heartbeat, interval=30.0, ack_timeout=0.3),
        reconnect=replace(shipped.reconnect, connect_timeout=1.0, secondary_after=0.2, local_retry=0.1,
                          first_retry=0.01, base_delay=0.02, max_delay=0.1, primary_retry=0.3, rejected_retry=60.0))


@pytest.fixture
def store():
    return FakeStatusStore()


@pytest.fixture
def transactions():
    return Transactions()
