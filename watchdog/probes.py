"""Bounded questions to what a connection to the cloud needs: gateway, name servers, endpoints, reference hosts.

Rules:
  1. A round takes `timeout` at most, and ends as soon as everything answered.
  2. Any answer proves that a host is there, also a refusal (RST); a router's ICMP in its place does not. Nothing is
     ever sent on a connection that opened.
  3. The last known addresses of a name are dialed beside a fresh lookup. An address that the host cannot have
     (LocalNetwork.implausible) is reported, and not dialed.
  4. The endpoints themselves are dialed only if the plan says so: while the cloud answers the agent, its dial is the
     probe.
  5. No privilege is needed: the gateway is asked by unprivileged ICMP where the kernel allows that, else by TCP.
  6. A gateway may ignore both and work all the same; it still has to answer the kernel on the link. But the kernel
     takes a neighbour for reachable up to 45 s after its last answer, so that only an answer during a round counts. A
     gateway that was found to be mute like this counts as there until the kernel looks for it in vain.
"""
import errno
import os
import selectors
import socket
import threading
import time
from enum import Enum, auto
from typing import NamedTuple

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Outcome
from econduit_terminal.process.addresses import is_address

from . import dns, neighbours, sockets
from .addresses import is_loopback
from .probe_plan import Plan
from .probe_results import ALIVE, EndpointResult, NameResult, ProbeResults, ServerResult
from .resolver import Lookup, Resolver

GATEWAY_PORT, DNS_PORT = 80, 53

_BEST_FIRST = (Outcome.OPEN, Outcome.REFUSED, Outcome.REJECTED, Outcome.NO_WAY, Outcome.SILENT)

class Prober:
    """Asks round after round, and keeps what the next one needs: the addresses of names, and the gateway that is mute
    although it is there (rule 6)."""

    def __init__(self, resolver: Resolver | None = None):
        self.resolver = resolver or Resolver()
        self.mute: tuple[str, str] | None = None

    def ask(self, plan: Plan, timeout: float) -> ProbeResults:
        """One round, blocking for `timeout` seconds at most."""
        return Round(self, plan, timeout).run()


class About(Enum):
    """What a question is about. INTERFACE: whether one beside the one that a dial takes leads to an endpoint."""

    GATEWAY = auto()
    SERVER = auto()
    REFERENCE = auto()
    ENDPOINT = auto()
    INTERFACE = auto()


Subject = tuple[About, Endpoint | str]
THE_GATEWAY: Subject = (About.GATEWAY, "")


class Asked(NamedTuple):
    """A question that was sent. `number`: that of a question to a name server."""

    socket: socket.socket
    subject: Subject
    address: str
    number: int = 0


