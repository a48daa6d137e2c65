"""The wait before the next dial, on the display and in the log."""
import logging
import time
from collections.abc import Sequence
from typing import Protocol

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Phase
from econduit_terminal.process.logs import clean

from .link_commands import LinkCommands
from .policy import Cause, Policy, Wait

log = logging.getLogger(__name__)

SAME_AGAIN = 60.0
"""Seconds until the log says again why there is no connection."""
TOLERANCE = 0.001
"""Seconds by which the next dial has to move before the display says so."""


class StatusStore(Protocol):
    """Where the wait is shown (status.store)."""

    def phase(self, phase: Phase, retry_in: float | None = None) -> None: ...


class RedialWait:
    """commands: a `dial` or `stop` among them ends the wait. policy: says how long it is, and may change its mind."""

    def __init__(self, commands: LinkCommands, policy: Policy[Endpoint], store: StatusStore):
        self._commands = commands
        self._policy = policy
        self._store = store
        self._logged: tuple[Cause, Sequence[str]] | None = None
        self._logged_at = 0.0

    def run(self, wait: Wait, reason: str) -> None:
        """Until an endpoint may be dialed, or somebody wants it at once. An endpoint that may be dialed is not kept
        waiting by the other one."""
        level = self._level((wait.cause, sorted(reason.split("; "))))
        log.log(level, "next dial in %.2f s: %s (%s, failures in a row: %d)", wait.seconds, clean(reason),
                wait.cause.value, wait.attempt)
        shown = -1.0
        while not (self._commands.dial or self._commands.stop):
            now = time.monotonic()
            left = self._policy.wait(now)
            if left <= 0:
                return
            if abs(now + left - shown) > TOLERANCE:
                self._store.phase(Phase.WAITING, left)
            shown = now + left
            self._commands.wakeup.wait(left)
            self._commands.wakeup.clear()
        self._policy.wake()

    def forget(self) -> None:
        """There was a connection: the next reason is news."""
        self._logged = None

    def _level(self, why: tuple[Cause, Sequence[str]]) -> int:
        """INFO for what is new, and for the same again once a minute: an outage of a night must not push the day before
        out of the log, which has a limit."""
        now = time.monotonic()
        if why == self._logged and now < self._logged_at + SAME_AGAIN:
            return logging.DEBUG
        self._logged, self._logged_at = why, now
        return logging.INFO
