"""What the same request gets after others of its RefID, and after a long time: rows M10, M11 and M17 of the cases."""
import json
import sqlite3

import gevent
import pytest
from gevent.event import Event

from econduit_terminal.agent.journal import journal
from econduit_terminal.agent.journal.worker import JournalWorker
from econduit_terminal.agent.transactions import failure_reasons

DAY = 86400.0


def request(command, amount="1.00", ref="7"):
    return json.dumps({"RefID": ref, "Command": command, "Amount": amount}).encode()


def answer(result, run):
    return json.dumps({"ResultCode": result, "Message": result.upper(), "Run": run}).encode()


class Pos:
    """Sends one request after the other and waits for each answer; what the application says is set by `results`."""

    def __init__(self, processor, app, there):
        self.processor, self.app, self.there = processor, app, there
        self.results = []
        app.behave = self.behave
        processor.attach(there)

    def behave(self, connection, body):
        result = self.results.pop(0) if self.results else "Approved"
        if result == "closes":
            return
        connection.sendall(answer(result, len(self.app.runs)) + b"\x04\x04")

    def ask(self, command, amount="1.00", result="Approved", ref="7"):
        """(how often it has run in all, the answer's result, its message)."""
        self.results[:] = [result]
        before = len(self.there.sent)
        self.processor.receive(request(command, amount, ref))
        fields = json.loads(self.there.wait(before + 1)[before])
        with gevent.Timeout(5):
            while self.processor.busy:
                gevent.sleep(0.001)
        return self.app.runs.count(request(command, amount, ref)), fields["ResultCode"], fields["Message"]


@pytest.fixture
def pos(start, app, connection):
    return Pos(start(), app, connection())


USED = "already used: {}, then Void; a new sale needs a new RefID"


@pytest.mark.parametrize("amounts, runs", [
    ("2.00 3.00 2.00", [1, 1, 2]), ("2.00 3.00 2.00 3.00", [1, 1, 2, 2]), ("2.00 2.00", [1, 1]),
    ("2.00 3.00 3.00", [1, 1, 1]), ("2.00 3.00 2.00 2.00", [1, 1, 2, 2])])
@pytest.mark.parametrize("command", ["TipAdjust", "TIP_ADJUST"])
def test_m10_a_tip_adjust_is_meant_again_after_a_different_one(pos, command, amounts, runs):
    pos.ask("Sale")
    assert [pos.ask(command, amount)[:2] for amount in amounts.split()] == [(run, "Approved") for run in runs]


def test_m10_another_refid_s_tip_adjust_is_not_a_different_one_of_this(pos):
    pos.ask("TipAdjust", "2.00")
    pos.ask("TipAdjust", "3.00", ref="8")
    assert pos.ask("TipAdjust", "2.00")[0] == 1


def test_m10_a_tip_adjust_behind_a_different_one_in_the_queue_is_meant(start, app, connection, settle):
    pos = Pos(start(queue=5), app, connection())
    app.hold.clear()
    for amount in ("2.00", "3.00", "3.00", "2.00", "2.00"):
        pos.processor.receive(request("TipAdjust", amount))
        gevent.sleep(0.05)
    app.hold.set()
    settle(lambda: len(pos.there.sent) == 3 and not pos.processor.busy)
    assert app.runs == [request("TipAdjust", amount) for amount in ("2.00", "3.00", "2.00")]
    assert pos.processor.counts()["attached"] == 2


@pytest.mark.parametrize("first", ["Sale", "Auth", "SALE"])
def test_m10_what_was_voided_is_neither_run_again_nor_said_to_have_been_approved(pos, first):
    assert pos.ask(first)[:2] == (1, "Approved")
    assert pos.ask("Void")[:2] == (1, "Approved")
    for _ in range(2):
        assert pos.ask(first) == (1, "Failed", USED.format(first.capitalize()))
    assert pos.ask("Void")[:2] == (1, "Approved")       # its own answer again
    assert pos.ask(first, ref="8")[:2] == (1, "Approved")


@pytest.mark.parametrize("void", ["VOID", " void", "Void\r\n", "Void\u00a0"])
def test_m10_a_void_is_one_however_its_command_is_written(pos, void):
    pos.ask("Sale")
    pos.ask(void)
    assert pos.ask("Sale") == (1, "Failed", USED.format("Sale"))