class Round:
    """The questions of one round and what came back. `_found`: subject → address → (outcome, offender)."""

    def __init__(self, prober: Prober, plan: Plan, timeout: float):
        self._prober = prober
        self._plan = plan
        self._resolver = prober.resolver
        self._resolver.local = plan.local
        self._timeout = timeout
        self._selector = selectors.DefaultSelector()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._ringing, self._over = threading.Lock(), False
        self._found: dict[Subject, dict[str, tuple[Outcome, str | None]]] = {}
        self._server_answers: dict[str, str] = {}
        self._lookups: dict[str, Lookup] = {}

    def run(self) -> ProbeResults:
        deadline = time.monotonic() + self._timeout
        self._selector.register(self._bell, selectors.EVENT_READ)
        try:
            self._start()
            while self._waiting() and (left := deadline - time.monotonic()) > 0:
                for key, _ in self._selector.select(left):
                    if key.data is None:
                        os.eventfd_read(self._bell)
                    else:
                        self._answered(key.data)
                self._dial_names()
            return self._results()
        finally:
            self._close()

    def _start(self) -> None:
        hosts = list(dict.fromkeys(endpoint.host for endpoint in (*self._plan.endpoints, *self._plan.references)))
        named = [host for host in hosts if not is_address(host)]
        for host in named:
            self._lookups[host] = self._resolver.start(host, self._ring)
        if self._plan.gateway is not None and self._plan.gateway.gateway:
            self._ask_gateway(self._plan.gateway.gateway, self._plan.gateway.interface)
        for server in self._plan.servers:
            over = None if is_loopback(server) else self._plan.over
            self._dial((About.SERVER, server), server, DNS_PORT, over)
            if named:
                self._question(server, named[0], over)
        self._dial_names()

    def _ring(self) -> None:
        with self._ringing:
            if not self._over:      # else a lookup that outlived its round
                os.eventfd_write(self._bell, 1)

    def _dial_names(self) -> None:
        """Dial every address that is known by now."""
        for endpoint in self._plan.references:
            for address in self._far(endpoint):
                self._dial((About.REFERENCE, endpoint), address, endpoint.port, self._plan.over)
        for endpoint in self._plan.endpoints if self._plan.dial else ():
            for address in self._addresses(endpoint.host):
                self._dial((About.ENDPOINT, endpoint), address, endpoint.port, self._plan.over)
                for interface in self._plan.others:
                    self._dial((About.INTERFACE, interface), address, endpoint.port, interface)

    def _addresses(self, host: str) -> tuple[str, ...]:
        """Those that the host can have: from the fresh lookup, else those known before."""
        if is_address(host):
            return (host,)
        return self._plan.local.plausible(host, self._lookups[host].addresses or ()) or self._resolver.known(host)

    def _far(self, reference: Endpoint) -> tuple[str, ...]:
        """The addresses of a reference host whose answer proves something."""
        return tuple(address for address in self._addresses(reference.host) if not self._plan.local.holds(address))

    def _dial(self, subject: Subject, address: str, port: int, interface: str | None) -> None:
        if address in self._found.setdefault(subject, {}):
            return
        code, dialed = 0, None
        try:
            dialed = sockets.open_socket(address, socket.SOCK_STREAM, interface, on_link=subject == THE_GATEWAY)
            code = dialed.connect_ex(sockets.socket_address(address, port, interface))
        except OSError as error:
            code = error.errno or errno.EIO
        if code == errno.EINPROGRESS and dialed is not None:
            self._wait_for(selectors.EVENT_WRITE, Asked(dialed, subject, address))
            return
        self._found[subject][address] = ((Outcome.NO_WAY, None) if dialed is None
                                         else sockets.outcome_of(dialed, code, address))
        if dialed is not None:
            dialed.close()

    def _question(self, server: str, host: str, interface: str | None) -> None:
        number = 1 + int.from_bytes(os.urandom(2)) % 0xFFFF
        asked = None
        try:
            asked = sockets.open_socket(server, socket.SOCK_DGRAM, interface)
            asked.connect(sockets.socket_address(server, DNS_PORT, interface))
            asked.send(dns.question(number, host))
        except (OSError, ValueError):
            if asked is not None:
                asked.close()
        else:
            self._wait_for(selectors.EVENT_READ, Asked(asked, (About.SERVER, server), server, number))

    def _ask_gateway(self, address: str, interface: str) -> None:
        try:
            asked = sockets.echo_request(address, interface)
        except PermissionError:
            self._dial(THE_GATEWAY, address, GATEWAY_PORT, interface)
        except OSError:
            self._found.setdefault(THE_GATEWAY, {})[address] = Outcome.NO_WAY, None
        else:
            self._wait_for(selectors.EVENT_READ, Asked(asked, THE_GATEWAY, address))

    def _wait_for(self, event: int, asked: Asked) -> None:
        self._found.setdefault(asked.subject, {}).setdefault(asked.address, (Outcome.SILENT, None))
        self._selector.register(asked.socket, event, asked)

    def _answered(self, asked: Asked) -> None:
        code = asked.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if asked.number and code == 0:
            try:
                answer = dns.read_answer(asked.number, asked.socket.recv(4096))
            except OSError as error:
                code = error.errno or errno.EIO
            else:
                if answer is None:
                    return      # not to this question: its answer may follow
                self._server_answers[asked.address] = answer
        self._selector.unregister(asked.socket)
        known = self._found[asked.subject]
        met = sockets.outcome_of(asked.socket, code, asked.address), known[asked.address]
        known[asked.address] = min(met, key=lambda one: _BEST_FIRST.index(one[0]))
        asked.socket.close()

    def _waiting(self) -> bool:
        """Whether an answer that is still to come could tell something new."""
        if any(lookup.addresses is None for lookup in self._lookups.values()):
            return True
        named = all(self._name(host).answered for host in self._lookups)
        return any(not self._alive(asked.subject) or (asked.number and not named)
                   for asked in (key.data for key in self._selector.get_map().values()) if asked is not None)

    def _best(self, subject: Subject) -> Outcome | None:
        outcomes = [outcome for outcome, _ in self._found.get(subject, {}).values()]
        return next((outcome for outcome in _BEST_FIRST if outcome in outcomes), None)

    def _results(self) -> ProbeResults:
        plan = self._plan
        hosts = [host for host in dict.fromkeys(one.host for one in plan.endpoints) if host in self._lookups]
        return ProbeResults(
            gateway=self._gateway(),
            names=tuple(map(self._name, hosts)),
            servers=tuple(map(self._server, plan.servers)),
            endpoints=tuple(map(self._endpoint, plan.endpoints)),
            references=tuple((str(one), self._alive((About.REFERENCE, one))) for one in plan.references
                             if self._far(one)),        # else it was not asked
            reachable_over=next((name for name in plan.others if self._alive((About.INTERFACE, name))), None),
        )

    def _alive(self, subject: Subject) -> bool:
        return self._best(subject) in ALIVE

    def _server(self, address: str) -> ServerResult:
        return ServerResult(address, self._alive((About.SERVER, address)), self._server_answers.get(address),
                            self._plan.local.is_beyond(address))

    def _name(self, host: str) -> NameResult:
        lookup, local = self._lookups[host], self._plan.local
        fresh = lookup.addresses or ()
        whys = [why for why in (local.implausible(host, address) for address in fresh) if why]
        plausible = local.plausible(host, fresh)
        return NameResult(host, plausible or self._resolver.known(host), bool(plausible),
                          whys[0] if whys and not plausible else None, lookup.denied)

    def _endpoint(self, endpoint: Endpoint) -> EndpointResult:
        found = self._found.get((About.ENDPOINT, endpoint), {})
        best = self._best((About.ENDPOINT, endpoint))
        if best is None:
            addresses = self._addresses(endpoint.host)
            return EndpointResult(endpoint, Outcome.UNTRIED if addresses else Outcome.NO_NAME, addresses)
        those = [address for address, (outcome, _) in found.items() if outcome is best]
        return EndpointResult(endpoint, best, tuple(those), offender=found[those[0]][1], probed=True)

    def _gateway(self) -> bool | None:
        outcome, route = self._best(THE_GATEWAY), self._plan.gateway
        if outcome is None or route is None or route.gateway is None:
            return None
        if outcome in ALIVE or self._alive((About.SERVER, route.gateway)):
            return True
        who = route.interface, route.gateway
        entry = neighbours.find(*who)
        if entry is None or entry.state & neighbours.NUD_FAILED:
            return False
        if entry.state & neighbours.NUD_REACHABLE and entry.heard < self._timeout:
            self._prober.mute = who     # it answered the kernel just now, but not us
        return self._prober.mute == who

    def _close(self) -> None:
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.socket.close()
        self._selector.close()
        with self._ringing:
            os.close(self._bell)
            self._over = True
