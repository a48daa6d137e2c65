"""When each terminal of a fleet was lost and registered, and what follows from that. PURE.

Times are seconds since the epoch, since they may come from several machines.
"""
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

PARTS = (0.5, 0.9, 0.99, 1.0)

Change = tuple[str, float, bool | None]
"""A terminal is registered (True), lost its connection (False) or takes no part any more (None), since when."""


@dataclass
class Record:
    """Of the whole fleet. `changes` may come in any order between terminals, in order for each."""
    online: set[str] = field(default_factory=set)
    _lost: dict[str, float] = field(default_factory=dict)
    _registered: dict[str, float] = field(default_factory=dict)

    def note(self, changes: Iterable[Change]) -> None:
        """These happened."""
        for terminal, when, online in changes:
            if online:
                self.online.add(terminal)
                self._registered[terminal] = when
                continue
            self.online.discard(terminal)
            if online is None:
                self._lost.pop(terminal, None)
                self._registered.pop(terminal, None)
            else:
                self._lost[terminal] = when

    def back(self, began: float, works: float) -> list[float]:
        """For each terminal that was lost since `began`: seconds from when the cloud worked, or from its own loss
        where that was later, until it was registered; infinity where it is not. Ascending."""
        return sorted(max(0.0, self._registered[terminal] - max(works, lost)) if terminal in self.online else math.inf
                      for terminal, lost in self._lost.items() if lost >= began)


def part_back(back: list[float], part: float) -> float:
    """Seconds until this part of those (0 to 1) was back. Raises ValueError where there are none."""
    if not back:
        raise ValueError("nobody was lost")
    return back[max(0, math.ceil(part * len(back)) - 1)]
