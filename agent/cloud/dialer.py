"""Names, sockets, both endpoints: one open connection out of all that may be dialed.

`race.py` says what to dial when; here are the lookups and sockets that do it. The first connection that opens wins
and is the only one that anything is ever sent on; all others are closed unused.
"""
import errno
import logging
import socket as std
import time
from dataclasses import dataclass
from enum import Enum

import gevent
from gevent import socket
from gevent.queue import Empty, SimpleQueue

from econduit_terminal.conf.values import Endpoint

from .names import LookupFailed, Names, literal
from .race import Lane
from .tls import TlsFailed, secure

log = logging.getLogger(__name__)

STALE_NEIGHBOUR_FOR = 0.5
"""Seconds for which a dial that fails at once for want of a route is tried again: right after carrier-up the neighbour
entry may still be a failed one, and the address or the route may be a moment behind the carrier (measured)."""
STALE_NEIGHBOUR_STEP = 0.01

OUTSIDE = std.AF_INET, ("192.0.2.1", 53)
"""Stands for every name server, whose way out is the default route's (TEST-NET-1, RFC 5737; nothing is sent to it)."""

_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.ENODEV}


class Fault(Enum):
    """Why a dial failed, as far as it matters for the wait."""
    LOCAL = "no usable network"
    NAME = "name not found"
    SILENT = "no answer"
    REFUSED = "refused"
    TLS = "TLS failed"


class DialFailed(Exception):
    """No endpoint could be reached.

    `faults`: the kinds of failure met. `endpoint`: the one that opened but failed under TLS, else None.
    """

    def __init__(self, reason: str, faults, endpoint: Endpoint | None = None):
        super().__init__(reason)
        self.faults = frozenset(faults)
        self.endpoint = endpoint


@dataclass(frozen=True)
class Dialed:
    """An open connection, on which nothing was sent yet; `seconds` the dial took."""
    socket: socket.socket
    endpoint: Endpoint
    seconds: float


class Dialer:
    """Opens connections to the cloud. `settings`: conf.settings.Settings, may be replaced between dials."""

    def __init__(self, settings):
        self.settings = settings
        self._names = Names()
        self._last_good: dict[Endpoint, tuple] = {}

    def dial(self, endpoints: list[Endpoint], *, interface: str | None = None, lost=frozenset()) -> Dialed:
        """The first connection to open, to the first endpoint with a head start of `secondary_after`.

        interface: leave the terminal over this one, whatever the routing table says (SO_BINDTODEVICE). lost: local
        addresses known not to work; nothing is sent from them. Takes at most `connect_timeout` after the last
        endpoint's start. Raises DialFailed. A kill of the greenlet closes everything.
        """
        dial = _Dial(self.settings, self._names, self._last_good, interface, lost)
        try:
            dialed, address = dial.run(endpoints)
        finally:
            dial.close()
        self._last_good[dialed.endpoint] = address
        return dialed

    def forget(self, endpoint: Endpoint) -> None:
        """Nobody registered at the address that opened: the next dial asks for the name first, which may have moved."""
        self._last_good.pop(endpoint, None)


