"""Merging: of two versions of one row the later state wins, and no answer is lost on the way."""
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.journal import schema
from econduit_terminal.agent.journal.ages import Moment
from econduit_terminal.agent.journal.entry import Entry, Outcome, State
from econduit_terminal.agent.journal.journal import Journal
from econduit_terminal.agent.journal.rows import SELECT, Damaged, entry_of

AT = Moment(1_800_000_000.0, "boot", 5.0)
HANDED = Entry(7, b"digest", "7", "Sale", 10, AT.wall, AT, ref=b"ref")
ANSWERED = replace(HANDED, state=State.ANSWERED, answer=b"Approved", answer_size=8, outcome=Outcome.ANSWER, took=0.5)
ENTRIES = st.builds(
    lambda state, answer, delivered, **more: replace(
        HANDED, state=state, answer=answer if state in (State.ANSWERED, State.EXPIRED, State.DELIVERED) else None,
        delivered=delivered if state in (State.DELIVERED, State.SCRUBBED) else None, **more),
    st.sampled_from(State), st.none() | st.binary(max_size=9), st.floats(1, 9), reason=st.none() | st.text(),
    card=st.booleans(), declined=st.booleans(), outcome=st.none() | st.sampled_from(Outcome))


def stored(*entries):
    journal = Journal.in_memory()
    journal.merge(entries)
    found = entry_of(journal._db.execute(f"{SELECT} WHERE id = 7").fetchone())
    journal.close()
    return found


@given(ENTRIES)
def test_there_and_back(entry):
    assert stored(entry) == entry


@given(ENTRIES, ENTRIES)
def test_the_later_state_wins_and_keeps_the_answer(one, other):
    order = list(State)
    merged = stored(one, other)
    later = other if order.index(other.state) >= order.index(one.state) else one
    kept = later.answer if later.answer is not None or later is one or later.state is State.SCRUBBED else one.answer
    assert merged == replace(later, answer=kept)


def test_a_row_without_its_answer_takes_none_away():
    assert stored(ANSWERED, replace(ANSWERED, answer=None)).answer == b"Approved"
    delivered = replace(ANSWERED, state=State.DELIVERED, answer=None, delivered=6.0)
    assert stored(ANSWERED, delivered) == replace(delivered, answer=b"Approved")
    assert stored(ANSWERED, replace(delivered, state=State.SCRUBBED)).answer is None


def test_nonsense_is_damage():
    connection = schema.connect(None)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("INSERT INTO transactions (state, request_size, received, at_wall, at_boot, at_up) "
                       "VALUES ('sold', 1, 0, 0, '', 0)")
    with pytest.raises(Damaged):
        entry_of(connection.execute(SELECT).fetchone())
