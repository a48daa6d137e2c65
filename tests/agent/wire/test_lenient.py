import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.wire import lenient


@pytest.mark.parametrize("payload, value", [
    (b'{"RefID":1,"Amount":2.50}', {"RefID": "1", "Amount": "2.50"}),
    ('{"a":"Café"}'.encode(), {"a": "Café"}), (b'{"a":"Caf\xe9"}', {"a": "Café"}),
    (b'{"a":"1\n2\t3"}', {"a": "1\n2\t3"}), (bytearray(b"[]"), []),
])
def test_what_is_understood(payload, value):
    assert lenient.parse(payload) == value


@pytest.mark.parametrize("payload", [b"", b"{", b"{,}", b"SALE 2.50", b'{"a":Caf\xe9}', b"[" * 100_000, b"null"])
def test_what_is_not(payload):
    assert lenient.parse(payload) is None


@given(st.binary())
def test_nothing_raises(payload):
    lenient.parse(payload)
