"""What changed between two runs: pure."""
from econduit_terminal.sandbox.certify.report.compare import compare


def test_changes_by_number_and_what_is_worse(made):
    changes = compare(made("PASS"), made("FAIL"))
    assert [(change.case, change.before, change.after, change.worse) for change in changes] == [("2.9", "PASS",
        "FAIL", True)]
    assert not compare(made("FAIL"), made("PASS"))[0].worse and compare(made(), made()) == []


def test_cases_that_are_only_in_one(made):
    first, second = made(), made()
    del second["cases"][0]
    change, = compare(first, second)
    assert (change.after, change.worse) == ("absent", True)
    assert not compare(second, first)[0].worse
