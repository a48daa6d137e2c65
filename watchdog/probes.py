"""Bounded questions to whatever a connection to the cloud needs: gateway, name servers, endpoints, reference hosts.

Rules:
  1. A round takes ``timeout`` at most, and ends as soon as everything answered.
  2. Any answer proves a host, a refusal (RST) too; a router's ICMP in its place does not. Nothing is ever sent on a
     connection that opened.
  3. Names are asked as little as possible: an endpoint's last known addresses are dialed beside a fresh lookup. Where
     the answer is an address that cannot be the endpoint's (Nearby.disbelieved) that is said, and not dialed.
  4. The endpoints themselves are dialed only if the plan says so: while the cloud answers the agent, its dial is the
     probe.
  5. No privilege is needed: the gateway is asked by unprivileged ICMP where the kernel allows that, else by TCP.
  6. A gateway may heed neither and be there all the same; then it has to answer the kernel on the link. But the kernel
     takes a neighbour for reachable up to 45 s after its last answer: only an answer during a round is one. A gateway
     seen to be mute like this is taken to be there until the kernel asks it in vain.
"""
import errno
import os
import selectors
import socket
import threading
import time
from collections.abc import Hashable
from typing import NamedTuple

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Outcome
from econduit_terminal.process import lookups
from econduit_terminal.process.addresses import is_address
from econduit_terminal.watchdog import dns, neighbours, sockets
from econduit_terminal.watchdog.addresses import Nearby, is_loopback
from econduit_terminal.watchdog.answers import ALIVE, Answers, Finding, NameFound, ServerFound
from econduit_terminal.watchdog.names import Lookup, Names
from econduit_terminal.watchdog.state import Route, State
from econduit_terminal.watchdog.verdict import bind, way

GATEWAY_PORT, DNS_PORT = 80, 53
THE_GATEWAY = ("gateway",)

NOWHERE = Nearby()

_BEST_FIRST = (Outcome.OPEN, Outcome.REFUSED, Outcome.REJECTED, Outcome.NO_WAY, Outcome.SILENT)


class Plan(NamedTuple):
    """What one round asks. ``dial``: the endpoints themselves, too, and not only their names. ``others``: usable
    interfaces beside the one that a dial takes. ``over``: that one, where the kernel would choose a dead one."""

    gateway: Route | None
    endpoints: tuple[Endpoint, ...]
    references: tuple[Endpoint, ...] = ()
    others: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    over: str | None = None
    nearby: Nearby = NOWHERE
    dial: bool = True


def plan(state: State, endpoints: tuple[Endpoint, ...], references: tuple[Endpoint, ...], nearby: Nearby = NOWHERE,
         dial: bool = True) -> Plan:
    """What is worth asking in this state."""
    route = way(state)
    others = tuple(one.name for one in state.usable if route is None or one.name != route.interface)
    return Plan(route, endpoints, references, others, lookups.name_servers(), bind(state), nearby, dial)


class Prober:
    """Asks, one round after the other, and remembers what the next round is to know: the addresses of names, and the
    gateway that heeds no question although it is there (rule 6)."""

    def __init__(self, names: Names | None = None):
        self.names = Names() if names is None else names
        self.mute: tuple[str, str] | None = None

    def ask(self, plan: Plan, timeout: float) -> Answers:
        """One round, blocking for ``timeout`` seconds at most."""
        return Round(self, plan, timeout).run()


Subject = tuple[Hashable, ...]
"""What a question is about, such as ("endpoint", which one)."""


class Asked(NamedTuple):
    """A question that was sent: over which socket, about what, to which address, and the number of a name server's
    question."""

    socket: socket.socket
    subject: Subject
    address: str
    number: int = 0


