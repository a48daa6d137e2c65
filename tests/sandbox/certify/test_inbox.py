"""A terminal's bytes cut into messages, leniently: pure."""
import json
import time

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.certify.inbox import BLANK, Inbox, What
from econduit_terminal.sandbox.certify.requests import framed

REGISTER = b'{"Command":"Register","TerminalType":"T","TerminalID":"1","AckHeartbeat":"true"}'
BEAT = b'{"Command":"TerminalHeartbeat"}'
ANSWER = b'{"ResultCode":"Approved","RefID":"1","AuthCode":"000001"}'
XML = b'<response><RefID>1</RefID></response>'
STX = framed(b"T01\x1c1\x1c000001")
END = b"\x04\x04"


def cut(stream: bytes, size: int) -> list:
    inbox, found = Inbox(), []
    for at in range(0, len(stream), size):
        found += inbox.receive(stream[at:at + size], at / 1000)
    return found + inbox.quiet(99.0)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("end", [END, b"\x04", b"", b"\r\n\x04\x04", b"\x04\x04\x04", b"\0\x04\x04", b"\x04\x04\0"])
def test_messages_of_each_format_and_what_stands_behind_them(size, end):
    bodies = [REGISTER, BEAT, ANSWER, XML, STX, framed(b"A")]
    found = cut(b"".join(body + end for body in bodies), size)
    assert [message.body for message in found] == bodies
    assert [message.what for message in found] == [What.REGISTER, What.HEARTBEAT, *[What.RESPONSE] * 4]
    assert {message.tail for message in found} == {end}


@pytest.mark.parametrize("segments, lead, tail", [
    ([(1.0, BEAT + END), (2.0, END + ANSWER + END)], END, END), ([(1.0, BEAT + END), (1.01, END + ANSWER)], END, END),
    ([(1.0, BEAT + END + END + ANSWER)], b"", END + END),
    ([(1.0, BEAT), (1.5, END), (1.55, END), (2.0, ANSWER)], b"", END + END),
    ([(1.0, BEAT + END), (2.0, END), (3.0, ANSWER)], END, END)])
def test_an_end_that_is_one_too_many_belongs_to_what_it_came_with(segments, lead, tail):
    inbox = Inbox()
    found = [message for t, data in segments for message in inbox.receive(data, t)]
    assert [message.body for message in found] == [BEAT, ANSWER]
    assert (found[1].lead, found[0].tail) == (lead, tail)


@pytest.mark.parametrize("body, what", [
    (ANSWER, What.RESPONSE), (b"", None),
    (REGISTER[1:], What.REGISTER), (REGISTER.replace(b'"', "\u201d".encode()), What.REGISTER),
    (b"hello", What.REGISTER), (BEAT, What.HEARTBEAT), (b'{"command":"HEARTBEAT"}', What.HEARTBEAT)])
def test_what_a_first_message_is_meant_to_be(body, what):
    found = cut(body + END, 1000)
    assert [message.what for message in found] == ([what] if what else [])


@pytest.mark.parametrize("body, what", [
    (b'{"Command":"Ping"}', What.HEARTBEAT), (b'{"Command":"Sale","RefID":"1"}', What.RESPONSE), (b"APPROVED",
    What.RESPONSE),
    (REGISTER, What.REGISTER), (b'{"RefID":"1","Message":"heartbeat"}', What.RESPONSE)])
def test_what_a_later_message_is_meant_to_be(body, what):
    assert cut(REGISTER + END + body + END, 1000)[1].what is what


def test_what_stands_before_a_message_is_kept():
    first, = cut(END + REGISTER + END, 1)
    assert (first.lead, first.body, first.tail) == (END, REGISTER, END)


def test_an_lrc_that_is_an_eot_is_not_an_end():
    body = next(framed(bytes([a, b])) for a in range(32, 127) for b in range(32, 127) if framed(bytes([a, b]))[-1] == 4)
    assert [(message.body, message.tail) for message in cut(REGISTER + END + body + END, 1)][1:] == [(body, END)]


def test_300_kib_byte_by_byte_is_linear():
    body = json.dumps({"RefID": "1", "Filler": "x\\" * 150_000}).encode()
    inbox, start = Inbox(), time.process_time()
    for at in range(0, len(body), 7):
        inbox.receive(body[at:at + 7], 0.0)
    assert inbox.pending == 0 and time.process_time() - start < 5


@given(st.binary(max_size=60), st.integers(1, 9))
def test_nothing_is_lost(stream, size):
    found = cut(stream, size)
    kept = b"".join(message.lead + message.body + message.tail for message in found)
    assert stream.translate(None, BLANK) == kept.translate(None, BLANK)
