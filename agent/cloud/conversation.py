"""One connection, from Register to its end: the session's events out of the socket, heartbeats and commands into it.

Everything but the reading happens in the caller's greenlet, which waits for one event.
"""
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import gevent

from econduit_terminal.agent.transactions.request import shown
from econduit_terminal.agent.wire import events
from econduit_terminal.agent.wire.errors import AnswerOverdue, ProtocolError, WireError
from econduit_terminal.agent.wire.session import Session, State
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import Reason

from . import ended, findings
from .connection import Connection
from .ended import SHOWN, Ended
from .link_commands import LinkCommands
from .liveness import Rules
from .liveness_check import DialWithMss, LivenessCheck
from .policy import Finding
from .primary_return import Move, PrimaryReturn
from .reader import Reader

log = logging.getLogger(__name__)

CLOSE_TIMEOUT = 1.0
"""Seconds that the cloud gets to end its side of a connection that we leave while it works."""
SLICE = 4096
"""Bytes that are scanned at one go: two thousand of the smallest take some 20 ms."""
READER_TURN = 0.001
"""Seconds for the reader to take what waits in the kernel."""
NOTICE_AGAIN = 60.0
"""Seconds until the log repeats what the cloud says of the connection."""
SETTLED = 600.0
"""Seconds of one registration after which earlier failures of others are over."""
WRITE_TIMEOUT = 5.0
"""Seconds that a Register or a heartbeat may wait for room in the send buffer."""


class StatusStore(Protocol):
    """What is shown of a connection."""

    def online(self, endpoint: str, local_address: str, interface: str | None) -> None: ...
    def offline(self, reason: str) -> None: ...
    def acked(self) -> None: ...
    def observe(self, name: str, seconds: float) -> None: ...


class Transactions(Protocol):
    """Where requests go, and who sends answers over the connection that is attached."""

    @property
    def busy(self) -> bool: ...
    def receive(self, request: bytes) -> None: ...
    def attach(self, connection: Connection) -> None: ...
    def detach(self, connection: Connection) -> None: ...


