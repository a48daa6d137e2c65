"""PURE. How many requests at once are logged: a line each for the first, one line for all the others.

A flood begins with the request that is more than `BURST` within one second, and is over after a second with no more
than `CALM` of them.
"""
BURST = 20
CALM = 5
REPORT = 60.0
"""Seconds after which a flood that continues is logged."""


class Flood:
    """`now`: monotonic time in seconds."""

    def __init__(self) -> None:
        self._second = float("-inf")        # when the second began that is being counted
        self._count = 0
        self._calm = True
        self._began: float | None = None    # when the present flood began, or was logged last
        self._last = 0.0
        self._hidden = 0

    @property
    def on(self) -> bool:
        """There will be something to log: ask `summary` about once a second."""
        return self._began is not None

    def counts(self, now: float) -> bool:
        """A request came: is it one of those without lines of their own?"""
        self._turn(now)
        self._count += 1
        if self._began is None and self._count > BURST:
            self._began = now
        if self._began is None:
            return False
        self._hidden += 1
        self._last = now
        return True

    def summary(self, now: float) -> tuple[int, float] | None:
        """When it is over, and now and then while it lasts: how many requests those were, in how many seconds."""
        self._turn(now)
        if self._began is None or not (self._calm or now - self._began >= REPORT):
            return None
        summary = self._hidden, self._last - self._began
        self._began, self._hidden = None if self._calm else now, 0
        return summary

    def _turn(self, now: float) -> None:
        if now - self._second >= 1.0:
            self._calm = self._count <= CALM or now - self._second >= 2.0
            self._second, self._count = now, 0
