"""One question, and whatever may come back."""
import struct

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.watchdog import dns


def answer(number=7, code=0, results=1, response=0x8000, truncated=0):
    return struct.pack("!HHHHHH", number, response | truncated | code, 1, results, 0, 0) + b"rest"


def test_the_question():
    assert dns.question(7, "dc.econduitapp.com") == (
        b"\0\7\1\0\0\1\0\0\0\0\0\0\2dc\x0beconduitapp\3com\0\0\1\0\1")
    assert dns.question(7, "dc.econduitapp.com.") == dns.question(7, "dc.econduitapp.com")


@pytest.mark.parametrize("host", ["", ".", "a..b", "x" * 64 + ".test", ".".join(["x" * 60] * 5)])
def test_what_cannot_be_asked(host):
    with pytest.raises(ValueError):
        dns.question(7, host)


@pytest.mark.parametrize("data, said", [
    (answer(), "an address"), (answer(results=0), "no address"), (answer(code=2), "SERVFAIL"),
    (answer(code=3), "NXDOMAIN"),
    (answer(code=5), "REFUSED"), (answer(code=4), "NOTIMP"), (answer(code=9), "error 9"),
    (answer(truncated=0x200, results=0), "truncated"), (answer(number=8), None), (answer(response=0), None),
    (b"", None),
    (answer()[:11], None),
])
def test_t2_what_a_name_server_said(data, said):
    assert dns.read_answer(7, data) == said


@given(st.binary())
def test_any_bytes(data):
    assert dns.read_answer(7, data) is None or isinstance(dns.read_answer(7, data), str)
