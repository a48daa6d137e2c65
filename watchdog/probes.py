"""Bounded questions to whatever a connection to the cloud needs: gateway, name server, endpoints, reference hosts.

Rules:
  1. A round takes ``timeout`` at most, and ends as soon as everything answered.
  2. Any answer proves a host, a refusal (RST) too. Nothing is ever sent on a connection that opened.
  3. Names are asked as little as possible: an endpoint's last known addresses are dialed beside a fresh lookup.
  4. No privilege is needed: the gateway is asked by unprivileged ICMP where the kernel allows that, else by TCP.
  5. A gateway may heed neither and be there all the same; then it has to answer the kernel on the link. But the kernel
     takes a neighbour for reachable up to 45 s after its last answer: only an answer during a round is one. A gateway
     seen to be mute like this is taken to be there until the kernel asks it in vain.
"""
import errno
import os
import selectors
import socket
import struct
import threading
import time
from pathlib import Path
from typing import NamedTuple

from econduit_terminal.watchdog import neighbours
from econduit_terminal.watchdog.names import Names, is_address, is_local, is_loopback
from econduit_terminal.watchdog.orders import Target
from econduit_terminal.watchdog.state import Route, State
from econduit_terminal.watchdog.verdict import CLOSED, OPEN, SILENT, UNREACHABLE, UNTRIED, Answers, bind, way

RESOLV_CONF = Path("/etc/resolv.conf")
GATEWAY_PORT, DNS_PORT = 80, 53
MOST_SERVERS = 3

_ECHO_REQUEST, _ECHO_REQUEST_6 = 8, 128
_NO_WAY = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.ENODEV})
_BEST_FIRST = (OPEN, CLOSED, UNREACHABLE, SILENT)


class Plan(NamedTuple):
    """What one round asks. ``others``: usable interfaces beside the one that a dial takes. ``over``: that one, where
    the kernel would choose a dead one."""

    gateway: Route | None
    endpoints: tuple[Target, ...]
    references: tuple[Target, ...] = ()
    others: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    over: str | None = None


def plan(state: State, endpoints: tuple[Target, ...], references: tuple[Target, ...]) -> Plan:
    """What is worth asking in this state."""
    route = way(state)
    others = tuple(one.name for one in state.usable if route is None or one.name != route.interface)
    return Plan(route, endpoints, references, others, name_servers(), bind(state))


