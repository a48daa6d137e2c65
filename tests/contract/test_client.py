"""The client against servers that do not answer as the agent does; with the real one: test_api.py."""
import contextlib
import itertools
import json
import os
import socket
import threading
import time

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.contract import client as module
from econduit_terminal.contract.client import AgentError, Client, NotRunning
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.status import Status

OK = b"HTTP/1.1 200 OK\r\n\r\n"
NOBODY = 65534
CALLS = (Client.status, Client.health, Client.metrics, Client.verify, Client.reconnect, Client.reload,
         lambda client: client.report(NetworkReport()), lambda client: list(client.events()))


class Server:
    """Hears a request of ordinary size, then lets `answer(connection)` do what it likes; cuts the connection then."""

    def __init__(self, path, answer):
        self._answer = answer
        self.heads, self.bodies = [], []
        self.leave = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
                    head = list(itertools.takewhile(lambda line: line != b"\r\n", stream))
                    if not head:
                        continue        # whoever only looked whether anybody listens
                    self.heads.append(head)
                    length = int(self.heads[-1][-1].removeprefix(b"Content-Length: "))
                    self.bodies.append(stream.read(length) if length < 10_000 else None)
                    self._answer(connection)

    def close(self):
        self.leave.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def serve(tmp_path):
    """serve(answer) -> its Server at tmp_path/agent.sock; answer is bytes or a function that gets the connection."""
    running = []

    def start(answer):
        say = (lambda connection: connection.sendall(answer)) if isinstance(answer, bytes) else answer
        running.append(Server(tmp_path / "agent.sock", say))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def client(tmp_path):
    return Client(tmp_path / "agent.sock", timeout=5)


def refused(call, *arguments):
    with pytest.raises(AgentError) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.mark.parametrize("call, method, path, body", [
    (Client.health, "GET", "/health", None),
    (Client.verify, "POST", "/verify", {}),
    (lambda client: client.reconnect("why"), "POST", "/reconnect", {"reason": "why"}),
    (Client.reload, "POST", "/reload", {})])
def test_what_is_asked(serve, client, call, method, path, body):
    server = serve(OK + b'{"ok": true}')
    assert call(client) == {"ok": True}
    assert server.heads[0][0] == f"{method} {path} HTTP/1.0\r\n".encode()
    assert (json.loads(server.bodies[0]) if server.bodies[0] else None) == body


def test_a_status_is_typed_and_a_report_goes_out_whole(serve, client):
    server = serve(OK + Status(reason="ü", pid=7).to_line())
    assert client.status() == Status(reason="ü", pid=7)
    client.report(NetworkReport("ü"))
    assert [head[0] for head in server.heads] == [b"GET /status HTTP/1.0\r\n", b"POST /network HTTP/1.0\r\n"]
    assert NetworkReport.from_json(json.loads(server.bodies[1])) == NetworkReport("ü")


def test_a_status_that_is_none_is_no_agent_s(serve, client):
    serve(OK + b'{"online": "perhaps"}')
    assert "does not answer as the agent does (online: text, expected true or false)" in refused(client.status)


