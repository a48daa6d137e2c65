"""PURE. What is said of a scene that was played: a row of figures for each policy, and the verdict in two sentences."""
from collections.abc import Sequence
from dataclasses import dataclass

from econduit_terminal.sandbox.fleet.history import NEVER, STEP, Kind, Outcome
from econduit_terminal.sandbox.fleet.play import Run
from econduit_terminal.sandbox.fleet.quantities import show_count, show_seconds

GOOD = 1.2
"""Times the cloud's own limit within which a fleet should be back."""
SLACK = 1.0
"""Seconds beside that, for the terminals' own waits."""
WORTH_SAYING = 0.005


@dataclass(frozen=True)
class Figures:
    """Of one policy. half, nine_tenths, nearly_all, worst: seconds until 50, 90, 99, 100 % were back. dials, probes:
    for each terminal. peak: the most dials in STEP, watchdogs' included. wasted: the part of the registrations that
    were worked off for terminals that had hung up."""
    policy: str
    half: float
    nine_tenths: float
    nearly_all: float
    worst: float
    dials: float
    probes: float
    peak: int
    wasted: float

    @classmethod
    def of(cls, outcome: Outcome) -> "Figures":
        """Those of this outcome."""
        terminals = outcome.back.size
        wasted, registered = outcome.total(Kind.WASTED), outcome.total(Kind.REGISTERED)
        half, nine_tenths, nearly_all, worst = (outcome.back_after(part) for part in (0.5, 0.9, 0.99, 1.0))
        return cls(outcome.policy, half, nine_tenths, nearly_all, worst,
                   dials=outcome.total(Kind.DIAL) / terminals, probes=outcome.total(Kind.PROBE) / terminals,
                   peak=int((outcome.rows[Kind.DIAL] + outcome.rows[Kind.PROBE]).max()),
                   wasted=wasted / max(1, wasted + registered))

    @property
    def values(self) -> tuple[str, ...]:
        """For people, in the order of HEADINGS."""
        probes = f" + {self.probes:,.1f}" if self.probes else ""
        return (self.policy, *map(show_seconds, (self.half, self.nine_tenths, self.nearly_all, self.worst)),
                f"{self.dials:,.1f}{probes}", show_count(self.peak), f"{100 * self.wasted:.0f} %")


HEADINGS = ("policy", "50 %", "90 %", "99 %", "worst", "dials each", f"most in {1000 * STEP:.0f} ms", "wasted")


def verdict(run: Run, rows: Sequence[Figures]) -> str:
    """Two sentences on the first of these policies: when it brings the fleet back; what that costs the cloud, and
    whether another one would do better."""
    own, *others = rows
    return f"{_back(run, own)}. {_cost(own)}{_beside(own, others)}."


def _back(run: Run, own: Figures) -> str:
    fleet, limit = show_count(run.terminals), show_seconds(run.limit)
    if own.worst == NEVER:
        return (f"The fleet keeps the cloud down: not all of {fleet} terminals are back in the "
                f"{show_seconds(run.end - run.works_from)} that were played, although it could take them in {limit}")
    back = (f"Of {fleet} terminals 99 % are back after {show_seconds(own.nearly_all)} and the last one after "
            f"{show_seconds(own.worst)}")
    if own.nearly_all <= GOOD * run.limit + SLACK:
        return f"{back}, no later than the cloud can take them ({limit})"
    return f"{back}, although the cloud could take them in {limit}"


def _cost(own: Figures) -> str:
    work = (f"{100 * own.wasted:.0f} % of the registrations that the cloud works off are for terminals that hung up"
            if own.wasted >= WORTH_SAYING else "The cloud works off no registration in vain")
    return (f"{work}; each terminal dials {own.dials + own.probes:,.1f} times, all together "
            f"{show_count(own.peak)} times in the busiest {1000 * STEP:.0f} ms")


def _beside(own: Figures, others: Sequence[Figures]) -> str:
    if not others:
        return ""
    best = min(others, key=lambda other: other.nearly_all)
    if best.nearly_all == NEVER:
        return "; with none of the others are 99 % back at all"
    return f"; with {best.policy}, the quickest of the others, 99 % are back after {show_seconds(best.nearly_all)}"
