"""The terminals of this process: their numbers and addresses, what happens to them, and what Locust is told of it."""
import logging
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from econduit_terminal.agent.cloud.endpoints import Address
from econduit_terminal.conf import settings
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load.plan import Plan
from econduit_terminal.sandbox.fleet.load.record import Change
from econduit_terminal.sandbox.fleet.load.terminal import Role, Terminal

log = logging.getLogger("econduit-fleet")

MAX_CHANGES = 1_000_000
"""More than that is not kept for a master that does not ask."""
SAID_AGAIN = 10.0
LOOKS = 20
"""Terminals that are looked at for one that is free."""
MILLISECONDS = 1000.0


class Runner(Protocol):
    """Locust's runner; `worker_index` counts workers from 0, and is 0 where there are none."""
    worker_index: int


def address(endpoint: Endpoint) -> Address:
    """Where an endpoint is; IPv4 if it can be chosen. Raises OSError."""
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    family, _, _, _, sockaddr = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, sockaddr


class Here:
    """The terminals of one process."""

    def __init__(self) -> None:
        self.plan: Plan
        self._role: Role
        self._terminals: dict[int, Terminal] = {}
        self._selling: set[Terminal] = set()
        self._left: list[int] = []          # numbers of terminals that went
        self._next = 0
        self._changes: list[Change] = []
        self._told = 0.0
        self.hear: Callable[[list[Change]], None] | None = None

    def start(self, plan: Plan) -> None:
        """The load begins. Raises OSError, SettingsError."""
        self.plan = plan
        loaded = settings.load(Path(plan.config_dir) if plan.config_dir else None)
        self._role = Role(loaded, {endpoint: address(endpoint) for endpoint in plan.endpoints}, plan.latency)

    @property
    def pause(self) -> float:
        """Seconds that a point of sale waits between two sales, on average."""
        return max(0.001, self.plan.points_of_sale / self.plan.sales - self.plan.latency)

    def enter(self, tell: Callable[..., None], runner: Runner) -> tuple[int, Terminal]:
        """A new terminal; its number is free again when it leaves. No two workers have one TerminalID."""
        if self._left:
            number = self._left.pop()
        else:
            number, self._next = self._next, self._next + 1
        worker = max(0, runner.worker_index)
        name = f"{self.plan.prefix}{worker:03d}{number:06d}"
        sources = self.plan.sources
        terminal = Terminal(name, self._role, _Witness(self, name, tell),
                            sources[(number + worker) % len(sources)] if sources else None)
        self._terminals[number] = terminal
        return number, terminal

    def leave(self, number: int) -> None:
        """A terminal is over."""
        terminal = self._terminals.pop(number)
        self._left.append(number)
        self.change(terminal.id, None)

    def free_terminal(self) -> Terminal | None:
        """One that is registered and idle, and that no other point of sale sells on; None where none was found."""
        numbers = list(self._terminals) if len(self._terminals) < LOOKS else None
        for _ in range(LOOKS):
            if not self._terminals:
                return None
            number = random.choice(numbers) if numbers else random.randrange(self._next)
            terminal = self._terminals.get(number)
            if terminal is not None and terminal.idle and terminal not in self._selling:
                self._selling.add(terminal)
                return terminal
        return None

    def release(self, terminal: Terminal) -> None:
        """The sale is over."""
        self._selling.discard(terminal)

    def cut(self) -> None:
        """Every terminal loses its connection, as if the cloud had ended it."""
        for terminal in list(self._terminals.values()):
            terminal.cut()

    def change(self, terminal: str, online: bool | None) -> None:
        """See record.Change."""
        change = terminal, time.time(), online
        if self.hear is not None:
            self.hear([change])
        elif len(self._changes) < MAX_CHANGES:
            self._changes.append(change)

    def take_changes(self) -> list[Change]:
        """What happened since this was asked last."""
        changes, self._changes = self._changes, []
        return changes

    def say(self, text: str) -> None:
        """A lack of this machine, into the log, not more often than every SAID_AGAIN seconds."""
        now = time.monotonic()
        if now >= self._told:
            self._told = now + SAID_AGAIN
            log.error("%s", text)


class _Witness:
    """One terminal's: what happens becomes a line of Locust's statistics."""

    __slots__ = ("_here", "_lost_at", "_name", "_tell")

    def __init__(self, here: Here, name: str, tell: Callable[..., None]):
        self._here, self._name, self._tell = here, name, tell
        self._lost_at: float | None = None

    def dialed(self, endpoint: Endpoint, seconds: float, failure: str | None) -> None:
        """See terminal.Witness."""
        self._say(f"dial {endpoint}", seconds, failure)

    def registered(self, seconds: float) -> None:
        """See terminal.Witness."""
        self._say("registration", seconds)
        if self._lost_at is not None:
            self._say("offline until registered", time.monotonic() - self._lost_at)
            self._lost_at = None
        self._here.change(self._name, True)

    def not_registered(self, seconds: float, failure: str) -> None:
        """See terminal.Witness."""
        self._say("registration", seconds, failure)

    def lost(self, failure: str) -> None:
        """See terminal.Witness."""
        self._lost_at = time.monotonic()
        self._here.change(self._name, False)

    def acknowledged(self, seconds: float) -> None:
        """See connection.Witness."""
        self._say("heartbeat", seconds)

    def answered(self, size: int) -> None:
        """See connection.Witness."""
        self._say("answer", self._here.plan.latency, size=size)

    def exhausted(self, text: str) -> None:
        """See terminal.Witness."""
        self._say("dial: nothing left on this machine", 0.0, text)
        self._here.say(text)

    def _say(self, name: str, seconds: float, failure: str | None = None, size: int = 0) -> None:
        error: Any = None if failure is None else Failure(failure)
        self._tell(request_type="terminal", name=name, response_time=seconds * MILLISECONDS, response_length=size,
                   exception=error, context={})


class Failure(Exception):
    """What Locust counts as one; the text says what was met."""
