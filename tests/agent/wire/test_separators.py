"""What is dropped between payloads; test_framing.py has it in its context."""
import pytest

from econduit_terminal.agent.wire.buffer import Buffer
from econduit_terminal.agent.wire.separators import Preceding, SeparatorScanner

TERMINATED, PLAIN, FORMAT, XML = Preceding


def skip(data, step, *, preceding=TERMINATED, application=False):
    """What is left in front of the payload and of it, or None where none begins; and whether an EOT EOT came."""
    scanner, buffer = SeparatorScanner(application=application), Buffer()
    scanner.begin(preceding)
    for at in range(0, len(data), step):
        buffer.add(data[at:at + step])
        if scanner.skip(buffer):
            buffer.add(data[at + step:])
            return bytes(buffer.bytes), scanner.terminated
    return None, scanner.terminated


@pytest.mark.parametrize("preceding, data, left, terminated", [
    (TERMINATED, b" \r\nSALE", b" \r\nSALE", False), (PLAIN, b" \r\nSALE", b" \r\nSALE", False),
    (FORMAT, b" \r\nSALE", b"SALE", False), (XML, b" \r\nSALE", b"SALE", False),
    (FORMAT, b"\xef\xbb\xbf {}", b"\xef\xbb\xbf {}", False), (PLAIN, b"\xef\xbbX", b"\xef\xbbX", False),
    (PLAIN, b"\x04SALE", b"SALE", False), (PLAIN, b"\x04 \x04SALE", b"SALE", False),
    (PLAIN, b"\x04\x04SALE", b"SALE", True), (FORMAT, b" \x04\x04 SALE", b" SALE", True),
    (XML, b"<!-- a --> <?b?>\r\n<c/>", b"<c/>", False), (XML, b"<?xml?><c/>", b"<?xml?><c/>", False),
    (XML, b"<!-- \x04 \x04\x04 --><c/>", b" --><c/>", True), (XML, b"<!DOCTYPE a>", b"<!DOCTYPE a>",
    False),
    (FORMAT, b"<!-- a --><c/>", b"<!-- a --><c/>", False), (XML, b"<!-->--><c/>", b"<c/>", False),
    (XML, b" \x04\x04<!-- a --><c/>", b"<!-- a --><c/>", True), (PLAIN, b"\x06{}", b"\x06{}", False),
    (PLAIN, b"\xef\xbb\xbf\x04A", b"A", False), (PLAIN, b"\x04\xef\xbb\xbf\x04A", b"A", False),
    (XML, b"\x04<!-- a -->\x04A", b"A", False),
    (XML, b"<!-- a --> ", None, False), (FORMAT, b" \r\n\x04", None, False)])
@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_what_is_left(preceding, data, left, terminated, step):
    assert skip(data, step, preceding=preceding) == (left, terminated)


@pytest.mark.parametrize("data, left", [
    (b"\x06{}", b"{}"), (b"\x05\x06\r\n\x15<a/>", b"<a/>"), (b"\x06\x02A\x03B", b"\x02A\x03B"), (b"\x06\x04A", b"A"),
    (b"\x06A", b"\x06A"), (b"\x06 \x06A", b"\x06 \x06A"), (b"\x06\r\n", None),
    (b"\x06\xef\xbb\xbf{}", b"\xef\xbb\xbf{}"), (b"\x06\xef\xbb", None),
    (b"\x06\xef\xbb\xbf\x04\x04", None), (b"\x06\xef\xbb\xbfA", b"\x06\xef\xbb\xbfA"), (b"\x06\x06\x04\x04\x15", None)])
@pytest.mark.parametrize("step", [1, 2, 100])
def test_controls_in_front_of_an_answer(data, left, step):
    assert skip(data, step, application=True)[0] == left


def test_what_is_undecided():
    for data, undecided in ((b"<!-- a", True), (b"<", True), (b"\xef\xbb", False), (b" ", False)):
        scanner, buffer = SeparatorScanner(application=False), Buffer()
        scanner.begin(XML)
        buffer.add(data)
        assert not scanner.skip(buffer)
        assert scanner.undecided(buffer) is (undecided or data == b"\xef\xbb")
