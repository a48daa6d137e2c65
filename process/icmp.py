"""Who ended a dial: the endpoint itself with a RST, or a router on the way with an ICMP error.

With IP_RECVERR (ip(7); IPV6_RECVERR, ipv6(7)) the kernel keeps the ICMP message in the socket's error queue, with the
address of who sent it. A RST leaves the queue empty. An open connection must not have the option: the first ICMP error
would end it, which without the option the kernel takes for the hint that it is (tried: within 0.2 s).
"""
import errno
import socket as std
import struct
from dataclasses import dataclass

IP_RECVERR, IPV6_RECVERR = 11, 25
_OPTIONS = {std.AF_INET: (std.IPPROTO_IP, IP_RECVERR), std.AF_INET6: (std.IPPROTO_IPV6, IPV6_RECVERR)}
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
"""struct sock_extended_err (linux/errqueue.h): errno, origin, type, code, pad, info, data; the offender follows."""
_ORIGIN_ICMP = {2: std.AF_INET, 3: std.AF_INET6}
_ADDRESS_AT = {std.AF_INET: (4, 4), std.AF_INET6: (8, 16)}

NO_ROUTE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.ENODEV})
"""What the kernel says where nothing was sent at all, unless an ICMP error is in the queue."""

_PROHIBITED = "administratively prohibited"
_TEXTS = {
    (2, 3): {0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable",
             6: "network unknown", 7: "host unknown", 9: _PROHIBITED, 10: _PROHIBITED, 13: _PROHIBITED},
    (3, 1): {0: "no route", 1: _PROHIBITED, 3: "address unreachable", 4: "port unreachable", 5: _PROHIBITED,
             6: "route rejected"},
    (2, 11): {0: "time to live exceeded"}, (3, 3): {0: "time to live exceeded"},
}
"""By origin and type (RFC 792, RFC 1812 5.2.7.1, RFC 4443 3.1)."""


@dataclass(frozen=True)
class Rejection:
    """An ICMP error that ended a dial: who sent it, and what it says."""
    offender: str
    text: str


def listen(sock: std.socket, on: bool) -> None:
    """Keep ICMP errors of this socket (IPv4 or IPv6), or do so no longer. Raises OSError."""
    level, option = _OPTIONS[sock.family]
    sock.setsockopt(level, option, int(on))


def rejection(sock: std.socket) -> Rejection | None:
    """The ICMP error in the socket's queue; None where there is none. Makes the socket non-blocking."""
    try:
        sock.settimeout(0.0)
        _, ancillary, _, _ = sock.recvmsg(1, 512, std.MSG_ERRQUEUE)
    except OSError:
        return None
    for level, kind, data in ancillary:
        if (level, kind) in _OPTIONS.values() and (found := parse(data)):
            return found
    return None


def parse(data: bytes) -> Rejection | None:
    """A control message of the error queue; None where it is not of an ICMP error or names nobody."""
    if len(data) < _EXTENDED_ERROR.size + 2:
        return None
    _, origin, kind, code, _, _, _ = _EXTENDED_ERROR.unpack_from(data)
    family, = struct.unpack_from("=H", data, _EXTENDED_ERROR.size)
    if origin not in _ORIGIN_ICMP or family not in _ADDRESS_AT:
        return None
    at, size = _ADDRESS_AT[family]
    at += _EXTENDED_ERROR.size
    if len(data) < at + size:
        return None
    offender = std.inet_ntop(family, data[at:at + size])
    return Rejection(offender, _TEXTS.get((origin, kind), {}).get(code, f"ICMP type {kind} code {code}"))
