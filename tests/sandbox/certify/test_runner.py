"""From scenes to results."""
import asyncio

import pytest

from econduit_terminal.sandbox.certify.exam import DeviceGone
from econduit_terminal.sandbox.certify.person import Cannot
from econduit_terminal.sandbox.certify.runner import Runner
from econduit_terminal.sandbox.certify.scene import scene
from econduit_terminal.sandbox.certify.table.model import Catalogue, Finding, Level, Need, Profile, Role, Verdict
from econduit_terminal.sandbox.certify.wire_log import WireLog

CASES = Catalogue(Role.TERMINAL)


def case(number, level=Level.MUST, **more):
    return CASES.add(f"1.{number}", "1.1", level, f"case {number}", does="d", expects="e", why="w", **more)


ONE, MANNERS, LONG, ABSENT = case(1), case(2, Level.PRACTICE), case(3, profile=Profile.LONG), case(4, needs=[Need.WIFI])
RESTS = case(5, rests_on=[ONE])


class Subject:
    now = 0.0

    def __init__(self):
        self.findings, self.log, self.there = {}, WireLog(), False

    async def settle(self):
        self.now += 1.0

    async def revive(self):
        return self.there


def played(*pairs, seen="seen", absent=frozenset(), profile=Profile.QUICK, there=False):
    """pairs: (case, verdict or exception)."""
    subject = Subject()
    subject.there = there

    def scene_of(one, what):
        async def play(exam):
            exam.now += 2.0
            if isinstance(what, Exception):
                raise what
            exam.findings[one] = Finding(what, seen)
        return scene(one, seconds=1, play=play)

    runner = Runner(subject, [one for one, _ in pairs], absent, profile, [])
    asyncio.run(runner.play([scene_of(one, what) for one, what in pairs]))
    return {one.id: result for one, result in runner.results.items()}


@pytest.mark.parametrize("what, verdict", [
    (Verdict.PASS, Verdict.PASS), (Verdict.FAIL, Verdict.FAIL), (Cannot("no hands"), Verdict.INCONCLUSIVE),
    (DeviceGone(), Verdict.INCONCLUSIVE), (ValueError("bug"), Verdict.INCONCLUSIVE)])
def test_verdicts(what, verdict):
    result = played((ONE, what))["1.1"]
    assert result.verdict is verdict and result.seconds == 3.0


def test_practice_is_advice_and_what_is_declared_absent_is_not_tried():
    found = played((MANNERS, Verdict.FAIL), (ABSENT, Verdict.FAIL), absent=frozenset({Need.WIFI}))
    assert found["1.2"].verdict is Verdict.ADVICE and found["1.4"].verdict is Verdict.NOT_APPLICABLE
    assert "Wi-Fi" in found["1.4"].seen


def test_what_a_device_says_of_itself_is_made_harmless():
    assert played((ONE, Verdict.FAIL), seen="\x1b[2J 4111111111111111")["1.1"].seen == "\\x1b[2J 411111******1111"


def test_a_case_blames_nothing_that_another_one_names():
    found = played((ONE, Verdict.FAIL), (RESTS, Verdict.FAIL))
    assert found["1.1"].verdict is Verdict.FAIL and found["1.5"].verdict is Verdict.INCONCLUSIVE
    assert "1.1 failed" in found["1.5"].seen
    assert played((ONE, Verdict.PASS), (RESTS, Verdict.FAIL))["1.5"].verdict is Verdict.FAIL
    assert played((RESTS, Verdict.FAIL), (ONE, Verdict.FAIL))["1.5"].verdict is Verdict.INCONCLUSIVE


def test_a_device_that_is_gone_is_not_asked_again():
    found = played((ONE, DeviceGone()), (MANNERS, Verdict.PASS))
    assert found["1.2"].verdict is Verdict.INCONCLUSIVE and "did not come back (during case 1.1)" in found["1.2"].seen
    assert played((ONE, DeviceGone()), (MANNERS, Verdict.PASS), there=True)["1.2"].verdict is Verdict.PASS


def test_profiles_and_an_early_end():
    assert played((LONG, Verdict.PASS)) == {}
    assert played((LONG, Verdict.PASS), profile=Profile.LONG)["1.3"].verdict is Verdict.PASS
    runner = Runner(Subject(), [ONE], frozenset(), Profile.QUICK, [])
    runner.give_up("stopped by hand")
    assert runner.results[ONE].verdict is Verdict.INCONCLUSIVE and runner.results[ONE].seen == "stopped by hand"
