"""What is read of a journal that is damaged, and how much of the answers comes along."""
import sqlite3

import pytest

from econduit_terminal.agent.journal.ages import Moment
from econduit_terminal.agent.journal.entry import Entry, Outcome, State
from econduit_terminal.agent.journal.journal import Journal
from econduit_terminal.agent.journal.readable import ReadableEntries

AT = Moment(1_800_000_000.0, "boot", 5.0)


def answered(id, state=State.DELIVERED):
    return Entry(id, b"digest %d" % id, str(id), "Sale", 10, AT.wall, AT, state=state, answer=b"x" * 100,
                 answer_size=100, outcome=Outcome.ANSWER, took=0.5)


@pytest.fixture
def journal():
    it = Journal.in_memory()
    it.merge(answered(id) for id in (1, 2, 3, 4))
    yield it
    it.close()


class Damaged:
    """A connection whose rows can be read from either end as far as row 2, which cannot."""

    def __init__(self, real):
        self._real = real

    def execute(self, sql):
        for row in self._real.execute(sql):
            if row[0] == 2:
                raise sqlite3.DatabaseError("database disk image is malformed")
            yield row


def read(connection, answers_up_to=None):
    entries = ReadableEntries(connection, answers_up_to)
    return [(entry.id, entry.answer and len(entry.answer)) for entry in entries.read()], entries.complete


def test_everything_the_newest_first(journal):
    assert read(journal._db) == ([(4, 100), (3, 100), (2, 100), (1, 100)], True)


def test_damage_in_the_middle_costs_neither_side_of_it(journal):
    assert read(Damaged(journal._db)) == ([(4, 100), (3, 100), (1, 100)], False)


def test_nonsense_in_one_row_costs_that_row(journal):
    journal._db.execute("PRAGMA ignore_check_constraints = ON")
    journal._db.execute("UPDATE transactions SET state = 'sold' WHERE id = 3")
    assert read(journal._db) == ([(4, 100), (2, 100), (1, 100)], False)


def test_as_many_answers_as_there_is_room_for_and_those_that_nobody_got_yet(journal):
    journal.merge([answered(5, State.ANSWERED), answered(0, State.ANSWERED)])
    assert read(journal._db, answers_up_to=250) == (
        [(5, 100), (4, 100), (3, 100), (2, None), (1, None), (0, 100)], True)
