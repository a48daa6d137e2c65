"""A dial while a connection is in use: for a move to the primary, and to find out whether that connection is dead.

At most one at a time. What it opens is either taken, as the next connection, or closed unused: nothing is ever sent on
it here, so that the terminal is never registered twice.
"""
from collections.abc import Callable, Sequence

import gevent

from econduit_terminal.conf.values import Endpoint

from .dialed import Dialed, DialFailed

Dial = Callable[[Sequence[Endpoint]], Dialed | DialFailed]


def drop(dialing: "gevent.Greenlet[..., Dialed | DialFailed] | None") -> None:
    """End a dial that is no longer needed; a connection that it opened is closed unused."""
    if dialing is not None:
        dialing.kill()
        if isinstance(dialing.value, Dialed):
            dialing.value.socket.close()


class BackgroundDial:
    """dial: opens a connection to one of these endpoints, or says why not; bounded. wake: called when it is done."""

    def __init__(self, dial: Dial, wake: Callable[[], None]):
        self._dial = dial
        self._wake = wake
        self._dialing: gevent.Greenlet[..., Dialed | DialFailed] | None = None

    @property
    def running(self) -> bool:
        """A dial is under way, or its result was not taken."""
        return self._dialing is not None

    def start(self, endpoints: Sequence[Endpoint]) -> None:
        """Begin; what an earlier one opened is closed."""
        self.drop()
        self._dialing = gevent.spawn(self._dial, endpoints)
        self._dialing.link(lambda _: self._wake())

    def opened(self) -> Dialed | DialFailed | None:
        """What came of it, None while it is under way. It stays here until `take` or `drop`."""
        if self._dialing is None or not self._dialing.ready():
            return None
        result: Dialed | DialFailed = self._dialing.get()
        return result

    def take(self) -> None:
        """The caller has the connection now."""
        self._dialing = None

    def drop(self) -> None:
        """It is no longer needed."""
        dialing, self._dialing = self._dialing, None
        drop(dialing)
