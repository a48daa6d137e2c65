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
