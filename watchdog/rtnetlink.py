"""Questions to the kernel over netlink (rtnetlink(7), genetlink): bytes out, messages in.

They send nothing over the network and need no privilege. What the kernel does not answer within _TIMEOUT is unknown.
"""
import errno
import os
import socket
import struct
import time
from collections.abc import Iterator

NLM_F_REQUEST, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x10, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_GETLINK = 18
IFLA_IFNAME = 3
LINK = struct.Struct("=BxHiII")
"""struct ifinfomsg: family, type, index, flags, change mask."""

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_TYPE = 0x3FFF      # of an attribute, without its flags (NLA_TYPE_MASK)
_TIMEOUT = 0.5
"""Seconds until the next part of an answer."""
_LONGEST = 2.0
"""Seconds that one answer may take as a whole."""
_TRIES = 3
"""Of a table that changed while it was read (NLM_F_DUMP_INTR)."""


class NetlinkSocket:
    """One netlink socket, as a context manager. Its methods raise OSError, with the kernel's errno where it refused."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE):
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.settimeout(_TIMEOUT)
        self._number = 0
        self.interrupted = False    # the table changed during the last dump, which may lack entries

    def __enter__(self) -> "NetlinkSocket":
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.close()

    def ask(self, kind: int, body: bytes) -> bytes:
        """The body of the only answer."""
        for answer in self._answers(kind, body, NLM_F_REQUEST):
            return answer
        raise OSError(errno.ENODATA, os.strerror(errno.ENODATA))

    def dump(self, kind: int, body: bytes) -> Iterator[bytes]:
        """The bodies of all entries."""
        return self._answers(kind, body, NLM_F_REQUEST | NLM_F_DUMP)

    def _answers(self, kind: int, body: bytes, flags: int) -> Iterator[bytes]:
        self._number += 1
        self.interrupted = False
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._number, 0) + body)
        deadline = time.monotonic() + _LONGEST
        while time.monotonic() < deadline:
            for number, kind, said, answer in messages(self._socket.recv(65536)):
                if number != self._number:
                    continue        # to an earlier question
                self.interrupted |= bool(said & NLM_F_DUMP_INTR)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    code = -struct.unpack_from("=i", answer)[0] if len(answer) >= 4 else errno.EBADMSG
                    if code > 0:
                        raise OSError(code, os.strerror(code))
                    return
                yield answer
            if not flags & NLM_F_DUMP:
                return
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def dump(kind: int, body: bytes) -> list[bytes]:
    """As `read_table`; empty where the kernel does not answer."""
    try:
        return read_table(kind, body)
    except OSError:
        return []


def read_table(kind: int, body: bytes) -> list[bytes]:
    """The bodies of all entries of a table, none of them shorter than that of the question (whose struct theirs begin
    with). Raises OSError where the kernel does not answer."""
    found: list[bytes] = []
    with NetlinkSocket() as kernel:
        for _ in range(_TRIES):
            found = list(kernel.dump(kind, body))
            if not kernel.interrupted:
                break
    return [entry for entry in found if len(entry) >= len(body)]


def messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """(sequence number, type, flags, body) of each message in a datagram; a broken one ends it."""
    while len(data) >= _HEADER.size:
        length, kind, flags, number, _ = _HEADER.unpack_from(data)
        if not _HEADER.size <= length <= len(data):
            return
        yield number, kind, flags, data[_HEADER.size:length]
        data = data[_aligned(length):]


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes of a body, by type; a broken one ends them."""
    found = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            break
        found[kind & _TYPE] = data[_ATTRIBUTE.size:length]
        data = data[_aligned(length):]
    return found


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_aligned(length) - length)


def interface_name(index: int) -> str:
    """The interface's name; empty where it is gone."""
    try:
        return socket.if_indextoname(index)
    except OSError:
        return ""


def text(value: bytes | None) -> str:
    """A name, without the zero at its end."""
    return (value or b"").rstrip(b"\0").decode(errors="replace")


def address_text(value: bytes | None) -> str | None:
    """Four or sixteen bytes as text."""
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(value or b""))
    return None if family is None or value is None else socket.inet_ntop(family, value)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
