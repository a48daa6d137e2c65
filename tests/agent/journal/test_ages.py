import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.journal.ages import CLOCK_WAS_SET, Moment, age, when

NOW = 1_800_000_000.0


@pytest.mark.parametrize("then, now, seconds", [
    (Moment(NOW, "a", 100), Moment(NOW + 5, "a", 105), 5),
    (Moment(NOW, "a", 100), Moment(NOW + 90_000, "a", 105), 5),         # the clock jumped forward
    (Moment(NOW, "a", 100), Moment(NOW - 90_000, "a", 105), 5),         # and back
    (Moment(NOW, "a", 100), Moment(NOW + 600, "b", 60), 600),           # over a reboot
    (Moment(NOW, "a", 100), Moment(NOW - 600, "b", 60), 60),            # at least the running boot
    (Moment(100.0, "a", 100), Moment(NOW, "b", 60), 60),                # written before the clock was set
    (Moment(NOW, "a", 100), Moment(100.0, "b", 60), 60),                # read before the clock is set
])
def test_ages(then, now, seconds):
    assert age(then, now) == seconds


moments = st.builds(Moment, st.floats(0, 4e9), st.sampled_from("ab"), st.floats(0, 1e8))


@given(moments, moments)
def test_never_negative_and_never_younger_than_the_boot_it_is_seen_from(then, now):
    assert age(then, now) >= (0 if then.boot == now.boot else now.up)


@given(moments, st.floats(0, 1e6), st.floats(0, 4e9))
def test_within_one_boot_the_wall_clock_says_nothing(then, passed, wall):
    assert age(then, Moment(wall, then.boot, then.up + passed)) == pytest.approx(passed, abs=1e-6)
    assert CLOCK_WAS_SET < NOW


def test_a_moment_for_people():
    assert when(Moment(1_800_000_000.9, "boot", 5.0)) == "on 2027-01-15 at 08:00:00 UTC"
    assert "the clock was not set" in when(Moment(5.0, "boot", 5.0))
