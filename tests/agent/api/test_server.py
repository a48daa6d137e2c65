"""The server below the local API in this process, with an application of the tests' own; whole: test_api.py."""
import contextlib

import gevent
import pytest
from gevent import socket
from gevent.event import Event

from econduit_terminal.agent.api import server
from econduit_terminal.agent.api.listen_address import UnixAddress, Unusable
from econduit_terminal.agent.api.server import Listener, Server
from econduit_terminal.agent.status.store import StatusStore

LIMIT = 10
REQUEST = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Application:
    """Answers with the path; /hold waits for `release` first, /stream until its client goes, /break fails."""

    def __init__(self):
        self.entered, self.release, self.streams_ended = 0, Event(), 0

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.entered += 1
        if path == "/hold":
            self.release.wait()
        if path == "/break":
            raise RuntimeError("broken on purpose")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self._stream(environ["econduit.connection"]) if path == "/stream" else [path.encode()]

    def _stream(self, connection):
        ended = Event()
        with connection.streaming(ended.set):
            yield b"begun"
            ended.wait()
            assert connection.gone
            self.streams_ended += 1

    def close(self):
        self.release.set()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    for name, seconds in (("CHECK", 0.02), ("RETRY", 0.02), ("STOP_TIME", 0.2)):
        monkeypatch.setattr(server, name, seconds)


@pytest.fixture(autouse=True)
def bounded():
    with gevent.Timeout(3 * LIMIT):
        yield


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agent.sock"


@pytest.fixture
def store():
    return StatusStore("29531204")


@pytest.fixture
def listen(path, store):
    """listen(address=…, name=…) -> a started Listener with an Application; stopped after the test."""
    running = []

    def start(address=None, name="local API", after=None):
        listener = Listener(name, address or UnixAddress(path), Application(), store)
        listener.application = listener._application
        listener.start(after)
        running.append(listener)
        return listener

    yield start
    for listener in running:
        listener.stop()


@pytest.fixture
def dial(path):
    """dial(request=b"") -> a connection that asked this; closed after the test."""
    opened = []

    def dial(request=b""):
        opened.append(socket.socket(socket.AF_UNIX))
        opened[-1].settimeout(LIMIT)
        until(path.exists)
        opened[-1].connect(str(path))
        opened[-1].sendall(request)
        return opened[-1]

    yield dial
    for connection in opened:
        connection.close()


def until(condition):
    with gevent.Timeout(LIMIT, AssertionError("not in time")):
        while not condition():
            gevent.sleep(0.002)


def answered(connection):
    """Reads up to the end of a chunk or of the stream."""
    got = b""
    while not got.endswith((b"/x", b"begun\r\n")) and (more := connection.recv(65536)):
        got += more
    return got


def problems(store):
    return store.snapshot().problems


class Stubborn(UnixAddress):
    """Cannot be bound the first times."""

    def __init__(self, path, times):
        super().__init__(path)
        self.times = times

    def bind(self):
        if self.times:
            self.times -= 1
            raise Unusable("correct it")
        return super().bind()


def test_an_address_that_cannot_be_bound_is_tried_again_and_said_once(listen, path, store, dial, caplog):
    address = Stubborn(path, 5)
    listen(address)
    until(lambda: problems(store) == {"local API": "correct it"})
    assert answered(dial(REQUEST % b"x")).endswith(b"/x")
    assert problems(store) == {} and address.times == 0
    assert caplog.text.count("correct it") == 1


def test_an_address_with_a_bug_does_not_end_it_nor_keep_the_address(listen, path, store, dial, caplog):
    address = Stubborn(path, 0)
    address.ours = lambda: 1 / 0
    listener = listen(address)
    until(lambda: "log says more" in problems(store).get("local API", ""))
    del address.ours
    until(lambda: problems(store) == {})
    assert answered(dial(REQUEST % b"x")).endswith(b"/x")
    listener.stop()
    assert "ZeroDivisionError" in caplog.text


def test_what_was_taken_away_is_bound_again(listen, path, dial):
    listen()
    old = dial(REQUEST % b"x")
    answered(old)
    path.unlink()
    until(path.exists)
    assert answered(dial(REQUEST % b"x")).endswith(b"/x")


def test_a_stopped_one_leaves_nothing(listen, path, store):
    listener = listen()
    until(path.exists)
    listener.stop()
    assert not path.exists() and problems(store) == {}
    listener.stop()


