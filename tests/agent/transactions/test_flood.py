from hypothesis import given, strategies as st

from econduit_terminal.agent.transactions.flood import BURST, CALM, REPORT, Flood


def test_m15_the_first_get_lines_of_their_own_and_the_others_one_for_all():
    flood = Flood()
    hidden = [flood.counts(5.0 + number / 10_000) for number in range(10_000)]
    assert hidden == [False] * BURST + [True] * (10_000 - BURST) and flood.on
    assert flood.summary(6.0) is None
    count, seconds = flood.summary(7.1)
    assert count == 10_000 - BURST and 0.9 < seconds < 1.0
    assert not flood.on and flood.summary(9.0) is None and flood.counts(9.0) is False


def test_what_a_point_of_sale_sends_is_no_flood():
    flood = Flood()
    assert not any(flood.counts(number / 5) for number in range(1000)) and not flood.on


def test_a_flood_that_does_not_end_is_told_of_now_and_then():
    flood, told = Flood(), []
    for number in range(200_000):
        now = number / 1000
        flood.counts(now)
        if number % 1000 == 0 and (line := flood.summary(now)):
            told.append(line)
    assert len(told) == 3
    assert all(count > 50_000 and REPORT - 2 < seconds < REPORT + 2 for count, seconds in told)


def test_it_is_not_over_while_there_are_more_than_a_few():
    flood = Flood()
    for _ in range(BURST + 5):
        flood.counts(0.0)
    for second in range(1, 6):
        for _ in range(CALM + 1):
            assert flood.counts(second + 0.0)
        assert flood.summary(second + 0.5) is None
    assert flood.summary(7.1) == (5 + 5 * (CALM + 1), 5.0)


@given(st.lists(st.floats(0, 3), max_size=300))
def test_each_request_is_told_of_once(pauses):
    flood, now, own, counted = Flood(), 0.0, 0, 0
    for pause in pauses:
        now += pause / 10
        own += not flood.counts(now)
        counted += (flood.summary(now) or (0, 0))[0]
    counted += (flood.summary(now + 1.0) or flood.summary(now + 3.0) or (0, 0))[0]
    assert own + counted == len(pauses)
