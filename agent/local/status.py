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
import json
import math
import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

from gevent.event import Event

from econduit_terminal.conf.version import VERSION
from econduit_terminal.process.line_file import VALID_FOR, uptime
from econduit_terminal.process.logs import clean

from . import metrics

DISPLAY = {True: "POS Online", False: "POS Offline"}
CLOCK_STEP = timedelta(seconds=0.5)
"""By how much the wall clock has to move against the other one to count as set anew."""
PHASES = ("starting", "dialing", "registering", "online", "waiting", "stopping")


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: `2026-11-23T07:50:24.123Z`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def as_line(snapshot: dict) -> bytes:
    """A snapshot as one line of JSON, newline included: the form of the status file, the events and the API."""
    return json.dumps(snapshot).encode("ascii") + b"\n"


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Subscription:
    """Wakes when the board changed. Fresh ones are due at once, so that nobody misses the state they start from."""

    def __init__(self, board: "Board"):
        self._board = board
        self._changed = Event()
        self._changed.set()

    def wake(self) -> None:
        self._changed.set()

    def wait(self, timeout: float | None) -> dict | None:
        """The newest snapshot once something changed since the last call; None after `timeout` seconds without."""
        if not self._changed.wait(timeout):
            return None
        self._changed.clear()
        return self._board.snapshot()


class Board:
    """What the terminal shows. `monotonic` and `boottime` (which follows `monotonic` where that is given alone) give
    seconds, `wall` an aware datetime; for tests."""

    def __init__(self, terminal_id: str = "", version: str = VERSION, *, monotonic=time.monotonic, wall=_now,
                 boottime: Callable[[], float] | None = None):
        self._monotonic = monotonic
        self._wall = wall
        self._boottime = boottime or (uptime if monotonic is time.monotonic else monotonic)
        now = self._boottime()
        self._booted = wall() - timedelta(seconds=now)      # the date at which the boot clock was zero
        self._subscriptions: set[Subscription] = set()
        self._measures = metrics.Measures("starting", monotonic())
        self._redial_at: float | None = None
        self._reported_at: float | None = None
        self._acked_at: float | None = None
        self._state = {
            "online": False,
            "idle": True,
            "reason": "starting",
            "since": now,
            "terminal_id": clean(terminal_id),
            "endpoint": None,
            "local_address": None,
            "interface": None,
            "last_ack": None,
            "network": {},
            "version": version,
            "problems": {},
            "endpoints": [],
            "transactions": {},
            "phase": "starting",
        }

    # What the parts say

    def online(self, endpoint: str, local_address: str, interface: str | None) -> None:
        """Registered with the cloud at `endpoint` over the connection from `local_address` (on `interface`)."""
        self._measures.online(self._monotonic())
        self._acked_at = None
        self._redial_at = None
        self._change(online=True, reason=None, since=self._boottime(), endpoint=str(endpoint),
                     local_address=local_address, interface=interface, last_ack=None, phase="online")

    def offline(self, reason: str) -> None:
        """Not registered, and why, for people. While offline already, only the reason changes."""
        reason = clean(reason) or "unknown"
        self._measures.offline(reason, self._monotonic())
        if self._state["online"]:
            self._change(online=False, reason=reason, since=self._boottime(), endpoint=None,
                         local_address=None, interface=None)
        else:
            self._change(reason=reason)

    def acked(self) -> None:
        """The cloud acknowledged a heartbeat."""
        self._acked_at = self._monotonic()
        self._measures.acks += 1
        self._change(last_ack=self._boottime())

    def idle(self, flag: bool) -> None:
        self._change(idle=bool(flag))

    def network(self, report: dict) -> None:
        """The watchdog's last report. One that only says the same again is kept, and wakes nobody."""
        self._reported_at = self._monotonic()
        known = self._state["network"]
        if {**known, "sent": None} == {**report, "sent": None}:
            self._state["network"] = dict(report)
        else:
            self._change(network=dict(report))

    def identity(self, terminal_id: str) -> None:
        self._change(terminal_id=clean(terminal_id))

    def problem(self, name: str, text: str | None) -> None:
        """Something a person should know beside online or offline, by name; None when it is over."""
        problems = dict(self._state["problems"])
        if text is None:
            problems.pop(name, None)
        else:
            problems[name] = clean(text)
        self._change(problems=problems)

    def transactions(self, counts: dict) -> None:
        self._change(transactions=dict(counts))

    def phase(self, name: str, retry_in: float | None = None) -> None:
        """What the connection does now, one of PHASES; `retry_in` seconds until the next dial while waiting."""
        if name not in PHASES:
            raise ValueError(f"phase {name!r} is none of {', '.join(PHASES)}")
        redial_at = None if retry_in is None else self._monotonic() + retry_in
        moved = redial_at != self._redial_at
        self._redial_at = redial_at
        self._change(moved, phase=name)

    def endpoints(self, found: list[dict[str, Any]]) -> None:
        """What the last dial found at each endpoint: `cloud.endpoints.Endpoints.status`."""
        self._change(endpoints=found)

    def observe(self, name: str, seconds: float) -> None:
        """One duration for the metrics: `observe("register", 0.2)` feeds `econduit_register_seconds`."""
        self._measures.observe(name, seconds)

    # What the others read

    def snapshot(self) -> dict:
        """Exactly the JSON of `GET /status`; the caller's own copy at the top level. `written_uptime` is now, in
        seconds of CLOCK_BOOTTIME; who is told nothing newer for `valid_for` seconds is told by nobody."""
        state = self._state
        return {
            "display": DISPLAY[state["online"]],
            "online": state["online"],
            "idle": state["idle"],
            "reason": state["reason"],
            "since": self._date(state["since"]),
            "terminal_id": state["terminal_id"],
            "endpoint": state["endpoint"],
            "local_address": state["local_address"],
            "interface": state["interface"],
            "last_ack": None if state["last_ack"] is None else self._date(state["last_ack"]),
            "connects": self._measures.connects,
            "disconnects": dict(self._measures.disconnects),
            "network": state["network"],
            "phase": state["phase"],
            "retry_in": self._retry_in(),
            "transactions": state["transactions"],
            "problems": state["problems"],
            "endpoints": state["endpoints"],
            "pid": os.getpid(),
            "version": state["version"],
            "valid_for": VALID_FOR,
            "written_uptime": math.floor(self._boottime() * 1000) / 1000,
        }

    def follow_wall_clock(self) -> None:
        """To be called now and then: what was shown before the wall clock was set is shown anew."""
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
    def subscribe(self):
        """`with board.subscribe() as changes:` then `changes.wait(timeout)`, as often as wanted."""
        subscription = Subscription(self)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def _date(self, moment: float) -> str:
        self.follow_wall_clock()
        return timestamp(self._booted + timedelta(seconds=moment))

    def _retry_in(self) -> float | None:
        if self._redial_at is None:
            return None
        return round(max(0.0, self._redial_at - self._monotonic()), 3)

    def _change(self, moved: bool = False, **values) -> None:
        if not moved and all(self._state[key] == value for key, value in values.items()):
            return
        self._state.update(values)
        for subscription in self._subscriptions:
            subscription.wake()
