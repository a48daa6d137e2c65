"""The laboratory's name server: what a line of its file makes of a question."""
import socket
import struct

import pytest

from econduit_terminal.sandbox.lab.lab_dns import answer

FILE = "cloud.test 203.0.113.10 2001:db8::1\nbad.test SERVFAIL\nmute.test SILENCE\n*.shop.test 203.0.113.99\n"


def question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


@pytest.mark.parametrize("name, kind, flags, found", [
    ("cloud.test", 1, 0x8180, socket.inet_aton("203.0.113.10")), ("CLOUD.test", 1, 0x8180,
    socket.inet_aton("203.0.113.10")),
    ("cloud.test", 28, 0x8180, socket.inet_pton(socket.AF_INET6, "2001:db8::1")), ("bad.test", 1, 0x8182, b""),
    ("other.test", 1, 0x8183, b""), ("a.shop.test", 1, 0x8180, socket.inet_aton("203.0.113.99"))])
def test_answers(name, kind, flags, found):
    reply = answer(question(name, kind), FILE)
    assert struct.unpack("!HHHH", reply[:8]) == (7, flags, 1, int(bool(found))) and reply.endswith(found)


def test_silence():
    assert answer(question("mute.test"), FILE) is None
