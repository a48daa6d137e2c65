import errno

import pytest

from econduit_terminal.agent.cloud import findings
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.agent.wire.events import Refusal


@pytest.mark.parametrize("kind, finding", [
    (Refusal.FAILED, Finding.FAILED), (Refusal.INVALID_TYPE, Finding.INVALID_TYPE), (Refusal.OTHER, Finding.OTHER)])
def test_an_answer_that_is_no_registration(kind, finding):
    assert findings.of_refusal(kind) is finding


@pytest.mark.parametrize("number, finding", [
    (errno.ECONNRESET, Finding.CLOSED), (errno.EPIPE, Finding.CLOSED), (errno.ECONNABORTED, Finding.CLOSED),
    (errno.ETIMEDOUT, Finding.LOST), (errno.EHOSTUNREACH, Finding.LOST), (errno.EIO, Finding.LOST)])
def test_what_the_kernel_says(number, finding):
    assert findings.of_error(OSError(number, "")) is finding


def test_an_error_without_a_number_is_no_word_of_the_peer():
    assert findings.of_error(OSError("closed meanwhile")) is Finding.LOST


def test_broken_rules_are_the_clouds_once_it_has_registered_us():
    assert findings.of_broken_rules(registering=True) is Finding.OTHER
    assert findings.of_broken_rules(registering=False) is Finding.CLOSED


def test_silence_is_a_program_s_where_its_kernel_acknowledged_the_question():
    assert findings.of_overdue(arrived=True) is Finding.MUTE
    assert findings.of_overdue(arrived=False) is Finding.LOST
