"""The connection's life: dial, register, serve, learn why it ended, wait, dial.

One greenlet runs it all. Whoever wants something of it (the local API, the watchdog through it, a signal) leaves an
order and rings; orders are idempotent, so that at most one of each ever waits. Every wait in here is a wait for that
bell with a deadline.

| phase       | ends with                                                              | next                       |
|-------------|------------------------------------------------------------------------|----------------------------|
| dialing     | a connection; DialFailed; an order (other interface, other settings)   | registering; waiting       |
| registering | OK-REGISTRATION; a refusal; no answer; loss                            | online; waiting            |
| online      | loss, no ack, protocol error, an order, the primary's return           | waiting, or registering    |
| waiting     | its time; the watchdog's or somebody's order                           | dialing                    |

Rules

- `POS Online` is true from OK-REGISTRATION until the first evidence against it: the board turns red before anything
  else is done about a loss.
- Evidence from outside is checked against this connection: the watchdog names the addresses that died, and only a
  connection from one of them is aborted.
- While a transaction is in progress nothing tears down a connection that still works: a return to the primary, a
  reconnect that somebody asked for and new settings wait until the terminal is idle.
- An endpoint that opened but did not register (no answer, closed, TLS) loses its head start to the other at the next
  dial.
- A terminal is never registered twice: before a move, the old connection is ended and the cloud's end of it awaited.
"""
import logging
import random
import time

import gevent

from econduit_terminal.agent.wire.session import Session, Timing
from econduit_terminal.conf.logs import clean

from .connection import Connection
from .conversation import Conversation, Ended, Orders, drop
from .dialer import Dialed, Dialer, DialFailed, Fault, prepare
from .policy import Cause

log = logging.getLogger(__name__)

SAME_AGAIN = 60.0
"""Seconds until the log says again why there is no connection."""


