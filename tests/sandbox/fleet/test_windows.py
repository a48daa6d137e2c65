"""The model's clock: every event once, in order where terminals meet."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.fleet import windows


def played(times, begin, end, *, meet):
    """What is stepped, as (time, terminal), where each terminal has these events."""
    left = [sorted(own) for own in times]
    at = np.array([own[0] if own else np.inf for own in left])
    seen = []

    def step(ids):
        assert len(set(ids.tolist())) == ids.size
        for terminal in ids.tolist():
            seen.append((float(at[terminal]), terminal))
            assert at[terminal] == left[terminal].pop(0)
            at[terminal] = left[terminal][0] if left[terminal] else np.inf
    told = list(windows.advance(at, begin, end, step, meet=meet))
    return seen, told, left


stories = st.lists(st.lists(st.floats(0.001, 6.0), max_size=6, unique=True), min_size=1, max_size=6)


@given(stories, st.floats(0.5, 5.0), st.booleans())
def test_every_event_is_played_once_and_none_before_its_predecessor(times, end, meet):
    seen, told, left = played(times, 0.0, end, meet=meet)
    assert sorted(seen) == sorted((time, number) for number, own in enumerate(times) for time in own if time < end)
    assert all(min(own, default=end) >= end for own in left)
    assert told[-1] == end and told == sorted(told)


@given(stories)
def test_where_terminals_meet_the_order_is_wrong_by_a_window_at_most(times):
    seen, _, _ = played(times, 0.0, 7.0, meet=True)
    latest = 0.0
    for time, _ in seen:
        assert time > latest - windows.WIDTH
        latest = max(latest, time)


@pytest.mark.parametrize("meet", [True, False])
def test_what_was_not_played_is_played_by_the_next_call(meet):
    at = np.array([1.5])
    steps = []

    def step(ids):
        steps.append(float(at[0]))
        at[ids] += 1.0
    assert list(windows.advance(at, 0.0, 1.5, step, meet=meet)) == [1.0, 1.5] and steps == []
    list(windows.advance(at, 1.5, 3.0, step, meet=meet))
    assert steps == [1.5, 2.5]
