import json
import logging
import re
import sqlite3
import time
import tracemalloc

import gevent
import pytest
from gevent.event import Event

from econduit_terminal.agent.journal.worker import JournalStuck, JournalWorker
from econduit_terminal.agent.transactions import failure_reasons, relay
from econduit_terminal.conf.values import Application, Endpoint

SALE = b'{"RefID":"1","Command":"Sale","Amount":"2.50"}'
VOID = b'{"RefID":"1","Command":"Void"}'
CAPTURE = b'{"RefID":"1","Command":"Capture"}'
OTHER = b'{"RefID":"2","Command":"Sale","Amount":"2.50"}'


def approved(request):
    return b'{"ResultCode":"Approved","for":%d}' % len(request)


def failed(answer):
    fields = json.loads(answer)
    assert fields["ResultCode"] == "Failed"
    return fields


def test_there_and_back(start, app, connection, settle):
    processor, there = start(), connection()
    processor.attach(there)
    processor.receive(SALE)
    assert processor.busy
    assert there.wait(1) == [approved(SALE)]
    settle(lambda: not processor.busy)
    assert app.runs == [SALE]
    counts = processor.counts()
    assert {name: number for name, number in counts.items() if number} == {"received": 1, "answered": 1, "delivered": 1}
    settle(lambda: processor.store.snapshot().transactions == counts and processor.store.snapshot().idle)


def test_the_same_again_is_replayed_other_bytes_are_a_follow_up(start, app, connection):
    processor, there = start(), connection()
    processor.attach(there)
    for number, request in enumerate((SALE, SALE, CAPTURE, SALE, CAPTURE), 1):
        processor.receive(request)
        there.wait(number)
    assert app.runs == [SALE, CAPTURE]
    assert there.sent == [approved(request) for request in (SALE, SALE, CAPTURE, SALE, CAPTURE)]
    assert processor.counts()["replayed"] == 3


def test_the_same_while_it_runs_attaches(start, app, connection, settle):
    processor, first, second = start(), connection(1), connection(2)
    app.hold.clear()
    processor.attach(first)
    processor.receive(SALE)
    app.asked.wait()
    processor.detach(first)
    processor.attach(second)
    processor.receive(SALE)
    app.hold.set()
    assert second.wait(1) == [approved(SALE)]
    settle(lambda: not processor.busy)
    assert (app.runs, first.sent, len(second.sent), processor.counts()["attached"]) == ([SALE], [], 1, 1)


def test_without_a_ref_id_nothing_is_a_duplicate(start, app, connection):
    processor, there = start(), connection()
    processor.attach(there)
    for number in (1, 2):
        processor.receive(b"SALE 2.50")
        there.wait(number)
    assert app.runs == [b"SALE 2.50"] * 2


def test_duplicates_run_when_the_integrator_says_so(start, app, connection):
    processor, there = start(duplicates="run"), connection()
    processor.attach(there)
    for number in (1, 2):
        processor.receive(SALE)
        there.wait(number)
    assert app.runs == [SALE] * 2


def test_one_at_a_time_in_order_and_busy_beyond_the_queue(start, app, connection, settle):
    processor, there = start(queue=1), connection()
    app.hold.clear()
    processor.attach(there)
    third = SALE.replace(b'"1"', b'"3"')
    for request in (SALE, OTHER, third):
        processor.receive(request)
    app.asked.wait()
    assert failed(there.wait(1)[0]) == {"TerminalID": "T1", "ResultCode": "Failed", "TransType": "Sale",
                                        "Message": failure_reasons.BUSY, "RefID": "3"}
    assert app.runs == [SALE]
    app.hold.set()
    assert there.wait(3)[1:] == [approved(SALE), approved(OTHER)]
    processor.receive(third)        # busy meant that it did not run
    there.wait(4)
    assert app.runs == [SALE, OTHER, third] and processor.counts()["busy"] == 1


@pytest.mark.parametrize("queue", [0, 3])
def test_the_queue_is_as_long_as_set(start, app, connection, queue):
    processor, there = start(queue=queue), connection()
    app.hold.clear()
    processor.attach(there)
    requests = [SALE.replace(b'"1"', b'"%d"' % number) for number in range(queue + 2)]
    for request in requests:
        processor.receive(request)
    assert failed(there.wait(1)[0])["RefID"] == str(queue + 1)
    app.hold.set()
    there.wait(queue + 2)
    assert app.runs == requests[:-1]