@pytest.mark.parametrize("void, voided", [
    ("Approved", True), ("Failed", True), ("Timeout", True), ("closes", True), ("Declined", False), ("Denied", False)])
def test_m10_a_void_counts_unless_it_was_clearly_declined(pos, void, voided):
    pos.ask("Sale")
    pos.ask("Void", result=void)
    assert pos.ask("Sale")[:2] == (1, "Failed" if voided else "Approved")


def test_m10_a_void_that_could_not_be_handed_over_voids_nothing(start, app, connection, settings, unused_port):
    processor = start()
    pos = Pos(processor, app, connection())
    pos.ask("Sale")
    nobody = type(app.application)("tcp", app.application.endpoint._replace(port=unused_port))
    processor.reconfigure(settings(application=nobody), "T1")
    assert "not reachable" in pos.ask("Void")[2]
    assert pos.ask("Sale")[:2] == (1, "Approved")


def test_m10_a_void_that_nobody_knows_the_outcome_of_counts(start, app, connection, settle):
    first = start()
    Pos(first, app, connection()).ask("Sale")
    app.hold.clear()
    first.receive(request("Void"))
    settle(lambda: len(app.runs) == 2)
    first.stop()
    app.hold.set()
    assert Pos(start(), app, connection()).ask("Sale") == (1, "Failed", USED.format("Sale"))


@pytest.mark.parametrize("between", [["Capture"], ["TipAdjust"], ["Refund"], ["Capture", "TipAdjust"], ["VoidLater"]])
def test_m10_whatever_else_comes_between_the_answer_is_the_kept_one(pos, between):
    first = pos.ask("Auth")
    for command in between:
        assert pos.ask(command)[0] == 1
    assert pos.ask("Auth") == first


@pytest.mark.parametrize("queue, result, told", [
    (0, "Approved", failure_reasons.CROWDED), (2, "Approved", USED.format("Sale")), (2, "Declined", "APPROVED")])
def test_m10_a_void_that_came_with_the_sale_decides_what_it_gets(start, app, connection, settle, queue, result, told):
    pos = Pos(start(queue=queue), app, connection())
    pos.ask("Sale")
    pos.results[:] = [result]
    pos.processor.receive(request("Void"))
    pos.processor.receive(request("Sale"))
    settle(lambda: len(pos.there.sent) == 3 and not pos.processor.busy)
    messages = [json.loads(sent)["Message"] for sent in pos.there.sent]
    assert sorted(messages[1:]) == sorted([result.upper(), told])
    assert app.runs.count(request("Sale")) == 1


def test_m10_so_does_one_that_waits_behind_another_refid_s_transaction(start, app, connection, settle):
    pos = Pos(start(queue=5), app, connection())
    pos.ask("Sale")
    app.hold.clear()
    for body in (request("Sale", ref="8"), request("Void"), request("Sale")):
        pos.processor.receive(body)
        gevent.sleep(0.05)
    app.hold.set()
    settle(lambda: len(pos.there.sent) == 4 and not pos.processor.busy)
    assert [json.loads(sent)["Message"] for sent in pos.there.sent] == ["APPROVED"] * 3 + [USED.format("Sale")]


@pytest.mark.parametrize("before, between", [(("Sale", "1.00"), ("Void", "1.00")),
                                             (("TipAdjust", "2.00"), ("TipAdjust", "3.00"))])
def test_m10_while_stopping_nobody_is_told_that_what_ran_before_was_not_carried_out(pos, monkeypatch, settle, before,
                                                                                    between):
    """What the first one gets depends on the second, which the journal's slow disk has not written down yet."""
    pos.ask(*before)
    writing, written, hand_over = Event(), Event(), JournalWorker.hand_over

    def slowly(*entry):
        writing.set()
        written.wait()
        return hand_over(*entry)
    monkeypatch.setattr(JournalWorker, "hand_over", slowly)
    pos.processor.receive(request(*between))
    assert writing.wait(5)
    draining = gevent.spawn(pos.processor.drain, 5)
    gevent.sleep(0)
    pos.processor.receive(request(*before))
    refused, = pos.there.wait(2)[1:]
    assert json.loads(refused)["Message"] == failure_reasons.RESTARTING
    written.set()
    assert draining.get(timeout=5) is True and pos.app.runs == [request(*before), request(*between)]


