"""PURE. Settings for a fleet of this size and a cloud of this budget: those that bring 99 % back soonest.

A sample of the fleet plays three scenes against a cloud that is smaller in the same measure. One setting after the
other is tried, from the shipped value on; another value is taken where it is better by more than WORTH. What is better
is the sum of the times until 99 % are back, each in parts of what the cloud itself needs.
"""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from econduit_terminal.conf.schema import Settings
from econduit_terminal.sandbox.fleet.figures import Figures
from econduit_terminal.sandbox.fleet.play import Run, play
from econduit_terminal.sandbox.fleet.scenes import BY_NAME, Cloud

SAMPLE = 500
WORTH = 0.03
SCENES = (("cut", 0.0), ("away", 120.0), ("crowded", 60.0))
"""Names, and seconds of the outage."""


@dataclass(frozen=True)
class Choice:
    """A setting and what is tried for it; durations in seconds. why: the comment above it in the file."""
    section: str
    key: str
    values: tuple[float, ...]
    why: str


CHOICES = (
    Choice("registration", "timeout", (10.0, 20.0, 30.0, 60.0, 120.0, 300.0),
           "Who hangs up in the cloud's queue starts again at its end, and leaves work behind that helps nobody: wait\n"
           "for as long as the queue may take."),
    Choice("reconnect", "first_retry", (0.25, 5.0, 10.0),
           "The first dials after the cloud dropped everybody are spread over this time."),
    Choice("reconnect", "crowded_delay", (60.0, 300.0, 1200.0),
           "A cloud that takes connections and registers nobody is asked again within this time."),
)


@dataclass(frozen=True)
class Advice:
    """settings: the shipped ones with what is advised. chosen: what differs. shipped, advised: the figures of both, by
    scene, as far as they were played to the end."""
    settings: Settings
    chosen: tuple[tuple[Choice, float], ...]
    shipped: tuple[Figures, ...]
    advised: tuple[Figures, ...]


def sample(terminals: int, cloud: Cloud) -> tuple[int, Cloud]:
    """A part of the fleet, and the cloud that is to it as the whole one is to the fleet."""
    part = min(1.0, SAMPLE / terminals)
    return max(1, round(terminals * part)), replace(cloud, budget=cloud.budget * part,
                                                    queue=max(1, round(cloud.queue * part)),
                                                    backlog=max(1, round(cloud.backlog * part)))


def runs(terminals: int, cloud: Cloud) -> list[Run]:
    """What a sample of the fleet plays."""
    few, small = sample(terminals, cloud)
    return [Run(BY_NAME[name], few, outage, small) for name, outage in SCENES]


def changed(settings: Settings, choice: Choice, value: float) -> Settings:
    """With another value for this key."""
    section: Any = getattr(settings, choice.section)
    whole: Any = replace(section, **{choice.key: value})
    sections: dict[str, Any] = {choice.section: whole}
    return replace(settings, **sections)


def advise(shipped: Settings, terminals: int, cloud: Cloud,
           progress: Callable[[str], None] = lambda text: None) -> Advice:
    """Tries what there is to try. progress: told what is tried next."""
    played = runs(terminals, cloud)

    def cost(settings: Settings, what: str, most: float = float("inf")) -> tuple[float, tuple[Figures, ...]]:
        progress(what)
        figures, total = [], 0.0
        for run, found in zip(played, _played(played, settings), strict=False):
            figures.append(found)
            total += min(found.nearly_all, 2 * (run.end - run.works_from)) / max(run.limit, 1.0)
            if total > most:        # no better any more
                break
        return total, tuple(figures)

    best, least = shipped, (first := cost(shipped, "as shipped"))
    chosen = []
    for choice in CHOICES:
        taken = None
        for value in choice.values:
            candidate = changed(best, choice, value)
            if candidate != best:
                tried = cost(candidate, f"{choice.key} = {value:g} s", least[0])
                if tried[0] < least[0] * (1 - WORTH):
                    taken, least = value, tried
        if taken is not None:
            best = changed(best, choice, taken)
            chosen.append((choice, taken))
    return Advice(best, tuple(chosen), first[1], least[1])


def tries() -> int:
    """How often `progress` is told something."""
    return 1 + sum(len(choice.values) - 1 for choice in CHOICES)


def _played(runs: Sequence[Run], settings: Settings) -> Iterator[Figures]:
    for run in runs:
        yield Figures.of(play(run, run.behaviours(settings)[0]()))
