"""Three ways to wait that every programmer knows."""
import numpy as np
import pytest

from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.sandbox.fleet.peers import HABITS, Peer
from econduit_terminal.sandbox.fleet.policies import CODE, UNTRIED

ONE = np.array([0])
NAIVE, EXPONENTIAL, JITTER = HABITS


def peer(habit, endpoints=2, chance=0.5):
    return Peer(habit, 1, endpoints, lambda ids: np.full(ids.size, chance), timeout=5.0, answer=10.0)


def refused(subject, endpoint, now=0.0):
    """The wait after a dial that was refused there."""
    met = np.full((len(subject.due), 1), UNTRIED, np.int8)
    met[endpoint] = CODE[Finding.REFUSED]
    subject.not_opened(ONE, met, np.array([now]), np.array([0.0]), np.zeros_like(met, float))
    return float(subject.due[:, 0].min()) - now


@pytest.mark.parametrize("habit, after_loss, after_failures", [
    (NAIVE, 0.0, [1.0] * 8), (EXPONENTIAL, 1.0, [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]),
    (JITTER, 0.5, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0])])
def test_the_waits(habit, after_loss, after_failures):
    subject = peer(habit)
    subject.lost(ONE, ONE, np.array([7.0]), np.array([100.0]))
    assert float(subject.due[0, 0]) - 7.0 == after_loss and np.isinf(subject.due[1, 0])
    assert [refused(subject, number % 2) for number, _ in enumerate(after_failures)] == after_failures


def test_they_dial_one_endpoint_after_the_other():
    subject = peer(NAIVE)
    subject.lost(ONE, ONE, np.array([0.0]), np.array([1.0]))
    assert subject.first(ONE).tolist() == [0]
    refused(subject, 0)
    assert subject.first(ONE).tolist() == [1] and np.isinf(subject.due[0, 0])
    subject.not_registered(ONE, np.array([1]), np.zeros((2, 1), np.bool_), np.array([3.0]), moved=np.array([False]))
    assert subject.due[:, 0].tolist() == [4.0, np.inf]


def test_a_registration_makes_the_waits_short_again():
    subject = peer(EXPONENTIAL)
    assert [refused(subject, 0), refused(subject, 0)] == [1.0, 2.0]
    subject.registered(ONE, ONE)
    assert refused(subject, 0) == 1.0


def test_with_one_endpoint_they_dial_that_one():
    subject = peer(NAIVE, endpoints=1)
    assert refused(subject, 0) == 1.0 and subject.due.shape == (1, 1)


def test_they_do_what_else_ours_do_not():
    subject = peer(NAIVE)
    assert subject.opened(ONE, ONE, np.zeros((2, 1), np.bool_)).tolist() == [10.0]
    assert subject.dialing.primary_retry is None and subject.dialing.probes is None
    assert np.isinf(subject.move_after(ONE)).all() and not subject.probed(ONE).any()
