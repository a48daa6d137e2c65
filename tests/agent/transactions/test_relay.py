import itertools
import os
import signal
import sys
import time

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer
from hypothesis import given, settings as chosen, strategies as st

from econduit_terminal.agent.transactions import relay
from econduit_terminal.agent.transactions.relay import ApplicationError
from econduit_terminal.agent.wire.formats import lrc
from econduit_terminal.conf.values import Application, Endpoint
from econduit_terminal.process import lookups

REQUEST = b'{"RefID":"1","Amount":"2.50"}'
ANSWER = b'{"ResultCode":"Approved"}'
STX_ANSWER = b"\x02OK\x1c1\x03" + bytes((lrc(b"OK\x1c1\x03"),))


def ask(application, request=REQUEST, timeout=5.0, frame_gap=0.05, max_message=1 << 20):
    return relay.ask(application, request, timeout=timeout, frame_gap=frame_gap, max_message=max_message)


@pytest.fixture(params=["tcp", "unix"])
def serve(request, tmp_path):
    """A function that runs `answer(connection)` for each connection, and gives the application to ask."""
    servers = []

    def begin(answer):
        if request.param == "tcp":
            server = StreamServer(("127.0.0.1", 0), lambda connection, _: answer(connection))
            server.start()
            application = Application("tcp", Endpoint("127.0.0.1", server.server_port))
        else:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(tmp_path / "app.sock"))
            listener.listen()
            server = StreamServer(listener, lambda connection, _: answer(connection))
            server.start()
            application = Application("unix", path=str(tmp_path / "app.sock"))
        servers.append(server)
        return application

    yield begin
    for server in servers:
        server.stop()


def said(*parts, close=True, pause=0.0):
    def answer(connection):
        connection.recv(1 << 20)
        for part in parts:
            connection.sendall(part)
            gevent.sleep(pause)
        if not close:
            connection.recv(1)
        connection.close()
    return answer


@pytest.mark.parametrize("parts, close, wanted", [
    ([ANSWER + b"\x04\x04"], True, ANSWER),
    ([ANSWER + b"\x04\x04"], False, ANSWER),
    ([ANSWER], False, ANSWER),                                  # complete JSON
    ([ANSWER[:9], ANSWER[9:]], False, ANSWER),
    ([b"APPROVED 123456"], True, b"APPROVED 123456"),           # end of stream
    ([b"APPROVED 123456"], False, b"APPROVED 123456"),          # quiet
    ([b"\x02A\x04C\x03\x04\x04"], False, b"\x02A\x04C\x03"),    # a lone EOT is payload
    ([b"\xef\xbb\xbf" + ANSWER], False, b"\xef\xbb\xbf" + ANSWER),
    ([b"\x06", STX_ANSWER], False, STX_ANSWER),                  # an ACK alone is no answer
    ([b"\x06" + STX_ANSWER], False, STX_ANSWER),
    ([b"\x05\x04\x04", ANSWER], False, ANSWER),
    ([b"\xff\xfe\x00bytes\x04", b"\x04"], False, b"\xff\xfe\x00bytes"),
    ([ANSWER + b"\x04\x04" + ANSWER + b"\x04\x04"], False, ANSWER),
    ([b"<A>" + b"x" * 300_000 + b"</A>\x04\x04"], True, b"<A>" + b"x" * 300_000 + b"</A>"),
])
def test_answers(serve, parts, close, wanted):
    assert ask(serve(said(*parts, close=close, pause=0.01))) == wanted


XML_ANSWER = b"<response><Message>Approved</Message></response>"
HALVES = [(XML_ANSWER[:24], XML_ANSWER[24:]), (ANSWER[:9], ANSWER[9:]), (STX_ANSWER[:3], STX_ANSWER[3:]),
          (STX_ANSWER[:-1], STX_ANSWER[-1:])]


@pytest.mark.parametrize("half, rest", HALVES)
@pytest.mark.parametrize("end", [b"", b"\x04\x04"], ids=["bare", "terminated"])
def test_m2_a_pause_never_makes_an_answer_of_half_of_one(serve, half, rest, end):
    assert ask(serve(said(half, rest + end, close=False, pause=0.3)), frame_gap=0.05) == half + rest


@pytest.mark.parametrize("half, rest", HALVES)
@pytest.mark.parametrize("close, words", [(True, "closed without a complete answer"),
                                          (False, "no complete answer within 0.4 s")])
def test_m2_an_answer_that_breaks_off_is_an_unknown_outcome(serve, half, rest, close, words):
    with pytest.raises(ApplicationError, match=words) as error:
        ask(serve(said(half, close=close)), timeout=0.4, frame_gap=0.05)
    assert error.value.handed_over and "not known whether" in error.value.reason


@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize("end", [b"", b"\x04\x04", b"\x04\x04\x04"])
def test_m3_an_lrc_of_0x04_stays(serve, close, end):
    answer = bytes.fromhex("024f480304")
    assert ask(serve(said(answer + end, close=close))) == answer


