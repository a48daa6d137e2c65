"""Names, sockets, both endpoints: one open connection out of all that may be dialed.

`race.py` says what to dial when; here are the lookups and sockets that do it. The first connection that opens wins and
is the only one that anything is ever sent on; all others are closed unused. What was met at every endpoint that did not
open is reported with its evidence: a RST, a router's ICMP error and its sender, silence, no name, no way.
"""
import logging
import socket as std
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import gevent
from gevent import socket
from gevent.queue import Empty, SimpleQueue

from econduit_terminal.conf.schema import Settings
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import Reason

from .connect import cannot_dial, connect, source_of
from .dialed import Dialed, DialFailed, DialResults, EndpointFailure, Target
from .endpoints import Address
from .policy import Finding
from .race import Lane
from .resolver import LookupFailed, Resolver, literal
from .tls import TlsFailed, secure

log = logging.getLogger(__name__)

RETURNING_FOR = 0.5
"""Seconds for which a dial is tried again that the kernel refused without sending: right after carrier-up the neighbour
entry may still be a failed one, and the address or the route may come a moment after the carrier (measured), and so
may the name servers."""
RETURNING_STEP = 0.01
"""Seconds between two such tries."""
SILENT_AFTER = 3.0
"""Seconds without an answer that count as one, where another endpoint opened: several SYNs went out meanwhile."""
NAME_STEP = 0.02
"""Seconds before the second lookup of a name while the network returns; doubling."""
NAME_FIRST = 0.5
"""Seconds that a lookup gets before addresses are dialed which the name may not hold any more."""

OUTSIDE = std.AF_INET, ("192.0.2.1", 53)
"""Stands for every name server, whose way out is the default route's (TEST-NET-1, RFC 5737; nothing is sent to it)."""

_TELLING = (Finding.NO_WAY, Finding.NO_NAME, Finding.SILENT, Finding.ROUTER, Finding.REFUSED)
"""For an endpoint with several addresses: what says more comes later."""


