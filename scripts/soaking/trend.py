"""PURE. How fast something grows: least squares over the lives of several processes, with the error of the slope.

Rules
- Each process has a level of its own (an intercept for each life), all share one slope: a process started again
  begins at its own size, and only what happens *within* lives is growth.
- What a life does first, up to `warm_up`, is its start and no growth.
- The error is the standard error of the slope, from what the lines leave over; with fewer than SPARE samples beyond
  what the lines use up, nothing is said. It takes samples to be independent; memory moves in steps, which are not: one
  step of a few MB looks like growth, and growth of memory alone is a reason to look at its samples.
"""
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

SURE = 3.0
"""A slope beyond so many of its errors is no chance."""
SPARE = 3


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
    return Trend(slope, math.sqrt(max(0.0, yy - slope * xy) / spare / xx), count, len(groups))