class Link:
    """Keeps one terminal registered.

    settings: conf.settings.Settings. hello: the Register message. board: local.status.Board. transactions: where
    requests go and answers come from (transactions.processor.Processor). policy: cloud.policy.Policy.
    """

    def __init__(self, settings, hello: bytes, board, transactions, policy, dialer: Dialer | None = None):
        self._settings = settings
        self._hello = hello
        self._board = board
        self._transactions = transactions
        self._policy = policy
        self._dialer = dialer or Dialer(settings)
        self._orders = Orders()
        self._report: dict = {}             # the watchdog's last
        self._passed_over = None            # the endpoint that opened last time but did not register
        self._connection: Connection | None = None
        self._parked: Connection | None = None      # aborted; closed when its address works again
        self._conversation: Conversation | None = None
        self._last_reason = "starting"
        self._plan = ""                     # what was dialed last
        self._told = (), 0.0                # why the last dial in the log was waited for, and when that was said

    # -- orders: from any greenlet, they return at once ----------------------------------------------------------

    def network(self, report: dict) -> None:
        """Take a report of the watchdog (POST /network): abort, verify, dial and bind as it says."""
        before, self._report = self._report, report
        self._close_parked()
        if self._connection is not None:
            self._orders.abort = report.get("lost", {}).get(self._connection.local_address) or self._orders.abort
            self._orders.verify |= report.get("verify", False)
        else:
            self._orders.dial |= report.get("dial", False) or report.get("bind") != before.get("bind")
            self._board.offline(self._reason())
        self._orders.bell.set()

    def forget_network(self) -> None:
        """The watchdog is silent: what it said last says nothing about now."""
        self._report = {}
        self._close_parked()

    def verify(self) -> None:
        """Send a heartbeat now, or as soon as the terminal is idle."""
        self._orders.verify = True
        self._orders.bell.set()

    def reconnect(self, reason: str) -> None:
        """Leave the connection as soon as the terminal is idle, and dial anew; while there is none, dial now."""
        self._orders.leave = reason
        self._orders.dial = True
        self._orders.bell.set()

    def reconfigure(self, settings, hello: bytes) -> None:
        """Work by new settings. A connection that they make wrong is left as soon as the terminal is idle."""
        before = self._settings
        stale = (hello != self._hello or settings.cloud != before.cloud
                 or settings.transactions.max_message != before.transactions.max_message)
        self._settings, self._hello = settings, hello
        self._dialer.settings = settings
        self._policy.reconnect = settings.reconnect
        if stale or self._conversation is None:
            self._passed_over = None
            self.reconnect("settings changed")
        else:
            self._conversation.session.timing = self._timing()
            self._conversation.primary_retry = settings.reconnect.primary_retry     # from when it began to run
            self._connection.retune(lambda sock: prepare(sock, settings.reconnect))
        self._orders.bell.set()

    def stop(self) -> None:
        """End the connection in order; `run` returns."""
        self._orders.stop = True
        self._orders.bell.set()

    def idle(self) -> None:
        """The terminal became idle: what waited for that is done now."""
        self._orders.bell.set()

    # -- the life ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until `stop`. Raises nothing but bugs."""
        successor = None
        while not self._orders.stop:
            successor = self._live(successor)
        if successor:
            successor.socket.close()
        self._close_parked(anyway=True)
        self._board.offline("stopped")

    def _live(self, successor: Dialed | None) -> Dialed | None:
        """One dial, one connection if it succeeds, and the wait after it. Returns the next connection if it is open."""
        began = time.monotonic()
        self._orders.begin()
        registered_for, dialed_for = None, 0.0
        opened = successor or self._dial()
        if opened is None:
            return None
        if isinstance(opened, Dialed):
            ended, registered_for = self._converse(opened)
            cause = self._cause_of_end(ended.cause, registered_for is not None)
            self._told = (), 0.0
        else:
            dialed_for = time.monotonic() - began
            self._passed_over = opened.endpoint
            ended = Ended(Cause.PATH, str(opened))
            cause = self._cause_of_failure(opened.faults)
            self._show(ended.reason)
        if ended.successor or self._orders.stop:
            return ended.successor
        if cause is Cause.REJECTED:
            log.warning("the cloud does not know this terminal's type: correct terminal.type in the settings and have "
                        "them read again, or ask eConduit to add it")
        wait = self._policy.ended(cause, registered_for=registered_for, dialed_for=dialed_for)
        why = (cause, *sorted(ended.reason.split("; ")))
        log.log(self._loudness(why), "next dial in %.2f s: %s (%s, failures in a row: %d)",
                wait.seconds, clean(ended.reason), cause.value, wait.attempt)
        self._pause(wait.seconds)
        return None

    def _loudness(self, why: tuple) -> int:
        """INFO for what is new, and for the same again once a minute: an outage of a night must not push the day before
        out of the log, which has a limit."""
        now = time.monotonic()
        if why == self._told[0] and now < self._told[1] + SAME_AGAIN:
            return logging.DEBUG
        self._told = why, now
        return logging.INFO

    def _dial(self) -> Dialed | DialFailed | None:
        """An open connection or why there is none; None when an order made this dial pointless."""
        cloud = self._settings.cloud
        endpoints = [endpoint for endpoint in (cloud.primary, cloud.secondary) if endpoint]
        if self._passed_over in endpoints:
            endpoints.sort(key=lambda endpoint: endpoint == self._passed_over)
        self._close_parked()
        way = _way(self._report)
        interface = self._report.get("bind")
        self._board.phase("dialing")
        plan = ", then ".join(map(str, endpoints)) + (f" over {interface}" if interface else "")
        if plan != self._plan:      # once, not every second of a long outage: the log has a limit
            log.info("dialing %s", plan)
        self._plan = plan
        dialing = gevent.spawn(self._open, endpoints, interface)
        dialing.link(lambda _: self._orders.bell.set())
        try:
            while not dialing.ready():
                self._orders.bell.wait()        # bounded: the dial ends by itself and rings
                self._orders.bell.clear()
                if self._orders.stop or self._orders.leave or _way(self._report) != way:
                    return None
            opened, dialing = dialing.get(), None
            return opened
        finally:
            drop(dialing)

    def _converse(self, dialed: Dialed) -> tuple[Ended, float | None]:
        """Register and serve. Returns why it ended, and for how many seconds it was registered (None: never)."""
        settings, primary = self._settings, self._settings.cloud.primary
        session = Session(self._hello, ack=settings.registration.ack_heartbeat, timing=self._timing(),
                          max_message=settings.transactions.max_message, random=random.random)
        connection = Connection(dialed, session.respond)
        log.info("connection %d: open to %s from %s (%s) after %.0f ms", connection.number, connection.endpoint,
                 connection.local_address, connection.interface, 1000 * dialed.seconds)
        self._connection, self._conversation = connection, Conversation(
            connection, session, self._orders, self._board, self._transactions,
            primary_retry=settings.reconnect.primary_retry,
            to_primary=None if dialed.endpoint == primary else lambda: self._open([primary], self._report.get("bind")))
        self._board.phase("registering")
        self._orders.dial = False
        try:
            ended = self._conversation.run()
            self._show(ended.reason)
        finally:
            registered_at = self._conversation.registered_at
            self._connection = self._conversation = None
            self._transactions.detach(connection)
            if connection.parked:
                self._close_parked(anyway=True)
                self._parked = connection
            else:
                connection.close()
        registered_for = None if registered_at is None else time.monotonic() - registered_at
        log.info("connection %d: ended %s: %s", connection.number, "without a registration" if registered_for is None
                 else f"after {registered_for:.1f} s online", clean(ended.reason))
        unanswered = registered_for is None and ended.cause in (Cause.CLOUD, Cause.PATH)
        self._passed_over = connection.endpoint if unanswered else None
        if unanswered and ended.cause is Cause.CLOUD:       # where the path died, the address may be right
            self._dialer.forget(connection.endpoint)
        return ended, registered_for

    def _close_parked(self, anyway: bool = False) -> None:
        """Reset the connection that was aborted, once its address works again: the cloud then hears of it."""
        if self._parked and (anyway or self._parked.local_address not in self._report.get("lost", {})):
            self._parked.close()
            self._parked = None

    def _open(self, endpoints, interface) -> Dialed | DialFailed:
        """A greenlet's body: the failure is a result, not an accident."""
        try:
            return self._dialer.dial(endpoints, interface=interface, lost=self._report.get("lost", {}).keys())
        except DialFailed as failed:
            return failed

    def _pause(self, seconds: float) -> None:
        """Wait before the next dial, unless somebody wants it at once."""
        deadline = time.monotonic() + seconds
        self._board.phase("waiting", seconds)
        while not (self._orders.dial or self._orders.stop) and (left := deadline - time.monotonic()) > 0:
            self._orders.bell.wait(left)
            self._orders.bell.clear()

    # -- what things mean ----------------------------------------------------------------------------------------

    def _timing(self) -> Timing:
        it = self._settings
        return Timing(it.registration.timeout, it.heartbeat.interval, it.heartbeat.ack_timeout,
                      it.transactions.frame_gap, it.transactions.patience)

    def _cause_of_failure(self, faults) -> Cause:
        if faults & {Fault.REFUSED, Fault.TLS}:
            return Cause.CLOUD          # somebody answered
        return self._by_probes(Cause.LOCAL if faults == {Fault.LOCAL} else Cause.PATH)

    def _cause_of_end(self, cause: Cause, registered: bool) -> Cause:
        if cause is Cause.LOCAL and self._report.get("usable"):
            return Cause.ASKED          # the interface died, another one is there: over that one, at once
        # That the path works, the watchdog knows from the connection that just ended, if that was registered: this is
        # no evidence against the cloud.
        return self._local(cause) if registered else self._by_probes(cause)

    def _by_probes(self, cause: Cause) -> Cause:
        """Silence is the cloud's where the watchdog's probes found that the path works."""
        cause = self._local(cause)
        return Cause.CLOUD if cause is Cause.PATH and self._report.get("path") == "works" else cause

    def _local(self, cause: Cause) -> Cause:
        """Silence is the local network's where no interface is usable."""
        return Cause.LOCAL if cause is Cause.PATH and not self._report.get("usable", True) else cause

    def _show(self, reason: str) -> None:
        self._last_reason = reason
        self._board.offline(self._reason())

    def _reason(self) -> str:
        """For the display: what the watchdog knows of the network comes before what the connection noticed of it.

        A refusal it can have from here only: repeated, it would outlive what came after it.
        """
        verdict = self._report.get("verdict", "online")
        nothing_against = verdict in ("online", "connecting") or verdict.startswith(Cause.REFUSED.value)
        return self._last_reason if nothing_against else verdict


def _way(report: dict) -> tuple:
    """What of a report decides which way a dial takes: one under way is begun anew when it changes."""
    return report.get("bind"), report.get("lost", {})