@pytest.mark.parametrize("queue", [0, 1])
def test_a_replay_needs_no_place_in_the_queue_and_waits_for_nobody(start, app, connection, queue):
    processor, there = start(queue=queue), connection()
    processor.attach(there)
    processor.receive(SALE)
    there.wait(1)
    app.hold.clear()
    app.asked.clear()
    processor.receive(OTHER)
    app.asked.wait()
    processor.receive(SALE)
    assert there.wait(2)[1] == approved(SALE)
    app.hold.set()
    there.wait(3)


def test_the_answer_goes_out_after_the_reconnect_once(start, app, connection, settle):
    processor, first, second, third = start(), connection(1), connection(2), connection(3)
    app.hold.clear()
    processor.attach(first)
    processor.receive(SALE)
    app.asked.wait()
    settle(lambda: not processor.store.snapshot().idle)
    processor.detach(first)
    app.hold.set()
    settle(lambda: processor.counts()["pending"] == 1)
    assert not processor.busy
    for there in (second, third):
        processor.attach(there)
        settle(lambda: not processor.busy)
        processor.detach(there)
    assert (first.sent, second.sent, third.sent) == ([], [approved(SALE)], [])


def test_unacknowledged_goes_out_again(start, app, connection, settle):
    processor, first, second = start(), connection(1, [False]), connection(2)
    processor.attach(first)
    processor.receive(SALE)
    first.wait(1)
    processor.detach(first)
    processor.attach(second)
    assert second.wait(1) == [approved(SALE)] and app.runs == [SALE]


def test_an_answer_that_waits_attaches_who_asks_again(start, app, connection, settle):
    processor, first, second = start(), connection(1, [False]), connection(2)
    processor.attach(first)
    processor.receive(SALE)
    settle(lambda: first.sent and not processor.busy)
    processor.receive(SALE)
    settle(lambda: processor.counts()["attached"] == 1)
    processor.attach(second)
    settle(lambda: second.sent and not processor.busy)
    assert second.sent == [approved(SALE)] and app.runs == [SALE]


def test_asked_again_while_the_answer_is_acknowledged_is_answered_again(start, app, connection, settle):
    """The cloud has the answer before its acknowledgement is seen here: what it asks then is a question of its own."""
    processor, there = start(), connection()
    real = there.send

    def send(payload, timeout):
        if not there.sent:
            processor.receive(SALE)
            gevent.sleep(0.02)
        return real(payload, timeout)
    there.send = send
    processor.attach(there)
    processor.receive(SALE)
    assert there.wait(2) == [approved(SALE)] * 2
    settle(lambda: not processor.busy)
    assert app.runs == [SALE] and len(there.sent) == 2


def test_too_late_is_not_sent_but_kept_for_who_asks(start, app, connection, settle):
    processor, first, second = start(late_answer=0.05), connection(1, [False]), connection(2)
    processor.attach(first)
    processor.receive(SALE)
    settle(lambda: first.sent and not processor.busy)
    gevent.sleep(0.06)
    processor.attach(second)
    settle(lambda: processor.counts()["expired"] == 1)
    assert second.sent == []
    processor.receive(SALE)
    assert second.wait(1) == [approved(SALE)] and app.runs == [SALE]


def test_nothing_is_too_late_for_a_connection_that_is_there(start, app, connection):
    processor, there = start(late_answer=0.0), connection()
    processor.attach(there)
    processor.receive(SALE)
    assert there.wait(1) == [approved(SALE)]


def test_after_a_restart_what_is_too_late_is_not_sent(start, app, connection, settle):
    processor, first, second = start(), connection(1, [False]), connection(2)
    processor.attach(first)
    processor.receive(SALE)
    settle(lambda: first.sent and not processor.busy)
    processor.stop()
    processor = start(late_answer=0.0)
    processor.attach(second)
    settle(lambda: processor.counts()["expired"] == 1)
    processor.receive(OTHER)
    assert second.wait(1) == [approved(OTHER)]


def test_after_a_restart_answers_are_delivered_and_known(start, app, connection, settle):
    processor, first, second = start(), connection(1, [False]), connection(2)
    processor.attach(first)
    processor.receive(SALE)
    settle(lambda: first.sent and not processor.busy)
    processor.stop()
    processor = start()
    processor.attach(second)
    assert second.wait(1) == [approved(SALE)]
    processor.receive(SALE)
    assert second.wait(2)[1] == approved(SALE) and app.runs == [SALE]
    settle(lambda: not processor.busy)
    processor.stop()
    processor, third = start(), connection(3)
    processor.attach(third)
    settle(lambda: processor.journal.generation and not processor.busy)
    assert third.sent == []


