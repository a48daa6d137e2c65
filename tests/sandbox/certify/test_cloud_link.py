"""The examiner as a terminal: what comes over its connection, cut into messages."""
import pytest

from econduit_terminal.sandbox.certify.cloud_link import Line, Terminal, Wire
from econduit_terminal.sandbox.certify.wire_log import WireLog


class Subject(Line):
    def __init__(self):
        self.log, self.now = WireLog(), 0.0


def cut(data: bytes, size: int) -> list:
    wire = Wire(Subject(), "primary 1")
    for at in range(0, len(data), size):
        wire._bytes += data[at:at + size]
        wire._cut(False)
    wire._cut(True)
    return wire.messages


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("data, bodies, ends", [
    (b"OK-REGISTRATION\x04\x04", [b"OK-REGISTRATION"], [b"\x04\x04"]), (b"OK-REGISTRATION", [b"OK-REGISTRATION"],
    [b""]),
    (b"OK-REGISTRATION\r\n\x04\x04", [b"OK-REGISTRATION"], [b"\r\n\x04\x04"]),
    (b'{"Status":"OK"}\x04{"Status":"OK"}', [b'{"Status":"OK"}'] * 2, [b"\x04", b""]),
    (b"FAILED-REGISTRATION: x\x04\x04", [b"FAILED-REGISTRATION: x"], [b"\x04\x04"]), (b"hello", [b"hello"], [b""])])
def test_messages(size, data, bodies, ends):
    if size == 1 and b": x" in data:
        pytest.skip("an answer that goes on is told by its segment alone")
    found = cut(data, size)
    assert [message.body for message in found] == bodies and [message.end for message in found] == ends


def test_what_they_are():
    ok, ack, sale = cut(b'OK-REGISTRATION\x04\x04{"Status":"OK"}\x04\x04{"Command":"Sale"}\x04\x04', 1000)
    assert ok.answer == b"OK-REGISTRATION" and ack.ack and not sale.ack and sale.answer is None


def test_a_registration_and_changes_of_it():
    terminal = Terminal("Maker", "1", ack=False)
    assert b'"AckHeartbeat":"false"' in terminal.register()
    assert b"TerminalType" not in terminal.register(TerminalType=None)
