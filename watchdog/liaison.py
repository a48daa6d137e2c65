"""To and from the agent: its status as it changes, our reports as they come. The loop itself never waits for the agent.

An agent that is absent is no error: it is tried again, ten times a second for a moment (a restart) and then every
second, and its return is told to the loop, which then reports at once.
"""
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from econduit_terminal.contract.client import AgentError, Client, NotRunning
from econduit_terminal.contract.network_report import InterfaceReport, NetworkReport
from econduit_terminal.process.timestamps import rfc3339
from econduit_terminal.watchdog.inbox import Inbox
from econduit_terminal.watchdog.verdict import Verdict

RETRY = 1.0
RESTART, RESTART_RETRY = 5.0, 0.1

_LONG_AGO = float("-inf")

log = logging.getLogger("watchdog")


def report(verdict: Verdict, *, dial: bool = False, verify: bool = False) -> NetworkReport:
    """The body of POST /network. ``dial`` and ``verify``: also those of earlier verdicts that never arrived."""
    return NetworkReport(
        verdict=verdict.reason, detail=verdict.detail, usable=verdict.usable, path=verdict.path, bind=verdict.bind,
        lost=dict(verdict.lost), dial=verdict.dial or dial, verify=verdict.verify or verify,
        interfaces=tuple(InterfaceReport(one.name, one.kind, one.name in verdict.usable_names, one.operstate,
                                         one.addresses) for one in verdict.interfaces),
        addresses=dict(verdict.addresses), beyond=verdict.beyond, network=verdict.network, open=verdict.open,
        sent=rfc3339(datetime.now(UTC)))


class Feed:
    """The agent's status into the inbox: ``agent`` → the status at every change, None when it is not there."""

    def __init__(self, client: Client, inbox: Inbox, stopped: threading.Event):
        self._client, self._inbox, self._stopped = client, inbox, stopped

    def run(self) -> None:
        there, seen = True, time.monotonic()
        while not self._stopped.is_set():
            try:
                for status in self._client.events():
                    there = True
                    self._inbox.put("agent", status)
            except NotRunning:
                pass
            except AgentError as error:
                if there:
                    log.warning("the agent's status: %s", error)
            if there:
                there, seen = False, time.monotonic()
                self._inbox.put("agent", None)
            self._stopped.wait(RESTART_RETRY if time.monotonic() - seen < RESTART else RETRY)


class Courier:
    """Carries the newest report to the agent, beside the loop. ``dial`` and ``verify`` of a report that could not be
    handed over, or was overtaken, go with the next one; after HINT_LIFE they are no news any more."""

    HINT_LIFE = 5.0

    def __init__(self, client: Client, stopped: threading.Event,
                 monotonic: Callable[[], float] = time.monotonic):
        self._client, self._stopped, self._monotonic = client, stopped, monotonic
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._verdict: Verdict | None = None
        self._dial_at = self._verify_at = _LONG_AGO
        self._failing: str | None = None

    def send(self, verdict: Verdict) -> None:
        with self._lock:
            self._verdict = verdict
            now = self._monotonic()
            self._dial_at = now if verdict.dial else self._dial_at
            self._verify_at = now if verdict.verify else self._verify_at
        self._due.set()

    def run(self) -> None:
        while not self._stopped.is_set():
            self._due.wait()
            self._due.clear()
            with self._lock:
                verdict, dial_at, verify_at = self._verdict, self._dial_at, self._verify_at
            if verdict is not None and self._delivered(verdict, dial_at, verify_at):
                with self._lock:
                    self._dial_at = _LONG_AGO if self._dial_at == dial_at else self._dial_at
                    self._verify_at = _LONG_AGO if self._verify_at == verify_at else self._verify_at

    def close(self) -> None:
        self._due.set()

    def _delivered(self, verdict: Verdict, dial_at: float, verify_at: float) -> bool:
        news = self._monotonic() - self.HINT_LIFE
        try:
            self._client.report(report(verdict, dial=dial_at >= news, verify=verify_at >= news))
        except AgentError as error:
            kind = type(error).__name__
            if self._failing != kind:
                log.log(logging.INFO if isinstance(error, NotRunning) else logging.WARNING, "not reported: %s", error)
            self._failing = kind
            return False
        if self._failing is not None:
            log.info("reporting to the agent again")
            self._failing = None
        return True
