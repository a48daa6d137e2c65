"""The kernel's neighbour table (ARP and IPv6 neighbour discovery): which gateways answer on the link.

netlink, because ``/proc/net/arp`` knows neither IPv6 nor when an answer was last heard. Reading it sends nothing.
"""
import socket
import struct
from typing import NamedTuple

RTM_GETNEIGH, NLMSG_ERROR, NLMSG_DONE = 30, 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NDA_DST, NDA_CACHEINFO = 1, 3
TICKS = 100     # USER_HZ, in which ages are told
NUD_INCOMPLETE, NUD_REACHABLE, NUD_FAILED = 0x01, 0x02, 0x20

_HEADER = struct.Struct("=IHHII")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_ATTRIBUTE = struct.Struct("=HH")
_AGES = struct.Struct("=IIII")      # confirmed, used, updated, references
_TIMEOUT = 0.5
_MOST_READS = 64


class Neighbour(NamedTuple):
    """``heard``: seconds since it last answered (or the kernel took something for an answer)."""

    interface: str
    address: str
    state: int
    heard: float


def table() -> tuple[Neighbour, ...]:
    """All entries now; empty where the kernel does not say."""
    found: list[Neighbour] = []
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as kernel:
            kernel.settimeout(_TIMEOUT)
            length = _HEADER.size + _NEIGHBOUR.size
            kernel.send(
                _HEADER.pack(length, RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + _NEIGHBOUR.pack(0, 0, 0, 0, 0)
            )
            for _ in range(_MOST_READS):
                if _parse(kernel.recv(65536), found):
                    break
    except OSError:
        return ()
    return tuple(found)


def silent() -> dict[tuple[str, str], bool]:
    """(interface, address) → whether the kernel asked for it in vain.

    One that it asks for just now is not in it: after a failure the kernel asks anew at each packet (NUD_INCOMPLETE).
    """
    return {(entry.interface, entry.address): bool(entry.state & NUD_FAILED)
            for entry in table() if not entry.state & NUD_INCOMPLETE}


def find(interface: str, address: str) -> Neighbour | None:
    return next((entry for entry in table() if (entry.interface, entry.address) == (interface, address)), None)


def _parse(data: bytes, found: list[Neighbour]) -> bool:
    """Entries of one datagram into ``found``. True: that was the last one."""
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        if kind in (NLMSG_DONE, NLMSG_ERROR) or length < _HEADER.size:
            return True
        family, index, state, _, _ = _NEIGHBOUR.unpack_from(data, _HEADER.size)
        attributes = _attributes(data[_HEADER.size + _NEIGHBOUR.size:length])
        if NDA_DST in attributes and family in (socket.AF_INET, socket.AF_INET6):
            address = socket.inet_ntop(family, attributes[NDA_DST])
            ticks = _AGES.unpack_from(attributes.get(NDA_CACHEINFO, bytes(_AGES.size)))[0]
            found.append(Neighbour(_name(index), address, state, ticks / TICKS))
        data = data[(length + 3) & ~3:]
    return False


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = data[_ATTRIBUTE.size:length]
        data = data[(length + 3) & ~3:]
    return found


def _name(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return ""