def test_m10_a_capture_whose_answer_was_lost_gets_it_after_a_tip_adjust(start, app, connection, settle):
    processor = start()
    lost, there = connection(1, [True, False]), connection(2)
    pos = Pos(processor, app, lost)
    pos.ask("Auth", "10.00")
    pos.ask("Capture", "10.00")
    pos.there = there
    processor.detach(lost)
    processor.attach(there)
    settle(lambda: len(there.sent) == 1)
    pos.ask("TipAdjust", "2.00")
    assert pos.ask("Capture", "10.00")[:2] == (1, "Approved")
    assert there.sent[-1] == lost.sent[1] == there.sent[0]


def test_m10_a_sale_whose_own_answer_was_lost_gets_it_though_it_was_voided(start, app, connection, settle):
    """Whoever asks has never seen the approval: the Void came from elsewhere, and what it gets is what was answered."""
    processor = start(late_answer=0.0)
    lost, there = connection(1, [False]), connection(2)
    pos = Pos(processor, app, lost)
    pos.ask("Sale")
    processor.detach(lost)
    gevent.sleep(0.01)
    pos.there = there
    processor.attach(there)
    pos.ask("Void")
    assert pos.ask("Sale")[:2] == (1, "Approved")
    assert pos.ask("Sale") == (1, "Failed", USED.format("Sale"))        # that was its delivery


def test_m10_the_void_comes_first(pos):
    pos.ask("Void")
    assert [pos.ask("Sale")[:2] for _ in range(2)] == [(1, "Approved")] * 2


def test_m10_after_a_restart_it_is_the_same(start, app, connection):
    processor = start()
    pos = Pos(processor, app, connection())
    for command, amount in (("Sale", "1.00"), ("Void", "1.00"), ("TipAdjust", "2.00"), ("TipAdjust", "3.00")):
        pos.ask(command, amount)
    processor.stop()
    pos = Pos(start(), app, connection())
    assert pos.ask("Sale")[2] == USED.format("Sale")
    assert pos.ask("TipAdjust", "2.00")[0] == 2


def test_a_sale_with_card_data_in_its_answer_is_already_used_too(pos):
    pos.ask("Sale", result="Approved 4111111111111111")
    assert pos.ask("Sale")[2] == failure_reasons.SCRUBBED_CARD
    pos.ask("Void")
    assert pos.ask("Sale")[2] == USED.format("Sale")


# -- a long time afterwards ------------------------------------------------------------------------------------------

@pytest.fixture
def later(monkeypatch):
    """A function: from now on it is so many seconds later."""
    real = JournalWorker.now

    def pass_(seconds):
        monkeypatch.setattr(JournalWorker, "now", lambda self: real(self)._replace(
            wall=real(self).wall + seconds, up=real(self).up + seconds))
    return pass_


def undelivered(start, app, connection, settle, result="Approved"):
    processor = start()
    lost = connection(1, [False])
    pos = Pos(processor, app, lost)
    pos.results[:] = [result]
    processor.receive(request("Sale"))
    settle(lambda: lost.sent and not processor.busy)
    processor.detach(lost)
    processor.stop()


@pytest.mark.parametrize("days", [1.1, 7, 29.9])
@pytest.mark.parametrize("result", ["Approved", "Declined", "closes", "Approved 4111111111111111"])
def test_m11_an_approval_that_nobody_received_never_runs_again_for_30_days(start, app, connection, settle, later,
                                                                           result, days):
    undelivered(start, app, connection, settle, result)
    later(days * DAY)
    pos = Pos(start(), app, connection())
    for _ in range(2):
        runs, outcome, message = pos.ask("Sale")
        assert (runs, outcome) == (1, "Failed")
        assert "was answered on 20" in message
        assert "check it at the payment application before charging again" in message


def test_m11_the_very_moment_that_keep_is_over(start, app, connection, settle, later):
    """Nobody has come by to scrub the answer: whether it is still there must not depend on that."""
    undelivered(start, app, connection, settle)
    pos = Pos(start(late_answer=0.0), app, connection())
    settle(lambda: pos.processor.counts()["expired"] == 1)
    later(1.001 * DAY)
    runs, outcome, message = pos.ask("Sale")
    assert (runs, outcome) == (1, "Failed") and "was answered on 20" in message


