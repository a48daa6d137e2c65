import http.client
import json
import os
import socket
import stat
import time

import pytest

from econduit_terminal.contract.client import AgentError, Client, NotRunning
from econduit_terminal.contract.network_report import NetworkReport

LIMIT = 10
IMPATIENT = {"CHECK": 0.1, "RETRY": 0.1}


def talk(served, data, *, read=True):
    """Raw bytes to the Unix socket; what comes back until the end."""
    with socket.socket(socket.AF_UNIX) as dialed:
        dialed.settimeout(LIMIT)
        dialed.connect(str(served.socket))
        dialed.sendall(data)
        answer = b""
        while read and (more := dialed.recv(65536)):
            answer += more
        return answer


def ask(served, method, path, body=None, headers=None):
    """(status, headers, JSON) over the Unix socket."""
    connection = http.client.HTTPConnection("localhost", timeout=LIMIT)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(LIMIT)
    connection.sock.connect(str(served.socket))
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read())
    finally:
        connection.close()


def subscribe(served):
    dialed = socket.socket(socket.AF_UNIX)
    dialed.settimeout(LIMIT)
    dialed.connect(str(served.socket))
    dialed.sendall(b"GET /events HTTP/1.0\r\n\r\n")
    stream = dialed.makefile("rb")
    return dialed, stream, stream.readline()


def next_event(stream):
    for line in stream:
        if line.startswith(b"data: "):
            return json.loads(line[6:])
    raise AssertionError("the stream ended")


