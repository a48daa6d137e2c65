import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.wire.dialect import HEARTBEAT
from econduit_terminal.agent.wire.errors import AnswerOverdue, MisuseError, ProtocolError, WireError
from econduit_terminal.agent.wire.events import (
    Acknowledged,
    Deregistered,
    Refusal,
    Refused,
    Registered,
    StatusNotice,
    SurplusAck,
    Transaction,
)
from econduit_terminal.agent.wire.formats import lrc
from econduit_terminal.agent.wire.session import BURST, REFILL, Session, State, Timing

TIMING = Timing(registration_timeout=10, interval=60, ack_timeout=5, frame_gap=1, patience=20)
ACK = b'{"Status":"OK"}\x04\x04'
SALE = b'{"Command":"Sale"}'


def session(ack=True, random=lambda: 0.0, terminates=False, max_message=1000):
    return Session(b"REGISTER", ack=ack, timing=TIMING, max_message=max_message, random=random, terminates=terminates)


def online(ack=True, now=0.0, **flags):
    it = session(ack, **flags)
    it.register(now)
    assert it.receive(b"OK-REGISTRATION\x04\x04", now) == [Registered(0.0)]
    return it


def test_registration():
    it = session()
    assert it.deadline(idle=True) is None
    assert it.register(100) == b"REGISTER"
    assert it.deadline(idle=True) == 110
    assert it.receive(b"OK-REGIS", 100.1) == []
    assert it.receive(b"TRATION", 100.5) == [Registered(0.5)]
    assert it.state is State.ONLINE


@pytest.mark.parametrize("answer, text, kind", [
    (b"FAILED-REGISTRATION", "FAILED-REGISTRATION", Refusal.FAILED),
    (b"FAILED-INVALID-TERMINAL-TYPE\r\n", "FAILED-INVALID-TERMINAL-TYPE", Refusal.INVALID_TYPE),
    (b"GO AWAY\x04\x04", "GO AWAY", Refusal.OTHER), (b"{}", "{}", Refusal.OTHER),
    (b'{"Status":"OK"}', '{"Status":"OK"}', Refusal.OTHER), (SALE, SALE.decode(), Refusal.OTHER),
    (b"<html></html>", "<html></html>", Refusal.OTHER), (b"OK\x04\x04", "OK", Refusal.OTHER),
    (b"ok-registration\x04\x04", "ok-registration", Refusal.OTHER),
    (b"OK-REGISTRATION-X\x04\x04", "OK-REGISTRATION-X", Refusal.OTHER),
    (b"OK-REGISTRATION, welcome\x04\x04", "OK-REGISTRATION, welcome", Refusal.OTHER)])
def test_anything_else_is_a_refusal(answer, text, kind):
    it = session()
    it.register(0)
    assert it.receive(answer, 1) == [Refused(text, kind)]
    assert it.state is State.REFUSED and it.deadline(idle=True) is None
    assert it.receive(SALE, 2) == [] and it.quiet(100) == [] and it.check(100, idle=True) == b""


HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


def test_o2_something_else_that_answers_is_seen_at_the_gap_at_the_end_and_at_the_end_of_the_time():
    for events in (lambda it: it.quiet(2), lambda it: it.finish(1.5)):
        it = session(terminates=True)
        it.register(0)
        assert it.receive(HTTP, 1) == [] and it.deadline(idle=True) == 2 and it.quiet(1.9) == []
        assert events(it) == [Refused(HTTP.decode().strip(), Refusal.OTHER)] and it.state is State.REFUSED
    it = session()
    it.register(0)
    assert it.receive(b"<html><p>Log in", 9.5) == [] and it.quiet(9.9) == []
    assert it.quiet(10) == [Refused("<html><p>Log in", Refusal.OTHER)]


@pytest.mark.parametrize("begun", [b"", b"OK-REG", b"\xef\xbb\xbfFAILED-", b"\r\n", b"\x04"])
def test_half_an_answer_is_none(begun):
    it = session()
    it.register(0)
    assert it.receive(begun, 1) == [] and it.finish(1) == [] and it.quiet(10) == []
    with pytest.raises(AnswerOverdue):
        it.check(10, idle=True)


@pytest.mark.parametrize("rest, text", [
    (b"-X", "OK-REGISTRATION-X"), (b", welcome\x04\x04", "OK-REGISTRATION, welcome"),
    (b"\r\nSALE", "OK-REGISTRATION\r\nSALE")])
def test_m5_a_registration_is_withdrawn_when_its_answer_goes_on(rest, text):
    it = session()
    it.register(0)
    assert it.receive(b"OK-REGISTRATION", 0.5) == [Registered(0.5)]
    assert it.receive(rest, 0.9) == [Refused(text, Refusal.OTHER)] and it.state is State.REFUSED
    assert it.receive(SALE, 1) == []


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


