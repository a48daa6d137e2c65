"""Plays the schedule on the ground: begins and ends each fault at its moment, rests between rounds, takes samples."""
import contextlib
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from supervisord import AGENT

from .faults import Faults, Undo
from .ground import WATCHDOG, Ground, size
from .report import Played
from .schedule import Fault, Kind, rounds
from .trend import Point

REST = 90.0
"""Seconds that the terminal gets to come back after a round."""
SETTLED = 1.5
"""Seconds online until a sample is taken."""
LOOK = 0.1
"""Seconds between two looks."""
PROGRAMS = {"agent": AGENT, "watchdog": WATCHDOG}


@dataclass
class Story:
    """What was played and seen so far."""

    played: list[Played] = field(default_factory=list)
    samples: dict[tuple[str, str], list[Point]] = field(default_factory=dict)
    """(program, what) → points; x: faults since this life of it was first seen."""
    lives: dict[tuple[str, int], int] = field(default_factory=dict)
    rests: list[tuple[float, float]] = field(default_factory=list)
    """(begin, seconds until online) of each rest."""
    not_back: list[float] = field(default_factory=list)
    """When the terminal was not online at the end of a rest."""


class Play:
    """One soak. Its `story` may be read by others meanwhile."""

    def __init__(self, ground: Ground, seed: int, pace: float, without: frozenset[Kind] = frozenset()):
        self._ground, self._faults, self._without = ground, Faults(ground), without
        self._rounds = rounds(seed, pace)
        self._active: dict[int, tuple[Fault, float, Undo]] = {}
        self.story = Story()
        self.hurry = False
        """Interrupted twice: nothing is waited for any more."""
        self._stop = threading.Event()

    def interrupt(self) -> None:
        """End early: what is wrong is undone, and the terminal may come back. The second time: at once."""
        self.hurry = self._stop.is_set()
        self._stop.set()

    def until(self, deadline: float, say: Callable[[str], None]) -> None:
        """Rounds until a moment; what was begun is undone, whatever happens. Raises AssertionError."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._end_all)
            while time.monotonic() < deadline and not self._stop.is_set():
                self._round(next(self._rounds), deadline, say)
                self._end_all()
                self._rest()

    def active(self) -> list[tuple[Fault, float]]:
        """What is wrong now, and since when."""
        return [(fault, begin) for fault, begin, _ in list(self._active.values())]

    def _round(self, faults: tuple[Fault, ...], deadline: float, say: Callable[[str], None]) -> None:
        order = itertools.count()
        plan: list[tuple[float, int, Fault, bool]] = []
        for fault in faults:
            if fault.kind not in self._without:
                heapq.heappush(plan, (fault.at, next(order), fault, True))
        began = time.monotonic()
        while plan:
            at, _, fault, begins = heapq.heappop(plan)
            if self._stop.wait(max(0.0, began + at - time.monotonic())) or time.monotonic() > deadline:
                return
            if begins and any(other.place is fault.place for other, _ in self.active()):
                # Doing the others took a moment, and the one before it in its place is still there.
                heapq.heappush(plan, (time.monotonic() - began + LOOK, next(order), fault, True))
            elif begins:
                say(f"{fault.number:6} {fault}")
                # Its own time counts from when it is there: doing it takes a moment.
                self._begin(fault)
                heapq.heappush(plan, (time.monotonic() - began + fault.length, next(order), fault, False))
            else:
                self._end(fault)

    def _begin(self, fault: Fault) -> None:
        begin = time.monotonic()
        self._active[fault.number] = fault, begin, self._faults.begin(fault)

    def _end(self, fault: Fault) -> None:
        _, begin, undo = self._active[fault.number]
        try:
            undo()
        finally:    # what failed to be undone is not undone a second time at the end, which would hide why
            del self._active[fault.number]
            self.story.played.append(Played(fault, begin, time.monotonic()))

    def _end_all(self) -> None:
        for fault, _ in self.active():
            self._end(fault)

    def _rest(self) -> None:
        begin = time.monotonic()
        online_since: float | None = None
        while time.monotonic() < begin + REST:
            online_since = (online_since or time.monotonic()) if self._ground.online else None
            if online_since and time.monotonic() > online_since + SETTLED:
                self.story.rests.append((begin, online_since - begin))
                self._sample()
                return
            if self.hurry:
                return
            time.sleep(LOOK)
        self.story.not_back.append(begin)

    def _sample(self) -> None:
        count = len(self.story.played)
        for name, program in PROGRAMS.items():
            pid = self._ground.pid(program)
            since = self.story.lives.setdefault((name, pid), count)
            with contextlib.suppress(OSError):
                for what, much in size(pid).items():
                    self.story.samples.setdefault((name, what), []).append(Point(pid, count - since, much))
