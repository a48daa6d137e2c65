"""Where a request ends at the payment application: pure."""
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
