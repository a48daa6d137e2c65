import pytest

from econduit_terminal.agent.journal import entry, schema
from econduit_terminal.agent.journal.entry import Event, Outcome, State


def test_the_table_in_the_docstring_is_the_one_that_is_run():
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in entry.__doc__.splitlines()
            if line.startswith("| ")][1:]
    told = {row[0]: (set(row[1].split(", ")), row[2]) for row in rows if row[0] not in ("hand over", "withdraw")}
    assert told == {event.name.lower(): ({*event.origins}, event.target) for event in Event}


def test_the_file_takes_every_state_and_outcome():
    connection = schema.connect(None)
    for state in State:
        for outcome in (*Outcome, None):
            connection.execute("INSERT INTO transactions (state, outcome, request_size, received, at_wall, at_boot, "
                               "at_up) VALUES (?, ?, 1, 0, 0, '', 0)", (state, outcome))


@pytest.mark.parametrize("event", Event)
def test_states_come_in_the_order_in_which_a_row_goes_through_them(event):
    order = list(State)
    assert all(order.index(origin) <= order.index(event.target) for origin in event.origins)
