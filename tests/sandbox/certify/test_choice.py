"""--only and --from-failed: pure."""
import pytest

from econduit_terminal.sandbox.certify.choice import NoSuchCase, chosen, failed
from econduit_terminal.sandbox.certify.table.every import CLOUD, TERMINAL


@pytest.mark.parametrize("cases, only, ids", [
    (TERMINAL, ["3.6"], ["3.6"]), (TERMINAL, ["1"], ["1.1", "1.2", "1.3"]), (TERMINAL, ["5.1,3.10", "1.1"], ["1.1",
    "3.10", "5.1"]),
    (CLOUD, ["C4.1"], ["C4.1"]), (CLOUD, ["4.1,C1.1"], ["C1.1", "C4.1"]), (TERMINAL, ["1."], ["1.1", "1.2", "1.3"])])
def test_only(cases, only, ids):
    assert [case.id for case in chosen(cases, only)] == ids


def test_nothing_named_means_all():
    assert chosen(TERMINAL, []) == list(TERMINAL) == chosen(TERMINAL, [" , "])


@pytest.mark.parametrize("word", ["9.9", "x", "3.6.1", "C3.1", "8", "-1", "3.999"])
def test_what_is_not_there(word):
    with pytest.raises(NoSuchCase, match="--only"):
        chosen(TERMINAL, [word])


def test_from_failed():
    verdicts = {"1.1": "FAIL", "1.2": "PASS", "1.3": "INCONCLUSIVE", "2.3": "ADVICE", "4.3": "INFO",
    "3.4": "NON-STRICT"}
    assert [case.id for case in failed(TERMINAL, verdicts)] == ["1.1", "1.3", "2.3", "3.4"]
