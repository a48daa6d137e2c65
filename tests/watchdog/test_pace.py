"""The first ring at once, a storm rarely."""
from hypothesis import given, strategies as st

from econduit_terminal.watchdog.pace import Pace, Quota


def test_the_first_ring_is_due_at_once():
    pace = Pace(0.1)
    assert pace.due() is None
    pace.rang(10.0)
    assert pace.due() <= 10.0


def test_the_second_ring_of_a_burst_waits_a_little_and_no_more():
    pace = Pace(0.1)
    pace.rang(10.0)
    pace.looked(10.0)
    pace.rang(10.001)
    assert 10.001 < pace.due() <= 10.006


def test_quiet_makes_the_next_ring_a_first_one():
    pace = Pace(0.1)
    for step in range(50):
        pace.rang(10 + step / 100)
        pace.looked(10 + step / 100)
    pace.rang(11.0)
    assert pace.due() <= 11.0


@given(st.lists(st.floats(0, 0.05), max_size=200), st.sampled_from([0.0, 0.02, 0.1, 1.0]))
def test_a_ring_never_waits_longer_than_coalesce_and_a_storm_costs_few_looks(gaps, coalesce):
    pace, now, looks = Pace(coalesce), 0.0, []
    for gap in gaps:
        now += gap
        while (due := pace.due()) is not None and due <= now:
            pace.looked(due)
            looks.append(due)
        pace.rang(now)
        assert pace.due() <= now + coalesce
        if pace.due() <= now:
            pace.looked(now)
            looks.append(now)
    if coalesce:
        assert len(looks) <= 6 * (1 + now / coalesce) + 1


def test_t8_the_same_line_is_logged_a_few_times_and_then_counted():
    quota = Quota(most=2, period=10.0)
    assert [quota.allows("a", now)[0] for now in (0, 1, 2, 3)] == [True, True, False, False]
    assert quota.allows("b", 3) == (True, 0), "another line is another matter"
    assert quota.allows("a", 10.1) == (True, 2), "and how often it was left out is told"
    assert quota.allows("a", 10.2) == (True, 0) and quota.allows("a", 10.3) == (False, 0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 3)), max_size=300))
def test_no_line_is_logged_more_often_than_its_quota(lines):
    quota, now, said = Quota(most=3, period=10.0), 0.0, []
    for line, gap in lines:
        now += gap
        if quota.allows(line, now)[0]:
            said.append((line, now))
    for line, at in said:
        assert sum(1 for other, then in said if other == line and at <= then < at + 10.0) <= 6


def test_lines_that_are_remembered_are_few():
    quota = Quota()
    for number in range(1000):
        quota.allows(str(number), 0.0)
    assert len(quota._said) == Quota.MOST_LINES