class Dialer:
    """Opens connections to the cloud. `settings` may be replaced between dials."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self._resolver = Resolver()

    def dial(self, targets: Sequence[Target], *, interface: str | None = None, lost: Collection[str] = (),
             returning: bool = False) -> Dialed:
        """The first connection to open, to the first target with a head start of `secondary_after`.

        interface: leave the terminal over this one, whatever the routing table says (SO_BINDTODEVICE). lost: local
        addresses known not to work; nothing is sent from them. returning: the network came back just now, its parts may
        follow one by one. Takes at most `connect_timeout` after the last target's start. Raises DialFailed. A kill of
        the greenlet closes everything.
        """
        dial = _Dial(self.settings, self._resolver, interface, lost, returning)
        try:
            return dial.run(targets)
        finally:
            dial.close()


class _Winner(NamedTuple):
    """The first connection to open."""
    socket: std.socket
    endpoint: Endpoint
    address: Address


_Report = Callable[[], _Winner | None]


class _Dial:
    """One race: lanes, the greenlets that look up and connect, and the queue they report to."""

    def __init__(self, settings: Settings, resolver: Resolver, interface: str | None, lost: Collection[str],
                 returning: bool):
        self._settings = settings
        self._rules = settings.reconnect
        self._resolver = resolver
        self._interface = interface
        self._lost = lost
        self._returning = returning
        self._reports: SimpleQueue[_Report] = SimpleQueue()
        self._greenlets: list[gevent.Greenlet[..., Any]] = []
        self._sockets: set[std.socket] = set()
        self._targets: dict[Endpoint, Target] = {}
        self._lanes: dict[Endpoint, Lane] = {}
        self._failures: dict[Endpoint, EndpointFailure] = {}
        self._named: dict[Endpoint, Sequence[Address]] = {}
        self._began = time.monotonic()

    def run(self, targets: Sequence[Target]) -> Dialed:
        held = sorted(targets, key=lambda target: target.hold)
        deadline = self._began
        while True:
            now = time.monotonic()
            while held and self._began + held[0].hold <= now:
                deadline = max(deadline, self._join(held.pop(0), targets, now))
            if now >= deadline or all(lane.exhausted for lane in self._lanes.values()):
                if self._lanes or not held:
                    raise self._failed()
                deadline = self._began + held[0].hold + self._rules.connect_timeout
            self._start_due(now)
            wake = min(deadline, *(lane.next_at() for lane in self._lanes.values()),
                       *(self._began + target.hold for target in held[:1]))
            try:
                report: _Report = self._reports.get(timeout=max(0.0, wake - time.monotonic()))
            except Empty:
                continue
            if winner := report():
                return self._open(*winner, deadline)

    def close(self) -> None:
        """End every lookup's wait and close every socket but the winner's."""
        gevent.killall(self._greenlets, block=False)
        for sock in self._sockets:
            sock.close()

    def _join(self, target: Target, targets: Sequence[Target], now: float) -> float:
        """A target enters the race. Returns when its time is over."""
        start = max(now, self._began + targets.index(target) * self._rules.secondary_after)
        if all(lane.exhausted for lane in self._lanes.values()):
            start = now
        self._targets[target.endpoint] = target
        self._lanes[target.endpoint] = Lane(start, known=target.known, doubted=target.doubted,
                                            again=self._rules.local_retry)
        self._spawn(self._look_up, target)
        return start + self._rules.connect_timeout

    def _spawn(self, function: Callable[..., None], *args: Any) -> None:
        greenlet = gevent.spawn(function, *args)
        greenlet.link_exception(lambda failed: self._reports.put(failed.get))       # a bug: raise it there
        self._greenlets.append(greenlet)

    def _start_due(self, now: float) -> None:
        for lane in self._lanes.values():
            if lane.exhausted:
                for later in self._lanes.values():
                    later.start_by(now)
        for endpoint, lane in self._lanes.items():
            while (address := lane.due(now)) is not None:
                self._spawn(self._connect, endpoint, address)

    # -- lookups -------------------------------------------------------------------------------------------------

    def _look_up(self, target: Target) -> None:
        endpoint = target.endpoint
        if literal(endpoint) is None and self._is_lost(OUTSIDE):
            failed: EndpointFailure | None = _dead_way(endpoint)
            addresses: Sequence[Address] = ()
        else:
            later = gevent.spawn_later(NAME_FIRST, self._reports.put, lambda: self._spare(target))
            self._greenlets.append(later)
            addresses, failed = self._lookup(endpoint)
            later.kill(block=False)
        self._reports.put(lambda: self._resolved(target, addresses, failed))

    def _lookup(self, endpoint: Endpoint) -> tuple[Sequence[Address], EndpointFailure | None]:
        step, fresh = NAME_STEP, self._returning
        while True:
            try:
                return self._resolver.lookup(endpoint, self._rules.resolve_timeout, fresh=fresh), None
            except LookupFailed as error:
                if not (self._returning and time.monotonic() + step < self._began + RETURNING_FOR):
                    return (), EndpointFailure(Finding.NO_NAME, str(error))
            gevent.sleep(step)
            step, fresh = 2 * step, False

    def _resolved(self, target: Target, addresses: Sequence[Address], failed: EndpointFailure | None) -> None:
        lane = self._lanes[target.endpoint]
        if failed:
            self._note(target.endpoint, failed)
            self._spare(target)
        else:
            self._named[target.endpoint] = addresses
        lane.resolved(addresses)

    def _spare(self, target: Target) -> None:
        """The name is not answered in time: what else is known of it is tried as well."""
        self._lanes[target.endpoint].add(target.spare)

    # -- connections ---------------------------------------------------------------------------------------------

    def _connect(self, endpoint: Endpoint, address: Address) -> None:
        if self._is_lost(address):
            self._reports.put(partial(self._not_opened, endpoint, _dead_way(endpoint)))
            return
        while True:
            try:
                sock = socket.socket(address[0], std.SOCK_STREAM)
            except OSError as error:        # no descriptor left, no such family
                self._reports.put(partial(self._not_opened, endpoint, cannot_dial(endpoint, error)))
                return
            self._sockets.add(sock)
            failed = connect(sock, endpoint, address, self._rules, self._interface, self._targets[endpoint].mss)
            if failed is None:
                self._reports.put(partial(_Winner, sock, endpoint, address))
                return
            sock.close()
            self._sockets.discard(sock)
            if isinstance(failed, EndpointFailure) or time.monotonic() >= self._began + RETURNING_FOR:
                failure = failed if isinstance(failed, EndpointFailure) else failed.failure
                self._reports.put(partial(self._not_opened, endpoint, failure))
                return
            gevent.sleep(RETURNING_STEP)

    def _is_lost(self, address: Address) -> bool:
        """The way there starts from an address that is known not to work: not even a question is to be sent."""
        return bool(self._lost) and not self._interface and source_of(*address) in self._lost

    def _not_opened(self, endpoint: Endpoint, failure: EndpointFailure) -> None:
        self._note(endpoint, failure)
        self._lanes[endpoint].failed()

    def _note(self, endpoint: Endpoint, failure: EndpointFailure) -> None:
        """Keep the most telling of what was met at an endpoint: what proves something beats what proves nothing."""
        kept = self._failures.get(endpoint)
        if kept is None or _TELLING.index(failure.finding) >= _TELLING.index(kept.finding):
            self._failures[endpoint] = failure

    def _open(self, sock: std.socket, endpoint: Endpoint, address: Address, deadline: float) -> Dialed:
        """The winner, under TLS if the settings say so."""
        settled = self._settled(endpoint)
        if self._settings.cloud.tls:
            seconds = min(max(0.1, deadline - time.monotonic()), self._targets[endpoint].answer)
            try:
                with gevent.Timeout(seconds, TlsFailed(Reason.TLS_SILENT.text(endpoint))):
                    secured = secure(sock, endpoint, self._settings.cloud.ca_file)
            except TlsFailed as error:
                self._failures[endpoint] = EndpointFailure(Finding.TLS, str(error), address)
                raise DialFailed(self._results((*settled, endpoint))) from None
        else:
            secured = sock
        self._sockets.discard(sock)
        self._failures.pop(endpoint, None)
        return Dialed(secured, endpoint, time.monotonic() - self._began, address, self._results(settled))

    def _settled(self, opened: Endpoint) -> list[Endpoint]:
        """The endpoints of which it is known what they are worth, though another one opened first. As long as that one
        was silent, too, the line was."""
        now = time.monotonic()
        heard = self._lanes[opened].silent_for(now)
        settled = []
        for endpoint, lane in self._lanes.items():
            if lane.silent_for(now) - heard >= SILENT_AFTER:
                self._silent(endpoint)
                settled.append(endpoint)
            elif lane.exhausted:
                settled.append(endpoint)
        return settled

    def _silent(self, endpoint: Endpoint) -> None:
        self._note(endpoint, EndpointFailure(Finding.SILENT, Reason.NO_ANSWER_FROM.text(endpoint)))

    def _failed(self) -> DialFailed:
        for endpoint, lane in self._lanes.items():
            if lane.unanswered:
                self._silent(endpoint)
            elif not lane.exhausted:
                self._note(endpoint, EndpointFailure(Finding.NO_NAME, Reason.NAME_SILENT.text(endpoint.host, "")))
        return DialFailed(self._results(self._failures))

    def _results(self, over: Iterable[Endpoint]) -> DialResults:
        """over: those endpoints of which it is settled what became of the dial."""
        return DialResults({endpoint: self._failures[endpoint] for endpoint in over if endpoint in self._failures},
                           {endpoint: lane.addresses for endpoint, lane in self._lanes.items()}, dict(self._named))


def _dead_way(endpoint: Endpoint) -> EndpointFailure:
    return EndpointFailure(Finding.NO_WAY, Reason.NO_WAY.text(f"{endpoint} (the interface that leads there is dead)"))
