"""A soak in words: what is said, and whether it is bad."""
import json
import time
from dataclasses import replace

import pytest
from soaking import report
from soaking.report import Facts, Played
from soaking.schedule import Fault, Kind
from soaking.trend import Point
from soaking.verdict import Fate, Money


def played(number, kind, begin, end):
    return Played(Fault(number, kind, "", 0.0, end - begin), begin, end)


GROWN = [Point(1, x, 20 + 0.01 * x) for x in range(300, 1200, 50)]
LEVEL = [Point(1, x, 20.0 + x % 2) for x in range(0, 800, 25)]
FINE = Facts(
    seed=7, begin=0.0, end=600.0,
    played=[played(1, Kind.CABLE, 10, 20), played(2, Kind.AGENT_KILLED, 50, 50), played(3, Kind.STATE_FULL, 90, 95)],
    timeline=[(0.0, True), (10.1, False), (20.5, True), (50.0, False), (51.5, True)],
    samples={("agent", "memory"): LEVEL, ("agent", "threads"): LEVEL[:2]}, not_back=0, ended=(),
    money=Money(dict.fromkeys(Fate, 0) | {Fate.APPROVED: 12}, (), (), ()))


def test_a_run_where_all_is_well():
    lines, well = report.verdict(FINE)
    text = "\n".join(lines)
    assert well and "BAD" not in text
    assert "seed 7: 10.0 min, 3 faults" in text and "12 approved" in text
    assert "1.5 s, after 2 agent killed, 0.0 s" in text
    assert "threads per 10,000 faults" in text and "not known: too few samples" in text


@pytest.mark.parametrize("points, mark", [
    ([Point(1, x, 20.0) for x in range(300, 1200, 50)], "ok"),
    ([Point(1, x, 20.0 + 0.0001 * x) for x in range(300, 1200, 50)], "ok"),
    ([Point(1, x, 20.0 + 0.001 * x) for x in range(300, 1200, 50)], "BAD"),
    # Some 80 ± 30 MB are neither shown to be growth nor to be none.
    ([Point(1, x, 20.0 + 0.0067 * x + 6 * (x // 50 % 2)) for x in range(300, 1200, 50)], "?"),
    ([Point(1, x, 20.0) for x in range(0, 240, 12)], "?"),
    ([Point(1, 300, 20.0)], "?"),
])
def test_growth_is_judged_where_the_samples_can_tell(points, mark):
    lines, well = report.verdict(replace(FINE, samples={("agent", "memory"): points}))
    assert [line.split()[0] for line in lines if "growth" in line] == [mark]
    assert well is (mark != "BAD")


@pytest.mark.parametrize("kind, begin, end, counts", [
    (Kind.AGENT_KILLED, 92, 92, True),
    (Kind.AGENT_HANGS, 80, 91, True),
    (Kind.SUPERVISOR_KILLED, 94, 97, True),
    (Kind.AGENT_KILLED, 124, 124, True),        # what memory held is not yet back in the file
    (Kind.AGENT_KILLED, 126, 126, False),
    (Kind.AGENT_KILLED, 89, 89, False),         # it was written down when the disk was filled
    (Kind.APPLICATION_KILLED, 92, 93, False),   # the agent remembers
    (Kind.WATCHDOG_KILLED, 92, 92, False),
])
def test_when_the_agent_ends_with_what_it_could_not_write(kind, begin, end, counts):
    full, other = played(3, Kind.STATE_FULL, 90, 95), played(4, kind, begin, end)
    assert report.unwritten([full, other]) == ([(begin, end)] if counts else [])


def test_times_are_put_down_to_the_fault_before_them():
    rows = {line[2:34].strip(): line.split()[-4:] for line in report.verdict(FINE)[0]}
    assert rows["cable unplugged"] == ["1", "1", "0.50s", "0.50s"]
    assert rows["agent killed"] == ["1", "1", "1.50s", "1.50s"]
    assert rows["disk of the journal full"] == ["1", "0", "-", "-"]


@pytest.mark.parametrize("change, said", [
    ({"money": replace(FINE.money, twice=("r-7",))}, "sales run twice"),
    ({"money": replace(FINE.money, lost=("r-7",))}, "answers lost"),
    ({"money": replace(FINE.money, foreign=("r-7",))}, "answers given to another request"),
    ({"timeline": [(0.0, True), (100.0, False), (176.0, True)]}, "longest offline in a good network"),
    ({"money": replace(FINE.money, no_reason=("r-7",))}, "sales that failed without a reason"),
    ({"not_back": 1}, "not back when a rest was over"),
    ({"ended": ["agent: exit status 1; not expected"]}, "programs that ended by themselves"),
    ({"samples": {("watchdog", "memory"): GROWN}}, "watchdog: growth of memory"),
])
def test_what_is_bad_is_said_to_be(change, said):
    lines, well = report.verdict(replace(FINE, **change))
    assert not well
    assert [line.split("  ")[2].strip()[:len(said)] for line in lines if line.startswith("  BAD")] == [said]


def test_being_offline_while_the_network_is_bad_counts_for_nothing():
    long = [played(1, Kind.SILENCE, 10, 300)]
    lines, well = report.verdict(replace(FINE, played=long, timeline=[(0.0, True), (11.0, False), (300.2, True)]))
    assert well and "0.2 s, after 1 silence on the line" in "\n".join(lines)


def test_what_the_verdict_rests_on_can_be_read():
    found = json.loads(report.record(FINE))
    assert found["faults"][0] == {"number": 1, "what": "cable unplugged, 10.0 s", "begin": 10, "end": 20}
    assert found["timeline"][1] == [10.1, False] and found["samples"]["agent threads"] == [[1, 0, 20.0], [1, 25, 21.0]]


def test_the_line_of_a_minute():
    said = report.line(FINE, [Fault(4, Kind.CLOUD_DOWN, "", 0, 1)], {"agent": 21.25})
    assert "10 min" in said and "3 faults" in said and "online" in said and "12 approved" in said
    assert "agent 21.2 MB" in said and said.endswith("now: cloud killed and back")


def test_a_run_of_days_is_told_every_minute():
    """17,000 faults, half of them with a moment offline: a day."""
    faults = [played(number, Kind.CABLE, 5 * number, 5 * number + 2) for number in range(17_000)]
    timeline = [moment for fault in faults for moment in ((fault.begin + 0.1, False), (fault.begin + 2.5, True))]
    facts = replace(FINE, played=faults, timeline=[(0.0, True), *timeline], end=90_000.0)
    began = time.process_time()
    lines, well = report.verdict(facts)
    assert well and time.process_time() - began < 10    # minutes, when every spell met every stretch
    row = next(line for line in lines if line.startswith("  cable unplugged"))
    assert row.split() == ["cable", "unplugged", "17000", "17000", "0.50s", "0.50s"]
