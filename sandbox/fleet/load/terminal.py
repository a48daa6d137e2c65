"""One terminal of a fleet: dials, registers, serves, waits, by the product's own Policy and records.

It is the life of `agent.cloud.link`, without what needs a terminal's own network: no watchdog, no names, no liveness
check. The connection is one greenlet's; the terminal ends when that is killed.
"""
import random
import socket as std
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import gevent

from econduit_terminal.agent.cloud.endpoints import Address, Endpoints, PastRegistration
from econduit_terminal.agent.cloud.policy import BY_THE_CLOUD, ON_PURPOSE, Cause, Evidence, Finding, Policy
from econduit_terminal.agent.wire import dialect
from econduit_terminal.agent.wire.session import Session, Timing
from econduit_terminal.conf.schema import Settings
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.sandbox.fleet.load import connection
from econduit_terminal.sandbox.fleet.load.application import Application
from econduit_terminal.sandbox.fleet.load.connection import Connection, Ended, Return
from econduit_terminal.sandbox.fleet.load.dial import Exhausted, NotOpened, Opened, Target, dial

NETWORK = NetworkReport()
"""What the terminals' watchdogs say: nothing."""
EXHAUSTED_AGAIN = 5.0
"""Seconds until a terminal is dialed again for which this machine had no room."""


class Witness(connection.Witness, Protocol):
    """Who is told what happens to the terminal. Times in seconds."""

    def registered(self, seconds: float) -> None:
        """OK-REGISTRATION came, so long after Register."""

    def dialed(self, endpoint: Endpoint, seconds: float, failure: str | None) -> None:
        """A dial is over; why it was in vain there, None where it opened."""

    def not_registered(self, seconds: float, failure: str) -> None:
        """A connection ended without a registration, so long after it was open."""

    def lost(self, failure: str) -> None:
        """A registered connection is over, and nobody here wanted that."""

    def exhausted(self, text: str) -> None:
        """This machine has no room for the connection; the text says what to do."""


@dataclass(frozen=True)
class Role:
    """What all terminals of a process have in common. latency: the payment application's, in seconds."""
    settings: Settings
    addresses: Mapping[Endpoint, Address]
    latency: float