class _Dial:
    """One race: lanes, the greenlets that look up and connect, and the queue they report to."""

    def __init__(self, settings, names: Names, last_good: dict, interface, lost):
        self._settings = settings
        self._rules = settings.reconnect
        self._names = names
        self._last_good = last_good
        self._interface = interface
        self._lost = lost
        self._reports = SimpleQueue()
        self._greenlets = []
        self._sockets = set()
        self._trouble: dict[Endpoint, tuple[Fault, str]] = {}

    def run(self, endpoints):
        began = time.monotonic()
        lanes = {}
        for number, endpoint in enumerate(endpoints):
            known = [self._last_good[endpoint]] if endpoint in self._last_good else []
            lanes[endpoint] = Lane(began + number * self._rules.secondary_after, known=known,
                                   again=self._rules.local_retry)
            self._spawn(self._look_up, endpoint)
        deadline = began + self._rules.connect_timeout + (len(lanes) - 1) * self._rules.secondary_after
        while (now := time.monotonic()) < deadline and not all(lane.exhausted for lane in lanes.values()):
            self._start_due(lanes, now)
            wake = min(deadline, *(lane.next_at() for lane in lanes.values()))
            try:
                report = self._reports.get(timeout=max(0.0, wake - time.monotonic()))
            except Empty:
                continue
            winner = report(lanes)
            if winner:
                sock, endpoint, address = winner
                return Dialed(self._open(sock, endpoint, deadline), endpoint, time.monotonic() - began), address
        raise self._failed(endpoints)

    def close(self):
        """End every lookup's wait and close every socket but the winner's."""
        gevent.killall(self._greenlets, block=False)
        for sock in self._sockets:
            sock.close()

    def _spawn(self, function, *args):
        greenlet = gevent.spawn(function, *args)
        greenlet.link_exception(lambda failed: self._reports.put(lambda lanes: failed.get()))    # a bug: raise it there
        self._greenlets.append(greenlet)

    def _start_due(self, lanes, now):
        for lane in lanes.values():
            if lane.exhausted:
                for later in lanes.values():
                    later.start_by(now)
        for endpoint, lane in lanes.items():
            while (address := lane.due(now)) is not None:
                self._spawn(self._connect, endpoint, address)

    def _look_up(self, endpoint):
        addresses, trouble = [], None
        if literal(endpoint) is None and self._is_lost(*OUTSIDE):
            trouble = _dead_way(endpoint)
        else:
            try:
                addresses = self._names.lookup(endpoint, self._rules.resolve_timeout)
            except LookupFailed as error:
                trouble = Fault.NAME, str(error)
        if trouble:
            self._reports.put(lambda lanes: self._note(endpoint, trouble))
        self._reports.put(lambda lanes: lanes[endpoint].resolved(addresses))

    def _connect(self, endpoint, address):
        family, sockaddr = address
        if self._is_lost(family, sockaddr):
            trouble = _dead_way(endpoint)
            self._reports.put(lambda lanes: self._note(endpoint, trouble) or lanes[endpoint].failed(address))
            return
        patience = time.monotonic() + STALE_NEIGHBOUR_FOR
        while True:
            sock = None
            try:
                sock = socket.socket(family, std.SOCK_STREAM)
                self._sockets.add(sock)
                prepare(sock, self._rules, self._interface)
                sock.connect(sockaddr)
            except OSError as error:
                if sock is not None:
                    sock.close()
                    self._sockets.discard(sock)
                if error.errno in _NO_ROUTE and time.monotonic() < patience:
                    gevent.sleep(STALE_NEIGHBOUR_STEP)
                    continue
                trouble = _trouble(error, endpoint, self._interface)
                self._reports.put(lambda lanes: self._note(endpoint, trouble) or lanes[endpoint].failed(address))
            else:
                self._reports.put(lambda lanes: (sock, endpoint, address))
            return

    def _is_lost(self, family, sockaddr) -> bool:
        """The way there starts from an address that is known not to work: nothing is to be sent, no question either."""
        return bool(self._lost) and not self._interface and _source(family, sockaddr) in self._lost

    def _note(self, endpoint, trouble):
        """Keep the most telling trouble of an endpoint: one that proves the path beats one that proves nothing."""
        kept = self._trouble.get(endpoint)
        if kept is None or _TELLING.index(trouble[0]) >= _TELLING.index(kept[0]):
            self._trouble[endpoint] = trouble

    def _open(self, sock, endpoint, deadline):
        """The winner, under TLS if the settings say so."""
        if self._settings.cloud.tls:
            try:
                with gevent.Timeout(max(0.1, deadline - time.monotonic()), TlsFailed(f"{endpoint}: no answer in time")):
                    secured = secure(sock, endpoint, self._settings.cloud.ca_file)
            except TlsFailed as error:
                raise DialFailed(str(error), [Fault.TLS], endpoint) from None
            self._sockets.discard(sock)
            return secured
        self._sockets.discard(sock)
        return sock

    def _failed(self, endpoints):
        for endpoint in endpoints:
            self._trouble.setdefault(endpoint, (Fault.SILENT, f"no answer from {endpoint}"))
        reasons = dict.fromkeys(reason for _, reason in self._trouble.values())
        return DialFailed("; ".join(reasons), {fault for fault, _ in self._trouble.values()})


def _dead_way(endpoint):
    return Fault.LOCAL, f"no way to {endpoint} (the interface that leads there is dead)"


def _source(family, sockaddr) -> str | None:
    """The local address from which the kernel would dial. Nothing is sent: a dial over a cable that is out would leave
    an unanswered question for the gateway in the neighbour table, and the kernel repeats that once a second at most;
    the first dial after the cable's return would wait for it."""
    try:
        with std.socket(family, std.SOCK_DGRAM) as asker:
            asker.connect(sockaddr)
            return asker.getsockname()[0]
    except OSError:
        return None


_TELLING = (Fault.LOCAL, Fault.NAME, Fault.SILENT, Fault.REFUSED)


def _trouble(error: OSError, endpoint, interface):
    if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET):
        return Fault.REFUSED, f"refused by {endpoint}"
    if error.errno in _NO_ROUTE:
        over = f" over {interface}" if interface else ""
        return Fault.LOCAL, f"no way to {endpoint}{over} ({error.strerror})"
    if error.errno == errno.ETIMEDOUT:
        return Fault.SILENT, f"no answer from {endpoint}"
    return Fault.SILENT, f"{endpoint} cannot be dialed ({error.strerror or error})"


def prepare(sock, rules, interface=None) -> None:
    """Set what makes the kernel notice a dead path, before the first packet (tcp(7), `[reconnect]`). Raises OSError."""
    if interface:
        sock.setsockopt(std.SOL_SOCKET, std.SO_BINDTODEVICE, interface.encode() + b"\0")
    for level, option, value in (
            (std.SOL_SOCKET, std.SO_KEEPALIVE, 1),
            (std.IPPROTO_TCP, std.TCP_NODELAY, 1),
            (std.IPPROTO_TCP, std.TCP_KEEPIDLE, int(rules.keepalive_idle)),
            (std.IPPROTO_TCP, std.TCP_KEEPINTVL, int(rules.keepalive_interval)),
            (std.IPPROTO_TCP, std.TCP_KEEPCNT, rules.keepalive_count),
            (std.IPPROTO_TCP, std.TCP_USER_TIMEOUT, round(rules.user_timeout * 1000))):
        sock.setsockopt(level, option, value)
