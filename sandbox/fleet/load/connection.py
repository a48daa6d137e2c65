"""One connection of one terminal: the product's own Session on a raw socket, until it ends.

What differs from the agent's conversation: nothing watches the network, the kernel's record of the connection is not
read (liveness check), and the primary is dialed beside it by this very greenlet.
"""
import fcntl
import socket as std
import struct
import termios
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from econduit_terminal.agent.cloud import findings
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.agent.wire.errors import AnswerOverdue, ProtocolError
from econduit_terminal.agent.wire.events import (
    Acknowledged,
    Deregistered,
    Refused,
    Registered,
    SessionEvent,
    Transaction,
)
from econduit_terminal.agent.wire.session import Session, State
from econduit_terminal.sandbox.fleet.load.application import Application
from econduit_terminal.sandbox.fleet.load.dial import NotOpened, Opened

READ_SIZE = 65536
SEND_TIMEOUT = 10.0
"""Seconds."""
FAREWELL = 1.0
"""Seconds for the cloud's end of a connection that is left."""


class Witness(Protocol):
    """Who is told what happens on the connection. Times in seconds."""

    def acknowledged(self, seconds: float) -> None:
        """A heartbeat was acknowledged, so long after it was sent."""

    def answered(self, size: int) -> None:
        """The payment application's answer went out, of so many bytes."""


@dataclass(frozen=True)
class Ended:
    """Why it is over. registered_for: seconds, None if never. idle: seconds without data at its end. successor: the
    connection to the primary that it was left for."""
    finding: Finding
    reason: str
    registered_for: float | None
    idle: float
    successor: Opened | None = None


@dataclass(frozen=True)
class Return:
    """To the primary: `dial` it after so many seconds registered, while idle."""
    after: float
    dial: Callable[[], Opened | NotOpened]


class Connection:
    """Registers and serves; the caller closes the socket. registered: told of OK-REGISTRATION, so many seconds after
    Register."""

    def __init__(self, sock: Any, session: Session, application: Application, witness: Witness,
                 registered: Callable[[float], None], back: Return | None = None):
        self.session = session
        self._socket = sock
        self._application = application
        self._witness = witness
        self._on_registered = registered
        self._back = back
        self._registered_at: float | None = None
        self._back_from = 0.0           # since when `back.after` runs
        self._asked_at = 0.0            # when Register or the last heartbeat was sent
        self._last_data = time.monotonic()

    def run(self) -> Ended:
        """Until it is over."""
        try:
            self._send(self.session.register(time.monotonic()))
            while True:
                ended = self._step()
                if ended is not None:
                    return ended
        except AnswerOverdue as error:
            return self._over(findings.of_overdue(arrived=self._arrived()), str(error))
        except OSError as error:
            return self._over(findings.of_error(error), error.strerror or "lost")

    def _step(self) -> Ended | None:
        """Waits for what comes next and does it."""
        data = self._receive(self._due())
        now = time.monotonic()
        if data == b"":
            return self._handle(self.session.finish(now)) or self._over(Finding.CLOSED, "closed by the cloud")
        try:
            ended = self._handle(self.session.quiet(now) if data is None else self.session.receive(data, now))
        except ProtocolError as error:
            met = findings.of_broken_rules(registering=self.session.state is State.REGISTERING)
            return self._handle(error.events) or self._over(met, str(error))
        if ended is not None:
            return ended
        self._beat(self.session.check(now, idle=not self._application.busy), now)
        if self._registered_at is not None:
            self._answer(now)
            return self._go_back(now)
        return None

    def _due(self) -> float | None:
        """When there is something to do, if nothing comes."""
        idle = not self._application.busy
        due = [self.session.deadline(idle=idle)]
        if self._registered_at is not None:
            due.append(self._application.ready_at)
            due.append(self._back_from + self._back.after if self._back and idle else None)
        return min((at for at in due if at is not None), default=None)

    def _receive(self, until: float | None) -> bytes | None:
        """What came, empty at the end of the stream; None when nothing did until then."""
        self._socket.settimeout(None if until is None else max(0.001, until - time.monotonic()))
        try:
            data: bytes = self._socket.recv(READ_SIZE)
        except TimeoutError:
            return None
        self._last_data = time.monotonic()
        return data

    def _handle(self, events: Iterable[SessionEvent]) -> Ended | None:
        for event in events:
            match event:
                case Registered():
                    self._registered_at = self._back_from = time.monotonic()
                    self._on_registered(event.seconds)
                case Refused():
                    self._registered_at = None
                    return self._over(findings.of_refusal(event.kind), event.answer)
                case Deregistered():
                    return self._over(Finding.DEREGISTERED, event.answer)
                case Acknowledged():
                    self._witness.acknowledged(time.monotonic() - self._asked_at)
                case Transaction():
                    said = self._application.take(event.request, time.monotonic())
                    if said is not None:
                        self._send(self.session.respond(said))
        return None

    def _beat(self, heartbeat: bytes, now: float) -> None:
        if heartbeat:
            self._asked_at = now
            self._send(heartbeat)

    def _answer(self, now: float) -> None:
        answer = self._application.answer(now)
        if answer is not None:
            self._send(self.session.respond(answer))
            self._witness.answered(len(answer))

    def _go_back(self, now: float) -> Ended | None:
        if self._back is None or self._application.busy or now < self._back_from + self._back.after:
            return None
        opened = self._back.dial()
        self._back_from = time.monotonic()
        if isinstance(opened, NotOpened):
            return None
        self._take_leave()
        return self._over(Finding.ASKED, "back to the primary", opened)

    def _take_leave(self) -> None:
        """The cloud's end is awaited, so that it never sees two of us."""
        self._socket.shutdown(std.SHUT_WR)
        over = time.monotonic() + FAREWELL
        while time.monotonic() < over and self._receive(over):
            pass

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(SEND_TIMEOUT)
        self._socket.sendall(data)
        self._last_data = time.monotonic()

    def _arrived(self) -> bool:
        """The peer's kernel acknowledged all that was sent (SIOCOUTQ, tcp(7))."""
        try:
            left: int = struct.unpack("i", fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
        except OSError:
            return False
        return left == 0

    def _over(self, finding: Finding, reason: str, successor: Opened | None = None) -> Ended:
        now = time.monotonic()
        registered_for = None if self._registered_at is None else now - self._registered_at
        return Ended(finding, reason, registered_for, now - self._last_data, successor)
