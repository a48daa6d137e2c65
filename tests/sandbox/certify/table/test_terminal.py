"""The cases in table/terminal.py: what issue and design ask for is there."""
from econduit_terminal.sandbox.certify.table import terminal as table
from econduit_terminal.sandbox.certify.table.model import Case, Level

OWN = [value for value in vars(table).values() if isinstance(value, Case)]
OWN += [case for value in vars(table).values() if isinstance(value, dict) and value for case in value.values()
        if isinstance(case, Case)]


def test_four_shapes_twelve_wrong_answers_three_restarts():
    assert len(table.OK_SHAPES) == len(table.ACK_SHAPES) == 4
    assert len(table.WRONG) == 12 and set(table.RESTARTS) == {2, 15, 60}


def test_only_practice_and_recommendations_are_no_demands():
    assert {case.id for case in OWN if case.level is Level.SHOULD} == {"2.19", "4.2", "4.3"}
    assert {"2.8", "2.14", "4.10", "3.29"} <= {case.id for case in OWN if case.level is Level.PRACTICE}
