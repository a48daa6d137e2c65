"""The newest verdict to the agent, as a report. The loop itself never waits for the agent.

`dial` and `verify` are about a moment: those of a report that could not be handed over, or was overtaken, go with the
next one, until HINT_LIFE is over and they are no news any more.
"""
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from econduit_terminal.contract.client import AgentError, Client, NotRunning
from econduit_terminal.contract.network_report import InterfaceReport, NetworkReport
from econduit_terminal.contract.reader import MAX_ITEMS
from econduit_terminal.process.timestamps import rfc3339

from .verdict import Verdict

HINT_LIFE = 5.0
"""Seconds."""
_NEVER = float("-inf")

log = logging.getLogger("watchdog")


def report_of(verdict: Verdict, *, dial: bool = False, verify: bool = False) -> NetworkReport:
    """The body of POST /network. `dial` and `verify`: also those of earlier verdicts that never arrived."""
    return NetworkReport(
        verdict=verdict.reason, detail=verdict.detail, usable=verdict.usable, path=verdict.path, bind=verdict.bind,
        lost=dict(verdict.lost), dial=verdict.dial or dial, verify=verdict.verify or verify,
        interfaces=tuple(InterfaceReport(one.name, one.kind, one.name in verdict.usable_names, one.operstate,
                                         one.addresses[:MAX_ITEMS]) for one in verdict.interfaces),
        addresses=dict(verdict.addresses), beyond=verdict.beyond, network=verdict.network, open=verdict.open,
        sent=rfc3339(datetime.now(UTC)))


class ReportSender:
    """Sends what `send` was given last; an absent agent is tried again with the next verdict."""

    def __init__(self, client: Client, stopped: threading.Event, monotonic: Callable[[], float] = time.monotonic):
        self._client, self._stopped, self._monotonic = client, stopped, monotonic
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._verdict: Verdict | None = None
        self._dial_at = self._verify_at = _NEVER
        self._failing: type[AgentError] | None = None

    def send(self, verdict: Verdict) -> None:
        """Returns at once; replaces a verdict that was not sent yet."""
        with self._lock:
            self._verdict = verdict
            now = self._monotonic()
            self._dial_at = now if verdict.dial else self._dial_at
            self._verify_at = now if verdict.verify else self._verify_at
        self._due.set()

    def run(self) -> None:
        """The thread, until `stopped` and `close`."""
        while not self._stopped.is_set():
            self._due.wait()
            self._due.clear()
            with self._lock:
                verdict, dial_at, verify_at = self._verdict, self._dial_at, self._verify_at
            if verdict is not None and self._delivered(verdict, dial_at, verify_at):
                with self._lock:
                    self._dial_at = _NEVER if self._dial_at == dial_at else self._dial_at
                    self._verify_at = _NEVER if self._verify_at == verify_at else self._verify_at

    def close(self) -> None:
        self._due.set()

    def _delivered(self, verdict: Verdict, dial_at: float, verify_at: float) -> bool:
        since = self._monotonic() - HINT_LIFE
        try:
            self._client.report(report_of(verdict, dial=dial_at >= since, verify=verify_at >= since))
        except AgentError as error:
            if self._failing is not type(error):
                log.log(logging.INFO if isinstance(error, NotRunning) else logging.WARNING, "not reported: %s", error)
            self._failing = type(error)
            return False
        if self._failing is not None:
            log.info("reporting to the agent again")
            self._failing = None
        return True
