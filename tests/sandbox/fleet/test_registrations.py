"""The cloud's queue, by hand: a registration takes a second."""
import math
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.fleet.registrations import NEVER, Registrations
from econduit_terminal.sandbox.fleet.scenes import Cloud

LATE = 1e9


def take(cloud, *arrivals, endpoints=2, prepare=lambda registrations: None):
    registrations = Registrations(cloud, endpoints)
    prepare(registrations)
    taken = registrations.take(arrivals)
    return [None if math.isnan(end) else end for end in taken.registered], taken.wasted


def test_one_after_the_other_whichever_endpoint_they_came_to():
    registered, wasted = take(Cloud(1.0), (0.0, 0, LATE), (0.5, 1, LATE), (5.0, 0, LATE))
    assert (registered, wasted) == ([1.0, 2.0, 6.0], [])


def test_who_hung_up_is_worked_off_all_the_same():
    registered, wasted = take(Cloud(1.0), (0.0, 0, 0.9), (0.0, 0, 1.9), (0.0, 0, 3.0))
    assert (registered, wasted) == ([NEVER, NEVER, 3.0], [1.0, 2.0])


def test_a_cloud_that_notices_loses_no_time_with_who_hung_up_before_its_turn():
    registered, wasted = take(Cloud(1.0, notices=True), (0.0, 0, 0.9), (0.0, 0, 0.9), (0.0, 0, 3.0))
    assert (registered, wasted) == ([NEVER, NEVER, 2.0], [1.0])     # the first one hung up during its turn


def test_beyond_queue_and_backlog_dials_are_dropped_each_endpoint_for_itself():
    cloud = Cloud(1.0, queue=1, backlog=1)
    registered, _ = take(cloud, *((0.0, 0, LATE),) * 3, (0.1, 1, LATE), (0.2, 1, LATE), (1.5, 0, LATE))
    assert registered == [1.0, 2.0, None, 3.0, None, 4.0]


def test_what_waits_while_it_hangs_is_worked_off_then():
    registered, _ = take(Cloud(1.0), (0.0, 0, LATE), (1.0, 0, LATE), prepare=lambda cloud: cloud.hang(10.0))
    assert registered == [11.0, 12.0]


def test_a_stalled_cloud_accepts_nothing_until_it_works_again():
    registered, _ = take(Cloud(1.0, backlog=2), *((0.0, 0, LATE),) * 3, (10.0, 0, LATE),
                         prepare=lambda cloud: cloud.stall(10.0))
    assert registered == [11.0, 12.0, None, 13.0]


def test_a_probe_takes_a_place_in_a_full_backlog_and_no_turn():
    registrations = Registrations(Cloud(1.0, backlog=1), 1)
    registrations.stall(10.0)
    assert registrations.probe(0.0, 0) and not registrations.probe(1.0, 0)
    assert math.isnan(registrations.take([(2.0, 0, LATE)]).registered[0])
    assert registrations.probe(10.0, 0)
    assert registrations.take([(10.0, 0, LATE)]).registered == [11.0]


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 1), st.floats(0, 60)), max_size=60).map(sorted),
       st.builds(Cloud, st.sampled_from([0.5, 3.0]), st.integers(1, 9), st.integers(1, 5), st.booleans()))
def test_no_more_is_done_than_the_budget_allows_and_every_answer_is_in_time(arrivals, cloud):
    taken = Registrations(cloud, 2).take(arrivals)
    done = sorted([end for end in taken.registered if math.isfinite(end)] + taken.wasted)
    assert all(later - end > 1 / cloud.budget - 1e-9 for end, later in pairwise(done))
    for (came, _, left), end in zip(arrivals, taken.registered, strict=True):
        assert not math.isfinite(end) or came + 1 / cloud.budget - 1e-9 < end <= left
        assert not math.isfinite(end) or end - came <= (cloud.queue + 2 * cloud.backlog + 1) / cloud.budget + 1e-6


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 1), st.just(LATE)), max_size=60).map(sorted),
       st.builds(Cloud, st.sampled_from([0.5, 3.0]), st.integers(1, 4), st.integers(1, 3)), st.sampled_from([0.0, 9.0]))
def test_it_makes_no_difference_whether_they_are_told_together_or_one_by_one(arrivals, cloud, stalled):
    together, each = Registrations(cloud, 2), Registrations(cloud, 2)
    together.stall(stalled)
    each.stall(stalled)
    ends = [each.take([arrival]).registered[0] for arrival in arrivals]
    assert str(together.take(arrivals).registered) == str(ends)


def test_old_turns_are_forgotten():
    registrations = Registrations(Cloud(1e6, queue=5), 1)
    for start in range(0, 300_000, 1000):
        registrations.take([(start + more / 1000, 0, LATE * 10) for more in range(1000)])
    assert len(registrations._ends) <= 100_005


@pytest.mark.parametrize("queue", [1, 2])
def test_the_queue_s_length_counts_from_the_end(queue):
    registered, _ = take(Cloud(1.0, queue=queue, backlog=1), *((0.0, 0, LATE),) * 4)
    assert registered == [1.0, 2.0, None, None] if queue == 1 else [1.0, 2.0, 3.0, None]
