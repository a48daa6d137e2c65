"""The whole table: unique numbers, nothing that rests on what is not there, levels that fit the statements."""
import pytest

from econduit_terminal.sandbox.certify.table.every import CASES, CLOUD, TERMINAL
from econduit_terminal.sandbox.certify.table.model import Level, Role
from econduit_terminal.sandbox.certify.table.statements import BY_ID


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_numbers_are_unique_sorted_and_known(role):
    ids = [case.id for case in CASES[role]]
    assert len(set(ids)) == len(ids) and ids == [case.id for case in sorted(CASES[role], key=lambda case: case.order)]
    assert all(case.role is role and set(case.rests_on) <= set(ids) - {case.id} for case in CASES[role])


@pytest.mark.parametrize("case", (*TERMINAL, *CLOUD), ids=lambda case: case.id)
def test_a_case_says_what_it_does_and_fits_its_statements(case):
    assert all((case.title, case.does, case.expects, case.why))
    if case.level is Level.SHOULD:
        assert any(BY_ID[statement].level is Level.SHOULD for statement in case.statements)


def test_nothing_rests_on_itself_in_a_circle():
    by_id = {case.id: case for case in (*TERMINAL, *CLOUD)}

    def depth(id_, above=()):
        assert id_ not in above
        return 1 + max((depth(other, (*above, id_)) for other in by_id[id_].rests_on), default=0)

    assert max(map(depth, by_id)) < 8
