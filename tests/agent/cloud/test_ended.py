"""What an end says; that each happens: test_conversation.py."""
import errno

import pytest

from econduit_terminal.agent.cloud.ended import Ended, broken, deregistered, given_up, lost, refused
from econduit_terminal.agent.cloud.liveness import Verdict
from econduit_terminal.agent.cloud.liveness_check import GivenUp
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.agent.wire.errors import ProtocolError
from econduit_terminal.agent.wire.events import Deregistered, Refusal, Refused
from econduit_terminal.conf.values import Endpoint

HERE = Endpoint("cloud.test", 80)


@pytest.mark.parametrize("kind, answer, finding, reason", [
    (Refusal.FAILED, "FAILED-REGISTRATION", Finding.FAILED, "registration refused: FAILED-REGISTRATION"),
    (Refusal.INVALID_TYPE, "FAILED-INVALID-TERMINAL-TYPE", Finding.INVALID_TYPE,
     "registration refused: FAILED-INVALID-TERMINAL-TYPE"),
    (Refusal.OTHER, "HTTP/1.1 503 x", Finding.OTHER,
     "cloud.test:80 is answered by something else, HTTP 503: a proxy or login page of this network"),
])
def test_an_answer_that_is_no_registration(kind, answer, finding, reason):
    assert refused(Refused(answer, kind), HERE) == Ended(finding, reason)


def test_what_the_cloud_says_is_shown_in_part():
    reason = deregistered(Deregistered("FAILED-REGISTRATION" + "x" * 200, Refusal.FAILED)).reason
    assert reason.startswith("registration refused: FAILED-REGISTRATIONx") and len(reason) < 120


@pytest.mark.parametrize("number, registering, finding, reason", [
    (errno.EPIPE, False, Finding.CLOSED, "closed by the cloud"),
    (errno.EPIPE, True, Finding.CLOSED, "closed by the cloud before it answered the registration"),
    (errno.ECONNRESET, False, Finding.CLOSED, "reset by the cloud"),
    (errno.ECONNABORTED, False, Finding.CLOSED, "connection lost (more requests than answers)"),
    (errno.ETIMEDOUT, False, Finding.LOST, "connection timed out"),
    (errno.EHOSTUNREACH, False, Finding.LOST, "no route to the cloud"),
    (errno.EIO, False, Finding.LOST, "connection lost (more requests than answers)"),
])
def test_what_the_kernel_says(number, registering, finding, reason):
    assert lost(OSError(number, "more requests than answers"), registering=registering) == Ended(finding, reason)


def test_broken_rules_are_the_clouds_once_it_has_registered_us():
    error = ProtocolError("a message of more than 1000 bytes")
    assert broken(error, HERE, registering=False) == Ended(Finding.CLOSED, str(error))
    assert broken(error, HERE, registering=True).finding is Finding.OTHER


@pytest.mark.parametrize("dialed, mss, finding", [
    (True, None, Finding.LOST), (False, None, Finding.ASKED), (True, 1200, Finding.ASKED)])
def test_only_silence_that_a_dial_met_says_something_of_the_line(dialed, mss, finding):
    by = GivenUp(Verdict.OVERSIZED, dialed, None, mss)
    assert given_up(by) == Ended(finding, by.reason, None, mss)
