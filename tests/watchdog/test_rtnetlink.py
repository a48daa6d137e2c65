"""Netlink messages as the kernel writes them, and as nobody should."""
import errno
import struct

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.watchdog import rtnetlink
from econduit_terminal.watchdog.rtnetlink import (
    NLM_F_DUMP_INTR,
    NetlinkSocket,
    address_text,
    attribute,
    attributes,
    interface_name,
    messages,
)

RTM_GETLINK = 18


def message(body, kind=16, number=1, flags=0):
    return struct.pack("=IHHII", 16 + len(body), kind, flags, number, 0) + body + bytes(-len(body) % 4)


class Kernel:
    """Stands for a netlink socket: the datagrams of each question in turn, for the numbers 1, 2, …"""

    def __init__(self, *answers):
        self._answers, self._datagrams = list(answers), []

    def settimeout(self, seconds):
        pass

    def close(self):
        pass

    def send(self, question):
        self._datagrams = list(self._answers.pop(0))

    def recv(self, size):
        if not self._datagrams:
            raise TimeoutError
        return self._datagrams.pop(0)


def answering(monkeypatch, *answers):
    monkeypatch.setattr(rtnetlink.socket, "socket", lambda *_: Kernel(*answers))


DONE = struct.pack("=i", 0)


def test_a_table_that_changed_meanwhile_is_read_again(monkeypatch):
    answering(monkeypatch, [message(b"old1", number=1, flags=NLM_F_DUMP_INTR), message(DONE, 3, 1)],
              [message(b"new1", number=2) + message(b"new2", number=2), message(DONE, 3, 2)])
    assert rtnetlink.dump(16, b"") == [b"new1", b"new2"]


def test_a_table_that_always_changes_is_taken_as_it_is(monkeypatch):
    answering(monkeypatch, *([message(b"%d" % number, number=number, flags=NLM_F_DUMP_INTR) + message(DONE, 3, number)]
                             for number in (1, 2, 3)))
    assert rtnetlink.dump(16, b"") == [b"3"]


def test_a_table_of_many_datagrams_is_read_whole(monkeypatch):
    answering(monkeypatch, [message(b"%4d" % number) for number in range(500)] + [message(DONE, 3)])
    assert len(rtnetlink.dump(16, b"")) == 500


@pytest.mark.parametrize("answer", [
    [message(b"some"), message(struct.pack("=i", -errno.EBUSY), 3)],     # the end says that it failed
    [message(struct.pack("=i", -errno.EPERM), 2)], [message(b"some")], [message(b"some"), message(b"", 3)]])
def test_half_a_table_is_none(monkeypatch, answer):
    answering(monkeypatch, answer)
    assert rtnetlink.dump(16, b"") == []


def test_an_entry_that_is_too_short_is_left_out(monkeypatch):
    answering(monkeypatch, [message(b"long enough") + message(b"short"), message(DONE, 3)])
    assert rtnetlink.dump(16, bytes(8)) == [b"long enough"]


def test_messages_of_a_datagram():
    assert list(messages(message(b"one!") + message(b"odd", 3, 7))) == [(1, 16, 0, b"one!"), (7, 3, 0, b"odd")]
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
