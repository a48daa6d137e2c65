"""Greenlets whose work has no end: one that ends by a bug is logged and started again, and the others go on."""
import logging
from collections.abc import Callable

import gevent

PAUSE = 0.5
"""Seconds before a failed greenlet is started again: a bug that comes at once must not fill the log."""

Work = Callable[[], None]


class RestartingGreenlets:
    """log: says which part they belong to."""

    def __init__(self, log: logging.Logger):
        self._log = log
        self._running: dict[Work, gevent.Greenlet[[], None]] = {}
        self._stopped = False

    def start(self, work: Work, after: float = 0.0) -> None:
        """Begin it, `after` seconds from now."""
        greenlet = self._running[work] = gevent.spawn_later(after, work)
        greenlet.link_exception(lambda failed: self._failed(work, failed))

    def stop(self) -> None:
        """End them all, at once."""
        self._stopped = True
        gevent.killall(list(self._running.values()))

    def _failed(self, work: Work, greenlet: "gevent.Greenlet[[], None]") -> None:
        self._log.critical("a greenlet failed and is started again: %s", type(greenlet.exception).__name__)
        if not self._stopped:
            self.start(work, PAUSE)
