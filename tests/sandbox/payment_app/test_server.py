"""The sandbox's payment application, as a process: what it does by amount, what it writes to its ledger."""
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

END = b"\x04\x04"


@pytest.fixture
def ask():
    """A function that connects to an application and sends a request; returns the socket."""
    sockets = []

    def connect(app, request: bytes = b"") -> socket.socket:
        if app.address.startswith("unix://"):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(10)
            sock.connect(app.address.removeprefix("unix://"))
        else:
            host, _, port = app.address.removeprefix("tcp://").rpartition(":")
            sock = socket.create_connection((host, int(port)), timeout=10)
        sockets.append(sock)
        if request:
            sock.sendall(request)
        return sock

    yield connect
    for sock in sockets:
        sock.close()


def sale(amount: str, ref: str = "R1") -> bytes:
    return json.dumps({"Command": "Sale", "Amount": amount, "RefID": ref, "TerminalID": "T1"}).encode()


def until(sock: socket.socket, end: bytes, times: int = 1) -> bytes:
    data = b""
    while data.count(end) < times:
        part = sock.recv(1 << 20)
        if not part:
            raise AssertionError(f"the stream ended after {data[-100:]!r}")
        data += part
    return data


def rest(sock: socket.socket) -> bytes:
    data = b""
    while part := sock.recv(1 << 20):
        data += part
    return data


@pytest.mark.parametrize("amount, code", [("2.50", "Approved"), ("5.05", "Declined"), ("6.01", "Approved"),
                                          ("9.08", "Approved"), ("9.09", "Approved"), ("9.13", "Approved")])
def test_answers_by_amount(payment_app, ask, amount, code):
    answer = json.loads(until(ask(payment_app, sale(amount)), END).removesuffix(END))
    assert (answer["ResultCode"], answer["RefID"], answer["AmountString"]) == (code, "R1", amount)
    assert ("4111111111111111" in str(answer)) == (amount == "9.08")
    assert (len(json.dumps(answer, separators=(",", ":"))) == 256 << 10) == (amount == "9.09")


def test_one_connection_carries_several_payments(payment_app, ask):
    sock = ask(payment_app, sale("1.00", "A") + sale("1.00", "B"))
    answers = until(sock, END, 2).split(END)[:2]
    assert [json.loads(answer)["RefID"] for answer in answers] == ["A", "B"]
    sock.sendall(sale("1.00", "C") + END)
    assert json.loads(until(sock, END)[:-2])["RefID"] == "C"


def test_a_request_in_pieces_is_one_request(payment_app, ask):
    sock = ask(payment_app)
    for byte in sale("1.00", "Ä\\}"):
        sock.sendall(bytes([byte]))
    until(sock, END)
    assert len(payment_app.runs()) == 1


@pytest.mark.parametrize("request_", [b"SALE 2.50\r\n", b"\x02\x00\xff7", b"<sale amount='1'/>", b"[1]", b"{broken"])
def test_anything_that_is_no_json_object_is_approved_as_text(payment_app, ask, request_):
    assert until(ask(payment_app, request_), END).endswith(request_ + END)
    assert payment_app.runs()[0]["sha256"] == hashlib.sha256(request_).hexdigest()


def test_closes_without_an_answer(payment_app, ask):
    assert rest(ask(payment_app, sale("9.01"))) == b""


def test_answers_half(payment_app, ask):
    half = rest(ask(payment_app, sale("9.02")))
    assert half.startswith(b'{"TerminalID"') and not half.endswith(b"}")


def test_keeps_the_connection_open_without_an_end(payment_app, ask):
    sock = ask(payment_app, sale("9.03", "A"))
    assert json.loads(until(sock, b"}"))["RefID"] == "A"
    sock.sendall(sale("1.00", "B"))
    assert json.loads(until(sock, END)[:-2])["RefID"] == "B"


def test_never_answers(payment_app, ask):
    sock = ask(payment_app, sale("9.04", "A"))
    payment_app.wait_run("A")
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(1)
    sock.close()
    payment_app.wait_run("A", event="done")


def test_answers_twice(payment_app, ask):
    first, second = until(ask(payment_app, sale("9.05")), END, 2).split(END)[:2]
    assert first == second and len(payment_app.runs()) == 1


@pytest.mark.parametrize("amount, answered", [("9.06", False), ("9.15", True)])
def test_exits(payment_app, ask, amount, answered):
    assert bool(rest(ask(payment_app, sale(amount)))) == answered
    assert payment_app.process.wait(10) == 9
    assert len(payment_app.runs("R1", "Sale")) == 1
    address = payment_app.address
    payment_app.start()
    assert payment_app.address == address
    until(ask(payment_app, sale("1.00")), END)