def name_servers(file: Path = RESOLV_CONF) -> tuple[str, ...]:
    """The addresses of the name servers in use."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    words = (line.split() for line in lines)
    servers = (word[1] for word in words if len(word) > 1 and word[0] == "nameserver")
    return tuple(server for server in servers if is_address(server))[:MOST_SERVERS]


class Prober:
    """Asks, one round after the other, and remembers what the next round is to know: the addresses of names, and the
    gateway that heeds no question although it is there (rule 5)."""

    def __init__(self, names: Names | None = None):
        self.names = Names() if names is None else names
        self.mute: tuple[str, str] | None = None

    def ask(self, plan: Plan, timeout: float) -> Answers:
        """One round, blocking for ``timeout`` seconds at most."""
        return Round(self, plan, timeout).run()


class Round:
    """The questions of one round and what came back. ``tried``: (subject, host, port, interface) → outcome."""

    def __init__(self, prober: Prober, plan: Plan, timeout: float):
        self._prober = prober
        self._plan = plan
        self._names = prober.names
        self._timeout = timeout
        self._selector = selectors.DefaultSelector()
        self._bell: int | None = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._ringing = threading.Lock()
        self._tried: dict[tuple, str] = {}
        self._lookups: dict[str, object] = {}

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
                        self._answered(key.fileobj, key.data)
                self._dial_names()
            return self._answers()
        finally:
            self._close()

    def _start(self) -> None:
        hosts = dict.fromkeys(endpoint.host for endpoint in (*self._plan.endpoints, *self._plan.references))
        for host in hosts:
            if not is_address(host):
                self._lookups[host] = self._names.start(host, self._ring)
        if self._plan.gateway is not None and self._plan.gateway.gateway:
            self._ask_gateway(self._plan.gateway)
        for server in self._plan.resolvers:
            self._dial("resolver", server, DNS_PORT, None if is_loopback(server) else self._plan.over)
        self._dial_names()

    def _ring(self) -> None:
        with self._ringing:
            if self._bell is not None:      # else a lookup that outlived its round
                os.eventfd_write(self._bell, 1)

    def _dial_names(self) -> None:
        """Dial every address known by now of everything that has a name or an address."""
        for kind, targets in (("endpoint", self._plan.endpoints), ("reference", self._plan.references)):
            for target in targets:
                for address in self._addresses(target.host):
                    self._dial((kind, target), address, target.port, self._plan.over)
                    for interface in self._plan.others:
                        self._dial(("other", interface), address, target.port, interface)

    def _addresses(self, host: str) -> tuple[str, ...]:
        if is_address(host):
            return (host,)
        fresh = self._lookups[host].addresses
        return fresh or self._names.known(host)

    def _dial(self, subject, host: str, port: int, interface: str | None = None) -> None:
        key = (subject, host, port, interface)
        if key in self._tried:
            return
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        scope = _scope(interface) if host.startswith("fe80:") else 0
        where = (host, port, 0, scope) if family == socket.AF_INET6 else (host, port)
        dialed = None
        try:
            dialed = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            if interface:
                dialed.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            code = dialed.connect_ex(where)
        except OSError as error:
            code = error.errno
        if code == errno.EINPROGRESS:
            self._tried[key] = SILENT
            self._selector.register(dialed, selectors.EVENT_WRITE, key)
            return
        self._tried[key] = _outcome(code)
        if dialed is not None:
            dialed.close()

    def _ask_gateway(self, route: Route) -> None:
        family, protocol, kind = socket.AF_INET, socket.IPPROTO_ICMP, _ECHO_REQUEST
        where = (route.gateway, 0)
        if route.family == 6:
            family, protocol, kind = socket.AF_INET6, socket.IPPROTO_ICMPV6, _ECHO_REQUEST_6
            where = (route.gateway, 0, 0, _scope(route.interface))
        key = ("gateway", route.gateway, None, None)
        asker = None
        try:
            asker = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
            asker.connect(where)
            asker.send(struct.pack("!BBHHH", kind, 0, 0, 0, 1))
        except PermissionError:
            self._dial("gateway", route.gateway, GATEWAY_PORT, route.interface)
        except OSError as error:
            self._tried[key] = _outcome(error.errno)
        else:
            self._tried[key] = SILENT
            self._selector.register(asker, selectors.EVENT_READ, key)
            return
        if asker is not None:
            asker.close()

    def _answered(self, asked: socket.socket, key: tuple) -> None:
        self._selector.unregister(asked)
        code = asked.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._tried[key] = _outcome(code)
        asked.close()

    def _waiting(self) -> bool:
        """Whether an answer to come could still tell something new. What already answered need not answer twice."""
        if any(lookup.addresses is None for lookup in self._lookups.values()):
            return True
        pending = {key.data[0] for key in self._selector.get_map().values() if key.data is not None}
        return any(self._best(subject) not in (OPEN, CLOSED) for subject in pending)

    def _best(self, *subjects) -> str | None:
        outcomes = [outcome for key, outcome in self._tried.items() if key[0] in subjects]
        return next((outcome for outcome in _BEST_FIRST if outcome in outcomes), None)

    def _answers(self) -> Answers:
        resolver = self._best("resolver")
        answering = [key[1] for key, outcome in self._tried.items()
                     if key[0] == "resolver" and outcome in (OPEN, CLOSED)]
        hosts = {endpoint.host for endpoint in self._plan.endpoints} & self._lookups.keys()
        references = self._best(*(("reference", host) for host in self._plan.references))
        elsewhere = [name for name in self._plan.others if self._best(("other", name)) in (OPEN, CLOSED)]
        return Answers(
            gateway=self._gateway(),
            names=all(self._lookups[host].addresses for host in hosts) if hosts else None,
            resolver=None if resolver is None else bool(answering),
            resolver_outside=not all(map(is_local, answering or self._plan.resolvers)),
            endpoints=tuple((one.name, self._best(("endpoint", one)) or UNTRIED) for one in self._plan.endpoints),
            references=None if references is None else references in (OPEN, CLOSED),
            elsewhere=elsewhere[0] if elsewhere else None,
            denied=any(self._lookups[host].denied for host in hosts),
        )

    def _gateway(self) -> bool | None:
        outcome = self._best("gateway")
        if outcome is None:
            return None
        if outcome in (OPEN, CLOSED):
            return True
        who = self._plan.gateway.interface, self._plan.gateway.gateway
        entry = neighbours.find(*who)
        if entry is None or entry.state & neighbours.NUD_FAILED:
            return False
        if entry.state & neighbours.NUD_REACHABLE and entry.heard < self._timeout:
            self._prober.mute = who     # it answered the kernel just now, but not us
        return self._prober.mute == who

    def _close(self) -> None:
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.fileobj.close()
        self._selector.close()
        with self._ringing:
            os.close(self._bell)
            self._bell = None


def _outcome(code: int) -> str:
    if code == 0:
        return OPEN
    if code == errno.ECONNREFUSED:
        return CLOSED
    return UNREACHABLE if code in _NO_WAY else SILENT


def _scope(interface: str | None) -> int:
    try:
        return socket.if_nametoindex(interface) if interface else 0
    except OSError:
        return 0
