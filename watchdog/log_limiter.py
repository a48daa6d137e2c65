"""How often the same line may be logged. PURE.

A cable that flaps all night must not push the day before out of the log, which has a limit.
"""


class LogLimiter:
    """A line `most` times within `period` seconds; further ones are counted. `now` is monotonic time in seconds."""

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
