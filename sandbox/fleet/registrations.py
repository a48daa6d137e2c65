"""PURE. The cloud's end of a fleet: connections that wait, and registrations that are worked off one after the other.

A connection's way: it waits in its endpoint's backlog until the cloud accepts it, then in the queue until those before
it are worked off, then for its own turn, which takes 1 / budget. All that is known the moment it arrives, since turns
are equally long and in the order of arrival. A dial beyond the backlog is dropped.

What nobody waits for any more (its terminal hung up before the answer came) is worked off all the same, and counted as
wasted; where the cloud notices, it costs no time.
"""
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from econduit_terminal.sandbox.fleet.scenes import Cloud

NEVER, DROPPED = float("inf"), float("nan")
_TRIM = 100_000
_WHEN = itemgetter(0)


@dataclass
class Taken:
    """One for each connection that asked: when it is registered, NEVER where it is not before its terminal hangs up,
    DROPPED where the dial was. wasted: when registrations were worked off that nobody waited for."""
    registered: list[float] = field(default_factory=list)
    wasted: list[float] = field(default_factory=list)


class Registrations:
    """Times are seconds; arrivals come in their order, or nearly so."""

    def __init__(self, cloud: Cloud, endpoints: int):
        self._cloud = cloud
        self._turn = 1 / cloud.budget
        self._free = 0.0                                    # when the last turn that was given ends
        self._ends: list[float] = []                        # of turns, in order; old ones are forgotten
        self._waiting: Sequence[deque[float]] = [deque() for _ in range(endpoints)]
        self._hung_until = self._stalled_until = 0.0

    def hang(self, until: float) -> None:
        """Nothing is worked off until then."""
        self._hung_until = until

    def stall(self, until: float) -> None:
        """Nothing is accepted until then, nor worked off."""
        self._hung_until = self._stalled_until = until

    def take(self, arrivals: Sequence[tuple[float, int, float]]) -> Taken:
        """Connections that arrive, in order: when, at which endpoint, and when the cloud hears that the terminal hung
        up."""
        taken, following = Taken(), 0
        while following < len(arrivals):
            now, endpoint, left = arrivals[following]
            following += 1
            accepted = self._accepted(now, endpoint)
            if accepted is None:
                first, following = following - 1, bisect_left(arrivals, self._full_until(now), following, key=_WHEN)
                taken.registered += [DROPPED] * (following - first)
                continue
            begins = max(self._free, accepted, self._hung_until)
            if self._cloud.notices and left <= begins:
                end = begins
                taken.registered.append(NEVER)
            else:
                end = begins + self._turn
                if left < end:
                    taken.wasted.append(end)
                taken.registered.append(end if left >= end else NEVER)
            self._free = end
            self._ends.append(end)
        if len(self._ends) > self._cloud.queue + _TRIM:
            del self._ends[:-self._cloud.queue]
        return taken

    def probe(self, now: float, endpoint: int) -> bool:
        """A connection that asks for nothing and is closed at once: whether it opens. It may take a place in the
        backlog for as long as nobody accepts it."""
        return self._accepted(now, endpoint) is not None

    def _full_until(self, now: float) -> float:
        """Until when every dial is dropped; `now` where another endpoint has room. Most dials of a large fleet come
        while none has, and need not be looked at one by one."""
        for waiting in self._waiting:
            while waiting and waiting[0] <= now:
                waiting.popleft()
            if len(waiting) < self._cloud.backlog:
                return now
        return min(waiting[0] for waiting in self._waiting)

    def _accepted(self, now: float, endpoint: int) -> float | None:
        """When a connection that arrives now is accepted; None where the backlog is full."""
        accepted = max(now, self._stalled_until)
        if len(self._ends) >= self._cloud.queue:
            accepted = max(accepted, self._ends[-self._cloud.queue])
        if accepted > now:
            waiting = self._waiting[endpoint]
            while waiting and waiting[0] <= now:
                waiting.popleft()
            if len(waiting) >= self._cloud.backlog:
                return None
            waiting.append(accepted)
        return accepted
