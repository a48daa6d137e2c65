"""Netlink messages as the kernel writes them, and as nobody should."""
import errno
import struct

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.watchdog.rtnetlink import (
    NetlinkSocket,
    address_text,
    attribute,
    attributes,
    interface_name,
    messages,
)

RTM_GETLINK = 18


def message(body, kind=16, number=1):
    return struct.pack("=IHHII", 16 + len(body), kind, 0, number, 0) + body + bytes(-len(body) % 4)


def test_messages_of_a_datagram():
    assert list(messages(message(b"one!") + message(b"odd", 3, 7))) == [(1, 16, b"one!"), (7, 3, b"odd")]
    assert list(messages(b"")) == [] and list(messages(message(b"cut")[:-4])) == []
    assert list(messages(struct.pack("=IHHII", 3, 16, 0, 1, 0))) == []


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=40)))
def test_attributes_come_back_as_they_went(given_):
    assert attributes(b"".join(attribute(kind, value) for kind, value in given_.items())) == given_


@given(st.binary())
def test_any_bytes(data):
    list(messages(data)), attributes(data)


def test_flags_of_an_attribute_s_type_are_no_part_of_it():
    assert attributes(attribute(0x8000 | 5, b"x")) == {5: b"x"}


@pytest.mark.parametrize("value, text", [(b"\xc0\0\2\1", "192.0.2.1"), (bytes(15) + b"\1", "::1"), (b"", None),
                                         (None, None),
                                         (b"odd", None)])
def test_addresses(value, text):
    assert address_text(value) == text


def test_the_kernel_answers():
    with NetlinkSocket() as kernel:
        links = list(kernel.dump(RTM_GETLINK, bytes(16)))
        assert any(attributes(link[16:])[3] == b"lo\0" for link in links)
        again = list(kernel.dump(RTM_GETLINK, bytes(16)))
        assert len(again) == len(links), "one socket, several questions"
    assert interface_name(2**30) == ""


def test_the_kernel_refuses():
    with NetlinkSocket() as kernel:
        with pytest.raises(OSError) as refused:
            kernel.ask(RTM_GETLINK, struct.pack("=BxHiII", 0, 0, 2**30, 0, 0))
        assert refused.value.errno == errno.ENODEV
