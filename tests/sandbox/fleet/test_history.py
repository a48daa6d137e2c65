"""Counts per tenth of a second, and for how long each terminal was away."""
import numpy as np
import pytest

from econduit_terminal.sandbox.fleet.history import History, Kind, Outcome

BOTH = np.array([0, 1])


def test_what_happens_is_counted_where_it_belongs():
    history = History(1, 10.0, 0.0)
    history.count(Kind.DIAL, [0.0, 0.09, 0.1, 3.0, 9.99, 10.0, 11.0])
    row = history.rows[Kind.DIAL]
    assert {step: int(number) for step, number in enumerate(row) if number} == {0: 2, 1: 1, 30: 1, 99: 1}
    assert history.rows[Kind.PROBE].sum() == 0


def test_a_terminal_is_away_from_when_the_cloud_could_take_it_and_the_longest_time_counts():
    history = History(2, 100.0, works_from=10.0)
    history.lost(BOTH, np.array([0.0, 2.0]))
    history.registered(BOTH, np.array([5.0, 11.0]))        # the first one while it could not be expected
    history.lost(BOTH, np.array([20.0, 20.0]))
    history.registered(BOTH, np.array([20.5, 20.5]))
    assert history.back.tolist() == [0.5, 1.0]
    history.never(BOTH[:1])
    assert history.back.tolist() == [np.inf, 1.0]


@pytest.mark.parametrize("part, seconds", [(0.5, 5.0), (0.9, 9.0), (0.91, 10.0), (1.0, 10.0), (0.0, 1.0)])
def test_the_part_that_is_back(part, seconds):
    outcome = Outcome("x", {}, np.zeros(1, np.int64), np.arange(10.0, 0.0, -1.0))
    assert outcome.back_after(part) == seconds


def test_totals():
    outcome = Outcome("x", {Kind.DIAL: np.array([1, 5, 2])}, np.zeros(3, np.int64), np.ones(1))
    assert outcome.total(Kind.DIAL) == 8
