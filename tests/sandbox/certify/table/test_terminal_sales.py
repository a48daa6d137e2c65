"""The cases in table/terminal_sales.py: what issue and design ask for is there."""
from econduit_terminal.sandbox.certify.table import terminal_sales as table
from econduit_terminal.sandbox.certify.table.model import Case, Level

OWN = [value for value in vars(table).values() if isinstance(value, Case)]
OWN += [case for value in vars(table).values() if isinstance(value, dict) and value for case in value.values()
        if isinstance(case, Case)]


def test_every_pause_and_every_step_of_a_cut_is_there():
    assert set(table.PAUSES) == {0.1, 0.4, 3.0}
    cuts = [table.CUT_REQUEST, table.CUT_RUNNING, table.CUT_ANSWER, table.CUT_ANSWERED]
    assert all(case.level is Level.PRACTICE for case in [*cuts, table.SECOND, table.GARBAGE, table.ENDLESS])


def test_each_loss_is_tried_idle_and_in_a_sale():
    losses = [case for case in OWN if case.id.startswith("7.")]
    assert len(losses) == 6 and sum("during a transaction" in case.title for case in losses) == 3
