"""The order of verdicts: every one has its place."""
from econduit_terminal.sandbox.certify.outcome import WORSE
from econduit_terminal.sandbox.certify.table.model import Verdict


def test_every_verdict_has_its_place_and_fail_is_the_worst():
    assert set(WORSE) == set(Verdict) and WORSE[-1] is Verdict.FAIL and len(WORSE) == len(Verdict)
