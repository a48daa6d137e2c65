"""What the kernel keeps of an ICMP error; real ones, from real routers, come in tests/lab/test_offline.py."""
import socket
import struct

import pytest

from econduit_terminal.process.icmp import Rejection, listen, parse, rejection


def error(origin, kind, code, family=socket.AF_INET, address="10.77.1.1"):
    packed = socket.inet_pton(family, address)
    sockaddr = struct.pack("=HH", family, 0) + (packed if family == socket.AF_INET else b"\0" * 4 + packed + b"\0" * 4)
    return struct.pack("=IBBBBII", 111, origin, kind, code, 0, 0, 0) + sockaddr


@pytest.mark.parametrize("origin, kind, code, text", [
    (2, 3, 3, "port unreachable"), (2, 3, 13, "administratively prohibited"), (2, 3, 0, "network unreachable"),
    (2, 3, 99, "ICMP type 3 code 99"), (2, 11, 0, "time to live exceeded")])
def test_ipv4(origin, kind, code, text):
    assert parse(error(origin, kind, code)) == Rejection("10.77.1.1", text)


@pytest.mark.parametrize("kind, code, text", [
    (1, 1, "administratively prohibited"), (1, 4, "port unreachable"), (1, 6, "route rejected"),
    (4, 1, "ICMP type 4 code 1")])
def test_ipv6(kind, code, text):
    assert parse(error(3, kind, code, socket.AF_INET6, "2001:db8::1")) == Rejection("2001:db8::1", text)


@pytest.mark.parametrize("data", [
    b"", b"\0" * 10, error(2, 3, 3)[:20], error(1, 0, 0), error(4, 0, 0), error(2, 3, 3)[:16] + b"\0\0" + b"\0" * 14])
def test_what_names_nobody(data):
    assert parse(data) is None


@pytest.mark.parametrize("family, host", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_reset_leaves_the_queue_empty(family, host):
    try:
        with socket.socket(family) as unused:
            unused.bind((host, 0))
            where = unused.getsockname()
    except OSError as missing:
        pytest.skip(f"no {host}: {missing}")
    with socket.socket(family) as sock:
        listen(sock, True)
        with pytest.raises(ConnectionRefusedError):
            sock.connect(where)
        assert rejection(sock) is None


def test_the_option_can_be_taken_back():
    with socket.socket() as sock:
        listen(sock, True)
        assert sock.getsockopt(socket.IPPROTO_IP, 11) == 1
        listen(sock, False)
        assert sock.getsockopt(socket.IPPROTO_IP, 11) == 0
