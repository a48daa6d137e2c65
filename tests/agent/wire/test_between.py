"""What is dropped between payloads; test_framing.py has it in its context."""
import pytest

from econduit_terminal.agent.wire.between import Behind, Between
from econduit_terminal.agent.wire.buffer import Buffer


def skip(data, step, *, behind=Behind.TERMINATED, application=False):
    """What is left in front of the payload and of it, or None where none begins; and whether an EOT EOT came."""
    between, buffer = Between(application=application), Buffer()
    between.begin(behind)
    for at in range(0, len(data), step):
        buffer.add(data[at:at + step])
        if between.skip(buffer):
            buffer.add(data[at + step:])
            return bytes(buffer.bytes), between.terminated
    return None, between.terminated


@pytest.mark.parametrize("behind, data, left, terminated", [
    (Behind.TERMINATED, b" \r\nSALE", b" \r\nSALE", False), (Behind.PLAIN, b" \r\nSALE", b" \r\nSALE", False),
    (Behind.FORMAT, b" \r\nSALE", b"SALE", False), (Behind.XML, b" \r\nSALE", b"SALE", False),
    (Behind.FORMAT, b"\xef\xbb\xbf {}", b"\xef\xbb\xbf {}", False), (Behind.PLAIN, b"\xef\xbbX", b"\xef\xbbX", False),
    (Behind.PLAIN, b"\x04SALE", b"SALE", False), (Behind.PLAIN, b"\x04 \x04SALE", b"SALE", False),
    (Behind.PLAIN, b"\x04\x04SALE", b"SALE", True), (Behind.FORMAT, b" \x04\x04 SALE", b" SALE", True),
    (Behind.XML, b"<!-- a --> <?b?>\r\n<c/>", b"<c/>", False), (Behind.XML, b"<?xml?><c/>", b"<?xml?><c/>", False),
    (Behind.XML, b"<!-- \x04 \x04\x04 --><c/>", b" --><c/>", True), (Behind.XML, b"<!DOCTYPE a>", b"<!DOCTYPE a>",
    False),
    (Behind.FORMAT, b"<!-- a --><c/>", b"<!-- a --><c/>", False), (Behind.XML, b"<!-->--><c/>", b"<c/>", False),
    (Behind.XML, b" \x04\x04<!-- a --><c/>", b"<!-- a --><c/>", True), (Behind.PLAIN, b"\x06{}", b"\x06{}", False),
    (Behind.PLAIN, b"\xef\xbb\xbf\x04A", b"A", False), (Behind.PLAIN, b"\x04\xef\xbb\xbf\x04A", b"A", False),
    (Behind.XML, b"\x04<!-- a -->\x04A", b"A", False),
    (Behind.XML, b"<!-- a --> ", None, False), (Behind.FORMAT, b" \r\n\x04", None, False)])
@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_what_is_left(behind, data, left, terminated, step):
    assert skip(data, step, behind=behind) == (left, terminated)


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
        between, buffer = Between(application=False), Buffer()
        between.begin(Behind.XML)
        buffer.add(data)
        assert not between.skip(buffer)
        assert between.undecided(buffer) is (undecided or data == b"\xef\xbb")
