"""Least squares over several lives: against known lines, the textbook's formula, and how slopes scatter."""
import random
import statistics

import pytest
from hypothesis import given, strategies as st
from soaking.trend import Point, trend


def line(life, xs, level, slope, noise=None):
    return [Point(life, x, level + slope * x + (noise() if noise else 0.0)) for x in xs]


@pytest.mark.parametrize("points", [
    [],
    line(1, range(4), 10, 1),                                       # one sample beyond the line: no error to be told
    line(1, [5] * 20, 10, 0),                                       # all at one x
    [Point(life, 0, 1.0) for life in range(50)],                    # lives of one sample each
    line(1, range(10), 10, 1) + line(2, range(10), 10, 1),          # all of it warm-up
])
def test_nothing_is_said_where_nothing_can_be_known(points):
    assert trend(points, warm_up=100 if len(points) == 20 and points[0].x == 0 else 0) is None


@given(slope=st.floats(-10, 10), levels=st.lists(st.floats(-1000, 1000), min_size=1, max_size=5))
def test_an_exact_slope_whatever_level_each_life_has(slope, levels):
    found = trend([point for life, level in enumerate(levels) for point in line(life, range(8), level, slope)])
    assert found.slope == pytest.approx(slope, abs=1e-6) and found.error == pytest.approx(0, abs=1e-5)
    assert (found.samples, found.lives) == (8 * len(levels), len(levels))


def test_what_differs_between_lives_alone_is_no_growth():
    later_are_larger = [point for life in range(5)
                        for point in line(life, range(10 * life, 10 * life + 8), life * 7.0, 0)]
    assert trend(later_are_larger).slope == pytest.approx(0)


def test_the_start_of_a_life_is_no_growth():
    points = line(1, range(10), 0, 5) + line(1, range(10, 30), 50, 0)
    assert trend(points).slope > 0.5
    assert trend(points, warm_up=10).slope == pytest.approx(0)


def test_the_error_is_the_textbook_one_for_one_life():
    xs, ys = [1, 2, 4, 7, 8, 11], [2.0, 1.5, 3.5, 3.0, 5.5, 5.0]
    found = trend([Point(1, x, y) for x, y in zip(xs, ys, strict=True)])
    slope, intercept = statistics.linear_regression(xs, ys)
    rest = sum((y - intercept - slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    mean = statistics.fmean(xs)
    assert found.slope == pytest.approx(slope)
    assert found.error == pytest.approx((rest / (len(xs) - 2) / sum((x - mean) ** 2 for x in xs)) ** 0.5)


@pytest.mark.parametrize("size", [0.5, 3.0, 30.0])
def test_one_step_is_no_growth(size):
    dice = random.Random(8)
    for at in range(1, 40):
        points = [Point(1, 12.0 * n, size * (n >= at) + dice.gauss(0, 0.05)) for n in range(40)]
        assert not trend(points).exceeds(0.0005)


@pytest.mark.parametrize("leak, found", [(0.0, 0), (0.01, 95)])
def test_a_walk_without_a_drift_is_seldom_growth_and_a_leak_beside_it_is(leak, found):
    """Of 100 hours: 5 MB in 10,000 faults is the limit, 100 MB the leak."""
    dice = random.Random(9)

    def hour():
        y = 0.0
        for n in range(40):
            y += dice.gauss(12 * leak, 0.1)
            yield Point(1, 12.0 * n, y)
    grown = sum(trend(hour()).exceeds(0.0005) for _ in range(100))
    assert grown <= 15 if not found else grown >= found


def test_the_error_is_as_large_as_slopes_scatter():
    dice = random.Random(5)
    found = [trend([point for life in range(3)
                    for point in line(life, range(0, 60, 5), 20, 0.1, lambda: dice.gauss(0, 1))]) for _ in range(400)]
    scatter = statistics.stdev(one.slope for one in found)
    assert statistics.fmean(one.error for one in found) == pytest.approx(scatter, rel=0.15)
    assert sum(one.exceeds(0.1) for one in found) <= 8      # one in 740 by theory
    assert all(one.exceeds(0.0) for one in found)
    assert sum(one.stays_below(0.1) for one in found) <= 8 and all(one.stays_below(0.5) for one in found)