def test_one_that_waits_to_try_again_stops_at_once(listen, path, store, monkeypatch):
    monkeypatch.setattr(server, "RETRY", 3600)
    listener = listen(Stubborn(path, 1))
    until(lambda: problems(store))
    with gevent.Timeout(LIMIT):
        listener.stop()
    assert problems(store) == {}


def test_the_next_one_takes_over_when_the_one_before_it_has_let_go(listen, path, store, dial):
    before = listen()
    held = dial(REQUEST % b"stream")
    assert answered(held)
    after = listen(Stubborn(path, 0), after=before)
    assert answered(dial_when_refused_before(dial)).endswith(b"/x")
    assert before.application.entered == 1 and after.application.entered == 1
    assert problems(store) == {}


def dial_when_refused_before(dial):
    """The old one's backlog may take a connection that it then cuts: what any client does is to try again."""
    with gevent.Timeout(LIMIT):
        while True:
            try:
                connection = dial(REQUEST % b"x")
                if connection.recv(1, socket.MSG_PEEK):
                    return connection
            except OSError:
                pass
            gevent.sleep(0.002)


def test_the_problem_of_the_next_one_is_not_wiped_away_by_the_one_before_it(listen, path, store, dial):
    before = listen()
    held = dial(REQUEST % b"stream")
    assert answered(held)
    listen(Stubborn(path, 10**9), after=before)
    until(lambda: problems(store))
    assert before._greenlet.ready()
    gevent.sleep(0.1)
    assert problems(store) == {"local API": "correct it"}


def test_an_application_that_fails_costs_one_answer(listen, dial, caplog):
    listen()
    assert b"500" in answered(dial(REQUEST % b"break"))
    assert "broken on purpose" in caplog.text
    assert answered(dial(REQUEST % b"x")).endswith(b"/x")


def test_a_request_has_its_time_and_a_stream_has_none(listen, dial, monkeypatch):
    monkeypatch.setattr(server, "REQUEST_TIME", 0.1)
    listener = listen()
    stream = dial(REQUEST % b"stream")
    assert answered(stream).endswith(b"begun\r\n")
    assert answered(dial(b"GET")) == b""
    assert answered(dial(REQUEST % b"hold")) == b""
    assert listener.application.streams_ended == 0
    stream.close()
    until(lambda: listener.application.streams_ended == 1)


def test_whatever_the_client_of_a_stream_says_ends_it(listen, dial):
    listener = listen()
    stream = dial(REQUEST % b"stream")
    answered(stream)
    stream.sendall(b"enough")
    until(lambda: listener.application.streams_ended == 1)


@pytest.fixture
def full(listen, dial, monkeypatch):
    """A listener with room for three, and its application."""
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    return listen().application


def test_the_one_that_is_idle_longest_makes_room(full, dial):
    idle = [dial(b"GE")]
    for path in (b"x", b"x"):
        idle.append(dial(REQUEST % path))
        answered(idle[-1])
    assert answered(dial(REQUEST % b"x")).endswith(b"/x")
    assert idle[0].recv(1) == b""
    for connection in idle[1:]:
        connection.sendall(REQUEST % b"x")
        assert answered(connection).endswith(b"/x")


def test_nobody_is_cut_off_in_the_midst_of_an_answer(full, dial):
    held = [dial(REQUEST % b"hold") for _ in range(3)]
    until(lambda: full.entered == 3)
    turned_away = dial(REQUEST % b"x")
    with contextlib.suppress(ConnectionResetError):
        assert turned_away.recv(1) == b""
    full.release.set()
    for connection in held:
        assert b"/hold" in connection.recv(65536)
    until(lambda: answered(dial(REQUEST % b"x")).endswith(b"/x"))


def test_headers_are_limited_in_all(listen, dial):
    listen()
    line = b"A: b\r\n"
    head = b"GET /x HTTP/1.1\r\n"
    few, many = (server.MAX_HEADERS // len(line) // 200, server.MAX_HEADERS // len(line) + 1)
    assert answered(dial(head + line * few + b"\r\n")).endswith(b"/x")
    assert b" 400 " in dial(head + line * many + b"\r\n").recv(65536)


def test_no_name_is_looked_up(path, monkeypatch):
    monkeypatch.setattr(socket, "getfqdn", lambda *name: pytest.fail("asked the DNS for our own name"))
    with UnixAddress(path).bind() as bound:
        assert Server(bound, Application()).get_environ()["SERVER_NAME"] == "localhost"
