"""The connection's life: dial, register, serve, learn why it ended, wait, dial.

One greenlet runs it all. Those who want something of it (the local API, the watchdog through it, a signal) leave a
command and wake it; commands are idempotent, so that at most one of each ever waits. Every wait in here is a wait for
that wakeup with a deadline.

| phase       | ends with                                                              | next                       |
|-------------|------------------------------------------------------------------------|----------------------------|
| dialing     | a connection; DialFailed; a command (other interface, other settings)  | registering; waiting       |
| registering | OK-REGISTRATION; a refusal; no answer; loss                            | online; waiting            |
| online      | loss, no ack, protocol error, a command, the primary's return          | waiting, or registering    |
| waiting     | its time; the watchdog's or somebody's command                         | dialing                    |

Rules

- `POS Online` is true from OK-REGISTRATION until the first evidence against it: the status turns red before anything
  else is done about a loss.
- What an end means and how long to wait, `policy` says; what is known of each endpoint, `endpoints`; which reason is
  shown, `reasons`; `evaluation` asks them. Here is what happens in time.
- Evidence from outside is checked against this connection: the watchdog names the addresses that died, and only a
  connection from one of them is aborted.
- While a transaction is in progress nothing tears down a connection that still works: a return to the primary, a
  reconnect that somebody asked for and new settings wait until the terminal is idle.
- A terminal is never registered twice: before a move, the old connection is ended and the cloud's end of it awaited.
- The first dial after a return of the network shows no reason that the next moment disproves: names and routes come one
  by one.
"""
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from econduit_terminal.agent.wire.session import Session, Timing
from econduit_terminal.conf.schema import Settings
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Outcome, Phase
from econduit_terminal.process.logs import clean

from . import announcer, conversation, redial_wait
from .announcer import Announcer
from .connect import prepare
from .connection import Connection
from .conversation import Conversation
from .dial_plan import DialPlan
from .dialed import Dialed, DialFailed
from .dialer import Dialer
from .ended import Ended
from .endpoints import Endpoints, PastRegistration
from .evaluation import Evaluation
from .foreground_dial import ForegroundDial
from .link_commands import LinkCommands
from .liveness import Rules
from .policy import Cause, Finding, Policy, Wait
from .primary_return import Move
from .redial_wait import RedialWait

log = logging.getLogger(__name__)


class StatusStore(announcer.StatusStore, conversation.StatusStore, redial_wait.StatusStore, Protocol):
    """What is shown of the whole."""


