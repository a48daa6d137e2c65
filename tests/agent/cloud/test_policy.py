import pytest
from econduit_terminal.agent.cloud.policy import COUNTED, REFUSED_FLOOR, Cause, Policy
from econduit_terminal.conf.settings import load
from hypothesis import given
from hypothesis import strategies as st

RULES = load(None).reconnect
HIGH, LOW = (lambda: 0.999999999), (lambda: 0.0)


def waits(random, *causes, **more):
    policy = Policy(RULES, random)
    return [policy.ended(cause, **more).seconds for cause in causes]


def test_the_clouds_failures_back_off_with_full_jitter():
    assert waits(HIGH, *[Cause.CLOUD] * 10) == pytest.approx([0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30])
    assert waits(LOW, *[Cause.CLOUD] * 10) == [0] * 10


def test_a_dead_path_or_network_is_tried_steadily():
    for cause in (Cause.PATH, Cause.LOCAL):
        assert waits(HIGH, *[cause] * 5) == pytest.approx([1.5] * 5)
        assert waits(LOW, *[cause] * 5) == [0.5] * 5


def test_the_time_of_a_dial_without_an_answer_counts_as_waited():
    assert waits(HIGH, Cause.PATH, dialed_for=1.2) == pytest.approx([0.3])
    assert waits(HIGH, Cause.PATH, dialed_for=5.0) == [0]
    assert waits(HIGH, Cause.CLOUD, dialed_for=5.0) == pytest.approx([0.25])


def test_a_refusal_waits_five_seconds_at_least():
    assert waits(LOW, *[Cause.REFUSED] * 3) == [5] * 3
    assert waits(HIGH, *[Cause.REFUSED] * 8) == pytest.approx([5.5, 6, 7, 9, 13, 21, 35, 35])


def test_a_rejection_waits_for_other_settings_and_a_wish_for_nothing():
    assert waits(HIGH, Cause.REJECTED, Cause.REJECTED) == [300, 300]
    assert waits(HIGH, Cause.ASKED) == [0]


def test_an_hour_without_a_cable_does_not_slow_the_first_dial():
    policy = Policy(RULES, HIGH)
    for _ in range(3600):
        policy.ended(Cause.LOCAL)
    assert policy.ended(Cause.CLOUD).seconds == pytest.approx(0.25)


@pytest.mark.parametrize("registered_for, next_wait", [(None, 1.0), (0.0, 1.0), (29.9, 1.0), (30.0, 0.25)])
def test_only_a_stable_registration_is_a_new_start(registered_for, next_wait):
    policy = Policy(RULES, HIGH)
    policy.ended(Cause.CLOUD)
    policy.ended(Cause.CLOUD)
    assert policy.ended(Cause.CLOUD, registered_for=registered_for).seconds == pytest.approx(next_wait)


@given(st.lists(st.tuples(st.sampled_from(Cause), st.none() | st.floats(0, 1e6), st.floats(0, 100)), max_size=200),
       st.randoms(use_true_random=False))
def test_waits_are_bounded_and_attempts_count_what_counts(ends, random):
    policy, expected = Policy(RULES, random.random), 0
    for cause, registered_for, dialed_for in ends:
        if registered_for is not None and registered_for >= RULES.stable_after:
            expected = 0
        expected += cause in COUNTED
        wait = policy.ended(cause, registered_for=registered_for, dialed_for=dialed_for)
        assert wait.attempt == expected
        assert 0 <= wait.seconds <= max(RULES.rejected_retry, RULES.max_delay + REFUSED_FLOOR)