@pytest.mark.parametrize("answer, words", [
    (b"", "no HTTP status"),
    (b"\x00\xff\xfe", "no HTTP status"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP status"),
    (b"HTTP/1.1 abc\r\n\r\n{}", "no HTTP status"),
    (b"H" * 100_000, "no HTTP status"),
    (b"HTTP/1.1 200 OK\r\nContent-", "in the headers"),
    (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000, "in the headers"),
    (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200, "too many headers"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "2 of 10 bytes"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 9000 + b"\r\n\r\n{}", "2 of 9"),
    (OK + b"hello", "does not answer as the agent does"),
    (OK + b"\xff", "does not answer as the agent does"),
    (OK + b"[1]", "does not answer as the agent does"),
    (OK + b"[" * 200_000, "does not answer as the agent does"),
    (b"HTTP/1.1 500 Internal Server Error\r\n\r\n<html>", "500 Internal Server Error"),
    (b"HTTP/1.1 500 \r\n\r\n" + b"[" * 200_000, "500"),
    (b'HTTP/1.1 503 No\r\n\r\n{"error": "33 are here already"}', "33 are here already"),
    (b'HTTP/1.1 400 No\r\n\r\n{"error": "bad", "mistakes": 7}', "400 No"),
])
def test_nonsense(serve, client, answer, words):
    serve(answer)
    assert words in refused(client.status)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", [b"nonsense\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404 Not Found\r\n\r\n"])
def test_every_call_says_so_in_one_way(serve, client, call, answer):
    serve(answer)
    refused(call, client)


def test_mistakes_in_the_settings_come_as_such(serve, client):
    serve(b'HTTP/1.1 400 Bad Request\r\n\r\n{"error": "the settings have mistakes", "mistakes": ["a: b", "c: d"]}')
    with pytest.raises(AgentError, match="the settings have mistakes") as caught:
        client.reload()
    assert caught.value.mistakes == ("a: b", "c: d")


def test_metrics_that_are_no_text(serve, client):
    serve(OK + b"econduit_online 1\n\xff")
    assert client.metrics() == "econduit_online 1\n\ufffd"


def test_more_than_a_status_can_be_is_not_read(serve, tmp_path):
    sent, hung_up = [], threading.Event()

    def answer(connection):
        connection.sendall(OK)
        try:
            while sum(sent) < 100 << 20:
                sent.append(connection.send(b" " * 65536))
        except OSError:
            hung_up.set()

    serve(answer)
    assert "does not answer as the agent does" in refused(Client(tmp_path / "agent.sock", timeout=30).status)
    assert hung_up.wait(10)     # what was sent is counted a moment after the client has it
    assert module.MAX_ANSWER <= sum(sent) < 4 * module.MAX_ANSWER      # it may hang up before another byte is sent


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nA: b\r\n", OK, OK + b'{"ok": '])
@pytest.mark.parametrize("drip", [False, True])
def test_an_answer_that_does_not_come_whole_in_time(serve, tmp_path, before, drip):
    """A byte now and then buys no more time."""
    def answer(connection):
        connection.sendall(before)
        while not server.leave.wait(0.02):
            if drip:
                connection.sendall(b" ")

    server = serve(answer)
    began = time.monotonic()
    assert "did not answer in time" in refused(Client(tmp_path / "agent.sock", timeout=0.2).status)
    assert 0.2 <= time.monotonic() - began < 10


def test_a_server_that_takes_no_bytes(serve, tmp_path):
    server = serve(lambda connection: server.leave.wait(10))
    report = NetworkReport("x" * (4 << 20))
    assert "did not answer in time" in refused(Client(tmp_path / "agent.sock", timeout=0.2).report, report)


def test_a_server_that_accepts_nobody(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(tmp_path / "agent.sock"))
        listener.listen(0)
        first.connect(str(tmp_path / "agent.sock"))
        assert "did not answer in time" in refused(Client(tmp_path / "agent.sock", timeout=0.2).health)


def test_events_outlive_the_time_of_a_call_and_end_with_the_stream(serve, tmp_path):
    said = [threading.Event(), threading.Event()]

    def answer(connection):
        connection.sendall(OK + b'retry: 1000\ndata: {"pid": 1}\n\n')
        said[0].wait(10)
        connection.sendall(b": keepalive\n\ndata: {")
        said[1].wait(10)
        connection.sendall(b'"pid": 2}\n\n')

    serve(answer)
    events = Client(tmp_path / "agent.sock", timeout=1.0).events()
    assert next(events).pid == 1
    for event in said:
        time.sleep(1.1)     # longer than the call's own time: that is what is tested
        event.set()
    assert [status.pid for status in events] == [2]


def test_events_that_fall_silent(serve, client, monkeypatch):
    monkeypatch.setattr(module, "EVENTS_TIMEOUT", 0.1)
    server = serve(lambda connection: (connection.sendall(OK + b'data: {"pid": 1}\n\n'), server.leave.wait(10)))
    events = client.events()
    assert next(events).pid == 1
    assert "did not answer in time" in refused(lambda: next(events))


def test_an_event_that_is_no_json(serve, client):
    serve(OK + b"data: {\n\n")
    assert "does not answer as the agent does" in refused(lambda: next(client.events()))


def test_nobody_there(tmp_path, client):
    for call in (*CALLS, Client.pid):
        with pytest.raises(NotRunning, match="not running"):
            call(client)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "agent.sock"))
    with pytest.raises(NotRunning, match="nobody serves"):
        client.health()
    with pytest.raises(NotRunning):
        Client(tmp_path / "agent.sock" / "below").health()


def test_a_path_that_is_no_socket_s(tmp_path):
    assert "cannot be opened" in refused(Client(tmp_path / ("x" * 200)).health)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody who may not")
def test_somebody_who_may_not(serve, client, tmp_path):
    serve(OK + b"{}")
    tmp_path.chmod(0o700)
    os.seteuid(NOBODY)
    try:
        words = refused(client.health)
    finally:
        os.seteuid(0)
    assert "no permission" in words and "group econduit" in words


def test_the_process_behind_the_socket(serve, client):
    serve(b"")
    assert client.pid() == os.getpid()


def test_whatever_comes_is_an_answer_or_an_error_for_people(serve, client):
    said = [b""]
    serve(lambda connection: connection.sendall(said[0]))

    @given(st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", OK, b"HTTP/1.1 400 No\r\n\r\n"]),
           st.binary() | st.sampled_from([b"{}", b'{"error": 1}', b'{"error": 1, "mistakes": {}}',
           b"Content-Length: 3"]))
    def any_answer(before, after):
        said[0] = before + after
        try:
            assert isinstance(client.status(), Status)
        except AgentError as error:
            assert str(error).isprintable() and len(str(error)) < 1000

    any_answer()
