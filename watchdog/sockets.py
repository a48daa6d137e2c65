"""Sockets that ask, and what became of what they asked. None of them waits, and nothing is sent on an open connection.

A refused connection looks alike whoever refused it. IP_RECVERR (ip(7), ipv6(7)) has the kernel keep the ICMP error,
with the address of who sent it: a RST leaves that queue empty, a router's rejection does not.
"""
import contextlib
import errno
import socket
import struct

from econduit_terminal.contract.status import Outcome

IP_RECVERR, IPV6_RECVERR = 11, 25
SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6 = 2, 3
_EXTENDED = struct.Struct("=IBBBBII")       # struct sock_extended_err, linux/errqueue.h; the offender's address follows
_ECHO = struct.Struct("!BBHHH")
_ECHO_REQUEST, _ECHO_REQUEST_6 = 8, 128
_NO_WAY = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.ENODEV})


def opened(address: str, kind: int, interface: str | None, protocol: int = 0) -> socket.socket:
    """A non-blocking socket towards an address, over an interface if one is named. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    try:
        if interface:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        level, option = ((socket.IPPROTO_IPV6, IPV6_RECVERR) if family == socket.AF_INET6
                         else (socket.IPPROTO_IP, IP_RECVERR))
        made.setsockopt(level, option, 1)
    except OSError:
        made.close()
        raise
    return made


def where(address: str, port: int, interface: str | None = None) -> tuple[str, int] | tuple[str, int, int, int]:
    """The socket address; one of the link needs the interface."""
    if ":" not in address:
        return address, port
    with contextlib.suppress(OSError):
        if interface and address.startswith("fe80:"):
            return address, port, 0, socket.if_nametoindex(interface)
    return address, port, 0, 0


def echo_request(address: str, interface: str) -> socket.socket:
    """A socket that has asked for an echo. Raises PermissionError where the kernel allows that to nobody, OSError."""
    protocol, kind = ((socket.IPPROTO_ICMPV6, _ECHO_REQUEST_6) if ":" in address
                      else (socket.IPPROTO_ICMP, _ECHO_REQUEST))
    made = opened(address, socket.SOCK_DGRAM, interface, protocol)
    try:
        made.connect(where(address, 0, interface))
        made.send(_ECHO.pack(kind, 0, 0, 0, 1))
    except OSError:
        made.close()
        raise
    return made


def outcome(asked: socket.socket, code: int, address: str) -> tuple[Outcome, str | None]:
    """What errno ``code`` of this socket means, and which router rejected. The host itself may refuse by ICMP, too."""
    if code == 0:
        return Outcome.OPEN, None
    offender = _offender(asked)
    if offender is not None and offender != address:
        own = asked.getsockname()[0]    # the kernel's word: nobody on the link answered (ipv4_link_failure)
        return (Outcome.NO_WAY, None) if offender == own else (Outcome.REJECTED, offender)
    if code in (errno.ECONNREFUSED, errno.ECONNRESET):
        return Outcome.REFUSED, None
    if code in _NO_WAY:
        return (Outcome.NO_WAY, None) if offender is None else (Outcome.REFUSED, None)
    return Outcome.SILENT, None


def _offender(asked: socket.socket) -> str | None:
    """Who sent the ICMP error that this socket has; None: there is none."""
    try:
        _, told, _, _ = asked.recvmsg(1, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    for _, _, data in told:
        if len(data) < _EXTENDED.size + 8:
            continue
        origin = _EXTENDED.unpack_from(data)[1]
        family = struct.unpack_from("=H", data, _EXTENDED.size)[0]
        if origin == SO_EE_ORIGIN_ICMP and family == socket.AF_INET:
            return socket.inet_ntop(family, data[_EXTENDED.size + 4:_EXTENDED.size + 8])
        if origin == SO_EE_ORIGIN_ICMP6 and family == socket.AF_INET6 and len(data) >= _EXTENDED.size + 24:
            return socket.inet_ntop(family, data[_EXTENDED.size + 8:_EXTENDED.size + 24])
    return None