def test_m4_an_ack_that_nobody_waits_for():
    it = online()
    assert it.receive(ACK + ACK, 1) == [SurplusAck(), SurplusAck()]
    it.heartbeat(2)
    assert it.receive(ACK + ACK, 3) == [Acknowledged(), SurplusAck()]


def test_m4_without_ack_nothing_is_outstanding():
    it = online(ack=False)
    assert it.check(60, idle=True) == HEARTBEAT
    assert it.check(100, idle=True) == b""
    assert it.receive(ACK, 101) == [SurplusAck()]
    assert it.check(120, idle=True) == HEARTBEAT


@pytest.mark.parametrize("message, kind", [(b"FAILED-REGISTRATION", Refusal.FAILED),
                                           (b"FAILED-INVALID-TERMINAL-TYPE", Refusal.INVALID_TYPE)])
@pytest.mark.parametrize("end", [b"", b"\r\n", b"\x04\x04"])
def test_m4_the_cloud_no_longer_has_us(message, kind, end):
    it = online()
    assert it.receive(message + end, 1) == [Deregistered(message.decode(), kind)]
    assert it.state is State.REFUSED and it.receive(SALE, 2) == [] and it.check(100, idle=True) == b""


def test_m4_another_ok_registration_is_dropped_and_one_that_goes_on_is_a_refusal():
    it = online()
    assert it.receive(b"OK-REGISTRATION\x04\x04" + SALE, 1) == [Transaction(SALE)]
    assert it.receive(b"OK-REGISTRATION", 2) == [] and it.state is State.ONLINE
    assert it.receive(b"-X", 2.5) == [Refused("OK-REGISTRATION-X", Refusal.OTHER)]


def test_m4_a_small_status_is_asked_about_by_one_heartbeat():
    it = online()
    notice = '{"Status":"ERROR","Message":"gone"}'
    assert it.receive(notice.encode(), 1) == [StatusNotice(notice)]
    assert it.deadline(idle=False) is None and it.check(1, idle=False) == b""
    assert it.deadline(idle=True) == 1 and it.check(1, idle=True) == HEARTBEAT
    # the same instead of the ack is no ack, and lifts nothing
    assert it.receive(b'{"Status":"ERROR"}', 2) == [StatusNotice('{"Status":"ERROR"}')]
    with pytest.raises(AnswerOverdue):
        it.check(6, idle=True)


def test_a_heartbeat_that_is_under_way_asks_already():
    it = online()
    it.heartbeat(10)
    it.receive(b'{"Status":"ERROR"}', 11)
    assert it.receive(ACK, 12) == [Acknowledged()] and it.deadline(idle=True) == 70
    for now in (13, 14):            # two of them are one question
        it.receive(b'{"Status":"ERROR"}', now)
    assert it.deadline(idle=True) == 13 and it.check(14, idle=True) == HEARTBEAT
    it.receive(ACK, 15)
    assert it.deadline(idle=True) == 74


def test_a_cloud_that_says_the_same_again_and_again_is_asked_every_ack_timeout_alone():
    it, now, asked = online(), 0.0, []
    while now < 30:
        it.receive(b'{"Status":"ERROR"}\x04\x04', now)
        if it.check(now, idle=True):
            asked.append(now)
            it.receive(ACK, now)
        now += 0.5
    assert asked == [0, 5, 10, 15, 20, 25]


def test_terminated_transactions_show_the_endpoints_habit_and_nothing_else_does():
    it = online()
    it.heartbeat(0)
    it.receive(ACK + b'{"Status":"ERROR"}\x04\x04OK-REGISTRATION\x04\x04', 1)
    assert not it.terminates
    assert it.receive(SALE + b"\x04", 2) == [Transaction(SALE)] and not it.terminates
    assert it.receive(b"\x04", 2) == [] and it.terminates
    assert it.receive(b"SALE", 3) == [] and it.deadline(idle=False) == 23 and it.quiet(22.9) == []
    with pytest.raises(ProtocolError, match="broke off after 4 bytes"):
        it.quiet(23)
    assert online(terminates=True).terminates


@pytest.mark.parametrize("random, first, then", [(0.0, 60, 60), (0.5, 45, 57), (0.999, 30.03, 54.006)])
def test_heartbeats_are_early_at_random_and_never_late(random, first, then):
    it = online(random=lambda: random)
    assert it.deadline(idle=True) == pytest.approx(first)
    assert it.check(first + 0.01, idle=True) == HEARTBEAT
    it.receive(ACK, first + 1)
    assert it.deadline(idle=True) == pytest.approx(first + 0.01 + then)


@pytest.mark.parametrize("message", [b"{}", b"<a/>", ACK, b'{"Status":"ERROR"}', b"OK-REGISTRATION\x04\x04"])
def test_m15_a_flood_ends_the_connection_and_a_burst_does_not(message):
    it = online(max_message=1 << 20)
    with pytest.raises(ProtocolError, match=f"more than {BURST} messages in one burst") as caught:
        it.receive(message * BURST * 2, 1)
    assert len(caught.value.events) <= BURST
    it = online(max_message=1 << 20)
    it.receive(message * BURST, 1)
    for second in range(2, 9):
        it.receive(message * REFILL, second)


