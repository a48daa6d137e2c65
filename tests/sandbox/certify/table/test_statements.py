"""Every normative sentence of the document has a case, or a reason why not."""
import pytest

from econduit_terminal.sandbox.certify.table.every import CLOUD, TERMINAL
from econduit_terminal.sandbox.certify.table.model import Level
from econduit_terminal.sandbox.certify.table.statements import BY_ID, STATEMENTS

TRIED = {statement for case in (*TERMINAL, *CLOUD) for statement in case.statements}


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.id)
def test_each_statement_has_a_case_or_a_reason(statement):
    assert (statement.id in TRIED) != bool(statement.untested)


def test_numbers_are_complete_and_cases_name_no_others():
    assert BY_ID.keys() >= TRIED and len(BY_ID) == len(STATEMENTS)
    for section in "1234567":
        own = [int(number) for part, _, number in (statement.id.partition(".") for statement in STATEMENTS)
               if part == section]
        assert own == list(range(1, len(own) + 1))


def test_only_what_is_recommended_is_a_should():
    assert [statement.id for statement in STATEMENTS if statement.level is Level.SHOULD] == ["2.5", "4.2", "6.4"]
