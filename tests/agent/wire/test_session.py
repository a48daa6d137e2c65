import pytest
from hypothesis import given
from hypothesis import strategies as st

from econduit_terminal.agent.wire.errors import AnswerOverdue, MisuseError, ProtocolError, WireError
from econduit_terminal.agent.wire.messages import HEARTBEAT
from econduit_terminal.agent.wire.session import (
    Acknowledged, Refused, Registered, Session, State, Timing, Transaction)

TIMING = Timing(registration_timeout=10, interval=60, ack_timeout=5)
ACK = b'{"Status":"OK"}\x04\x04'
SALE = b'{"Command":"Sale"}'


def session(ack=True):
    return Session(b"REGISTER", ack=ack, timing=TIMING, max_message=1000)


def online(ack=True, now=0.0):
    it = session(ack)
    it.register(now)
    assert it.receive(b"OK-REGISTRATION", now) == [Registered(0.0)]
    return it


def test_registration():
    it = session()
    assert it.deadline(idle=True) is None
    assert it.register(100) == b"REGISTER"
    assert it.deadline(idle=True) == 110
    assert it.receive(b"OK-REGIS", 100.1) == []
    assert it.receive(b"TRATION", 100.5) == [Registered(0.5)]
    assert it.state is State.ONLINE


@pytest.mark.parametrize("answer, invalid", [
    (b"FAILED-REGISTRATION", False), (b"FAILED-INVALID-TERMINAL-TYPE", True), (b"GO AWAY\x04\x04", False), (b"{}", False)])
def test_anything_else_is_a_refusal(answer, invalid):
    it = session()
    it.register(0)
    (refused,) = it.receive(answer, 1)
    assert refused == Refused(answer.rstrip(b"\x04").decode()) and refused.invalid_type is invalid
    assert it.state is State.REFUSED and it.deadline(idle=True) is None
    assert it.receive(SALE, 2) == []


def test_a_transaction_may_share_the_answers_segment():
    it = session()
    it.register(0)
    assert it.receive(b"OK-REGISTRATION" + SALE, 0) == [Registered(0), Transaction(SALE)]


def test_registration_overdue():
    it = session()
    it.register(0)
    assert it.check(9.9, idle=True) == b""
    with pytest.raises(AnswerOverdue, match="registration within 10 s"):
        it.check(10, idle=True)


def test_heartbeat_and_its_ack():
    it = online()
    assert it.check(59.9, idle=True) == b""
    assert it.check(60, idle=True) == HEARTBEAT
    assert it.deadline(idle=True) == 65
    assert it.receive(ACK, 61) == [Acknowledged()]
    assert it.deadline(idle=True) == 120


def test_a_heartbeat_waits_for_the_terminal_to_be_idle():
    it = online()
    assert it.deadline(idle=False) is None
    assert it.check(100, idle=False) == b""
    assert it.check(100, idle=True) == HEARTBEAT


def test_a_missing_ack():
    it = online()
    it.check(60, idle=True)
    with pytest.raises(AnswerOverdue, match="not acknowledged within 5 s"):
        it.check(65, idle=True)


def test_one_asked_for_in_between():
    it = online()
    assert it.heartbeat(10) == HEARTBEAT
    assert it.heartbeat(11) == b""
    assert it.deadline(idle=True) == 15
    it.receive(ACK, 12)
    assert it.deadline(idle=True) == 70


def test_a_transaction_instead_of_the_ack_lifts_the_deadline_and_the_ack_is_still_known():
    it = online()
    it.heartbeat(10)
    assert it.receive(SALE, 11) == [Transaction(SALE)]
    assert it.check(40, idle=True) == b""
    assert it.receive(ACK, 41) == [Acknowledged()]
    assert it.check(70, idle=True) == HEARTBEAT


def test_a_lost_ack_does_not_end_the_heartbeats():
    it = online()
    it.heartbeat(10)
    it.receive(SALE, 11)
    assert it.check(70, idle=True) == HEARTBEAT
    assert it.deadline(idle=True) == 75


def test_an_ack_that_nobody_waits_for_is_a_transaction():
    assert online().receive(ACK, 1) == [Transaction(b'{"Status":"OK"}')]


def test_without_ack_nothing_is_outstanding():
    it = online(ack=False)
    assert it.check(60, idle=True) == HEARTBEAT
    assert it.check(100, idle=True) == b""
    assert it.receive(ACK, 101) == [Transaction(b'{"Status":"OK"}')]
    assert it.check(120, idle=True) == HEARTBEAT


def test_new_timing_counts_at_once():
    it = online()
    it.timing = Timing(1, 2, 3)
    assert it.deadline(idle=True) == 2


def test_a_gap_ends_an_opaque_request():
    it = online()
    assert it.receive(b"\x02SALE\x03", 1) == [] and it.pending
    assert it.quiet(2) == [Transaction(b"\x02SALE\x03")]
    assert not it.pending


def test_what_came_before_a_fault_is_not_lost():
    it = online()
    with pytest.raises(ProtocolError) as caught:
        it.receive(SALE + b"x" * 2000, 1)
    assert caught.value.frames == (Transaction(SALE),)


def test_our_own_misuse():
    with pytest.raises(MisuseError):
        session().heartbeat(0)
    with pytest.raises(MisuseError):
        online().register(0)


@given(st.lists(st.binary(max_size=30) | st.sampled_from([ACK, SALE, b"OK-REGISTRATION", None]) | st.integers(0, 100)))
def test_nothing_but_the_wires_own_errors(steps):
    it, now = session(), 0.0
    it.register(now)
    try:
        for step in steps:
            if step is None:
                it.quiet(now)
            elif isinstance(step, int):
                now += step
                it.check(now, idle=True)
            else:
                it.receive(step, now)
    except WireError:
        pass


def test_a_message_that_still_arrives_holds_the_ack_s_deadline():
    """The ack may wait behind it on the wire."""
    it = online()
    assert it.heartbeat(60) == HEARTBEAT
    assert it.receive(b'{"Command":"Sale",', 64) == []
    assert it.deadline(idle=True) == 69 and it.check(68, idle=True) == b""
    assert it.receive(b'"Amount":1', 68) == []
    with pytest.raises(AnswerOverdue):
        it.check(73, idle=True)
    assert it.receive(b'}' + ACK, 74) == [Transaction(b'{"Command":"Sale","Amount":1}'), Acknowledged()]


def test_white_space_is_no_message_that_arrives():
    it = online()
    it.heartbeat(60)
    assert it.receive(b"\r\n", 64) == [] and it.deadline(idle=True) == 65
