"""The first ring at once, a storm rarely."""
from econduit_terminal.watchdog.pace import Pace
from hypothesis import given
from hypothesis import strategies as st


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