def test_an_approval_outlives_a_clock_that_begins_anew(start, app, connection, settle, monkeypatch):
    """A terminal without a battery for its clock: after a power failure it is 1970 until the network is there."""
    processor, first, second = start(), connection(1, [False]), connection(2)
    processor.attach(first)
    processor.receive(SALE)
    settle(lambda: first.sent and not processor.busy)
    processor.stop()
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_000)
    processor = start()
    processor.attach(second)
    assert second.wait(1) == [approved(SALE)] and app.runs == [SALE]


def test_asked_again_before_the_journal_is_read_gets_one_answer(start, app, connection, settle):
    processor, first, second = start(), connection(1, [False]), connection(2)
    processor.attach(first)
    processor.receive(SALE)
    settle(lambda: first.sent and not processor.busy)
    processor.stop()
    processor = start()
    processor.receive(SALE)
    settle(lambda: processor.counts()["attached"] == 1)
    processor.attach(second)
    settle(lambda: second.sent and not processor.busy)
    assert second.sent == [approved(SALE)] and app.runs == [SALE]


def test_killed_at_work_the_outcome_is_unknown_and_it_never_runs_again(start, app, connection, settle):
    processor, first, second = start(), connection(1), connection(2)
    app.hold.clear()
    processor.attach(first)
    processor.receive(SALE)
    app.asked.wait()
    processor.stop()
    processor = start()
    processor.attach(second)
    settle(lambda: processor.counts()["lost"] == 1)
    assert second.sent == []        # nobody is told who does not ask
    for number in (1, 2):
        processor.receive(SALE)
        message = failed(second.wait(number)[-1])["Message"]
        assert message.startswith("terminal interrupted during this transaction on 20")
    assert app.runs == [SALE] and processor.counts()["unknown"] == 2
    processor.receive(VOID)         # a follow-up may
    app.hold.set()
    assert second.wait(3)[-1] == approved(VOID)


@pytest.mark.parametrize("behave, words", [
    (lambda connection, request: None, "closed without an answer"),
    (lambda connection, request: connection.sendall(b'{"Result'), "without a complete answer"),
    (lambda connection, request: gevent.sleep(2), "within 0.2 s"),
])
def test_no_answer_is_answered_and_replayed(start, app, connection, behave, words):
    processor, there = start(timeout=0.2), connection()
    app.behave = behave
    processor.attach(there)
    for number in (1, 2):
        processor.receive(SALE)
        assert words in failed(there.wait(number)[-1])["Message"]
    assert there.sent[0] == there.sent[1] and app.runs == [SALE]
    assert processor.counts()["failed"] == 1


def test_a_missing_application(start, connection, unused_port):
    processor, there = start(application=Application("tcp", Endpoint("127.0.0.1", unused_port))), connection()
    processor.attach(there)
    processor.receive(SALE)
    assert "not reachable" in failed(there.wait(1)[0])["Message"]


