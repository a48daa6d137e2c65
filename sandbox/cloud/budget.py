"""How many registrations a second the cloud takes; the others wait for their turn. PURE.

Rules

- Registrations are served in the order in which they are read, one at a time, each for 1/rate seconds.
- A terminal that gives up while it waits keeps its turn: that nobody listens any more, a cloud finds out when it
  answers. What was spent on those is counted as `wasted`.
- Without a rate nobody waits.
"""
import math


class Budget:
    """The queue before the registrations. `per_second`: how many it takes; None: as many as come."""

    def __init__(self, per_second: float | None = None) -> None:
        self.per_second = per_second
        self.waiting = 0
        self.total = 0
        self.wasted = 0
        self._free_at = -math.inf

    def turn(self, now: float) -> float:
        """A registration came at `now` (monotonic seconds): for how long it waits. `served` is to follow."""
        self.waiting += 1
        if self.per_second is None:
            return 0.0
        self._free_at = max(now, self._free_at) + 1 / self.per_second
        return self._free_at - now

    def served(self, wasted: bool) -> None:
        """A registration had its turn. `wasted`: its terminal had given up."""
        self.waiting -= 1
        self.total += 1
        self.wasted += wasted
