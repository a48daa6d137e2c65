"""Back to the primary: from another endpoint it is dialed in the background, again and again, until it opens while
nothing is going on; then the connection in use is left for it.

A dial that does not open costs nothing and is repeated after the same time. That the primary opened proves nothing:
what a failed move costs, and how much later the next one comes, is the endpoints' record (`Endpoints.move_after`).
"""
import logging
from collections.abc import Callable
from dataclasses import dataclass

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.process.logs import clean

from .background_dial import BackgroundDial, Dial
from .dialed import Dialed

log = logging.getLogger(__name__)

AGAIN = 1.0
"""Seconds until the primary is dialed again after it was open and something came in between."""


@dataclass(frozen=True)
class Move:
    """To the primary, `after` seconds of registration at another endpoint."""
    primary: Endpoint
    after: float


class PrimaryReturn:
    """For one connection. move: None where this is the primary; may be replaced. `now`: monotonic seconds."""

    def __init__(self, dial: Dial, wake: Callable[[], None], move: Move | None):
        self.move = move
        self._background = BackgroundDial(dial, wake)
        self._from: float | None = None         # since when `move.after` runs

    def start(self, now: float) -> None:
        """The connection is registered."""
        self._from = now

    def due(self, *, idle: bool) -> float | None:
        """When `check` has something to do next, if no dial is under way."""
        if self.move is None or self._from is None or not idle or self._background.running:
            return None
        return self._from + self.move.after

    def check(self, now: float, *, idle: bool, quiet: Callable[[], bool]) -> Dialed | None:
        """The open connection to change over to now. Then `take` it, or `close`."""
        if self.move is None or self._from is None:
            return None
        at = self.due(idle=idle)
        if at is not None and now >= at:
            self._background.start([self.move.primary])
        opened = self._background.opened()
        if opened is None:
            return None
        self._from = now
        if isinstance(opened, Dialed) and idle and quiet():
            return opened
        if isinstance(opened, Dialed):
            self._from = now + AGAIN - self.move.after
        else:
            log.info("the primary endpoint is not back: %s; next try in %g s", clean(opened), self.move.after)
        self._background.drop()
        return None

    def take(self) -> None:
        """The caller has the connection now."""
        self._background.take()

    def close(self) -> None:
        """The primary is no longer needed."""
        self._background.drop()