def test_an_answer_with_card_data_is_gone_when_it_is_delivered(start, app, connection, settle, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    processor, first, second = start(), connection(1, [False]), connection(2)
    app.behave = lambda there, request: there.sendall(b'{"Account":"4111111111111111","CVV":"987"}')
    files = lambda: b"".join(file.read_bytes() for file in (tmp_path / "state").iterdir())  # noqa: E731
    processor.attach(first)
    sale = b'{"RefID":"4111111111111111","Command":"Sale","Track2":";4111111111111111=25121011234567890?"}'
    processor.receive(sale)
    settle(lambda: first.sent and not processor.busy)
    assert b"4111111111111111" in files()       # until then it must be kept
    processor.attach(second)
    second.wait(1)
    processor.journal.pending()
    assert b"4111111111111111" not in files() and b"987" not in files()
    processor.receive(sale)
    assert failed(second.wait(2)[1])["Message"] == failure_reasons.SCRUBBED_CARD
    assert app.runs == [sale]
    assert "4111111111111111" not in caplog.text + str(processor.store.snapshot())


def test_older_than_keep_it_is_a_new_transaction(start, app, connection, monkeypatch):
    processor, there = start(keep=100.0), connection()
    processor.attach(there)
    processor.receive(SALE)
    there.wait(1)
    real = JournalWorker.now
    monkeypatch.setattr(JournalWorker, "now", lambda self: real(self)._replace(up=real(self).up + 101))
    processor.receive(SALE)
    there.wait(2)
    assert app.runs == [SALE, SALE]


def test_a_scrubbed_answer_is_said_to_be_so(start, app, connection, settle):
    processor, there = start(), connection()
    processor.attach(there)
    processor.receive(SALE)
    there.wait(1)
    settle(lambda: not processor.busy)
    journal = processor.journal
    journal.pending()
    journal._journal._journal._db.execute("UPDATE transactions SET state = 'scrubbed', answer = NULL")
    processor.receive(SALE)
    assert failed(there.wait(2)[1])["Message"] == failure_reasons.SCRUBBED


def test_a_bug_costs_one_transaction(start, app, connection, monkeypatch):
    processor, there = start(), connection()
    processor.attach(there)
    monkeypatch.setattr(relay, "ask", lambda *a, **b: (_ for _ in ()).throw(ValueError("a bug")))
    processor.receive(SALE)
    assert failed(there.wait(1)[0])["Message"] == failure_reasons.UNKNOWN
    monkeypatch.undo()
    monkeypatch.setattr(JournalWorker, "new_id", lambda self: (_ for _ in ()).throw(ValueError("another")))
    processor.receive(OTHER)
    assert failed(there.wait(2)[1])["Message"] == failure_reasons.BROKEN
    monkeypatch.undo()
    processor.receive(VOID)
    assert there.wait(3)[2] == approved(VOID) and app.runs == [VOID]


def test_a_greenlet_that_fails_is_started_again(start, app, connection, settle, caplog):
    processor, there = start(), connection()
    processor._greenlets._running[processor._delivery.work].throw(ValueError("a bug"))
    settle(lambda: "started again" in caplog.text)
    processor.attach(there)
    processor.receive(SALE)
    assert there.wait(1) == [approved(SALE)]


@pytest.mark.parametrize("request_", [b"\x00\xff", b"{" * 5000, b'{"RefID":[1]}', b'{"RefID":"%s"}' % (b"9" * 5000)])
def test_any_bytes_are_a_request(start, app, connection, request_):
    processor, there = start(), connection()
    processor.attach(there)
    processor.receive(request_)
    there.wait(1)
    assert app.runs == [request_]


# -- the disk --------------------------------------------------------------------------------------------------------

def test_a_disk_that_hangs_runs_nothing_and_says_so(start, app, connection, monkeypatch, settle):
    processor, there = start(), connection()
    processor.attach(there)
    settle(lambda: processor.journal.generation)

    def stuck(self, entry, identity):
        self._note(lambda journal: journal.hand_over(entry, identity, self.retention))
        raise JournalStuck("the journal's disk gave no answer for 10 s")
    monkeypatch.setattr(JournalWorker, "hand_over", stuck)
    processor.receive(SALE)
    assert failed(there.wait(1)[0])["Message"] == failure_reasons.NOT_LOOKED_UP
    monkeypatch.undo()
    processor.receive(SALE)         # the entry that was written late does not stand in its way
    assert there.wait(2)[1] == approved(SALE) and app.runs == [SALE]


def test_an_answer_goes_out_though_the_disk_hangs(start, app, connection, monkeypatch, settle):
    processor, there = start(), connection()
    processor.attach(there)
    settle(lambda: processor.journal.generation)
    monkeypatch.setattr(JournalWorker, "answer", lambda *_: (_ for _ in ()).throw(JournalStuck("stuck")))
    processor.receive(SALE)
    assert there.wait(1) == [approved(SALE)]


def test_an_approval_goes_out_whatever_is_wrong_with_the_journal(start, app, connection, monkeypatch, settle):
    processor, there = start(), connection()
    processor.attach(there)
    settle(lambda: processor.journal.generation)
    monkeypatch.setattr(JournalWorker, "answer", lambda *_: (_ for _ in ()).throw(
        sqlite3.OperationalError("out of memory")))
    processor.receive(SALE)
    assert there.wait(1) == [approved(SALE)]


def test_while_the_disk_hangs_nobody_is_told_that_an_approved_sale_did_not_run(start, app, connection, monkeypatch,
                                                                               settle):
    processor, there = start(), connection()
    processor.attach(there)
    processor.receive(SALE)
    there.wait(1)
    settle(lambda: not processor.busy)
    waiting = Event()

    def stuck(*_):
        waiting.wait()
        raise JournalStuck("the journal's disk gave no answer for 10 s")
    monkeypatch.setattr(JournalWorker, "find", stuck)
    monkeypatch.setattr(JournalWorker, "hand_over", stuck)
    others = [OTHER.replace(b'"2"', b'"%d"' % number) for number in range(10, 30)]
    for request in (OTHER, VOID, *others):
        processor.receive(request)
        gevent.sleep(0)
    processor.receive(SALE)
    waiting.set()
    there.wait(len(others) + 4)
    assert {failed(answer)["Message"] for answer in there.sent[1:]} == {
        failure_reasons.NOT_LOOKED_UP, failure_reasons.CROWDED}
    assert app.runs == [SALE]


def test_a_burst_that_the_queue_takes_in_runs(start, app, connection):
    processor, there = start(queue=20), connection()
    processor.attach(there)
    burst = [OTHER.replace(b'"2"', b'"%d"' % number) for number in range(10, 30)]
    for request in burst:
        processor.receive(request)
    there.wait(len(burst))
    assert app.runs == burst


def test_a_burst_that_it_does_not_take_in_is_told_that_the_terminal_is_busy(start, app, connection):
    processor, there = start(), connection()
    processor.attach(there)
    burst = [OTHER.replace(b'"2"', b'"%d"' % number) for number in range(10, 30)]
    for request in burst:
        processor.receive(request)
    told = [json.loads(answer).get("Message") for answer in there.wait(len(burst))]
    assert set(told) == {None, failure_reasons.BUSY, failure_reasons.CROWDED} and told.count(None) == len(app.runs)


@pytest.mark.parametrize("request_", [
    b'{"RefID":"1","Command":"Sale","Merchant":"Caf\xe9"}', '{"RefID":"1","Command":"Sale","Merchant":"Café"}'.encode(),
    b'{"RefID":"1","Command":"Sale","Merchant":"Line 1\nLine\t2"}'])
def test_text_of_whatever_encoding_is_a_duplicate_of_itself(start, app, connection, request_):
    processor, there = start(), connection()
    processor.attach(there)
    for number in (1, 2):
        processor.receive(request_)
        there.wait(number)
    assert app.runs == [request_] and processor.counts()["replayed"] == 1


def test_without_a_disk_the_process_still_knows_what_it_ran(start, app, connection, tmp_path):
    (tmp_path / "state").write_text("no directory")
    processor, there = start(), connection()
    processor.attach(there)
    for number in (1, 2):
        processor.receive(SALE)
        there.wait(number)
    assert there.sent == [approved(SALE)] * 2 and app.runs == [SALE]
    assert "cannot be used" in processor.store.snapshot().problems["journal"]


def test_a_disk_that_fails_at_work(start, app, connection, tmp_path):
    processor, there = start(), connection()
    processor.attach(there)
    processor.receive(SALE)
    there.wait(1)
    other = sqlite3.connect(tmp_path / "state" / "journal.sqlite3")     # somebody locks it for good
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    for number, request in enumerate((OTHER, SALE, OTHER), 2):
        processor.receive(request)
        there.wait(number, timeout=8)
    other.close()
    assert app.runs == [SALE, OTHER] and time.monotonic() - began < 8
    assert processor.journal.given_up == 1


# -- many at once ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("behave", [None, lambda connection, request: None], ids=["answered", "failed"])
@pytest.mark.parametrize("kind", ["sale", "replay"])
def test_queue_0_the_terminal_is_free_before_the_first_byte_of_the_answer_leaves(start, app, connection, settle,
                                                                                 behave, kind):
    """Whoever holds the next request until the answer is there, as eConduit asks, is never told "busy"."""
    processor, there = start(queue=0), connection()
    app.behave = behave or app.approve
    processor.attach(there)
    if kind == "replay":
        processor.receive(SALE)
        settle(lambda: there.sent and not processor.busy)
    real, following = there.send, [OTHER.replace(b'"2"', b'"%d"' % number) for number in range(10, 30)]

    def send(payload, timeout):
        if following:
            processor.receive(following.pop(0))
        return real(payload, timeout)
    there.send = send
    processor.receive(SALE)
    settle(lambda: len(app.runs) == 21 and not processor.busy)
    assert processor.counts()["busy"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("request_, every", [
    (SALE, 10_000), (SALE, 1), (b"SALE 2.50", 10_000), (b"<r><RefId>1</RefId></r>", 100), (b"{}", 1000)])
def test_m15_ten_thousand_in_one_burst_each_get_an_answer_and_one_line_in_the_log(start, app, connection, settle,
                                                                                caplog, request_, every):
    caplog.set_level(logging.DEBUG)
    processor, there = start(), connection()
    processor.attach(there)
    app.hold.clear()
    for number in range(10_000):
        processor.receive(request_.replace(b'"1"', b'"%d"' % number).replace(b">1<", b">%d<" % number))
        if number % every == 0:
            gevent.sleep(0)
    app.hold.set()
    settle(lambda: not processor.busy, timeout=30)
    assert len(there.sent) == 10_000 and processor.counts()["received"] == 10_000
    assert len(app.runs) < 10
    # One line, unless the machine stood still for seconds: then the flood may seem to be over, and there are two.
    settle(lambda: sum(floods := _floods(caplog.text)) >= 9000 and len(floods) < 4, timeout=10)
    assert len(caplog.records) < 100


def _floods(text):
    """How many requests each line about a flood says there were."""
    return [int(number) for number in re.findall(r"a flood: (\d+) more requests", text)]


def test_m15_a_burst_takes_little_memory(start, app, connection, settle):
    processor, there = start(), connection()
    processor.attach(there)
    tracemalloc.start()
    try:
        for number in range(10_000):
            processor.receive(b'{"RefID":"%d","Command":"Sale"}' % number)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_m15_the_same_request_ten_thousand_times_is_one(start, app, connection, settle, caplog):
    caplog.set_level(logging.INFO)
    processor, there = start(), connection()
    processor.attach(there)
    app.hold.clear()
    for _ in range(10_000):
        processor.receive(SALE)
    app.hold.set()
    settle(lambda: not processor.busy, timeout=30)
    assert there.sent == [approved(SALE)] and processor.counts()["attached"] == 9_999
    assert len(caplog.records) < 100


# -- the end ---------------------------------------------------------------------------------------------------------

def test_drain_waits_for_the_one_that_runs_and_takes_no_other(start, app, connection, settle):
    processor, there = start(queue=1), connection()
    app.hold.clear()
    processor.attach(there)
    processor.receive(SALE)
    app.asked.wait()
    processor.receive(OTHER)
    draining = gevent.spawn(processor.drain, 5)
    gevent.sleep(0)
    processor.receive(VOID)
    assert [failed(answer)["RefID"] for answer in there.wait(2)] == ["2", "1"]
    assert all(failed(answer)["Message"] == failure_reasons.STOPPING for answer in there.sent)
    processor.receive(SALE)         # under way: not refused
    assert not draining.ready()
    app.hold.set()
    assert draining.get(timeout=5) is True
    assert there.sent[2:] == [approved(SALE)] and app.runs == [SALE]
    processor.receive(SALE)         # known: not refused either
    assert there.wait(4)[3] == approved(SALE)


def test_a_refusal_goes_to_who_asked_last(start, app, connection, settle):
    """It waits, its connection goes, it is asked again over the next, and then the agent is to stop."""
    processor, first, second = start(queue=1), connection(1), connection(2)
    app.hold.clear()
    processor.attach(first)
    processor.receive(SALE)
    app.asked.wait()
    processor.receive(OTHER)
    settle(lambda: len(processor._running) == 2)
    processor.detach(first)
    processor.attach(second)
    processor.receive(OTHER)
    draining = gevent.spawn(processor.drain, 5)
    assert failed(second.wait(1)[0])["Message"] == failure_reasons.STOPPING
    app.hold.set()
    assert draining.get(timeout=5) is True and second.sent[1:] == [approved(SALE)]


def test_drain_has_an_end(start, app, connection):
    processor = start()
    app.hold.clear()
    processor.attach(connection())
    processor.receive(SALE)
    app.asked.wait()
    began = time.monotonic()
    assert processor.drain(0.2) is False
    assert time.monotonic() - began < 10


def test_drain_without_a_connection_leaves_the_answer_to_the_journal(start, app, connection, settle):
    processor, there = start(), connection()
    processor.attach(there)
    app.hold.clear()
    processor.receive(SALE)
    app.asked.wait()
    processor.detach(there)
    app.hold.set()
    assert processor.drain(5) is True
    assert processor.counts()["pending"] == 1


def test_new_settings_count_at_once(start, settings, app, connection):
    processor, there = start(queue=0), connection()
    processor.attach(there)
    processor.reconfigure(settings(failure_answer="NO {TerminalID}", timeout=0.1), "T2")
    app.hold.clear()
    processor.receive(SALE)
    assert there.wait(1) == [b"NO T2"]