def until(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_status_health_metrics(served):
    served.do("online", "dc.econduitapp.com:80", "10.0.0.2", "eth0")
    status = served.client.status()
    assert (status.display, status.endpoint) == ("POS Online", "dc.econduitapp.com:80")
    assert status.pid == served.process.pid == served.client.pid()
    assert served.client.health() == {"ok": True}
    assert "econduit_online 1" in served.client.metrics()


def test_the_socket_is_for_owner_and_group(served):
    assert stat.S_IMODE(os.stat(served.socket).st_mode) == 0o660


def test_wishes_reach_the_controls(served):
    served.client.report(NetworkReport("no internet", dial=True))
    name, report = served.said()
    assert (name, report["verdict"], report["dial"], report["verify"]) == ("network", "no internet", True, False)
    assert served.client.status().network.verdict == "no internet"
    served.client.verify()
    assert served.said() == ["verify"]
    served.client.reconnect("maintenance\x07")
    assert served.said()[1].startswith("maintenance") and "\x07" not in served.client.reconnect("x\x07")["reason"]
    served.said()
    assert ask(served, "POST", "/reconnect")[0] == 200
    assert served.said()[0] == "reconnect"
    assert served.client.reload() == {"ok": True, "changed": ["heartbeat.interval"]}
    served.do("mistakes", "terminal.ini:3: cloud.primary: bad")
    with pytest.raises(AgentError) as caught:
        served.client.reload()
    assert caught.value.mistakes == ("terminal.ini:3: cloud.primary: bad",)


@pytest.mark.parametrize("method, path, body, status, words", [
    ("GET", "/nope", None, 404, "no /nope"),
    ("POST", "/status", b"{}", 405, "takes GET"),
    ("GET", "/network", None, 405, "takes POST"),
    ("DELETE", "/status", None, 405, "takes GET"),
    ("POST", "/network", b"{", 400, "not JSON"),
    ("POST", "/network", b"[]", 400, "a list"),
    ("POST", "/network", b'{"verdict": 5}', 400, "verdict"),
    ("POST", "/network", b"", 400, "verdict"),
    ("POST", "/verify", b"{", 400, "not JSON"),
    ("POST", "/reconnect", b'{"reason": []}', 400, "reason"),
    ("POST", "/network", b'{"verdict": "' + b"x" * 70000 + b'"}', 413, "65536"),
    ("POST", "/reconnect", b'{"reason": "break"}', 500, "log"),
])
def test_bad_requests_get_a_clear_error(served, method, path, body, status, words):
    got, headers, answer = ask(served, method, path, body)
    assert got == status and words in answer["error"]
    assert headers["Content-Type"] == "application/json"
    if status == 404:
        assert "POST /network" in answer["routes"]
    if status == 405:
        assert headers["Allow"] in ("GET", "POST")
    assert served.client.health() == {"ok": True}


@pytest.mark.parametrize("data, status", [
    (b"\x00\xff\r\n\r\n", b"400"),
    (b"GET /status HTTP/9.9\r\n\r\n", b"400"),
    (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", b"414"),
    (b"GET /status HTTP/1.1\r\n" + b"A: " + b"b" * 20000 + b"\r\n\r\n", b"400"),
    (b"GET /status HTTP/1.1\r\n" + b"A: b\r\n" * 4000 + b"\r\n", b"400"),
    (b"POST /network HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"400"),
    (b"POST /network HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
])
def test_what_is_not_http(served, data, status):
    with socket.socket(socket.AF_UNIX) as dialed:
        dialed.settimeout(LIMIT)
        dialed.connect(str(served.socket))
        dialed.sendall(data)
        assert dialed.recv(65536).split()[1] == status
    assert served.client.health() == {"ok": True}
    assert "Traceback" not in served.log()


def test_a_chunked_body_is_limited_too(served):
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    answer = talk(served, b"POST /network HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 17 + b"0\r\n\r\n")
    assert answer.split()[1] == b"413"


def test_clients_that_leave_early_leave_nothing(served):
    served.client.health()
    before = served.open_files()
    for _ in range(50):
        talk(served, b"GET /status HTTP/1.1\r\n\r\n", read=False)
        talk(served, b"POST /network HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", read=False)
        talk(served, b"GET /events HTTP/1.1\r\n\r\n", read=False)
        talk(served, b"GE", read=False)
    until(lambda: served.open_files() <= before)    # the connection of `health` may have counted before
    assert served.client.health() == {"ok": True}
    assert "Traceback" not in served.log()


def test_a_slow_request_is_cut_off_and_others_are_served(serve):
    served = serve(times={"REQUEST_TIME": 1.0})
    served.until_it_answers()
    with socket.socket(socket.AF_UNIX) as slow:
        slow.connect(str(served.socket))
        deadline = time.monotonic() + LIMIT
        slow.sendall(b"POST /network HTTP/1.1\r\nContent-Length: 9999\r\n\r\n")
        assert served.client.health() == {"ok": True}
        while True:  # a byte now and then must not buy more time
            slow.settimeout(0.1)
            try:
                assert slow.recv(100) == b""
                break
            except TimeoutError:
                try:
                    slow.send(b" ")
                except BrokenPipeError:
                    break
            assert time.monotonic() < deadline
    assert served.client.health() == {"ok": True}


def test_idle_connections_make_room_for_the_watchdog(served):
    held = []
    for _ in range(200):
        held.append(socket.socket(socket.AF_UNIX))
        held[-1].connect(str(served.socket))
        held[-1].sendall(b"G")
    started = time.monotonic()
    assert served.client.health() == {"ok": True}
    assert time.monotonic() - started < LIMIT / 2
    for one in held:
        one.close()


def test_events_come_at_once_and_at_each_change(served):
    dialed, stream, status = subscribe(served)
    assert b"200" in status
    assert next_event(stream)["reason"] == "starting"
    served.do("offline", "cable unplugged")
    assert next_event(stream)["reason"] == "cable unplugged"
    served.do("online", "h:80", "a", "b")
    assert next_event(stream)["online"] is True
    stream.close()
    dialed.close()


def test_the_client_follows_events_to_the_agents_end(served):
    events = served.client.events()
    assert next(events).reason == "starting"
    served.end()
    assert list(events) == []
    with pytest.raises(NotRunning):
        served.client.status()


def test_fifty_subscribers_some_are_refused_and_places_are_given_back(served):
    open_streams = [subscribe(served) for _ in range(50)]
    accepted = [(dialed, stream) for dialed, stream, status in open_streams if b"200" in status]
    refused = [status for _, _, status in open_streams if b"503" in status]
    assert (len(accepted), len(refused)) == (32, 18)
    for _, stream in accepted:
        assert next_event(stream)["online"] is False
    served.do("online", "h:80", "a", "b")
    for _, stream in accepted:
        assert next_event(stream)["online"] is True
    assert served.client.health() == {"ok": True}
    for dialed, stream, _ in open_streams:
        stream.close()
        dialed.close()

    def served_again():
        dialed, stream, status = subscribe(served)
        stream.close()
        dialed.close()
        return b"200" in status

    until(served_again)


def test_a_subscriber_that_does_not_read_holds_nobody_up(served):
    dialed, stream, _ = subscribe(served)
    _, quick, _ = subscribe(served)
    detail = "x" * 200
    for number in range(300):
        interfaces = [{"name": f"i{number}", "addresses": [detail] * 60}] * 3
        served.do("network", {"verdict": f"v{number}", "interfaces": interfaces})
    served.do("offline", "the last")
    while next_event(quick)["reason"] != "the last":
        pass
    assert served.client.health() == {"ok": True}
    stream.close()
    dialed.close()


# The sockets themselves

def test_a_stale_socket_is_replaced(serve, tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "agent.sock"))
    served = serve()
    until(lambda: reachable(served))
    served.end()
    assert not served.socket.exists()


def test_a_served_socket_and_a_file_are_left_alone(serve, tmp_path):
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        served = serve()
        until(lambda: "served by another process" in served.log())
        served.end()
    assert path.is_socket()
    path.unlink()
    path.write_text("precious")
    served = serve()
    until(lambda: "not a socket" in served.log())
    served.end()
    assert path.read_text() == "precious"


def test_the_socket_comes_back_when_its_directory_does(serve, tmp_path):
    served = serve(times=IMPATIENT)
    until(lambda: reachable(served))
    served.socket.unlink()
    until(lambda: reachable(served))


def reachable(served):
    try:
        return getattr(served, "client", served).health()["ok"]
    except AgentError:
        return False


# The display

@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def get(port, path, host, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    connection.putrequest(method, path, skip_host=True)
    if host is not None:
        connection.putheader("Host", host.format(port=port))
    for name, text in headers.items():
        connection.putheader(name.replace("_", "-"), text)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body.decode()


def open_to(port):
    with socket.socket() as dialed:
        return dialed.connect_ex(("127.0.0.1", port)) == 0


def test_the_display_shows_the_state(serve, port):
    served = serve(port=port)
    until(lambda: open_to(port))
    served.do("online", "h:80", "10.0.0.2", "eth0")
    status, page = get(port, "/", "localhost:{port}")
    assert status == 200 and "POS Online" in page and "Terminal ID 29531204" in page
    served.do("offline", "no internet")
    page = get(port, "/", "localhost:{port}")[1]
    assert "POS Offline" in page and "No internet" in page


@pytest.mark.parametrize("host, allowed", [
    ("localhost:{port}", True), ("127.0.0.1:{port}", True), ("[::1]:{port}", True), ("LOCALHOST", True),
    ("localhost:80", True), ("evil.example", False), ("evil.example:{port}", False), ("localhost.evil.example", False),
    ("10.0.0.9:{port}", False), ("", False), (None, False), ("127.0.0.1@evil", False), ("localhost:x", False),
])
def test_a_foreign_name_is_refused(serve, port, host, allowed):
    serve(port=port)
    until(lambda: open_to(port))
    for path in ("/", "/status", "/events" if not allowed else "/metrics"):
        assert get(port, path, host)[0] == (200 if allowed else 403)


@pytest.mark.parametrize("headers, page, rest", [
    ({"Origin": "http://evil.example"}, 403, 403), ({"Sec_Fetch_Site": "cross-site"}, 403, 403),
    ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}, 200, 403),
    ({"Sec_Fetch_Site": "same-origin", "Origin": "http://localhost"}, 200, 200)])
def test_a_page_of_another_origin_gets_nothing(serve, port, headers, page, rest):
    serve(port=port)
    until(lambda: open_to(port))
    assert get(port, "/", "localhost", **headers)[0] == page
    for path in ("/status", "/health", "/metrics"):
        assert get(port, path, "localhost", **headers)[0] == rest


@pytest.mark.parametrize("path", ["/network", "/verify", "/reconnect", "/reload", "/status"])
def test_the_display_takes_no_orders(serve, port, path):
    served = serve(port=port)
    until(lambda: open_to(port))
    assert get(port, path, "localhost", "POST")[0] == 405
    served.do("idle", True)  # the next thing said is this one: no control was called


def test_a_taken_port_is_a_problem_until_it_is_free(serve):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        served = serve(port=port, times=IMPATIENT)
        until(lambda: reachable(served) and "display" in served.client.status().problems)
        assert f"127.0.0.1:{port}" in served.client.status().problems["display"]
    until(lambda: served.client.status().problems == {})
    assert get(port, "/health", "localhost")[0] == 200
    assert served.log().count("cannot be bound") == 1


# Other settings while it serves

def test_the_socket_moves_and_events_end(serve, tmp_path):
    served = serve(times=IMPATIENT)
    served.until_it_answers()
    events = served.client.events()
    next(events)
    moved = Client(tmp_path / "moved.sock", timeout=LIMIT)
    served.do("reconfigure", str(tmp_path / "moved.sock"), None)
    assert list(events) == []
    until(lambda: reachable(moved))
    with pytest.raises(NotRunning):
        served.client.health()
    assert not served.socket.exists()
    served.end()
    assert not (tmp_path / "moved.sock").exists()


def test_the_display_comes_moves_and_goes_and_the_socket_serves_on(serve, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        second = other.getsockname()[1]
    served = serve(times=IMPATIENT)
    served.until_it_answers()
    events = served.client.events()
    assert next(events).reason == "starting"
    served.do("reconfigure", str(served.socket), port)
    until(lambda: open_to(port))
    served.do("reconfigure", str(served.socket), second)
    until(lambda: open_to(second) and not open_to(port))
    assert get(second, "/health", "localhost")[0] == 200
    served.do("reconfigure", str(served.socket), None)
    until(lambda: not open_to(second))
    served.do("offline", "the same stream")
    assert next(events).reason == "the same stream"
    assert served.client.status().problems == {}


def test_what_did_not_change_is_left_alone(serve, port):
    served = serve(port=port)
    until(lambda: open_to(port))
    served.until_it_answers()
    inode = served.socket.stat().st_ino
    served.do("reconfigure", str(served.socket), port)
    assert reachable(served) and get(port, "/health", "localhost")[0] == 200
    assert served.socket.stat().st_ino == inode
    assert served.log() == ""


def test_a_display_that_cannot_be_bound_after_a_reload_is_a_problem_that_another_reload_ends(serve, port):
    served = serve(port=port, times={"CHECK": 0.1, "RETRY": 3600})
    until(lambda: open_to(port))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        served.do("reconfigure", str(served.socket), other.getsockname()[1])
        until(lambda: "display" in served.client.status().problems)
        served.do("reconfigure", str(served.socket), port)
        until(lambda: open_to(port) and served.client.status().problems == {})