def test_m11_an_unknown_outcome_stays_unknown_for_30_days(start, app, connection, settle, later):
    processor = start()
    app.hold.clear()
    processor.attach(connection())
    processor.receive(request("Sale"))
    app.asked.wait()
    processor.stop()
    app.hold.set()
    later(29.9 * DAY)
    runs, outcome, message = Pos(start(), app, connection()).ask("Sale")
    assert (runs, outcome) == (1, "Failed") and "on 20" in message and "before charging again" in message


def test_m11_after_30_days_it_is_a_new_transaction(start, app, connection, settle, later):
    undelivered(start, app, connection, settle)
    later(30.1 * DAY)
    assert Pos(start(), app, connection()).ask("Sale")[:2] == (2, "Approved")


def test_m11_within_keep_it_gets_its_answer_and_then_is_new_after_keep(start, app, connection, settle, later):
    undelivered(start, app, connection, settle)
    later(0.9 * DAY)
    processor = start()
    pos = Pos(processor, app, connection())
    assert pos.ask("Sale")[:2] == (1, "Approved")
    later(1.1 * DAY)
    assert pos.ask("Sale")[:2] == (2, "Approved")


def test_m11_many_delivered_rows_do_not_push_out_one_that_never_was(tmp_path, monkeypatch, start, app, connection,
                                                                    settle, later):
    undelivered(start, app, connection, settle)
    monkeypatch.setattr(journal, "MAX_ROWS", 20)
    pos = Pos(start(late_answer=0.0), app, connection())
    for number in range(30):
        pos.ask("Sale", ref=f"other {number}")
    later(2 * DAY)
    for _ in range(3):
        pos.processor.journal.housekeep()
    rows = sqlite3.connect(f"file:{tmp_path}/state/journal.sqlite3?mode=ro", uri=True)
    assert rows.execute("SELECT count(*) FROM transactions").fetchone()[0] <= 20
    rows.close()
    assert pos.ask("Sale")[0] == 1


def test_m11_a_clock_that_was_not_set_is_said(start, app, connection, settle, later, monkeypatch):
    monkeypatch.setattr(JournalWorker, "now", lambda self, real=JournalWorker.now: real(self)._replace(
        wall=5.0, boot="an earlier one"))       # what ran in this one is dated anew once the clock is set
    undelivered(start, app, connection, settle)
    monkeypatch.undo()
    later(2 * DAY)
    assert "the clock was not set" in Pos(start(), app, connection()).ask("Sale")[2]


# -- written in another way ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("again", [
    b'{"RefID":"7","Command":"Sale","Amount":"1.00"}', b'{ "Amount" : "1.00", "Command": "Sale", "RefID": "7" }',
    b'{"RefID":"7","Command":"S\\u0061le","Amount":"1.00"}', b"\x04" + request("Sale"),
    b"\xef\xbb\xbf" + request("Sale"),
    b"\r\n" + request("Sale") + b"\x04"])
def test_m17_one_request_however_it_is_written(pos, again):
    first = pos.ask("Sale")
    pos.processor.receive(again)
    assert json.loads(pos.there.wait(2)[1])["Message"] == first[2] and len(pos.app.runs) == 1
    assert pos.processor.counts()["replayed"] == 1


def test_m17_while_it_runs_it_attaches(start, app, connection, settle):
    pos = Pos(start(), app, connection())
    app.hold.clear()
    pos.processor.receive(request("Sale"))
    app.asked.wait()
    pos.processor.receive(b"\x04" + request("Sale").replace(b" ", b""))
    settle(lambda: pos.processor.counts()["attached"] == 1)
    app.hold.set()
    settle(lambda: not pos.processor.busy)
    assert len(app.runs) == len(pos.there.sent) == 1


@pytest.mark.parametrize("again", [request("Sale").replace(b"1.00", b"1.0"), request("Sale").replace(b'"1.00"',
                                                                                                     b"1.00")])
def test_m17_another_value_is_a_follow_up(pos, again):
    pos.ask("Sale")
    pos.processor.receive(again)
    pos.there.wait(2)
    assert pos.app.runs == [request("Sale"), again]
