"""PURE. A soak in words: the line a minute, and the verdict at its end."""
import bisect
import itertools
import json
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .schedule import NETWORK, Fault, Kind
from .trend import Point, trend
from .verdict import LONGEST, Fate, Interval, Money, good, offline, overlaps

PER = 10_000
WARM_UP = 250
"""Faults that a process gets before its samples count as growth: until then the agent gathers the last 1,000
transactions, which it remembers, and the heap finds its shape."""
LIMITS = {"memory": 5.0, "descriptors": 5.0, "threads": 3.0}
"""What a process may surely grow by in PER faults: MB, and numbers. A leak in one kind of fault would be hundreds."""
UNITS = {"memory": " MB", "descriptors": "", "threads": ""}
AFTER = 8.0
"""Being offline is put down to a fault that ended at most so many seconds before the network was good."""
AGENT_ENDS = frozenset({Kind.AGENT_KILLED, Kind.AGENT_HANGS, Kind.SUPERVISOR_KILLED})
KILLS = AGENT_ENDS | {Kind.APPLICATION_KILLED}
UNWRITTEN = 30.0
"""Seconds after a full disk until the journal surely has written down what it kept in memory: it tries that seldom."""
SHOWN = 10


@dataclass(frozen=True)
class Played:
    """A fault and when it was there, on the monotonic clock."""

    fault: Fault
    begin: float
    end: float


@dataclass(frozen=True)
class Facts:
    """What is known of a soak. Times on the monotonic clock; samples: (program, what) → points."""

    seed: int
    begin: float
    end: float
    played: Sequence[Played]
    timeline: Sequence[tuple[float, bool]]
    samples: Mapping[tuple[str, str], Sequence[Point]]
    not_back: int
    ended: Sequence[str]
    """Programs that ended by themselves."""
    money: Money


def troubles(played: Sequence[Played]) -> list[Interval]:
    """When something was wrong between terminal and cloud."""
    return [(each.begin, each.end) for each in played if each.fault.place in NETWORK]


def kills(played: Sequence[Played]) -> list[Interval]:
    """When a process was gone or hung that knows what becomes of a sale."""
    return [(each.begin, each.end) for each in played if each.fault.kind in KILLS]


def unwritten(played: Sequence[Played]) -> list[Interval]:
    """When the agent ended while its journal had no room, or had not yet written down what it kept meanwhile."""
    full = [each for each in played if each.fault.kind is Kind.STATE_FULL]
    return [(each.begin, each.end) for each in played if each.fault.kind in AGENT_ENDS
            and any(one.begin <= each.end and each.begin <= one.end + UNWRITTEN for one in full)]


def spells(facts: Facts) -> list[Interval]:
    """When the terminal was offline although the network was good."""
    return overlaps(good(troubles(facts.played), facts.begin, facts.end), offline(facts.timeline, facts.end))


def line(facts: Facts, active: Sequence[Fault], sizes: Mapping[str, float]) -> str:
    """One line for one minute."""
    fates = facts.money.fates
    longest = max((end - begin for begin, end in spells(facts)), default=0.0)
    online = bool(facts.timeline) and facts.timeline[-1][1]
    grown = "  ".join(f"{name} {much:.1f} MB" for name, much in sizes.items())
    return (f"{(facts.end - facts.begin) / 60:5.0f} min  {len(facts.played):5} faults  "
            f"{'online ' if online else 'offline'}  {fates[Fate.APPROVED]:5} approved  {len(facts.money.twice)} twice  "
            f"{len(facts.money.lost)} lost  {len(facts.money.foreign)} another's  "
            f"at most {longest:.1f} s offline in a good network  {grown}"
            + (f"  now: {', '.join(fault.kind.value for fault in active)}" if active else ""))


