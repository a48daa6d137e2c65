"""Cutting at EOT EOT: pure."""
import time

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.cloud.framing import END, MessageSplitter, TooLong

payloads = st.binary(max_size=30).filter(lambda data: END not in data and not data.endswith(b"\x04")
                                         and not data.startswith(b"\x04"))


@given(st.lists(payloads, max_size=8), st.lists(st.integers(1, 9), min_size=1, max_size=50))
def test_the_cuts_do_not_matter(messages, cuts):
    stream, found, splitter, turn = b"".join(message + END for message in messages), [], MessageSplitter(1000), 0
    while stream:
        size = cuts[turn % len(cuts)]
        found += splitter.receive(stream[:size])
        stream, turn = stream[size:], turn + 1
    assert found == messages and splitter.pending == 0


def test_one_eot_ends_nothing():
    splitter = MessageSplitter(100)
    assert splitter.receive(b"a\x04") == [] and splitter.receive(b"b\x04") == []
    assert splitter.receive(b"\x04") == [b"a\x04b"]


@pytest.mark.parametrize("data", [b"A" * 101, b"A" * 101 + END])
def test_too_long(data):
    with pytest.raises(TooLong, match="100 bytes"):
        MessageSplitter(100).receive(data)


def test_byte_by_byte_is_linear():
    splitter, start = MessageSplitter(1 << 20), time.process_time()
    for _ in range(1 << 18):
        splitter.receive(b"A")
    assert splitter.pending == 1 << 18 and time.process_time() - start < 10
