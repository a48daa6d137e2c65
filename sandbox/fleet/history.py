"""PURE. What happened in a fleet, per tenth of a second, and for how long each terminal was away."""
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from econduit_terminal.sandbox.fleet.policies import Ids, Seconds

NEVER = float("inf")
STEP = 0.1
"""Seconds of one entry of a row."""
_ROUNDING = 1e-9
"""Seconds by which a time that means the beginning of a step may be too early."""


class Kind(Enum):
    """What is counted."""
    DIAL = auto()           # the terminal's own
    PROBE = auto()          # the watchdog's
    OPEN = auto()           # connections on which a registration was asked for
    REGISTERED = auto()
    WASTED = auto()         # registrations that were worked off and that nobody waited for
    LOST = auto()           # registered connections that ended


class History:
    """Counts what happens until `end`. works_from: since when the cloud could take everybody, and takes them."""

    def __init__(self, terminals: int, end: float, works_from: float):
        self.steps = int(np.ceil(end / STEP))
        self.rows = {kind: np.zeros(self.steps, np.int64) for kind in Kind}
        self.back = np.zeros(terminals)
        self._lost_at = np.zeros(terminals)
        self._works_from = works_from

    def count(self, kind: Kind, times: Seconds | Iterable[float]) -> None:
        """These happened."""
        at = np.asarray(times, np.float64)
        steps = ((at[np.isfinite(at)] + _ROUNDING) / STEP).astype(np.int64)
        steps = steps[steps < self.steps]
        if steps.size:
            first = int(steps.min())
            counts = np.bincount(steps - first)
            self.rows[kind][first:first + counts.size] += counts

    def lost(self, ids: Ids, times: Seconds) -> None:
        """These lost the connection on which they were registered."""
        self.count(Kind.LOST, times)
        self._lost_at[ids] = times

    def registered(self, ids: Ids, times: Seconds) -> None:
        """These are registered."""
        self.count(Kind.REGISTERED, times)
        away = times - np.maximum(self._lost_at[ids], self._works_from)
        self.back[ids] = np.maximum(self.back[ids], away)

    def never(self, ids: Ids) -> None:
        """These were not back in the time that was played."""
        self.back[ids] = np.inf


@dataclass(frozen=True)
class Outcome:
    """What became of a fleet under one policy.

    rows: counts per STEP. online: terminals that are, at the end of each step. back: the longest time for which each
    terminal was away while the cloud could have taken it; infinity where it was not back in the time that was played.
    """
    policy: str
    rows: dict[Kind, NDArray[np.int64]]
    online: NDArray[np.int64]
    back: NDArray[np.float64]

    def back_after(self, part: float) -> float:
        """Seconds until this part of the fleet (0 to 1) was back."""
        rank = max(0, int(np.ceil(part * self.back.size)) - 1)
        return float(np.partition(self.back, rank)[rank])

    def total(self, kind: Kind) -> int:
        """How often it happened."""
        return int(self.rows[kind].sum())