def verdict(facts: Facts) -> tuple[list[str], bool]:
    """The lines of the verdict, and whether nothing is bad. What the run was too short to tell has a "?"."""
    lines, bad = [f"seed {facts.seed}: {(facts.end - facts.begin) / 60:.1f} min, {len(facts.played)} faults"], False

    def judge(what: str, well: bool | None, said: str) -> None:
        nonlocal bad
        bad |= well is False
        lines.append(f"  {'?  ' if well is None else 'ok ' if well else 'BAD'}  {what:58} {said}")

    money = facts.money
    lines.append("  sales: " + ", ".join(f"{count} {fate.value}" for fate, count in money.fates.items() if count))
    for what, refs in (("sales run twice", money.twice), ("answers lost", money.lost),
                       ("answers given to another request", money.foreign),
                       ("sales that failed without a reason", money.no_reason)):
        judge(what, not refs, f"{len(refs)} {' '.join(refs[:SHOWN])}".rstrip())
    if money.unwritten:
        lines.append(f"       {'run twice: agent ended while its journal had no room':58} "
                     f"{len(money.unwritten)} {' '.join(money.unwritten[:SHOWN])}")
    found = spells(facts)
    longest = max(found, key=lambda one: one[1] - one[0], default=(facts.begin, facts.begin))
    seconds = longest[1] - longest[0]
    judge("longest offline in a good network", seconds <= LONGEST,
          f"{seconds:.1f} s" + (f", after {before(facts.played, longest[0])}" if seconds else ""))
    judge("not back when a rest was over", facts.not_back == 0, str(facts.not_back))
    judge("programs that ended by themselves", not facts.ended, f"{len(facts.ended)} {'; '.join(facts.ended)}".rstrip())
    for (program, what), points in sorted(facts.samples.items()):
        known = trend(points, WARM_UP)
        judge(f"{program}: growth of {what} per {PER:,} faults", known.within(LIMITS[what] / PER) if known else None,
              "not known: too few samples" if known is None else
              f"{known.slope * PER:+.2f} ± {known.error * PER:.2f}{UNITS[what]} "
              f"({known.samples} samples, {known.lives} lives)")
    return [*lines, *table(facts, found)], not bad


def record(facts: Facts) -> str:
    """What a verdict rests on beside sales and runs, as JSON: each fault, each change of the display, each sample."""
    return json.dumps({
        "seed": facts.seed, "begin": facts.begin, "end": facts.end, "timeline": list(facts.timeline),
        "faults": [{"number": each.fault.number, "what": str(each.fault), "begin": each.begin, "end": each.end}
                   for each in facts.played],
        "samples": {f"{program} {what}": [[point.life, point.x, point.y] for point in points]
                    for (program, what), points in facts.samples.items()}}, indent=1)


def before(played: Sequence[Played], moment: float) -> str:
    """The faults that ended shortly before a moment, newest first."""
    near = sorted((each for each in played if each.begin <= moment and each.end > moment - AFTER),
                  key=lambda one: -one.end)
    return "; ".join(f"{each.fault.number} {each.fault}" for each in near) or "nothing"


def table(facts: Facts, found: Sequence[Interval]) -> list[str]:
    """For each kind: how often, and how long the terminal was offline after it once the network was good again."""
    after: dict[Kind, list[float]] = defaultdict(list)
    begun = sorted(facts.played, key=lambda one: one.begin)
    latest = list(itertools.accumulate(begun, _later))
    for begin, end in found:
        count = bisect.bisect(begun, begin + 1e-9, key=lambda one: one.begin)
        if count and begin - latest[count - 1].end < AFTER:
            after[latest[count - 1].fault.kind].append(end - begin)
    lines = [f"  {'offline after it, the network being good':32} {'faults':>7} {'times':>7} {'median':>8} {'worst':>8}"]
    for kind in Kind:
        count, times = sum(each.fault.kind is kind for each in facts.played), after[kind]
        figures = f"{statistics.median(times):7.2f}s {max(times):7.2f}s" if times else f"{'-':>8} {'-':>8}"
        lines.append(f"  {kind.value:32} {count:7} {len(times):7} {figures}")
    return lines


def _later(one: Played, other: Played) -> Played:
    return other if other.end > one.end else one
