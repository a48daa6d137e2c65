"""One socket to one address: how it is prepared, and what its failure says.

A RST is the endpoint's own answer. An ICMP error is a router's, or the endpoint's where it is the sender. What the
kernel refuses without sending anything may work a moment later.
"""
import errno
import socket as std
from dataclasses import dataclass
from typing import Any

from econduit_terminal.conf.schema import Reconnect
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import Reason
from econduit_terminal.process import icmp

from .connection import interface_of
from .dialed import EndpointFailure
from .endpoints import Address
from .policy import Finding


@dataclass(frozen=True)
class NotSent:
    """The kernel refused without sending: a moment later it may not. failure: what it is if nobody tries again."""
    failure: EndpointFailure


def connect(sock: std.socket, endpoint: Endpoint, address: Address, rules: Reconnect, interface: str | None = None,
            mss: int | None = None) -> EndpointFailure | NotSent | None:
    """Open this new socket (a cooperative one); None when it is open. The caller closes it otherwise."""
    rejected = None
    try:
        prepare(sock, rules, interface, mss)
        icmp.listen(sock, True)
        sock.connect(address[1])
        icmp.listen(sock, False)
    except OSError as error:
        rejected = icmp.rejection(sock)
        if rejected and interface_of(rejected.offender):
            rejected = None         # our own kernel, which found nobody on the link
        failure = _failure(error, rejected, endpoint, address[1][0], interface)
        return NotSent(failure) if not rejected and error.errno in icmp.NO_ROUTE else failure
    return None


def _failure(error: OSError, rejected: icmp.Rejection | None, endpoint: Endpoint, address: str,
             interface: str | None) -> EndpointFailure:
    if rejected and rejected.offender != address.partition("%")[0]:
        reason = Reason.ROUTER_REJECTS.text(rejected.offender, f"{endpoint} ({rejected.text})")
        return EndpointFailure(Finding.ROUTER, reason)
    if rejected or error.errno in (errno.ECONNREFUSED, errno.ECONNRESET):
        return EndpointFailure(Finding.REFUSED, Reason.REFUSED_BY.text(endpoint))
    if error.errno == errno.ETIMEDOUT:
        return EndpointFailure(Finding.SILENT, Reason.NO_ANSWER_FROM.text(endpoint))
    if error.errno in icmp.NO_ROUTE:
        over = f" over {interface}" if interface else ""
        return EndpointFailure(Finding.NO_WAY, Reason.NO_WAY.text(f"{endpoint}{over} ({error.strerror})"))
    return cannot_dial(endpoint, error)


def cannot_dial(endpoint: Endpoint, error: OSError) -> EndpointFailure:
    """For what this terminal itself does not allow or does not have."""
    return EndpointFailure(Finding.NO_WAY, Reason.CANNOT_DIAL.text(endpoint, error.strerror or error))


def source_of(family: int, sockaddr: tuple[Any, ...]) -> str | None:
    """The local address from which the kernel would dial. Nothing is sent: a dial over a cable that is out would leave
    an unanswered question for the gateway in the neighbour table, and the kernel repeats that once a second at most;
    the first dial after the cable's return would wait for it."""
    try:
        with std.socket(family, std.SOCK_DGRAM) as asker:
            asker.connect(sockaddr)
            source: str = asker.getsockname()[0]
            return source
    except OSError:
        return None


def prepare(sock: std.socket, rules: Reconnect, interface: str | None = None, mss: int | None = None) -> None:
    """Set what makes the kernel notice a dead path, before the first packet (tcp(7), `[reconnect]`). Raises OSError."""
    if interface:
        sock.setsockopt(std.SOL_SOCKET, std.SO_BINDTODEVICE, interface.encode() + b"\0")
    if mss:
        sock.setsockopt(std.IPPROTO_TCP, std.TCP_MAXSEG, mss)
    for level, option, value in (
            (std.SOL_SOCKET, std.SO_KEEPALIVE, 1),
            (std.IPPROTO_TCP, std.TCP_NODELAY, 1),
            (std.IPPROTO_TCP, std.TCP_KEEPIDLE, int(rules.keepalive_idle)),
            (std.IPPROTO_TCP, std.TCP_KEEPINTVL, int(rules.keepalive_interval)),
            (std.IPPROTO_TCP, std.TCP_KEEPCNT, rules.keepalive_count),
            (std.IPPROTO_TCP, std.TCP_USER_TIMEOUT, round(rules.user_timeout * 1000))):
        sock.setsockopt(level, option, value)
