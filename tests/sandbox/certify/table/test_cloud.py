"""The cases in table/cloud.py: what issue and design ask for is there."""
from econduit_terminal.sandbox.certify.table import cloud as table
from econduit_terminal.sandbox.certify.table.model import Case, Level

OWN = [value for value in vars(table).values() if isinstance(value, Case)]
OWN += [case for value in vars(table).values() if isinstance(value, dict) and value for case in value.values()
        if isinstance(case, Case)]


def test_both_roles_of_ack_and_the_way_of_a_sale_are_there():
    titles = " ".join(case.title for case in OWN)
    for words in ("invalid terminal type", "AckHeartbeat \"false\"", "single 0x04", "Two registrations", "by the URL",
        "late answer"):
        assert words in titles
    assert len(OWN) >= 30 and all(case.id.startswith("C") for case in OWN)


def test_good_practice_fails_nobody():
    assert {case.id for case in OWN if case.level is Level.PRACTICE} == {"C1.5", "C3.10", "C5.7"}
