"""What happened at the cloud, in order, for people and tests: bounded, and possible to wait for.

Each event has `n` (1, 2, 3 …), `time` (seconds of CLOCK_MONOTONIC, comparable between processes of one machine),
`wall` (RFC 3339), `kind`, and where they apply `terminal`, `port`, `connection`, `ref`, `detail`,
`size`, `sha256` and `body`. A body is UTF-8; other bytes become lone surrogates (`surrogateescape`), so that
the exact bytes can be had back. Bodies are for the desk: they are in this log and in no other.

The kinds are those of `KINDS`.
"""
import hashlib
import logging
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from gevent.event import Event as Signal

from econduit_terminal.process.logs import clean

log = logging.getLogger("sandbox")

KINDS = {
    "listening": "a port is open", "stopped": "a port is closed",
    "stalled": "a port accepts nothing more", "control": "a control was used",
    "connected": "a connection was accepted", "handshake-failed": "TLS was not agreed on",
    "registered": "OK-REGISTRATION was sent; open: how many of this terminal were open at that moment, it "
                  "included; detail: what the Register does otherwise than the document",
    "refused": "a registration was refused, or a message came before it; detail: why",
    "superseded": "the terminal registered again on another connection", "heartbeat": "a heartbeat came",
    "request": "a transaction is sent", "request-lost": "the connection ended while it was sent",
    "response": "an answer came; took: seconds since the request; detail 'again': not the first",
    "unsolicited": "an answer to nothing that was sent",
    "closed": "a connection ended; detail: why, and by whom", "offline": "see the fault keep-old",
}


class EventLog:
    """The newest events: at most `limit`, with at most `limit_bytes` of bodies. `run` names this log: another
    one counts from 1 again."""

    def __init__(self, limit: int = 20_000, limit_bytes: int = 32 << 20) -> None:
        self._limit, self._limit_bytes = limit, limit_bytes
        self._events: deque[dict[str, Any]] = deque()
        self._held = 0
        self._last = 0
        self.run = uuid.uuid4().hex
        self._news = Signal()

    @property
    def last(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._last

    def add(self, kind: str, body: bytes | None = None, **fields: Any) -> None:
        """Records an event and writes it to the log, without its body. Fields that are None are left out."""
        self._last += 1
        event = {"n": self._last, "time": time.monotonic(),
                 "wall": datetime.now(UTC).isoformat(timespec="milliseconds"), "kind": kind}
        event.update((key, value) for key, value in fields.items() if value is not None)
        if body is not None:
            event.update(size=len(body), sha256=hashlib.sha256(body).hexdigest())
        if log.isEnabledFor(logging.INFO):
            words = (f"{key}={value}" for key, value in event.items() if key not in ("time", "wall", "kind", "sha256"))
            log.info("%s", clean(f"{kind}: " + " ".join(words), 400))
        if body is not None:
            event["body"] = body.decode("utf-8", "surrogateescape")
            self._held += len(body)
        self._events.append(event)
        while len(self._events) > self._limit or self._held > self._limit_bytes:
            self._held -= self._events.popleft().get("size", 0)
        self._news.set()
        self._news = Signal()

    def since(self, number: int, kind: str | None = None, terminal: str | None = None) -> list[dict[str, Any]]:
        """The events after `number`, oldest first, of one kind or terminal if asked."""
        skip = max(0, number - (self._last - len(self._events)))
        found = []
        for event in islice(self._events, skip, None):
            if kind in (None, event["kind"]) and terminal in (None, event.get("terminal")):
                found.append(event)
        return found

    def wait(self, number: int, seconds: float, kind: str | None = None,
             terminal: str | None = None) -> list[dict[str, Any]]:
        """Like `since`, but waits up to `seconds` for the first one."""
        deadline = time.monotonic() + seconds
        while True:
            news = self._news
            found = self.since(number, kind, terminal)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            number = max(number, self._last)
            news.wait(left)