@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize("answer, wanted", [
    (b"APPROVED 123456\x04", b"APPROVED 123456"), (b"\x04APPROVED 123456", b"APPROVED 123456"),
    (b"\x04APPROVED\x04", b"APPROVED"), (b"\x04" + ANSWER + b"\x04", ANSWER), (b"\x04" + XML_ANSWER, XML_ANSWER),
    (b"APP\x04ROVED\x04\x04\x04", b"APP\x04ROVED")])
def test_m9_half_a_terminator_is_not_waited_for(serve, close, answer, wanted):
    began = time.monotonic()
    assert ask(serve(said(answer, close=close)), frame_gap=0.1, timeout=60) == wanted
    assert time.monotonic() - began < 30


def test_what_waits_already_is_read_before_a_gap_is_over(serve, monkeypatch):
    """The whole process stood still for longer than the gap; the rest of the answer came meanwhile."""
    waits = relay.socket.wait_read

    def sleepy(fd, timeout):
        try:
            waits(fd, timeout=timeout)
        except TimeoutError:
            time.sleep(0.3)
            gevent.sleep(0.1)           # the application's turn
            raise
    monkeypatch.setattr(relay.socket, "wait_read", sleepy)
    assert ask(serve(said(b"APPROVED ", b"123456", pause=0.2)), frame_gap=0.1) == b"APPROVED 123456"


def test_the_request_arrives_as_it_is(serve):
    got = []

    def answer(connection):
        request = b"SALE\x00\xff 2.50" * 30_000
        while sum(map(len, got)) < len(request):
            got.append(connection.recv(4096))
        connection.sendall(ANSWER)
        connection.close()
    ask(serve(answer), b"SALE\x00\xff 2.50" * 30_000)
    assert b"".join(got) == b"SALE\x00\xff 2.50" * 30_000


@pytest.mark.parametrize("parts, close, words", [
    ([], True, "without an answer"), ([b"\x04\x04"], True, "without an answer"),
    ([ANSWER[:10]], True, "without a complete answer"),
    ([ANSWER[:10]], False, "no complete answer within 0.4 s"),      # half an answer, then quiet, is none
    ([], False, "no complete answer within 0.4 s"),
    ([b"x" * 2000], False, "too long"),
])
def test_no_answer(serve, parts, close, words):
    with pytest.raises(ApplicationError, match=words) as error:
        ask(serve(said(*parts, close=close)), timeout=0.4, max_message=1000)
    assert error.value.handed_over
    assert "not known whether" in error.value.reason and "Approved" not in str(error.value)


def test_a_reset_after_the_request(serve):
    def answer(connection):
        connection.recv(10)         # the rest unread: closing resets
        connection.close()
    with pytest.raises(ApplicationError) as error:
        ask(serve(answer), b"x" * 100_000)
    assert error.value.handed_over


def test_the_deadline_counts_for_an_answer_that_trickles(serve):
    began = time.monotonic()
    with pytest.raises(ApplicationError, match="within 0.3 s"):
        ask(serve(said(*[b"x"] * 1000, close=False, pause=0.02)), timeout=0.3, frame_gap=0.2)
    assert time.monotonic() - began < 10


def test_both_may_talk_at_once(serve):
    big = 4 << 20

    def echo(connection):
        total = 0
        while total < big:
            data = connection.recv(65536)
            total += len(data)
            connection.sendall(data)
        connection.close()
    assert ask(serve(echo), b"x" * big, max_message=big) == b"x" * big


def test_two_answers_the_second_is_logged_by_size_alone(serve, caplog):
    assert ask(serve(said(ANSWER + b"\x04\x04" + b'{"Pan":"4111"}' + b"\x04\x04"))) == ANSWER
    assert "dropped: 14 bytes" in caplog.text and "4111" not in caplog.text


def test_an_overlong_second_answer_does_not_cost_the_first(serve):
    assert ask(serve(said(ANSWER + b"\x04\x04" + b"x" * 2000)), max_message=1000) == ANSWER


@pytest.mark.parametrize("application", [
    Application("unix", path="/nowhere/app.sock"), Application("exec", argv=("/nowhere/program", "secret")),
    Application("exec", argv=("/etc/hostname",)),
])
def test_not_reachable(application):
    with pytest.raises(ApplicationError, match="not reachable at") as error:
        ask(application)
    assert not error.value.handed_over and "did not take place" in error.value.reason
    assert "secret" not in error.value.reason


def test_refused(unused_port):
    with pytest.raises(ApplicationError) as error:
        ask(Application("tcp", Endpoint("127.0.0.1", unused_port)))
    assert error.value.reason.startswith(
        f"payment application not reachable at tcp://127.0.0.1:{unused_port} (Connection refused)")
    assert not error.value.handed_over


# -- exec: -----------------------------------------------------------------------------------------------------------

