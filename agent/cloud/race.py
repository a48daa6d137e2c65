"""PURE. Which address to dial when: the race between both endpoints and all their addresses.

Rules

- Each endpoint is a lane. The first lane starts at once, the second `head_start` later, or as soon as the first has
  nothing left to try.
- Within a lane the addresses that are known beforehand go first, before the name is looked up; then the looked-up
  addresses, IPv6 and IPv4 in turn (RFC 8305, section 4), each `STAGGER` after the one before or at once when that one
  failed. Addresses at which connections open without registering go last.
- Where dials are still unanswered after `again` seconds, the addresses are dialed again as well: after the network's
  return the kernel's own next SYN may be seconds away.
- A lane has nothing left when its name is looked up and every address failed. A lane that never answers has always
  something left: the dial's deadline ends it.
"""
import math
from collections import deque
from collections.abc import Iterable, Sequence

from .endpoints import Address

STAGGER = 0.25
"""Seconds between two addresses of one name: the recommended value of RFC 8305, section 5."""
MOST_IN_FLIGHT = 12
"""Sockets that one lane may have open at a time."""


def interleave(addresses: Iterable[Address]) -> list[Address]:
    """Addresses reordered so that families alternate, beginning with the first one's."""
    queues: dict[int, deque[Address]] = {}
    for address in addresses:
        queues.setdefault(address[0], deque()).append(address)
    result = []
    while queues:
        for family in list(queues):
            result.append(queues[family].popleft())
            if not queues[family]:
                del queues[family]
    return result


class Lane:
    """One endpoint's addresses; `now` and `start` are monotonic seconds. doubted: addresses to be tried last, in this
    order."""

    def __init__(self, start: float, *, known: Iterable[Address] = (), doubted: Sequence[Address] = (),
                 again: float = 1.0):
        self._start = start
        self._again = again
        self._doubted = list(doubted)
        self._untried: deque[Address] = deque()
        self._seen: list[Address] = []
        self._looking_up = True
        self._last = -math.inf      # when the last address was given out
        self._in_flight = 0
        self._asked_at = math.inf   # when the oldest dial went out that nobody answered
        self.add(known)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All that this lane knows."""
        return tuple(self._seen)

    def add(self, addresses: Iterable[Address]) -> None:
        """More addresses, which may be tried."""
        new = [address for address in dict.fromkeys(addresses) if address not in self._seen]
        new.sort(key=lambda address: self._doubted.index(address) + 1 if address in self._doubted else 0)
        self._seen += new
        self._untried += new
        if new and self._in_flight == 0 and self._last == math.inf:
            self._last = -math.inf

    def resolved(self, addresses: Iterable[Address]) -> None:
        """The lookup ended with these addresses, in the resolver's order; none if it failed."""
        self._looking_up = False
        self.add(interleave(addresses))

    def start_by(self, now: float) -> None:
        """The lanes before this one have nothing left."""
        self._start = min(self._start, now)

    def failed(self) -> None:
        """A dial failed."""
        self._in_flight -= 1
        if self._untried:
            self._last = -math.inf      # the next one need not wait
        elif self._in_flight == 0:
            self._last = math.inf       # everything failed: nothing to repeat

    @property
    def exhausted(self) -> bool:
        return not (self._looking_up or self._untried or self._in_flight)

    @property
    def unanswered(self) -> bool:
        """A dial is under way that nobody answered yet."""
        return self._in_flight > 0

    def silent_for(self, now: float) -> float:
        """Seconds for which nobody has answered; 0 where nothing is under way."""
        return now - self._asked_at if self._in_flight else 0.0

    def next_at(self) -> float:
        """When `due` gives the next address, if nothing else happens until then; infinity for never."""
        if self._in_flight >= MOST_IN_FLIGHT:
            return math.inf
        if self._untried:
            return max(self._start, -math.inf if self._last == math.inf else self._last + STAGGER)
        return self._last + self._again if self._in_flight else math.inf

    def due(self, now: float) -> Address | None:
        """The address to dial now, or None."""
        if now < self.next_at():
            return None
        if not self._untried:
            self._untried += self._seen
        self._last = now
        if not self._in_flight:
            self._asked_at = now
        self._in_flight += 1
        return self._untried.popleft()
