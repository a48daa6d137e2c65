"""The queue before the registrations, by hand and by property."""
from itertools import pairwise

from hypothesis import given, strategies as st

from econduit_terminal.sandbox.cloud.budget import Budget


def test_without_a_rate_nobody_waits():
    budget = Budget()
    assert [budget.turn(now) for now in (0.0, 0.0, 1.0)] == [0.0, 0.0, 0.0]


def test_two_terminals_one_a_second():
    budget = Budget(1.0)
    assert budget.turn(10.0) == 1.0     # its own second
    assert budget.turn(10.5) == 1.5     # half of the first one's, and its own
    assert budget.turn(20.0) == 1.0     # what was not used is not saved
    assert budget.waiting == 3
    budget.served(wasted=False)
    budget.served(wasted=True)
    assert (budget.waiting, budget.total, budget.wasted) == (1, 2, 1)


@given(st.floats(0.1, 5000), st.lists(st.floats(0, 10), min_size=1, max_size=50))
def test_turns_come_in_order_and_never_more_often_than_the_rate(per_second, times):
    budget = Budget(per_second)
    turns = [now + budget.turn(now) for now in sorted(times)]
    gaps = [later - earlier for earlier, later in pairwise(turns)]
    assert all(gap >= 1 / per_second - 1e-9 for gap in gaps)
