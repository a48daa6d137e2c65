"""The same line is logged a few times, then counted."""
from hypothesis import given, strategies as st

from econduit_terminal.watchdog.log_limiter import LogLimiter


def test_t8_the_same_line_is_logged_a_few_times_and_then_counted():
    limiter = LogLimiter(most=2, period=10.0)
    assert [limiter.allows("a", now)[0] for now in (0, 1, 2, 3)] == [True, True, False, False]
    assert limiter.allows("b", 3) == (True, 0), "another line is another matter"
    assert limiter.allows("a", 10.1) == (True, 2), "and how often it was left out is told"
    assert limiter.allows("a", 10.2) == (True, 0) and limiter.allows("a", 10.3) == (False, 0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 3)), max_size=300))
def test_no_line_is_logged_more_often_than_its_quota(lines):
    limiter, now, said = LogLimiter(most=3, period=10.0), 0.0, []
    for line, gap in lines:
        now += gap
        if limiter.allows(line, now)[0]:
            said.append((line, now))
    for line, at in said:
        assert sum(1 for other, then in said if other == line and at <= then < at + 10.0) <= 6


def test_lines_that_are_remembered_are_few():
    limiter = LogLimiter()
    for number in range(1000):
        limiter.allows(str(number), 0.0)
    assert len(limiter._said) == LogLimiter.MOST_LINES
