"""When to look: at the first ring at once, in a storm rarely. PURE.

A change of the network comes as a burst: link, address and routes within milliseconds, or two hundred routes at once.
To wait for the end of a burst would cost the very milliseconds that count; to look at every ring would cost the
processor. So the first ring is answered at once, and while rings keep coming the pause between two looks doubles, from
a twentieth of `coalesce` up to `coalesce`. After `coalesce` without a ring the next one is a first ring again.
"""


class Debouncer:
    """`coalesce`: seconds. `now` is monotonic time in seconds."""

    def __init__(self, coalesce: float):
        self._coalesce = coalesce
        self._pause = 0.0
        self._last_ring = float("-inf")
        self._looked = float("-inf")
        self._waiting = False

    def rang(self, now: float) -> None:
        if now - self._last_ring > self._coalesce:
            self._pause = 0.0
        self._last_ring = now
        self._waiting = True

    def due(self) -> float | None:
        """When the next look is due (a moment in the past: now); None while nothing rang since the last one."""
        return self._looked + self._pause if self._waiting else None

    def looked(self, now: float) -> None:
        if self._waiting:
            self._pause = min(self._coalesce, max(2 * self._pause, self._coalesce / 20))
        self._looked = now
        self._waiting = False