@pytest.mark.parametrize("amount, begins", [("9.07", b"APPROVED WITHOUT"), ("9.16", b"\x80\x81")])
def test_answers_no_json(payment_app, ask, amount, begins):
    assert until(ask(payment_app, sale(amount)), END).startswith(begins)


def test_text_without_end(payment_app, ask):
    sock = ask(payment_app, sale("9.10"))
    assert until(sock, b"JSON ").startswith(b"APPROVED")


def test_ends_with_the_stream_or_a_reset(payment_app, ask):
    assert json.loads(rest(ask(payment_app, sale("9.11"))))["ResultCode"] == "Approved"
    with pytest.raises(ConnectionResetError):
        rest(ask(payment_app, sale("9.12")))


def test_a_lone_eot_and_an_endless_answer(payment_app, ask):
    assert until(ask(payment_app, sale("9.14")), END).count(b"\x04") == 3
    sock, size = ask(payment_app, sale("9.17")), 0
    while size < 2 << 20:
        size += len(sock.recv(1 << 20))


def test_slow_by_the_second(payment_app, ask):
    start = time.monotonic()
    until(ask(payment_app, sale("7.01")), END)
    assert time.monotonic() - start >= 1


def test_held_until_released(payment_app, ask):
    with payment_app.held():
        sock = ask(payment_app, sale("8.88", "H"))
        payment_app.wait_run("H")
        until(ask(payment_app, sale("1.00", "other")), END)
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(1)
        sock.setblocking(True)
        sock.settimeout(10)
    assert json.loads(until(sock, END)[:-2])["RefID"] == "H"


def test_each_run_has_its_own_auth_code(payment_app, ask):
    codes = {json.loads(until(ask(payment_app, sale("1.00")), END)[:-2])["AuthCode"] for _ in range(5)}
    assert codes == {run["AuthCode"] for run in payment_app.runs("R1")} and len(codes) == 5


def test_unix_socket_and_restart(start_payment_app, ask, tmp_path):
    app = start_payment_app(listen=f"unix://{tmp_path}/app.sock")
    until(ask(app, sale("1.00")), END)
    app.kill()
    app.start()
    until(ask(app, sale("1.00")), END)
    assert len(app.runs()) == 2


def test_bodies_stay_out_of_the_log(payment_app, ask):
    until(ask(payment_app, b'{"Amount":"1.00","CardNumber":"4111111111111111"}'), END)
    until(ask(payment_app, b"CARD 4111111111111111"), END)
    assert "4111" not in payment_app.log() and "run:" in payment_app.log()


@pytest.mark.parametrize("nonsense", [
    b"{" * 100_000, b"\x00" * 5000, b'{"Amount":{"a":[]},"RefID":[1]}', b'{"Amount":1e999}',
    b'{"Amount":"\\u0000"}', b'{"RefID":"\\ud800"}', b"\x04" * 7, b"9" * (2 << 20),
])
def test_stays_up_under_bad_input(payment_app, ask, nonsense):
    sock = ask(payment_app)
    try:
        sock.sendall(nonsense)
        sock.shutdown(socket.SHUT_WR)
        rest(sock)
    except (BrokenPipeError, ConnectionResetError):
        pass
    until(ask(payment_app, sale("1.00")), END)
    assert "Traceback" not in payment_app.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly(payment_app, ask, number):
    ask(payment_app, sale("9.04"))
    payment_app.wait_run()
    assert payment_app.stop(number) == 0


@pytest.mark.parametrize("amount, status, text", [("2.50", 0, b'"ResultCode":"Approved"'), ("9.01", 1, b""),
                                                  ("9.06", 9, b""), ("9.07", 0, b"APPROVED WITHOUT")])
def test_exec_mode(tmp_path, amount, status, text):
    result = subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox", "payment-app", "--exec", "--ledger",
                             str(tmp_path / "ledger")], input=sale(amount), capture_output=True, timeout=20)
    assert result.returncode == status and text in result.stdout
    assert len((tmp_path / "ledger").read_text().splitlines()) == 1


@pytest.mark.parametrize("listen, said", [
    ("tcp://nowhere", "tcp://host:port"), ("udp://127.0.0.1:1", "tcp://host:port"),
    ("unix:///no/such/folder/x", "No such file"),
])
def test_a_bad_address_is_said(listen, said):
    result = subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox", "payment-app", "--listen", listen],
                            capture_output=True, text=True, timeout=20)
    assert result.returncode == 2 and said in result.stderr and "Traceback" not in result.stderr


def test_the_hold_file_is_left_unlocked(payment_app):
    with payment_app.held():
        pass
    assert os.path.exists(payment_app.hold_file)
