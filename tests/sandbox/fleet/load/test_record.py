"""When each terminal was back, by hand-computed cases."""
import math

import pytest

from econduit_terminal.sandbox.fleet.load.record import Record, part_back


def test_from_when_the_cloud_worked_or_from_its_own_loss_where_that_was_later():
    record = Record()
    record.note([("A", 0.0, True), ("B", 0.0, True), ("C", 0.0, True), ("D", 0.0, True)])
    record.note([("A", 10.0, False), ("B", 10.0, False), ("B", 25.0, True), ("C", 26.0, False), ("C", 27.0, True)])
    assert record.online == {"B", "C", "D"}
    assert record.back(began=10.0, works=20.0) == [1.0, 5.0, math.inf]      # C, B, A; D was never lost
    assert record.back(began=20.0, works=20.0) == [1.0]                     # B's loss is of before


def test_who_was_back_before_the_cloud_worked_waited_for_nothing():
    record = Record()
    record.note([("A", 10.0, False), ("A", 11.0, True)])
    assert record.back(began=10.0, works=20.0) == [0.0]


def test_who_takes_no_part_any_more_is_not_counted():
    record = Record()
    record.note([("A", 0.0, True), ("A", 1.0, False), ("A", 2.0, None)])
    assert record.online == set() and record.back(0.0, 0.0) == []


@pytest.mark.parametrize("part, seconds", [(0.5, 2.0), (0.51, 3.0), (0.99, 4.0), (1.0, 4.0), (0.01, 1.0)])
def test_parts(part, seconds):
    assert part_back([1.0, 2.0, 3.0, 4.0], part) == seconds


def test_a_part_of_nobody_is_a_mistake():
    with pytest.raises(ValueError, match="nobody"):
        part_back([], 0.5)
