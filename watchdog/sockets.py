"""Sockets that ask, and what their errors mean. None of them waits, and nothing is sent on an open connection.

A refused connection looks the same whoever refused it: the kernel's record of the ICMP error tells (process.icmp).
"""
import contextlib
import errno
import socket
import struct

from econduit_terminal.contract.status import Outcome
from econduit_terminal.process import icmp

_ECHO = struct.Struct("!BBHHH")
_ECHO_REQUEST, _ECHO_REQUEST_6 = 8, 128


def open_socket(address: str, kind: int, interface: str | None, protocol: int = 0, *,
                on_link: bool = False) -> socket.socket:
    """A non-blocking socket towards an address, over an interface if one is named. Raises OSError.

    on_link: the address is on the interface's own link, where the kernel sends by itself. Only root may bind to an
    interface before Linux 5.7.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    try:
        if interface:
            try:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            except PermissionError:
                if not on_link:
                    raise
        icmp.listen(made, True)
    except OSError:
        made.close()
        raise
    return made


def socket_address(address: str, port: int,
                   interface: str | None = None) -> tuple[str, int] | tuple[str, int, int, int]:
    """For connect(); a link-local one needs the interface, which it may name itself (`fe80::1%eth0`)."""
    if ":" not in address:
        return address, port
    plain, _, zone = address.partition("%")
    link = zone or (interface if plain.startswith("fe80:") else None) or ""
    scope = 0
    with contextlib.suppress(OSError):
        scope = int(zone) if zone.isdecimal() and len(zone) < 10 else socket.if_nametoindex(link)
    return plain, port, 0, scope


def echo_request(address: str, interface: str) -> socket.socket:
    """A socket that has sent an ICMP echo request. Raises PermissionError where the kernel forbids that, OSError."""
    protocol, kind = ((socket.IPPROTO_ICMPV6, _ECHO_REQUEST_6) if ":" in address
                      else (socket.IPPROTO_ICMP, _ECHO_REQUEST))
    made = open_socket(address, socket.SOCK_DGRAM, interface, protocol, on_link=True)
    try:
        made.connect(socket_address(address, 0, interface))
        made.send(_ECHO.pack(kind, 0, 0, 0, 1))
    except OSError:
        made.close()
        raise
    return made


def outcome_of(asked: socket.socket, code: int, address: str) -> tuple[Outcome, str | None]:
    """What errno `code` of this socket means, and which router rejected. The host itself may refuse by ICMP, too."""
    if code == 0:
        return Outcome.OPEN, None
    rejected = icmp.rejection(asked)
    if rejected is not None and rejected.offender != address.partition("%")[0]:
        own = asked.getsockname()[0]    # by the kernel itself: nobody on the link answered (ipv4_link_failure)
        return (Outcome.NO_WAY, None) if rejected.offender == own else (Outcome.REJECTED, rejected.offender)
    if rejected is not None or code in (errno.ECONNREFUSED, errno.ECONNRESET):
        return Outcome.REFUSED, None
    return (Outcome.NO_WAY if code in icmp.NO_ROUTE else Outcome.SILENT), None