def program(code):
    return Application("exec", argv=(sys.executable, "-c", f"import sys, os, time, subprocess\n{code}"))


@pytest.mark.parametrize("code, wanted", [
    ("sys.stdout.buffer.write(sys.stdin.buffer.read())", REQUEST),
    ("sys.stdin.read(); print('APPROVED', end='')", b"APPROVED"),
    ("print('{}', flush=True); time.sleep(60)", b"{}"),
    ("sys.stderr.write('x' * 1000000); print('{}')", b"{}"),
    ("print('{}'); sys.exit(3)", b"{}"),
])
def test_programs(code, wanted):
    began = time.monotonic()
    assert ask(program(code), timeout=30).rstrip() == wanted
    assert time.monotonic() - began < 20


def test_o6_a_program_looks_names_up_as_it_would_without_us(monkeypatch):
    monkeypatch.setattr(lookups, "_before", {})
    monkeypatch.setenv("LOCALDOMAIN", "shop.example")
    monkeypatch.delenv("RES_OPTIONS", raising=False)
    lookups.set_up()
    code = "print(os.environ.get('LOCALDOMAIN'), os.environ.get('RES_OPTIONS'))"
    assert ask(program(code), timeout=8).rstrip() == b"shop.example None"


def test_o6_an_application_without_a_dot_in_its_name(monkeypatch):
    def answering(connection, _):
        connection.recv(1000)
        connection.sendall(ANSWER)
    server = StreamServer(("127.0.0.1", 0), answering)
    server.start()
    asked, honest = [], socket.create_connection

    def connect(address, timeout):
        asked.append(address[0])
        if address[0] != "till.shop.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return honest(("127.0.0.1", address[1]), timeout=timeout)
    monkeypatch.setattr(relay.socket, "create_connection", connect)
    monkeypatch.setattr(lookups, "search_list", lambda: ("lan.example", "shop.example"))
    assert ask(Application("tcp", Endpoint("till", server.server_port))) == ANSWER
    assert asked == ["till", "till.lan.example", "till.shop.example"]
    server.stop()


def test_a_program_gets_and_gives_more_than_a_pipe_holds():
    big = b"x" * 700_000
    assert ask(program("sys.stdout.buffer.write(sys.stdin.buffer.read())"), big, timeout=10) == big


@pytest.mark.parametrize("code, words", [
    ("sys.exit(3)", "without an answer"),
    ("print('{', end='')", "without a complete answer"),
])
def test_programs_without_an_answer(code, words):
    with pytest.raises(ApplicationError, match=words) as error:
        ask(program(code), timeout=8)
    assert error.value.handed_over


def test_a_hanging_program_ends_with_all_it_started(tmp_path):
    pids = tmp_path / "pids"
    code = (f"child = subprocess.Popen(['sleep', '300'])\nwith open({str(pids)!r}, 'w') as out:\n"
            "    out.write(f'{os.getpid()} {child.pid}')\ntime.sleep(300)")
    with pytest.raises(ApplicationError, match="within 3 s"):
        ask(program(code), timeout=3)
    for pid in map(int, pids.read_text().split()):
        with gevent.Timeout(5, AssertionError("it lives on")):
            while not _gone(pid):
                gevent.sleep(0.01)


def test_what_a_program_leaves_behind_ends_too(tmp_path):
    pid = tmp_path / "pid"
    code = (f"child = subprocess.Popen(['sleep', '300'])\nopen({str(pid)!r}, 'w').write(str(child.pid))\n"
            "print('{}', flush=True)")
    assert ask(program(code), timeout=5) == b"{}"
    with gevent.Timeout(5):
        while not _gone(int(pid.read_text())):
            gevent.sleep(0.01)


def _gone(pid):
    """Ended; perhaps not yet collected by whoever inherited it."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def test_no_descriptor_is_left_open(serve):
    application = serve(said(ANSWER))
    ask(application)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        ask(application)
        ask(program("print('{}')"), timeout=8) if _ % 10 == 0 else None
    with gevent.Timeout(5):
        while len(os.listdir("/proc/self/fd")) > before + 1:
            gevent.sleep(0.01)
    assert signal.getsignal(signal.SIGPIPE) in (signal.SIG_IGN, signal.SIG_DFL)


@chosen(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=300).map(lambda body: body.replace(b"\x04", b".").replace(b"{", b".").replace(
    b"[", b".")).filter(lambda body: body.strip()), st.lists(st.integers(1, 300), max_size=4))
def test_any_bytes_come_through_whatever_the_pieces(body, cuts):
    data = body + b"\x04\x04"
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    server = StreamServer(("127.0.0.1", 0), lambda connection, _: said(
        *(data[a:b] for a, b in itertools.pairwise(edges)))(connection))
    server.start()
    try:
        assert ask(Application("tcp", Endpoint("127.0.0.1", server.server_port)), frame_gap=2) == body
    finally:
        server.stop()
