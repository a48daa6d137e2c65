"""The journal against a model of it, and what its file holds."""
import hashlib
import math
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings as chosen, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from econduit_terminal.agent.journal.ages import Moment
from econduit_terminal.agent.journal.entry import RETAIN, Answered, Entry, Event, Outcome, Retention
from econduit_terminal.agent.journal.journal import MASKED_AT_ONCE, MAX_ROWS, Journal
from econduit_terminal.agent.transactions.identity import Command, Identity

KEEP = 1000.0
RETENTION = Retention(KEEP, math.inf)
PAN = b'{"Account":"4111111111111111","Result":"Approved"}'
NOW = 1_800_000_000.0


def moment(up, boot="boot-1"):
    return Moment(NOW + up, boot, up)


START = moment(0.0)


def entry(id, body=b"request", at=START):
    digest = None if body is None else hashlib.sha256(body).digest()
    return Entry(id, digest, str(id), "Sale", 7, at.wall, at)


def identity(body):
    return body and Identity(hashlib.sha256(body).digest(), b"ref", Command.OTHER)


def families(path):
    return [Path(f"{path}{tail}") for tail in ("", "-wal", "-shm") if Path(f"{path}{tail}").exists()]


@dataclass
class Row:
    """The model's idea of one row."""
    body: bytes | None
    state: str
    at: float
    answer: bytes | None = None
    card: bool = False
    delivered: bool = False


