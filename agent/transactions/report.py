"""What becomes of requests, for people: counts and idleness for the status, floods for the log."""
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

import gevent
from gevent.event import Event

from .flood import Flood

COUNTED = ("received", "answered", "failed", "delivered", "replayed", "attached", "busy", "expired", "unknown")
TELL_AFTER = 0.02
"""Seconds: what that wakes (status file, display) must not delay a request."""

log = logging.getLogger("transactions")


class StatusStore(Protocol):
    """Where the terminal's state is kept (status.store)."""

    def idle(self, flag: bool) -> None: ...
    def transactions(self, counts: Mapping[str, int]) -> None: ...
    def observe(self, name: str, seconds: float) -> None: ...


class Report:
    """busy: is something under way? levels: what is counted elsewhere, by name. settled: set at each change."""

    def __init__(self, store: StatusStore, busy: Callable[[], bool], levels: Callable[[], dict[str, int]]):
        self.settled = Event()
        self._store = store
        self._busy = busy
        self._levels = levels
        self._counts: Counter[str] = Counter()
        self._changed, self._flooded = Event(), Event()
        self._flood = Flood()

    def count(self, name: str, number: int = 1) -> None:
        """name: one of COUNTED."""
        self._counts[name] += number

    def counts(self) -> dict[str, int]:
        return {**{name: self._counts[name] for name in COUNTED}, **self._levels()}

    def took(self, seconds: float) -> None:
        """How long the payment application took."""
        self._store.observe("transaction", seconds)

    def crowded(self) -> bool:
        """A request came: is it one of those without lines in the log?"""
        hidden = self._flood.counts(time.monotonic())
        if hidden:
            self._flooded.set()
        return hidden

    def change(self) -> None:
        """Something changed; reported in a moment."""
        self.settled.set()
        self._changed.set()

    def tell(self) -> None:
        """Report to the status store at once."""
        self.settled.set()
        self._store.idle(not self._busy())
        self._store.transactions(self.counts())

    def tell_changes(self) -> None:
        """A greenlet's work, without an end."""
        while True:
            self._changed.wait()
            gevent.sleep(TELL_AFTER)
            self._changed.clear()
            self.tell()

    def tell_floods(self) -> None:
        """A greenlet's work, without an end."""
        while True:
            self._flooded.wait()
            gevent.sleep(1.0)
            if (summary := self._flood.summary(time.monotonic())) is not None:
                log.warning("a flood: %d more requests in %.1f s, each answered or refused without a line here",
                            *summary)
            if not self._flood.on:
                self._flooded.clear()
