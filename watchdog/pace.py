"""When to look: at the first ring at once, in a storm rarely. PURE.

A change of the network comes as a burst: link, address, routes within milliseconds, or two hundred routes in one go.
Waiting for the end of a burst costs the very milliseconds that count, looking at every ring costs the processor. So the
first ring is answered at once, and while rings keep coming the rest between two looks doubles, from a twentieth of
``coalesce`` up to ``coalesce``. After ``coalesce`` without a ring the next one is a first ring again.
"""


class Pace:
    def __init__(self, coalesce: float):
        self._coalesce = coalesce
        self._rest = 0.0
        self._last_ring = float("-inf")
        self._looked = float("-inf")
        self._waiting = False

    def rang(self, now: float) -> None:
        if now - self._last_ring > self._coalesce:
            self._rest = 0.0
        self._last_ring = now
        self._waiting = True

    def due(self) -> float | None:
        """When the next look is due (a moment in the past: now); None while nothing rang since the last one."""
        return self._looked + self._rest if self._waiting else None

    def looked(self, now: float) -> None:
        if self._waiting:
            self._rest = min(self._coalesce, max(2 * self._rest, self._coalesce / 20))
        self._looked = now
        self._waiting = False


class Quota:
    """How often the same line may be logged: ``most`` times within ``period`` seconds; further ones are counted. A
    cable that flaps all night must not push the day before out of the log, which has a limit."""

    MOST_LINES = 64

    def __init__(self, most: int = 5, period: float = 300.0):
        self._most, self._period = most, period
        self._said: dict[str, tuple[float, int]] = {}

    def allows(self, line: str, now: float) -> tuple[bool, int]:
        """Whether to say it now, and how often it was left out since the last time."""
        began, times = self._said.get(line, (now, 0))
        left_out = 0
        if now - began > self._period:
            left_out, began, times = max(0, times - self._most), now, 0
        self._said.pop(line, None)
        self._said[line] = began, times + 1
        while len(self._said) > self.MOST_LINES:
            self._said.pop(next(iter(self._said)))
        return times < self._most, left_out