def test_a_response_is_encoded_here():
    assert online().respond(b"APPROVED") == b"APPROVED\x04\x04"
    with pytest.raises(MisuseError):
        session().respond(b"APPROVED")


def test_new_timing_counts_at_once():
    it = online()
    it.timing = Timing(1, 2, 3, 4, 5)
    assert it.deadline(idle=True) == 2
    it.receive(b"SALE", 1)
    assert it.deadline(idle=False) == 5
    it.timing = Timing(1, 2, 3, 0.5, 5)
    assert it.deadline(idle=False) == 1.5


def test_a_gap_ends_a_request_without_an_end():
    it = online()
    assert it.receive(b"SALE 2.50", 1) == [] and it.pending and it.deadline(idle=False) == 2
    assert it.quiet(1.9) == []
    assert it.quiet(2) == [Transaction(b"SALE 2.50")]
    assert not it.pending


@pytest.mark.parametrize("head, tail", [
    (b"<request><TransType>Sale</TransType><Amount>2.50</Am", b"ount><RefId>1</RefId></request>"),
    (b"\x02T00\x1c1.2", b"8\x1c01\x03" + bytes((lrc(b"T00\x1c1.28\x1c01\x03"),))), (b'{"Command":"Sa', b'le"}')])
@pytest.mark.parametrize("pause", [0.4, 3, 19.9])
@pytest.mark.parametrize("end", [b"", b"\x04\x04"])
@pytest.mark.parametrize("terminates", [False, True])
def test_m1_a_pause_makes_one_request_of_its_two_halves(head, tail, pause, end, terminates):
    it = online(terminates=terminates)
    it.heartbeat(0)
    assert it.receive(ACK, 0) == [Acknowledged()]
    assert it.receive(head, 1) == [] and it.quiet(1 + pause) == []
    assert it.receive(tail + end, 1 + pause) == [Transaction(head + tail)]
    it.receive(head, 100)
    with pytest.raises(ProtocolError, match="broke off"):
        it.quiet(120)


def test_what_came_before_a_fault_is_not_lost():
    it = online()
    with pytest.raises(ProtocolError) as caught:
        it.receive(SALE + b"x" * 2000, 1)
    assert caught.value.events == (Transaction(SALE),)


def test_our_own_misuse():
    with pytest.raises(MisuseError):
        session().heartbeat(0)
    with pytest.raises(MisuseError):
        online().register(0)


@given(st.lists(st.binary(max_size=30) | st.sampled_from([ACK, SALE, b"OK-REGISTRATION", b'{"Status":1}', b"-X"])
                | st.integers(0, 100)), st.booleans(), st.booleans())
def test_nothing_but_the_wires_own_errors(steps, idle, terminates):
    it, now = session(terminates=terminates), 0.0
    it.register(now)
    try:
        for step in steps:
            if isinstance(step, int):
                now += step
                it.quiet(now)
                it.check(now, idle=idle)
            else:
                it.receive(step, now)
            assert it.deadline(idle=idle) is None or it.state is not State.REFUSED
        it.finish(now)
    except WireError:
        pass


@pytest.mark.parametrize("head, tail", [(b'{"Command":', b'"Sale"}'), (b"<a><b>", b"</b></a>"), (b"\x02A\x03", b"B")])
def test_m1_an_unfinished_message_holds_heartbeats_and_acks(head, tail):
    """The ack may wait behind it on the wire; and a heartbeat would be answered behind it."""
    it = online()
    assert it.heartbeat(60) == HEARTBEAT
    assert it.receive(head, 64) == []
    assert it.deadline(idle=True) == 79 and it.check(78.9, idle=True) == b""
    assert it.receive(tail + ACK, 78.9) == [Transaction(head + tail), Acknowledged()]
    assert it.receive(head, 119) == [] and it.check(128.9, idle=True) == b"" and it.deadline(idle=True) == 129
    assert it.receive(tail, 128.9) == [Transaction(head + tail)] and it.check(128.9, idle=True) == HEARTBEAT


def test_a_cloud_that_died_inside_a_message_is_found_before_patience_ends():
    it = online()
    assert it.receive(b'{"half', 59) == []
    assert it.check(69, idle=True) == HEARTBEAT and it.deadline(idle=True) == 74
    with pytest.raises(AnswerOverdue):
        it.check(74, idle=True)


def test_a_comment_behind_a_message_gives_the_ack_its_time_anew():
    it = online()
    it.receive(b"<a/>", 1)
    it.heartbeat(2)
    assert it.receive(b"<!-- ", 6) == [] and it.deadline(idle=True) == 21
    assert it.receive(b"-->", 9) == [] and it.deadline(idle=True) == 11


def test_white_space_is_no_message_that_arrives():
    it = online()
    it.heartbeat(60)
    assert it.receive(b"\r\n", 64) == [] and it.deadline(idle=True) == 65