class JournalMachine(RuleBasedStateMachine):
    """Any order of events, with crashes in between: the file always says what the model says."""
    ids = Bundle("ids")

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal.sqlite3"
        self.now = 0.0
        self.rows: dict[int, Row] = {}
        self.next = 1
        self.open()

    def open(self):
        self.journal = Journal.open(self.path)

    def teardown(self):
        if hasattr(self, "journal"):
            self.journal.close()
            self.folder.cleanup()

    def seen(self, body):
        for id, row in sorted(self.rows.items(), reverse=True):
            if body is not None and row.body == body and (
                    row.state in ("handed", "answered") or self.now - row.at <= (KEEP if row.delivered else RETAIN)):
                return id
        return None

    @rule(target=ids, body=st.sampled_from([b"a", b"b", b"c", None]), duplicates=st.booleans())
    def hand_over(self, body, duplicates):
        id, self.next = self.next, self.next + 1
        expected = self.seen(body) if duplicates else None
        found = self.journal.hand_over(entry(id, body, moment(self.now)), identity(body) if duplicates else None,
                                       RETENTION)
        assert (found and found.first.id) == expected
        if expected is None:
            self.rows[id] = Row(body, "handed", self.now)
        return id

    def allowed(self, event, id):
        return id in self.rows and self.rows[id].state in event.origins

    @rule(id=ids, answer=st.sampled_from([b"Approved", b"", PAN]),
          outcome=st.sampled_from(["answer", "failure", "not_run"]))
    def answer(self, id, answer, outcome):
        allowed = self.allowed(Event.ANSWER, id)
        assert self.journal.answer(id, Answered(answer, Outcome(outcome), None, 1.0), moment(self.now)) == allowed
        if allowed:
            self.rows[id] = Row(self.rows[id].body, "answered", self.now, answer, answer == PAN)

    @rule(id=ids)
    def deliver(self, id):
        allowed = self.allowed(Event.DELIVER, id)
        assert self.journal.deliver(id, moment(self.now)) == allowed
        if allowed:
            row = self.rows[id]
            row.state, row.delivered = "scrubbed" if row.card else "delivered", True
            row.answer = None if row.card else row.answer

    @rule(id=ids)
    def expire(self, id):
        allowed = self.allowed(Event.EXPIRE, id)
        assert self.journal.expire(id) == allowed
        if allowed:
            self.rows[id].state = "expired"

    @rule(id=consumes(ids))
    def withdraw(self, id):
        allowed = id in self.rows and self.rows[id].state == "handed"
        assert self.journal.withdraw(id) == allowed
        if allowed:
            del self.rows[id]

    @rule()
    def crash_and_start(self):
        self.journal.close()
        self.open()
        self.journal.check()
        handed = [row for row in self.rows.values() if row.state == "handed"]
        assert self.journal.lose(moment(0.0)._replace(boot="next")) == len(handed)
        for row in handed:
            row.state = "unknown"

    @rule(seconds=st.sampled_from([1.0, KEEP / 2, KEEP + 1, RETAIN + 1]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def housekeep(self):
        self.journal.housekeep(moment(self.now), RETENTION)
        ended = []
        for id, row in self.rows.items():
            if row.state in ("unknown", "scrubbed") and self.now - row.at > RETAIN:
                ended.append(id)
            elif row.state in ("delivered", "expired") and self.now - row.at > KEEP:
                row.state, row.answer = "scrubbed", None
        for id in ended:
            del self.rows[id]

    @invariant()
    def the_rows_are_the_model_s(self):
        if not hasattr(self, "journal"):
            return
        real = {found.id: (found.state, found.answer, found.card) for found in self.journal._entries("")}
        assert real == {id: (row.state, row.answer, row.card) for id, row in self.rows.items()}
        pending = [id for id, row in sorted(self.rows.items()) if row.state == "answered"]
        assert [found.id for found in self.journal.pending()] == pending

    @invariant()
    def a_scrubbed_number_is_in_no_file(self):
        if hasattr(self, "journal") and not any(row.answer == PAN for row in self.rows.values()):
            assert [file for file in families(self.path) if b"4111111111111111" in file.read_bytes()] == []


JournalMachine.TestCase.settings = chosen(max_examples=40, stateful_step_count=30, deadline=None)
TestJournal = JournalMachine.TestCase


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(path):
    journal = Journal.open(path)
    yield journal
    journal.close()


def test_request_bodies_are_never_written(journal, path):
    journal.hand_over(entry(1, b"a request that nobody may find"), None, RETENTION)
    assert all(b"nobody may find" not in file.read_bytes() for file in families(path))


def test_an_answer_that_is_old_leaves_the_files(journal, path):
    journal.hand_over(entry(1), None, RETENTION)
    journal.answer(1, Answered(b"an answer to be forgotten", Outcome.ANSWER, None, 0.1), moment(1))
    journal.deliver(1, moment(1))
    assert any(b"to be forgotten" in file.read_bytes() for file in families(path))
    journal.housekeep(moment(1 + KEEP + 1), RETENTION)
    assert all(b"to be forgotten" not in file.read_bytes() for file in families(path))


def test_a_reader_holds_the_log_back_only_until_the_next_time(journal, path):
    journal.hand_over(entry(1), None, RETENTION)
    journal.answer(1, Answered(PAN, Outcome.ANSWER, None, 0.1), moment(1))
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM transactions").fetchone()
    journal.deliver(1, moment(1))
    assert any(b"4111111111111111" in file.read_bytes() for file in families(path))
    reader.close()
    journal.housekeep(moment(2), RETENTION)
    assert all(b"4111111111111111" not in file.read_bytes() for file in families(path))


def test_a_large_answer_with_card_data_leaves_no_page_behind(journal, path):
    journal.hand_over(entry(1), None, RETENTION)
    journal.answer(1, Answered(PAN * 5000, Outcome.ANSWER, None, 0.1), moment(1))
    journal.deliver(1, moment(1))
    assert all(b"4111111111111111" not in file.read_bytes() for file in families(path))


def test_over_a_reboot_age_is_the_wall_clock_s(journal):
    journal.hand_over(entry(1), None, RETENTION)
    journal.answer(1, Answered(b"Approved", Outcome.ANSWER, None, 0.1), moment(500))
    journal.deliver(1, moment(500))
    known = identity(b"request")
    assert journal.find(known, Moment(NOW + 600, "boot-2", 10), RETENTION).first.id == 1
    assert journal.find(known, Moment(NOW + 600 + KEEP, "boot-2", 10), RETENTION) is None
    assert journal.find(known, Moment(100.0, "boot-2", 10), RETENTION).first.id == 1      # no clock yet: still known


def test_over_a_reboot_what_a_clock_that_was_not_set_had_dated_is_not_old(journal):
    """Without a battery it may begin at the day on which the system was built, until a time server is asked."""
    year = 365 * 86400.0
    journal.hand_over(entry(1, at=Moment(NOW - year + 10, "boot-1", 10)), None, RETENTION)
    journal.answer(1, Answered(b"Approved", Outcome.ANSWER, None, 0.1), Moment(NOW - year + 11, "boot-1", 11))
    journal.deliver(1, Moment(NOW - year + 12, "boot-1", 12))
    journal.housekeep(Moment(NOW - year + 20, "boot-1", 20), RETENTION)
    journal.housekeep(Moment(NOW + 80, "boot-1", 80), RETENTION)            # it was set
    known = identity(b"request")
    for _ in range(2):
        assert journal.find(known, Moment(NOW + 200, "boot-2", 10), RETENTION).first.answer == b"Approved"
        assert journal.find(known, Moment(NOW + 11 + KEEP + 1, "boot-2", 10), RETENTION) is None
        journal.housekeep(Moment(NOW - year + 90, "boot-1", 90), RETENTION)     # and put back: it may be wrong now


def test_rows_are_bounded(journal):
    with journal._commit():
        for id in range(1, MAX_ROWS + 11):
            journal._db.execute("INSERT INTO transactions (id, state, request_size, received, at_wall, at_boot, at_up) "
                                "VALUES (?, 'unknown', 1, ?, ?, 'boot-1', 0)", (id, NOW, NOW))
    journal.housekeep(moment(1), RETENTION)
    assert journal._db.execute("SELECT count(*), min(id) FROM transactions").fetchone() == (MAX_ROWS, 11)


def test_copies_bring_what_fits_and_never_take_an_answer_away(path):
    journal = Journal.open(path)
    for id in (1, 2, 3):
        journal.hand_over(entry(id, bytes([id])), None, RETENTION)
        journal.answer(id, Answered(b"x" * 100, Outcome.ANSWER, None, 0.1), moment(0))
    journal.deliver(1, moment(0))
    journal.deliver(2, moment(0))
    memory = Journal.in_memory()
    assert journal.copy_to(memory, answers_up_to=150)
    assert {found.id: (found.state, found.answer) for found in memory._entries("")} == {
        1: ("delivered", None), 2: ("delivered", b"x" * 100), 3: ("answered", b"x" * 100)}
    memory.deliver(3, moment(1))
    assert memory.copy_to(journal, answers_up_to=1 << 62)
    assert {found.id: (found.state, found.answer) for found in journal._entries("")} == {
        1: ("delivered", b"x" * 100), 2: ("delivered", b"x" * 100), 3: ("delivered", b"x" * 100)}
    journal.close()


SECRET = (b'{"ResultCode":"Approved","Account":"4111111111111111","CVV":"987",'
          b'"Track2":";4111111111111111=25121011234567890?"}')


def contents(path):
    return b"".join(file.read_bytes() for file in families(path))


def test_track_data_and_verification_values_are_never_written(journal, path):
    journal.hand_over(entry(1), None, RETENTION)
    journal.answer(1, Answered(SECRET, Outcome.ANSWER, None, 0.1), moment(1))
    assert b"987" not in contents(path) and b"2512101" not in contents(path)
    kept, = journal.pending()
    assert kept.card and kept.answer_size == len(SECRET) and b'"ResultCode":"Approved"' in kept.answer
    assert b'"Account":"4111111111111111"' in kept.answer       # until it is delivered, or older than late_answer


@pytest.mark.parametrize("state", ["answered", "expired"])
def test_card_numbers_are_masked_when_an_answer_is_older_than_late_answer(journal, path, state):
    for id, answer in ((1, SECRET), (2, b"no card in it")):
        journal.hand_over(entry(id, b"%d" % id), None, RETENTION)
        journal.answer(id, Answered(answer, Outcome.ANSWER, None, 0.1), moment(1))
        if state == "expired":
            journal.expire(id)
    journal.housekeep(moment(601), Retention(KEEP, 600.0))
    assert b"4111111111111111" in contents(path)
    journal.housekeep(moment(602), Retention(KEEP, 600.0))
    assert b"4111111111111111" not in contents(path)
    kept = journal.find(identity(b"1"), moment(602), RETENTION).first
    assert b'"Account":"************1111"' in kept.answer and kept.state == state and not kept.card
    assert journal.deliver(1, moment(603))
    assert journal.find(identity(b"1"), moment(604), RETENTION).first.answer == kept.answer    # nothing to be scrubbed
    assert journal.find(identity(b"2"), moment(604), RETENTION).first.answer == b"no card in it"


def test_many_old_answers_are_masked_a_few_at_a_time(journal, path):
    for id in range(1, MASKED_AT_ONCE + 3):
        journal.hand_over(entry(id, b"%d" % id), None, RETENTION)
        journal.answer(id, Answered(SECRET, Outcome.ANSWER, None, 0.1), moment(1))
    journal.housekeep(moment(700), Retention(KEEP, 600.0))
    assert sum(found.card for found in journal.pending()) == 2
    journal.housekeep(moment(700), Retention(KEEP, 600.0))
    assert b"4111111111111111" not in contents(path)