class Conversation:
    """Registers and serves one connection.

    dial: opens another connection in the background. endpoints: where to, when this one is in doubt. rules: of the
    liveness check. move: where this one is left for, and when; may be replaced. registered: called when the
    registration comes. settled: called once, when it has lasted SETTLED seconds.
    """

    def __init__(self, connection: Connection, session: Session, commands: LinkCommands, store: StatusStore,
                 transactions: Transactions, *, dial: DialWithMss, endpoints: Sequence[Endpoint], rules: Rules,
                 move: Move | None = None, registered: Callable[[], None] = lambda: None,
                 settled: Callable[[], None] = lambda: None):
        self.session = session
        self.registered_at: float | None = None
        self._connection = connection
        self._commands = commands
        self._store = store
        self._transactions = transactions
        self._on_registered = registered
        self._on_settled = settled
        self._settled = False
        self.primary_return = PrimaryReturn(lambda endpoints: dial(endpoints, None), commands.wakeup.set, move)
        self._liveness = LivenessCheck(connection, rules, endpoints, dial, commands.wakeup.set)
        self._reader = Reader(connection, commands.wakeup.set)
        self._notice_from = 0.0                 # from when on the cloud's next notice is logged
        self._surplus = 0                       # acks that nobody waited for

    def run(self) -> Ended:
        """Until it is over; the caller closes the connection. Raises nothing but bugs."""
        self._reader.start()
        try:
            self._write(self.session.register(time.monotonic()))
            while True:
                if over := self._step():
                    return over
        except AnswerOverdue as error:
            if (given_up := self._liveness.give_up_hole()) is not None:
                return ended.given_up(given_up)
            return Ended(findings.of_overdue(arrived=self._connection.arrived()), str(error))
        except WireError as error:
            return self._broken(error)
        except OSError as error:
            return ended.lost(error, registering=self._registering)
        finally:
            self._reader.close()
            self.primary_return.close()
            self._liveness.close()

    @property
    def _idle(self) -> bool:
        return not self._transactions.busy

    @property
    def _registering(self) -> bool:
        return self.session.state is State.REGISTERING

    def _step(self) -> Ended | None:
        """Wait for what comes next and do it."""
        self._commands.wakeup.wait(self._time_left(time.monotonic()))
        self._commands.wakeup.clear()
        if self._commands.abort:
            return self._abort()
        if self._commands.stop:
            return Ended(Finding.ASKED, Reason.STOPPED.words)
        if over := self._take_arrived() or self._take_late():
            return over
        now = time.monotonic()
        if self._reader.empty:
            over = self._handle(self.session.quiet(now))
        return over or self._keep_alive(now) or self._check_liveness(now) or self._to_primary(now)

    def _take_late(self) -> Ended | None:
        """What a deadline is about may wait in the kernel: this process, or the whole machine, stood still."""
        due = self.session.deadline(idle=self._idle)
        if due is None or time.monotonic() < due or not self._connection.readable():
            return None
        gevent.sleep(READER_TURN)
        return self._take_arrived()

    def _time_left(self, now: float) -> float | None:
        idle = self._idle
        due = [self.session.deadline(idle=idle), self._liveness.next_check, self.primary_return.due(idle=idle)]
        known = [at for at in due if at is not None]
        return max(0.0, min(known) - now) if known else None

    def _take_arrived(self) -> Ended | None:
        """One chunk a step: a cloud that never stops sending must not keep commands and deadlines waiting."""
        now = time.monotonic()
        try:
            data = self._reader.take()
        except OSError as error:        # what came before the end may be all that there is of an answer
            return self._handle(self.session.finish(now)) or ended.lost(error, registering=self._registering)
        if data is None:
            return None
        for at in range(0, len(data), SLICE):
            try:
                over = self._handle(self.session.receive(data[at:at + SLICE], now))
            except ProtocolError as error:
                over = self._handle(error.events) or self._broken(error)
            if over:
                return over
        return None

    def _handle(self, came: Iterable[events.SessionEvent]) -> Ended | None:
        """Others get their turn between two of these: a burst must not hold up the local API."""
        for number, event in enumerate(came):
            if number:
                gevent.sleep(0)
                if self._commands.abort:
                    return self._abort()
            match event:
                case events.Registered():
                    self._online(event)
                case events.Refused():
                    self.registered_at = None
                    return ended.refused(event, self._connection.endpoint)
                case events.Deregistered():
                    return ended.deregistered(event)
                case events.Acknowledged():
                    self._store.acked()
                case events.SurplusAck():
                    self._count_surplus()
                case events.StatusNotice():
                    self._tell_notice(event.text)
                case events.Transaction():
                    self._transactions.receive(event.request)
        return None

    def _tell_notice(self, text: str) -> None:
        """Once a minute at most: the log has a limit."""
        now = time.monotonic()
        if now >= self._notice_from:
            self._notice_from = now + NOTICE_AGAIN
            log.warning("connection %d: the cloud says %s; a heartbeat asks whether it still has this terminal",
                        self._connection.number, shown(text, SHOWN))

    def _count_surplus(self) -> None:
        self._surplus += 1
        if self._surplus == 1:          # the first alone: the log has a limit
            log.info("connection %d: the cloud acknowledges what was not asked; dropped, like all that follow",
                     self._connection.number)

    def _broken(self, error: WireError) -> Ended:
        return ended.broken(error, self._connection.endpoint, registering=self._registering)

    def _online(self, event: events.Registered) -> None:
        self.registered_at = time.monotonic()
        self.primary_return.start(self.registered_at)
        connection = self._connection
        log.info("connection %d: registered with %s after %.0f ms",
                 connection.number, connection.endpoint, 1000 * event.seconds)
        self._liveness.start(self.registered_at)
        self._on_registered()
        self._store.observe("register", event.seconds)
        self._store.online(str(connection.endpoint), connection.local_address, connection.interface)
        self._transactions.attach(connection)

    def _keep_alive(self, now: float) -> Ended | None:
        """Heartbeats that are due or asked for, and the end that was asked for, when the terminal is idle."""
        self._write(self.session.check(now, idle=self._idle))
        if self.registered_at is not None and not self._settled and now >= self.registered_at + SETTLED:
            self._settled = True
            self._on_settled()
        if self._commands.leave and self._registering:
            return self._leave(self._commands.leave)    # there is nothing to wait for: no terminal is served here yet
        if self.session.state is not State.ONLINE or not self._idle:
            return None
        if self._commands.verify:
            self._commands.verify = False
            self._write(self.session.heartbeat(now))
        if self._commands.leave and self._quiet():
            return self._leave(self._commands.leave)
        return None

    def _check_liveness(self, now: float) -> Ended | None:
        given_up = self._liveness.check(now, self._heartbeat if self._idle else None)
        return None if given_up is None else ended.given_up(given_up)

    def _heartbeat(self) -> bool:
        """Send one, if none is under way."""
        heartbeat = self.session.heartbeat(time.monotonic())
        self._write(heartbeat)
        return bool(heartbeat)

    def _to_primary(self, now: float) -> Ended | None:
        """Change over to the primary when it is open and the terminal idle."""
        opened = self.primary_return.check(now, idle=self._idle, quiet=self._quiet)
        if opened is None:
            return None
        left = self._leave(Reason.TO_PRIMARY.words)
        if left.finding is not Finding.ASKED or self._commands.leave:
            return left                     # the path died meanwhile, or other settings name another primary
        self.primary_return.take()
        return replace(left, successor=opened)

    def _quiet(self) -> bool:
        """Nothing from the cloud is on its way through us: no request gets lost if we leave now."""
        return not self.session.pending and self._reader.empty and not self._connection.readable()

    def _abort(self) -> Ended:
        """The path is known to be gone: nothing more is sent."""
        self._connection.freeze()
        return Ended(Finding.ABORTED, self._commands.abort or "")

    def _leave(self, reason: str) -> Ended:
        """Leave a working connection in order. The cloud's end of it is awaited, so that it never sees two of us."""
        self._store.offline(reason)
        self._transactions.detach(self._connection)
        self._connection.shutdown()
        deadline = time.monotonic() + CLOSE_TIMEOUT
        while not self._commands.abort and (left := deadline - time.monotonic()) > 0:
            self._commands.wakeup.wait(left)
            self._commands.wakeup.clear()
            try:
                data = self._reader.take()
            except OSError:
                break
            if data:
                log.warning("connection %d: %d bytes came after our end and are not answered",
                            self._connection.number, len(data))
        if self._commands.abort:
            return self._abort()
        return Ended(Finding.ASKED, reason)

    def _write(self, data: bytes) -> None:
        if data:
            self._connection.write(data, WRITE_TIMEOUT)