class Link:
    """Keeps one terminal registered.

    registration: the Register message. transactions: where requests go and answers come from
    (transactions.processor.Processor).
    """

    def __init__(self, settings: Settings, registration: bytes, store: StatusStore,
                 transactions: conversation.Transactions, policy: Policy[Endpoint], dialer: Dialer | None = None):
        self._settings = settings
        self._registration = registration
        self._store = store
        self._transactions = transactions
        self._policy = policy
        self._dialer = dialer or Dialer(settings)
        self._records = Endpoints(settings.cloud.endpoints)
        self._plan = DialPlan(self._dialer, self._records, policy)
        self._announcer = Announcer(store, self._records)
        policy.endpoints = settings.cloud.endpoints
        self._rules = Rules(settings.reconnect.doubt_after, settings.reconnect.keepalive_idle)
        self._commands = LinkCommands()
        self._evaluation = Evaluation(self._records, self._plan, self._announcer, policy)
        self._foreground_dial = ForegroundDial(self._commands, self._plan, self._records, lambda: self._network)
        self._redial_wait = RedialWait(self._commands, policy, store)
        self._network = NetworkReport()
        self._connection: Connection | None = None
        self._dialed: Dialed | None = None          # what it came from
        self._frozen: Connection | None = None      # aborted; closed when its address works again
        self._conversation: Conversation | None = None
        self._answer_time = 0.0

    # -- commands: from any greenlet, they return at once ----------------------------------------------------------

    def network(self, report: NetworkReport) -> None:
        """Take a report of the watchdog (POST /network): abort, verify, dial and bind as it says."""
        before, self._network = self._network, report
        if self._records.on_network(report.network):
            log.info("another network: what was known of the endpoints is forgotten")
            self._forget()
        self._close_frozen()
        if self._connection is not None:
            self._announcer.network(self._network)
            self._commands.abort = self._network.lost.get(self._connection.local_address) or self._commands.abort
            self._commands.verify |= self._network.verify
        else:
            self._announcer.network(self._network, better=self._take_hint(before))
            self._announcer.offline()
        self._commands.wakeup.set()

    def forget_network(self) -> None:
        """The watchdog is silent: what it said last says nothing about now."""
        self._network = NetworkReport()
        self._announcer.network(self._network)
        if self._connection is None:
            self._announcer.offline()
        self._close_frozen()

    def verify(self) -> None:
        """Send a heartbeat now, or as soon as the terminal is idle."""
        self._commands.verify = True
        self._commands.wakeup.set()

    def reconnect(self, reason: str) -> None:
        """Leave the connection as soon as the terminal is idle, and dial again; while there is none, dial now."""
        self._commands.leave = reason
        self._commands.dial = True
        self._commands.wakeup.set()

    def reconfigure(self, settings: Settings, registration: bytes) -> None:
        """Apply new settings. A connection that does not fit them is left as soon as the terminal is idle."""
        before = self._settings
        stale = (registration != self._registration or settings.cloud != before.cloud
                 or settings.transactions.max_message != before.transactions.max_message)
        self._settings, self._registration = settings, registration
        self._dialer.settings = settings
        self._policy.reconnect, self._policy.endpoints = settings.reconnect, settings.cloud.endpoints
        if stale or self._conversation is None or self._connection is None:
            self._records.configure(settings.cloud.endpoints)
            self._forget()
            self.reconnect(Reason.SETTINGS_CHANGED.words)
        else:
            self._conversation.session.timing = self._timing(self._connection.endpoint)
            self._conversation.primary_return.move = self._move(self._connection.endpoint)  # its time runs on
            self._rules.doubt_after = settings.reconnect.doubt_after
            self._rules.keepalive_idle = settings.reconnect.keepalive_idle
            self._connection.retune(lambda sock: prepare(sock, settings.reconnect))
        self._commands.wakeup.set()

    def stop(self) -> None:
        """End the connection in order; `run` returns."""
        self._commands.stop = True
        self._commands.wakeup.set()

    def idle(self) -> None:
        """The terminal became idle: what waited for that is done now."""
        self._commands.wakeup.set()

    # -- the life ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until `stop`. Raises nothing but bugs."""
        self._announcer.endpoints()
        ended: Ended | None = None
        while not self._commands.stop:
            ended = self._attempt(ended)
        if ended and ended.successor:
            ended.successor.socket.close()
        self._close_frozen(anyway=True)
        self._store.offline(Reason.STOPPED.words)

    def _attempt(self, before: Ended | None) -> Ended | None:
        """One dial, one connection if it succeeds, and the wait after it. Returns the connection's end."""
        self._commands.begin()
        if before and before.successor:
            ended, wait = self._converse(before.successor, moved=before.finding is Finding.ASKED)
        else:
            self._close_frozen()
            self._store.phase(Phase.DIALING)
            began = time.monotonic()
            opened = self._foreground_dial.run()
            if opened is None:
                return None
            if isinstance(opened, DialFailed):
                now = time.monotonic()
                wait = self._evaluation.not_opened(opened, self._network, now, dialed_for=now - began)
                self._redial_wait.run(wait, str(opened))
                return None
            ended, wait = self._converse(opened)
        if not ended.successor and not self._commands.stop:
            self._redial_wait.run(wait, ended.reason)
        return ended

    def _dial_in_background(self, endpoints: Sequence[Endpoint], mss: int | None) -> Dialed | DialFailed:
        opened = self._plan.dial(endpoints, self._network, time.monotonic(), background=True, mss=mss)
        self._announcer.endpoints()
        return opened

    def _converse(self, dialed: Dialed, *, moved: bool = False) -> tuple[Ended, Wait]:
        """Register and serve. moved: another connection was left for this one. Returns why it ended, and the wait."""
        endpoint, settings, self._dialed = dialed.endpoint, self._settings, dialed
        self._answer_time = self._records.answer_time(endpoint, settings.registration.timeout, moved=moved)
        session = Session(self._registration, ack=settings.registration.ack_heartbeat, timing=self._timing(endpoint),
                          max_message=settings.transactions.max_message, random=random.random,
                          terminates=self._records[endpoint].terminates)
        connection = Connection(dialed, session.respond)
        log.info("connection %d: open to %s from %s (%s) after %.0f ms", connection.number, endpoint,
                 connection.local_address, connection.interface, 1000 * dialed.seconds)
        self._connection, self._conversation = connection, Conversation(
            connection, session, self._commands, self._store, self._transactions, dial=self._dial_in_background,
            endpoints=[endpoint, *(other for other in self._records.order() if other != endpoint)], rules=self._rules,
            move=self._move(endpoint), registered=lambda: self._registered(dialed), settled=self._calm)
        self._store.phase(Phase.REGISTERING)
        self._commands.dial = self._plan.returning = False
        past = None
        try:
            ended = self._conversation.run()
            if self._conversation.registered_at is not None:
                now = time.monotonic()
                past = PastRegistration(now - self._conversation.registered_at, now - connection.last_data)
            self._evaluation.offline(endpoint, ended, self._network, registered=past is not None)
        finally:
            self._connection = self._conversation = None
            self._transactions.detach(connection)
            if connection.frozen:
                self._close_frozen(anyway=True)
                self._frozen = connection
            else:
                connection.close()
        log.info("connection %d: ended %s: %s", connection.number, "without a registration" if past is None
                 else f"after {past.lasted:.1f} s online", clean(ended.reason))
        self._records[endpoint].terminates |= session.terminates
        self._redial_wait.forget()
        wait = self._evaluation.ended(dialed, ended, past, self._network, time.monotonic(), moved=moved)
        crowded = wait.cause is Cause.CROWDED       # it registers us and falls silent, again and again
        if ended.successor and (crowded or self._commands.leave):   # other settings came meanwhile
            ended.successor.socket.close()
            ended = replace(ended, successor=None)
        return ended, wait

    def _registered(self, dialed: Dialed) -> None:
        self._records.registered(dialed.endpoint, dialed.address, time.monotonic())
        self._announcer.registered()

    def _close_frozen(self, anyway: bool = False) -> None:
        """Reset the connection that was aborted, once its address works again: the cloud then hears of it."""
        if self._frozen and (anyway or self._frozen.local_address not in self._network.lost):
            self._frozen.close()
            self._frozen = None

    def _take_hint(self, before: NetworkReport) -> bool:
        """While there is no connection: what a report says that ends or shortens the wait. True: the network is better,
        or another one."""
        network = self._network
        if network.dial or network.bind != before.bind or (network.usable and not before.usable):
            self._commands.dial = self._plan.returning = True
            return True
        if any(network.addresses.get(endpoint.host) and not before.addresses.get(endpoint.host)
               and self._records[endpoint].outcome is Outcome.NO_NAME for endpoint in self._settings.cloud.endpoints):
            self._commands.dial = True
        elif network.open and not before.open:
            silent = [endpoint for endpoint in self._settings.cloud.endpoints
                      if str(endpoint) in network.open and not self._records.answers(endpoint)]
            self._policy.opened(silent, time.monotonic())
        return False

    def _forget(self) -> None:
        """Nothing is known of the endpoints any more, but of the one that the terminal is registered at."""
        self._policy.wake()
        if self._conversation and self._conversation.registered_at is not None and self._dialed:
            self._records.registered(self._dialed.endpoint, self._dialed.address, self._conversation.registered_at)
        self._plan.name_first = False
        self._announcer.endpoints()
        self._announcer.problems()

    def _calm(self) -> None:
        self._records.settled()
        self._announcer.problems()

    def _timing(self, endpoint: Endpoint) -> Timing:
        settings = self._settings
        return Timing(self._answer_time, self._records.interval(endpoint, settings.heartbeat.interval),
                      settings.heartbeat.ack_timeout, settings.transactions.frame_gap, settings.transactions.patience)

    def _move(self, endpoint: Endpoint) -> Move | None:
        """Back to the primary; None where this is the primary."""
        primary = self._settings.cloud.endpoints[0]
        if endpoint == primary:
            return None
        return Move(primary, self._records.move_after(primary, self._settings.reconnect.primary_retry))
