import math
import socket

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.cloud.race import MOST_IN_FLIGHT, STAGGER, Lane, interleave

SIX = [(socket.AF_INET6, (f"2001:db8::{n}", 80)) for n in range(1, 4)]
FOUR = [(socket.AF_INET, (f"192.0.2.{n}", 80)) for n in range(1, 4)]


@pytest.mark.parametrize("given_, wanted", [
    ([], []), (FOUR, FOUR),
    (SIX[:2] + FOUR, [SIX[0], FOUR[0], SIX[1], FOUR[1], FOUR[2]]),
    (FOUR[:1] + SIX, [FOUR[0], SIX[0], SIX[1], SIX[2]])])
def test_families_alternate(given_, wanted):
    assert interleave(given_) == wanted


@given(st.lists(st.sampled_from(SIX + FOUR)))
def test_interleaving_loses_nothing(addresses):
    assert sorted(interleave(addresses)) == sorted(addresses)


def test_nothing_before_its_start_and_nothing_without_an_address():
    lane = Lane(10.0)
    assert lane.due(20) is None and lane.next_at() == math.inf
    lane.resolved(FOUR[:1])
    assert lane.next_at() == 10 and lane.due(9.9) is None
    assert lane.due(10) == FOUR[0]


def test_the_address_that_worked_goes_before_the_lookup_and_only_once():
    lane = Lane(0.0, known=FOUR[:1])
    assert lane.due(0) == FOUR[0]
    lane.resolved(FOUR[:2])
    assert lane.due(0.1) is None
    assert lane.due(STAGGER) == FOUR[1]


def test_a_failure_brings_the_next_at_once():
    lane = Lane(0.0)
    lane.resolved(FOUR[:2])
    assert lane.due(0) == FOUR[0]
    lane.failed()
    assert lane.due(0.01) == FOUR[1]
    lane.failed()
    assert lane.exhausted and lane.next_at() == math.inf and lane.due(100) is None


def test_a_lane_is_not_exhausted_while_its_name_is_looked_up():
    lane = Lane(0.0, known=FOUR[:1])
    lane.due(0)
    lane.failed()
    assert not lane.exhausted
    lane.resolved(FOUR[:2])
    assert not lane.exhausted and lane.due(0.1) == FOUR[1]


def test_a_failed_lookup_exhausts_a_lane():
    lane = Lane(0.0)
    lane.resolved([])
    assert lane.exhausted


def test_silence_is_asked_again():
    lane = Lane(0.0, again=1.0)
    lane.resolved(FOUR[:1])
    assert [lane.due(now) for now in (0, 0.5, 1.0, 1.5, 2.0)] == [FOUR[0], None, FOUR[0], None, FOUR[0]]
    assert not lane.exhausted


def test_how_long_nobody_answers_runs_from_the_first_dial_that_was_not_answered():
    lane = Lane(0.0, again=1.0)
    assert lane.silent_for(5.0) == 0
    lane.resolved(FOUR[:1])
    assert [bool(lane.due(now)) for now in (1.0, 2.0)] == [True, True]
    assert lane.silent_for(3.0) == 2.0
    lane.failed()
    assert lane.silent_for(3.0) == 2.0, "the other dial is still under way"
    lane.failed()
    assert lane.silent_for(4.0) == 0


def test_the_head_start_ends_when_the_others_have_nothing_left():
    lane = Lane(0.5)
    lane.resolved(FOUR[:1])
    lane.start_by(0.1)
    assert lane.due(0.1) == FOUR[0]
    late = Lane(0.05)
    late.start_by(0.1)
    late.resolved(FOUR[:1])
    assert late.next_at() == 0.05


@given(st.lists(st.sampled_from(["due", "fail", "resolve", "wait"])))
def test_never_more_sockets_than_allowed_and_never_a_wait_in_the_past(steps):
    lane, now, in_flight = Lane(0.0, known=FOUR[:1], again=1.0), 0.0, []
    for step in steps:
        if step == "wait":
            now += 1.0
        elif step == "resolve":
            lane.resolved(SIX + FOUR)
        elif step == "fail" and in_flight:
            in_flight.pop()
            lane.failed()
        elif step == "due" and (address := lane.due(now)) is not None:
            in_flight.append(address)
            assert lane.due(now) is None or STAGGER == 0
        assert len(in_flight) <= MOST_IN_FLIGHT
