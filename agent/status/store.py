"""The one holder of what the terminal shows: `POS Online` or `POS Offline`, and why.

Rules
- Online only between `online()` (registered) and the next `offline()`: the first evidence against it.
- Everything that changes the terminal's state says so here; everything that shows it (API, display, status file,
  metrics) reads it here. Nobody else keeps a copy.
- Only a real change wakes the subscribers: saying the same thing twice is silent. Changes coalesce: a subscriber that
  is slow gets the newest state, never a backlog.
- A moment is kept on the clock that nobody sets (CLOCK_BOOTTIME) and turned into a date when it is shown: a terminal
  without a real-time clock starts in 1970, and a minute later NTP tells it the year. `since` is the last turn from
  online to offline or back. Durations are measured on the monotonic clock.
- Called from the hub's thread alone, so nothing here is locked, and nothing here waits but `Subscription.wait`.
"""
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gevent.event import Event

from econduit_terminal.conf.version import VERSION
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import EndpointStatus, Phase, Status
from econduit_terminal.process.line_file import VALID_FOR, uptime
from econduit_terminal.process.logs import clean
from econduit_terminal.process.timestamps import rfc3339

from . import metrics

CLOCK_STEP = timedelta(seconds=0.5)
"""By how much the wall clock has to move against the other one to count as set."""


def _now() -> datetime:
    return datetime.now(UTC)


class Subscription:
    """Wakes when the status changed. Fresh ones are due at once, so that nobody misses the state they start from."""

    def __init__(self, store: "StatusStore"):
        self._store = store
        self._changed = Event()
        self._changed.set()

    def wake(self) -> None:
        self._changed.set()

    def wait(self, timeout: float | None) -> Status | None:
        """The newest snapshot once something changed since the last call; None after `timeout` seconds without."""
        if not self._changed.wait(timeout):
            return None
        self._changed.clear()
        return self._store.snapshot()


class StatusStore:
    """What the terminal shows. `monotonic` and `boottime` (which follows `monotonic` where that is given alone) give
    seconds, `wall` an aware datetime; for tests."""

    def __init__(self, terminal_id: str = "", version: str = VERSION, *,
                 monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], datetime] = _now,
                 boottime: Callable[[], float] | None = None):
        self._monotonic = monotonic
        self._wall = wall
        self._boottime = boottime or (uptime if monotonic is time.monotonic else monotonic)
        self._since = self._boottime()
        self._booted = wall() - timedelta(seconds=self._since)      # the date at which the boot clock was zero
        self._acked: float | None = None                            # on the boot clock, as `_since`
        self._subscriptions: set[Subscription] = set()
        self._measures = metrics.Measures(Reason.STARTING.words, monotonic())
        self._redial_at: float | None = None
        self._reported_at: float | None = None
        self._acked_at: float | None = None
        self._status = Status(reason=Reason.STARTING.words, terminal_id=clean(terminal_id), version=version,
                              pid=os.getpid(), valid_for=VALID_FOR)

    # What the parts say

    def online(self, endpoint: str, local_address: str, interface: str | None) -> None:
        """Registered with the cloud at `endpoint` over the connection from `local_address` (on `interface`)."""
        self._measures.online(self._monotonic())
        self._acked = self._acked_at = self._redial_at = None
        self._since = self._boottime()
        self._change(moved=True, online=True, reason=None, endpoint=str(endpoint), local_address=local_address,
                     interface=interface, phase=Phase.ONLINE)

    def offline(self, reason: str) -> None:
        """Not registered, and why, for people. While offline already, only the reason changes."""
        reason = clean(reason) or "unknown"
        self._measures.offline(reason, self._monotonic())
        if self._status.online:
            self._since = self._boottime()
            self._change(online=False, reason=reason, endpoint=None, local_address=None, interface=None)
        else:
            self._change(reason=reason)

    def acked(self) -> None:
        """The cloud acknowledged a heartbeat."""
        self._acked_at = self._monotonic()
        self._acked = self._boottime()
        self._measures.acks += 1
        self._change(moved=True)

    def idle(self, flag: bool) -> None:
        self._change(idle=bool(flag))

    def network(self, report: NetworkReport) -> None:
        """The watchdog's last report. One that only says the same again is kept, and wakes nobody."""
        self._reported_at = self._monotonic()
        known = self._status.network
        if known is not None and replace(known, sent=None) == replace(report, sent=None):
            self._status = replace(self._status, network=report)
        else:
            self._change(network=report)

    def identity(self, terminal_id: str) -> None:
        self._change(terminal_id=clean(terminal_id))

    def problem(self, name: str, text: str | None) -> None:
        """Something a person should know besides online or offline, by name; None when it is over."""
        problems = {key: said for key, said in self._status.problems.items() if key != name or text is not None}
        if text is not None:
            problems[name] = clean(text)
        self._change(problems=problems)

    def transactions(self, counts: Mapping[str, int]) -> None:
        self._change(transactions=dict(counts))

    def phase(self, phase: Phase, retry_in: float | None = None) -> None:
        """What the connection does now; `retry_in` seconds until the next dial while waiting."""
        redial_at = None if retry_in is None else self._monotonic() + retry_in
        moved = redial_at != self._redial_at
        self._redial_at = redial_at
        self._change(moved, phase=phase)

    def endpoints(self, found: tuple[EndpointStatus, ...]) -> None:
        """What the last dial found at each endpoint."""
        self._change(endpoints=found)

    def observe(self, name: str, seconds: float) -> None:
        """One duration for the metrics: `observe("register", 0.2)` feeds `econduit_register_seconds`."""
        self._measures.observe(name, seconds)

    # What the others read

    def snapshot(self) -> Status:
        """The state now. `written_uptime` is now, in seconds of CLOCK_BOOTTIME; without anything newer for
        `valid_for` seconds nobody is there to say it."""
        return replace(
            self._status, since=self._date(self._since),
            last_ack=None if self._acked is None else self._date(self._acked), connects=self._measures.connects,
            disconnects=dict(self._measures.disconnects), retry_in=self._retry_in(),
            written_uptime=math.floor(self._boottime() * 1000) / 1000)

    def follow_wall_clock(self) -> None:
        """To be called now and then: what was shown before the wall clock was set is shown again."""
        booted = self._wall() - timedelta(seconds=self._boottime())
        if abs(booted - self._booted) > CLOCK_STEP:
            self._booted = booted
            self._change(moved=True)

    def metrics(self) -> str:
        """Everything countable as Prometheus text."""
        now = self._monotonic()
        return metrics.render(self.snapshot(), self._measures, now, ages={
            "last_ack": None if self._acked_at is None else now - self._acked_at,
            "watchdog_report": self.report_age(),
        })

    def report_age(self) -> float | None:
        """Seconds since the watchdog's last report; None when there was none yet."""
        return None if self._reported_at is None else self._monotonic() - self._reported_at

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """`with store.subscribe() as changes:` then `changes.wait(timeout)`, as often as wanted."""
        subscription = Subscription(self)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def _date(self, moment: float) -> str:
        self.follow_wall_clock()
        return rfc3339(self._booted + timedelta(seconds=moment))

    def _retry_in(self) -> float | None:
        if self._redial_at is None:
            return None
        return round(max(0.0, self._redial_at - self._monotonic()), 3)

    def _change(self, moved: bool = False, **values: Any) -> None:
        changed = replace(self._status, **values)
        if not moved and changed == self._status:
            return
        self._status = changed
        for subscription in self._subscriptions:
            subscription.wake()