class Terminal:
    """`source`: the local address that it dials from; None: the system's choice."""

    def __init__(self, terminal_id: str, role: Role, witness: Witness, source: str | None = None):
        self.id = terminal_id
        self.online = False
        self.application = Application(role.latency)
        self._role, self._witness, self._source = role, witness, source
        said = role.settings.terminal
        self._registration = dialect.register(said.type or "Load", said.model or "Load", terminal_id,
                                              said.software_version or "econduit-fleet",
                                              role.settings.registration.ack_heartbeat)
        endpoints = tuple(role.addresses)
        self._records = Endpoints(endpoints)
        self._policy: Policy[Endpoint] = Policy(role.settings.reconnect, random.random, endpoints)
        self._socket: Any = None

    @property
    def idle(self) -> bool:
        """Registered, and no transaction in progress."""
        return self.online and not self.application.busy

    def cut(self) -> None:
        """Ends the connection as if the cloud had."""
        if self._socket is not None and self.online:
            self._socket.shutdown(std.SHUT_RDWR)

    def run(self) -> None:
        """Until the greenlet is killed."""
        try:
            opened, moved = self._dial(), False
            while True:
                successor = self._use(opened, moved)
                if successor is None:
                    gevent.sleep(self._policy.wait(time.monotonic()))
                    opened, moved = self._dial(), False
                else:
                    opened, moved = successor, True
        finally:
            self.online = False
            if self._socket is not None:
                self._socket.close()

    def _dial(self) -> Opened | NotOpened:
        now = time.monotonic()
        targets = [Target(endpoint, self._role.addresses[endpoint], self._policy.delay(endpoint, now))
                   for endpoint in self._records.order()]
        while True:
            try:
                opened = dial(targets, self._role.settings.reconnect, self._source)
            except Exhausted as lack:
                self._witness.exhausted(str(lack))
                gevent.sleep(EXHAUSTED_AGAIN * (0.5 + random.random()))
                continue
            self._learn(opened)
            return opened

    def _learn(self, opened: Opened | NotOpened) -> None:
        for endpoint, found in opened.met.items():
            self._records.not_opened(endpoint, found.finding, found.finding.value)
            self._witness.dialed(endpoint, opened.seconds, found.finding.value)
        if isinstance(opened, Opened):
            self._witness.dialed(opened.endpoint, opened.seconds, None)

    def _use(self, opened: Opened | NotOpened, moved: bool) -> Opened | None:
        """Registers and serves, or counts the failure. Returns the connection that this one was left for."""
        if isinstance(opened, NotOpened):
            now = time.monotonic()
            met = {endpoint: replace(self._evidence(endpoint, found.finding), ago=now - found.at)
                   for endpoint, found in opened.met.items()}
            self._policy.ended(met, NETWORK, now, dialed_for=opened.seconds)
            return None
        self._socket = opened.socket
        link = Connection(opened.socket, self._session(opened.endpoint, moved), self.application,
                          self._witness, partial(self._registered, opened.endpoint), self._return(opened.endpoint))
        began = time.monotonic()
        try:
            ended = link.run()
        finally:
            self._socket, self.online = None, False
            opened.socket.close()
        if ended.registered_for is None:
            self._witness.not_registered(time.monotonic() - began, ended.reason)
        elif ended.finding is not Finding.ASKED:
            self._witness.lost(ended.reason)
        self._records[opened.endpoint].terminates |= link.session.terminates
        self._over(opened, ended, moved)
        return ended.successor

    def _session(self, endpoint: Endpoint, moved: bool) -> Session:
        settings = self._role.settings
        timing = Timing(self._records.answer_time(endpoint, settings.registration.timeout, moved=moved),
                        self._records.interval(endpoint, settings.heartbeat.interval), settings.heartbeat.ack_timeout,
                        settings.transactions.frame_gap, settings.transactions.patience)
        return Session(self._registration, ack=settings.registration.ack_heartbeat, timing=timing,
                       max_message=settings.transactions.max_message, random=random.random,
                       terminates=self._records[endpoint].terminates)

    def _return(self, endpoint: Endpoint) -> Return | None:
        """Back to the primary; None where this is the primary."""
        primary = self._records.configured[0]
        if endpoint == primary:
            return None
        target = Target(primary, self._role.addresses[primary])
        rules = self._role.settings.reconnect
        return Return(self._records.move_after(primary, rules.primary_retry),
                      lambda: self._dial_beside(target))

    def _dial_beside(self, target: Target) -> Opened | NotOpened:
        try:
            return dial([target], self._role.settings.reconnect, self._source)
        except Exhausted as lack:
            self._witness.exhausted(str(lack))
            return NotOpened(0.0, {})

    def _registered(self, endpoint: Endpoint, seconds: float) -> None:
        self.online = True
        self._records.registered(endpoint, None, time.monotonic())
        self._witness.registered(seconds)

    def _over(self, opened: Opened, ended: Ended, moved: bool) -> None:
        """A connection's end, into the records and the policy (see `agent.cloud.link`)."""
        endpoint, registered = opened.endpoint, ended.registered_for is not None
        stable_after = self._role.settings.reconnect.stable_after
        met = {endpoint: self._evidence(endpoint, ended.finding, registered)}
        if not registered:
            self._records.not_registered(endpoint, None, ended.finding, ended.reason, moved=moved)
            met |= {other: self._evidence(other, found.finding) for other, found in opened.met.items()}
        elif ended.finding not in ON_PURPOSE:
            self._records.ended(endpoint, PastRegistration(ended.registered_for or 0.0, ended.idle), moved=moved,
                                by_the_cloud=ended.finding in BY_THE_CLOUD, stable_after=stable_after)
        wait = self._policy.ended(met, NETWORK, time.monotonic(), registered_for=ended.registered_for)
        if registered and wait.causes[endpoint] is Cause.CROWDED:
            self._records.crowded(endpoint)

    def _evidence(self, endpoint: Endpoint, finding: Finding, registered: bool = False) -> Evidence:
        return Evidence(finding, registered, others_answer=self._records.others_answer(endpoint))