class Round:
    """The questions of one round and what came back. ``_found``: subject → address → (outcome, offender)."""

    def __init__(self, prober: Prober, plan: Plan, timeout: float):
        self._prober = prober
        self._plan = plan
        self._names = prober.names
        self._names.nearby = plan.nearby
        self._timeout = timeout
        self._selector = selectors.DefaultSelector()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._ringing, self._over = threading.Lock(), False
        self._found: dict[Subject, dict[str, tuple[Outcome, str | None]]] = {}
        self._said: dict[str, str] = {}
        self._lookups: dict[str, Lookup] = {}

    def run(self) -> Answers:
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
            return self._answers()
        finally:
            self._close()

    def _start(self) -> None:
        hosts = list(dict.fromkeys(endpoint.host for endpoint in (*self._plan.endpoints, *self._plan.references)))
        named = [host for host in hosts if not is_address(host)]
        for host in named:
            self._lookups[host] = self._names.start(host, self._ring)
        if self._plan.gateway is not None and self._plan.gateway.gateway:
            self._ask_gateway(self._plan.gateway.gateway, self._plan.gateway.interface)
        for server in self._plan.resolvers:
            over = None if is_loopback(server) else self._plan.over
            self._dial(("resolver", server), server, DNS_PORT, over)
            if named:
                self._question(server, named[0], over)
        self._dial_names()

    def _ring(self) -> None:
        with self._ringing:
            if not self._over:      # else a lookup that outlived its round
                os.eventfd_write(self._bell, 1)

    def _dial_names(self) -> None:
        """Dial every address known by now of what is to be dialed."""
        for endpoint in self._plan.references:
            for address in self._addresses(endpoint.host):
                self._dial(("reference", endpoint), address, endpoint.port, self._plan.over)
        for endpoint in self._plan.endpoints if self._plan.dial else ():
            for address in self._addresses(endpoint.host):
                self._dial(("endpoint", endpoint), address, endpoint.port, self._plan.over)
                for interface in self._plan.others:
                    self._dial(("other", interface), address, endpoint.port, interface)

    def _addresses(self, host: str) -> tuple[str, ...]:
        """Those at which the host can stand: the fresh ones, else those known."""
        if is_address(host):
            return (host,)
        return self._plan.nearby.believed(host, self._lookups[host].addresses or ()) or self._names.known(host)

    def _dial(self, subject: Subject, address: str, port: int, interface: str | None) -> None:
        if address in self._found.setdefault(subject, {}):
            return
        code, dialed = 0, None
        try:
            dialed = sockets.opened(address, socket.SOCK_STREAM, interface)
            code = dialed.connect_ex(sockets.where(address, port, interface))
        except OSError as error:
            code = error.errno or errno.EIO
        if code == errno.EINPROGRESS and dialed is not None:
            self._wait_for(selectors.EVENT_WRITE, Asked(dialed, subject, address))
            return
        self._found[subject][address] = ((Outcome.NO_WAY, None) if dialed is None
                                         else sockets.outcome(dialed, code, address))
        if dialed is not None:
            dialed.close()

    def _question(self, server: str, host: str, interface: str | None) -> None:
        number = 1 + int.from_bytes(os.urandom(2)) % 0xFFFF
        asked = None
        try:
            asked = sockets.opened(server, socket.SOCK_DGRAM, interface)
            asked.connect(sockets.where(server, DNS_PORT, interface))
            asked.send(dns.question(number, host))
        except (OSError, ValueError):
            if asked is not None:
                asked.close()
        else:
            self._wait_for(selectors.EVENT_READ, Asked(asked, ("resolver", server), server, number))

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
                said = dns.said(asked.number, asked.socket.recv(4096))
            except OSError as error:
                code = error.errno or errno.EIO
            else:
                if said is None:
                    return      # no answer to this question: the right one may follow
                self._said[asked.address] = said
        self._selector.unregister(asked.socket)
        known = self._found[asked.subject]
        met = sockets.outcome(asked.socket, code, asked.address), known[asked.address]
        known[asked.address] = min(met, key=lambda one: _BEST_FIRST.index(one[0]))
        asked.socket.close()

    def _waiting(self) -> bool:
        """Whether an answer to come could still tell something new. What already answered need not answer twice."""
        if any(lookup.addresses is None for lookup in self._lookups.values()):
            return True
        named = all(self._name(host).answered for host in self._lookups)
        return any(self._best(asked.subject) not in ALIVE or (asked.number and not named)
                   for asked in (key.data for key in self._selector.get_map().values()) if asked is not None)

    def _best(self, *subjects: Subject) -> Outcome | None:
        outcomes = [outcome for subject in subjects for outcome, _ in self._found.get(subject, {}).values()]
        return next((outcome for outcome in _BEST_FIRST if outcome in outcomes), None)

    def _answers(self) -> Answers:
        servers = tuple(ServerFound(server, self._best(("resolver", server)) in ALIVE, self._said.get(server),
                                    self._plan.nearby.is_beyond(server)) for server in self._plan.resolvers)
        elsewhere = [name for name in self._plan.others if self._best(("other", name)) in ALIVE]
        hosts = [host for host in dict.fromkeys(one.host for one in self._plan.endpoints) if host in self._lookups]
        return Answers(
            gateway=self._gateway(),
            names=tuple(map(self._name, hosts)),
            servers=servers,
            endpoints=tuple(map(self._endpoint, self._plan.endpoints)),
            references=tuple((str(one), self._best(("reference", one)) in ALIVE) for one in self._plan.references),
            elsewhere=elsewhere[0] if elsewhere else None,
        )

    def _name(self, host: str) -> NameFound:
        lookup, nearby = self._lookups[host], self._plan.nearby
        fresh = lookup.addresses or ()
        whys = [why for why in (nearby.disbelieved(host, address) for address in fresh) if why]
        believed = nearby.believed(host, fresh)
        return NameFound(host, believed or self._names.known(host), bool(believed),
                         whys[0] if whys and not believed else None, lookup.denied)

    def _endpoint(self, endpoint: Endpoint) -> Finding:
        found = self._found.get(("endpoint", endpoint), {})
        best = self._best(("endpoint", endpoint))
        if best is None:
            addresses = self._addresses(endpoint.host)
            return Finding(endpoint, Outcome.UNTRIED if addresses else Outcome.NO_NAME, addresses)
        those = [address for address, (outcome, _) in found.items() if outcome is best]
        return Finding(endpoint, best, tuple(those), offender=found[those[0]][1], probed=True)

    def _gateway(self) -> bool | None:
        outcome, route = self._best(THE_GATEWAY), self._plan.gateway
        if outcome is None or route is None or route.gateway is None:
            return None
        if outcome in ALIVE or self._best(("resolver", route.gateway)) in ALIVE:
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
