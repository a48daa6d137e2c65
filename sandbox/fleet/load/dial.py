"""The dials of one terminal: real sockets, raced by the product's own rules (`agent.cloud.race`).

What differs from the agent's dialer: the addresses are known, the way there is not watched, and no TLS is spoken. A
terminal is one greenlet, so that ten thousand of them fit into a process: connections that are not open yet are waited
for together, by it alone.
"""
import errno
import math
import select
import socket as std
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gevent import select as cooperative, socket

from econduit_terminal.agent.cloud.endpoints import Address
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.agent.cloud.race import Lane
from econduit_terminal.conf.schema import Reconnect
from econduit_terminal.conf.values import Endpoint

IP_BIND_ADDRESS_NO_PORT = 24
"""linux/in.h: the port is chosen at connect(2), where it need only be free towards that destination."""
_LOCAL = {errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS}
"""What this machine has run out of; it says nothing about the cloud."""


class Exhausted(Exception):
    """This machine has no file or source port left for another connection; the text says which, and what to do."""


@dataclass(frozen=True)
class Target:
    """An endpoint to dial, not before `hold` seconds are over."""
    endpoint: Endpoint
    address: Address
    hold: float = 0.0


@dataclass(frozen=True)
class Met:
    """What a dial met at an endpoint that did not open. at: monotonic seconds, when."""
    finding: Finding
    at: float


@dataclass(frozen=True)
class Opened:
    """An open connection. seconds: that the dial took. met: what it met at the other endpoints that it tried."""
    socket: Any
    endpoint: Endpoint
    seconds: float
    met: Mapping[Endpoint, Met]


@dataclass(frozen=True)
class NotOpened:
    """No endpoint could be reached; what was met at each that was tried."""
    seconds: float
    met: Mapping[Endpoint, Met]


def dial(targets: Sequence[Target], rules: Reconnect, source: str | None = None) -> Opened | NotOpened:
    """The first connection to open, the first target with a head start. source: the local address to dial from.

    Takes at most `connect_timeout` after the last target's start. Raises Exhausted.
    """
    race = _Race(targets, rules, source)
    try:
        return race.run()
    finally:
        race.close()


class _Race:
    def __init__(self, targets: Sequence[Target], rules: Reconnect, source: str | None):
        self._targets = targets
        self._rules = rules
        self._source = source
        self._began = time.monotonic()
        self._lanes: dict[Endpoint, Lane] = {}
        self._met: dict[Endpoint, Met] = {}
        self._opening: dict[int, tuple[Any, Target]] = {}       # by file number

    def run(self) -> Opened | NotOpened:
        held = sorted(self._targets, key=lambda target: target.hold)
        over = self._began
        while True:
            now = time.monotonic()
            while held and self._began + held[0].hold <= now:
                over = max(over, self._join(held.pop(0), now))
            if not self._lanes:
                over = self._began + held[0].hold + self._rules.connect_timeout
            elif now >= over or all(lane.exhausted for lane in self._lanes.values()):
                return self._not_opened(now)
            opened = self._begin_due(now) or self._await(
                min(over, *(lane.next_at() for lane in self._lanes.values()),
                    *(self._began + target.hold for target in held[:1])))
            if opened is not None:
                return opened

    def close(self) -> None:
        """Closes what did not win."""
        for sock, _ in self._opening.values():
            sock.close()

    def _join(self, target: Target, now: float) -> float:
        """A target enters the race. Returns when its time is over."""
        place = self._targets.index(target)
        alone = all(lane.exhausted for lane in self._lanes.values())
        start = now if alone else max(now, self._began + place * self._rules.secondary_after)
        lane = Lane(start, known=[target.address], again=self._rules.local_retry)
        lane.resolved(())
        self._lanes[target.endpoint] = lane
        return start + self._rules.connect_timeout

    def _begin_due(self, now: float) -> Opened | None:
        if any(lane.exhausted for lane in self._lanes.values()):
            for lane in self._lanes.values():
                lane.start_by(now)
        for target in self._targets:
            lane_of = self._lanes.get(target.endpoint)
            while lane_of is not None and lane_of.due(now) is not None:
                opened = self._begin(target)
                if opened is not None:
                    return opened
        return None

    def _begin(self, target: Target) -> Opened | None:
        """Sends the SYN; on the way to this very machine the answer may be here at once."""
        family, sockaddr = target.address
        try:
            sock = socket.socket(family, std.SOCK_STREAM)
        except OSError as error:
            raise _exhausted(error) from None
        sock.setblocking(False)
        sock.setsockopt(std.IPPROTO_TCP, std.TCP_NODELAY, 1)
        try:
            if self._source:
                if family == std.AF_INET:
                    sock.setsockopt(std.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                sock.bind((self._source, 0))
            code = sock.connect_ex(sockaddr)
        except OSError as error:
            code = error.errno or errno.EIO
        if code == errno.EINPROGRESS:
            self._opening[sock.fileno()] = sock, target
            return None
        return self._done(sock, target, code)

    def _await(self, until: float) -> Opened | None:
        """Waits for the first answer to a dial, or until then."""
        poll = cooperative.poll()
        for number in self._opening:
            poll.register(number, select.POLLOUT)
        wait = None if until == math.inf else max(0.0, until - time.monotonic())
        for number, _ in poll.poll(wait if wait is None else 1000 * wait):
            sock, target = self._opening.pop(number)
            opened = self._done(sock, target, sock.getsockopt(std.SOL_SOCKET, std.SO_ERROR))
            if opened is not None:
                return opened
        return None

    def _done(self, sock: Any, target: Target, code: int) -> Opened | None:
        if not code:
            self._met.pop(target.endpoint, None)
            others = {endpoint: self._met[endpoint] for endpoint, lane in self._lanes.items()
                      if lane.exhausted and endpoint in self._met}
            return Opened(sock, target.endpoint, time.monotonic() - self._began, others)
        sock.close()
        if code in _LOCAL:
            raise _exhausted(OSError(code, ""))
        refused = code in (errno.ECONNREFUSED, errno.ECONNRESET)
        silent = code == errno.ETIMEDOUT
        finding = Finding.REFUSED if refused else Finding.SILENT if silent else Finding.NO_WAY
        self._met[target.endpoint] = Met(finding, time.monotonic())
        self._lanes[target.endpoint].failed()
        return None

    def _not_opened(self, now: float) -> NotOpened:
        for endpoint, lane in self._lanes.items():
            if lane.unanswered:
                self._met[endpoint] = Met(Finding.SILENT, now)
        return NotOpened(now - self._began, self._met)


def _exhausted(error: OSError) -> Exhausted:
    if error.errno == errno.EADDRNOTAVAIL:
        return Exhausted("no source port is left towards the cloud: give more local addresses with --source, or widen "
                         "net.ipv4.ip_local_port_range")
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return Exhausted("no open file is left: raise the limit (ulimit -n), or use more processes with --processes")
    return Exhausted(f"no connection can be begun: {error.strerror or error}")
