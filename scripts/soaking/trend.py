"""PURE. How fast something grows: least squares over the lives of several processes, with the error of the slope.

Rules
- Each process has a level of its own (an intercept for each life), all share one slope: a process started again
  begins at its own size, and only what happens *within* lives is growth.
- What a life does first, up to `warm_up`, is its start and no growth.
- The error is the standard error of the slope, from what the lines leave over; with fewer than SPARE samples beyond
  what the lines use up, nothing is said.
- Memory moves in steps, and a sample is much like the one before it: the error is larger by what neighbouring samples
  have in common (effective sample size by the lag-1 autocorrelation r: Bartlett, 1935; Santer et al., J. Geophys. Res.
  105, 2000; r itself is found too small in few samples, by about (1 + 4r)/n: Marriott and Pope, 1954). So one step is
  no growth, however large.
"""
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

SURE = 3.0
"""A slope beyond so many of its errors is no chance."""
SPARE = 3
MOST_ALIKE = 0.95
"""What r counts at most: beyond, no number of samples would tell anything."""


@dataclass(frozen=True)
class Point:
    """One sample of one life: x of it has passed since its start, and then it has y."""

    life: int
    x: float
    y: float


@dataclass(frozen=True)
class Trend:
    """y grows by `slope` for each unit of x, give or take `error` (one standard error).

    samples, lives: what it rests on."""

    slope: float
    error: float
    samples: int
    lives: int

    def exceeds(self, limit: float) -> bool:
        """Whether it surely grows by more than `limit`."""
        return self.slope - SURE * self.error > limit

    def stays_below(self, limit: float) -> bool:
        """Whether it surely grows by no more than `limit`."""
        return self.slope + SURE * self.error <= limit

    def within(self, limit: float) -> bool | None:
        """Whether it grows by no more than `limit`; None: neither is sure."""
        if self.stays_below(limit):
            return True
        return False if self.exceeds(limit) else None


def trend(points: Iterable[Point], warm_up: float = 0.0) -> Trend | None:
    """The common slope; None where the samples are too few or all at one x."""
    lives: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        if point.x >= warm_up:
            lives[point.life].append(point)
    groups = [group for group in lives.values() if len(group) > 1]
    xx = xy = yy = 0.0
    for group in groups:
        mean_x = math.fsum(point.x for point in group) / len(group)
        mean_y = math.fsum(point.y for point in group) / len(group)
        xx += math.fsum((point.x - mean_x) ** 2 for point in group)
        xy += math.fsum((point.x - mean_x) * (point.y - mean_y) for point in group)
        yy += math.fsum((point.y - mean_y) ** 2 for point in group)
    count = sum(map(len, groups))
    spare = count - len(groups) - 1
    if spare < SPARE or xx == 0:
        return None
    slope = xy / xx
    r = _alike([_left_over(group, slope) for group in groups])
    error = math.sqrt(max(0.0, yy - slope * xy) / spare / xx) * math.sqrt((1 + r) / (1 - r))
    return Trend(slope, error, count, len(groups))


def _left_over(group: list[Point], slope: float) -> list[float]:
    """What one life's line leaves over of each sample, in order."""
    level = math.fsum(point.y - slope * point.x for point in group) / len(group)
    return [point.y - slope * point.x - level for point in sorted(group, key=lambda point: point.x)]


def _alike(lives: list[list[float]]) -> float:
    """r of neighbours within lives, corrected for few samples; between 0 and MOST_ALIKE."""
    whole = math.fsum(one * one for life in lives for one in life)
    if whole == 0:
        return 0.0
    r = math.fsum(one * other for life in lives for one, other in itertools.pairwise(life)) / whole
    return min(MOST_ALIKE, max(0.0, r + (1 + 4 * r) / sum(map(len, lives))))
