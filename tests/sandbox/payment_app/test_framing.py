"""Where a request ends at the payment application: pure."""
import json
import time

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.payment_app.framing import Requests, TooLong

objects = st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.integers(), min_size=1, max_size=4)


@given(st.lists(st.tuples(objects, st.booleans()), max_size=4), st.integers(1, 20))
def test_json_requests_come_out_whole_whatever_the_cuts(values, size):
    bodies = [json.dumps(value, ensure_ascii=False).encode() for value, _ in values]
    stream = b"".join(body + (b"\x04\x04" if ended else b"") for body, (_, ended) in zip(bodies, values, strict=True))
    requests, found = Requests(), []
    for at in range(0, len(stream), size):
        found += requests.receive(stream[at:at + size])
    assert found + requests.quiet() == bodies


@pytest.mark.parametrize("data, at_once, when_quiet", [
    (b"SALE", [], [b"SALE"]), (b"SALE\x04\x04", [b"SALE"], []), (b"A\x04\x04B", [b"A"], [b"B"]),
    (b"{oops}", [], [b"{oops}"]),
    (b"\x04\x04", [], []), (b'{"a":1}{"b"', [b'{"a":1}'], [b'{"b"']), (b"", [], []), (b"  ", [], []),
])
def test_other_requests_end_with_eot_or_quiet(data, at_once, when_quiet):
    requests = Requests()
    assert requests.receive(data) == at_once
    assert requests.quiet() == when_quiet and not requests.pending


def test_a_late_eot_is_no_request():
    requests = Requests()
    assert requests.receive(b'{"a":"\\"}"}') == [b'{"a":"\\"}"}']
    assert requests.receive(b"\x04") == requests.quiet() == requests.receive(b"\x04") == requests.quiet() == []


def test_byte_by_byte_is_linear():
    requests, start = Requests(), time.process_time()
    for _ in range(1 << 17):
        requests.receive(b"}" if requests.pending else b'{"')
    assert requests.pending and time.process_time() - start < 10


def test_too_long():
    with pytest.raises(TooLong):
        Requests(limit=100).receive(b"A" * 101)


def stx(content: bytes) -> bytes:
    lrc = 0
    for byte in content + b"\x03":
        lrc ^= byte
    return b"\x02" + content + b"\x03" + bytes([lrc])


WHOLE = [
    b"<request><Command>Sale</Command></request>", b"<a/>", b"<a x='>'/>", b"<a x='/>'><a>1</a></a >",
    b'<?xml version="1.0"?>\r\n<!-- </r> --><r><![CDATA[</r>]]><!-- </r> --></r>',
    b"<!DOCTYPE r [<!ELEMENT r ANY>]><r>1</r>",
    stx(b"T00\x1c1.28"), stx(b"A"), stx(b"\x07\x00"),
]


@pytest.mark.parametrize("body", WHOLE)
@pytest.mark.parametrize("end", [b"", b"\x04\x04"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_xml_and_stx_requests_end_by_themselves_whatever_the_cuts(body, end, size):
    requests, found = Requests(), []
    stream = (body + end) * 2
    for at in range(0, len(stream), size):
        found += requests.receive(stream[at:at + size])
    assert found == [body, body]


@pytest.mark.parametrize("body", [b"<a></b>", b"< no XML >", b"\x02no end\x03\x00", "<r>\u00e9</r>".encode("utf-16")])
def test_what_only_begins_like_them_ends_with_eot(body):
    requests = Requests()
    assert requests.receive(body) == []
    assert requests.receive(b"\x04\x04") == [body]
