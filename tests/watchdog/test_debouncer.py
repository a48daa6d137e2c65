"""The first ring at once, a storm rarely."""
from hypothesis import given, strategies as st

from econduit_terminal.watchdog.debouncer import Debouncer


def test_the_first_ring_is_due_at_once():
    debouncer = Debouncer(0.1)
    assert debouncer.due() is None
    debouncer.rang(10.0)
    assert debouncer.due() <= 10.0


def test_the_second_ring_of_a_burst_waits_a_little_and_no_more():
    debouncer = Debouncer(0.1)
    debouncer.rang(10.0)
    debouncer.looked(10.0)
    debouncer.rang(10.001)
    assert 10.001 < debouncer.due() <= 10.006


def test_quiet_makes_the_next_ring_a_first_one():
    debouncer = Debouncer(0.1)
    for step in range(50):
        debouncer.rang(10 + step / 100)
        debouncer.looked(10 + step / 100)
    debouncer.rang(11.0)
    assert debouncer.due() <= 11.0


@given(st.lists(st.floats(0, 0.05), max_size=200), st.sampled_from([0.0, 0.02, 0.1, 1.0]))
def test_a_ring_never_waits_longer_than_coalesce_and_a_storm_costs_few_looks(gaps, coalesce):
    debouncer, now, looks = Debouncer(coalesce), 0.0, []
    for gap in gaps:
        now += gap
        while (due := debouncer.due()) is not None and due <= now:
            debouncer.looked(due)
            looks.append(due)
        debouncer.rang(now)
        assert debouncer.due() <= now + coalesce
        if debouncer.due() <= now:
            debouncer.looked(now)
            looks.append(now)
    if coalesce:
        assert len(looks) <= 6 * (1 + now / coalesce) + 1
