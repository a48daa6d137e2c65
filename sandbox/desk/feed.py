"""What the desk's page is told: the terminals, the faults and the wire as it passes, as server-sent events.

Rules

- Updates are gathered: at most one every `PAUSE` seconds, and at most `MOST_EVENTS` events in it; the rest is a
  number, `skipped`. A page that reads slowly costs nobody else anything: it skips more.
- Of the terminals the first `MOST_TERMINALS` that fit the filter are listed, the registered ones first; the rest is a
  number, too. Looking at all of them takes time, so that many terminals are looked at less often.
- Card numbers are masked before they leave this process, and long bodies are cut.
"""
import json
import time
from collections.abc import Iterator
from typing import Any

import gevent

from econduit_terminal.agent.transactions.pan import mask
from econduit_terminal.sandbox.cloud.events import EventLog
from econduit_terminal.sandbox.cloud.faults import Faults
from econduit_terminal.sandbox.cloud.registry import Registry

PAUSE = 0.25
KEEPALIVE = 10.0
"""Seconds: between two updates, and until a quiet stream says that it lives."""
MOST_EVENTS = 200
MOST_TERMINALS = 200
LOOKS_PER_SECOND = 8000
LONGEST_BODY = 2000


class Feed:
    """The updates of one page. `wanted`: a part of the TerminalID; empty means all."""

    def __init__(self, registry: Registry, faults: Faults, events: EventLog, wanted: str = "") -> None:
        self._registry, self._faults, self._events, self._wanted = registry, faults, events, wanted.lower()
        self._seen = max(0, events.last - MOST_EVENTS)
        self._terminals: dict[str, Any] = {}
        self._look_at = 0.0
        self._outdated = False

    def stream(self) -> Iterator[bytes]:
        """The lines of the event stream, until whoever reads it is gone. Waits between two updates."""
        yield b"retry: 1000\n\n"
        while True:
            yield b"data: " + json.dumps(self.update(time.monotonic())).encode() + b"\n\n"
            gevent.sleep(PAUSE)
            while not self._events.wait(self._seen, self._patience(time.monotonic())) and not self._outdated:
                yield b": still here\n\n"

    def update(self, now: float) -> dict[str, Any]:
        """What is new since the last update; `now` is monotonic seconds."""
        events = self._events.since(self._seen)
        self._seen = self._events.last
        self._outdated = now < self._look_at and bool(events)
        if not self._outdated:
            self._terminals = self._list()
            self._look_at = now + self._terminals["known"] / LOOKS_PER_SECOND
        return {"events": [shown(event) for event in events[-MOST_EVENTS:]],
                "skipped": max(0, len(events) - MOST_EVENTS),
                "run": self._events.run, "terminals": self._terminals, "faults": self._faults.listing()}

    def _patience(self, now: float) -> float:
        return max(0.0, min(KEEPALIVE, self._look_at - now)) if self._outdated else KEEPALIVE

    def _list(self) -> dict[str, Any]:
        known = self._registry.listing()
        fitting = [{"terminal": name, **about} for name, about in known.items() if self._wanted in str(name).lower()]
        fitting.sort(key=lambda row: not row["registered"])
        return {"known": len(known), "registered": sum(about["registered"] for about in known.values()),
                "fitting": len(fitting), "rows": fitting[:MOST_TERMINALS]}


def shown(event: dict[str, Any]) -> dict[str, Any]:
    """An event as the page may show it: its body masked and cut."""
    body = event.get("body")
    if body is None:
        return event
    text = mask(body[:2 * LONGEST_BODY]).encode("utf-8", "replace").decode()
    return {**event, "body": text if len(text) <= LONGEST_BODY else text[:LONGEST_BODY] + " …"}
