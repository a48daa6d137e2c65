"""Which connections are open, and which of them are registered as what.

Rules

- A terminal's transactions go to its newest registered connection. Registering again supersedes the older one, which is
  closed and recorded. How many were open at the very moment the Register came is kept (`max_at_once`): a terminal
  that is registered twice at once is found out even when nobody looked.
- A connection that the other side has already closed does not count as open, even if its end was not read yet: two
  sockets become readable in any order.
"""
import socket
from collections.abc import Callable
from typing import Any

from gevent.event import Event

from econduit_terminal.sandbox.cloud import faults as F
from econduit_terminal.sandbox.cloud.budget import Budget
from econduit_terminal.sandbox.cloud.connection import Connection
from econduit_terminal.sandbox.cloud.events import EventLog

MAX_KNOWN = 100_000
LOOK, LOOKS_PER_SECOND = 0.02, 2000


class Registry:
    """Every open connection, and which of them are registered as what."""

    def __init__(self, faults: F.Faults, events: EventLog, *, terminal_types: tuple[str, ...] = (),
                 register_timeout: float = 30.0, idle_timeout: float = 300.0, send_timeout: float = 10.0,
                 max_message: int = 4 << 20, budget: Budget | None = None, room: int = 0) -> None:
        self.faults, self.events = faults, events
        self.budget = budget or Budget()
        self.room = room
        self.terminal_types = terminal_types
        self.register_timeout, self.idle_timeout, self.send_timeout = register_timeout, idle_timeout, send_timeout
        self.max_message = max_message
        self.connections: dict[int, Connection] = {}
        self.response: Callable[[Connection, bytes, dict[str, Any]], None] = lambda *_: None
        self.sales: Callable[[Connection, tuple[str, ...], tuple[str, ...] | None], bytes] = lambda *_: b""
        self.inquiry: Callable[[Connection, str | None], None] = lambda *_: None
        self._registered: dict[str | None, list[Connection]] = {}
        self._known: dict[str | None, dict[str, int]] = {}
        self._count = 0
        self._changed = Event()

    def accept(self, sock: socket.socket, peer: str, port: str) -> Connection:
        """A new connection, recorded."""
        self._count += 1
        connection = Connection(self._count, sock, port, self)
        self.connections[connection.number] = connection
        connection.note("connected", detail=peer)
        return connection

    def admit(self, new: Connection) -> int:
        """Makes room for a registration; returns how many of this terminal are open at this moment, it included."""
        others = [c for c in self._registered.get(new.terminal, ()) if c is not new and not c.gone()]
        at_once = len(others) + 1
        while new.terminal not in self._known and len(self._known) >= MAX_KNOWN:
            self._known.pop(next(iter(self._known)))
        known = self._known.setdefault(new.terminal, {"registrations": 0, "max_at_once": 0})
        known["registrations"] += 1
        known["max_at_once"] = max(known["max_at_once"], at_once)
        for old in others:
            old.note("superseded", detail=f"by connection {new.number}")
            if not self.faults.find("keep-old", new.terminal, old.port):
                old.end(f"superseded by connection {new.number}")
        return at_once

    def add(self, connection: Connection) -> None:
        """The connection is registered and may be given transactions."""
        same = self._registered.setdefault(connection.terminal, [])
        if connection.ended or connection in same:
            return
        same.append(connection)

    def remove(self, connection: Connection) -> None:
        """The connection is no longer registered; a closed one is forgotten."""
        if connection.ended:
            self.connections.pop(connection.number, None)
        same = self._registered.get(connection.terminal)
        if not same or connection not in same:
            return
        same.remove(connection)
        if same and self.faults.find("keep-old", connection.terminal, connection.port):
            connection.note("offline", detail="the old connection ended; the terminal's new one is forgotten")
            same.clear()
        if not same:
            del self._registered[connection.terminal]

    def faults_changed(self) -> None:
        """A control was used: whoever waits for that looks again."""
        self._changed.set()
        self._changed = Event()

    def until_faults_change(self) -> None:
        """Waits for the next control, and not longer than until the connection is to be looked at again: so many
        connections of a dead cloud look up in turn that they are no load."""
        self._changed.wait(max(LOOK, len(self.connections) / LOOKS_PER_SECOND))

    def counts(self) -> dict[str, int]:
        """Connections, room for them, registered terminals, registrations that wait for their turn, had it, and had it
        in vain."""
        return {"connections": len(self.connections), "room": self.room, "registered": len(self._registered),
                "waiting": self.budget.waiting, "registrations": self.budget.total, "wasted": self.budget.wasted}

    def current(self, terminal: str | None) -> Connection | None:
        """The connection that a terminal's transactions go to."""
        return next((c for c in reversed(self._registered.get(terminal, ())) if not c.gone()), None)

    def in_scope(self, terminal: str | None, port: str | None) -> list[Connection]:
        """The open connections of this terminal and port (None: any)."""
        return [c for c in self.connections.values() if terminal in (None, c.terminal) and port in (None, c.port)]

    def listing(self) -> dict[str | None, dict[str, Any]]:
        """For each terminal ever seen: registered now, where, how often, and the most at once."""
        result = {}
        for terminal, known in self._known.items():
            current = self.current(terminal)
            result[terminal] = {
                "registered": current is not None, "port": current and current.port,
                "connection": current and current.number, **known,
                "open": sum(not c.gone() for c in self._registered.get(terminal, ())),
            }
        return result
