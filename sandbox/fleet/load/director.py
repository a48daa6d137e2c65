"""Leads the load where Locust's master is (or its only process): how many users there are to be, the scene on the
cloud, and what became of the fleet, in words and in a file."""
import json
import logging
import math
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gevent

from econduit_terminal.conf.values import show_duration
from econduit_terminal.sandbox.fleet import feasible
from econduit_terminal.sandbox.fleet.load.course import Course, Stage
from econduit_terminal.sandbox.fleet.load.here import Here
from econduit_terminal.sandbox.fleet.load.plan import Plan
from econduit_terminal.sandbox.fleet.load.record import PARTS, Change, Record, part_back
from econduit_terminal.sandbox.fleet.load.stage import SandboxCloud, StageError, play
from econduit_terminal.sandbox.fleet.scenes import BY_NAME, Does, Phase

log = logging.getLogger("econduit-fleet")

ALL_WELL, NOT_ALL_BACK, CANNOT = 0, 1, 2


class Director:
    """One for the whole load."""

    def __init__(self, here: Here):
        self._here = here
        self._plan: Plan
        self._cut: Callable[[], None] = lambda: None
        self._record = Record()
        self._course: Course | None = None
        self._playing: gevent.Greenlet[..., Any] | None = None
        self._began = self._works = math.inf        # of the scene, seconds since the epoch
        self._status = ALL_WELL

    def take(self, plan: Plan, cut: Callable[[], None]) -> None:
        """What the load is to be. cut: ends every terminal's connection from this side."""
        self._plan, self._cut = plan, cut
        self._here.hear = self.note

    def start(self, now: float) -> None:
        """Locust starts it, perhaps once more."""
        self._stop_playing()
        plan = self._plan
        self._record, self._status = Record(), ALL_WELL
        self._began = self._works = math.inf
        users, rate = self._users()
        self._course = Course(plan.terminals, scene=plan.scene is not None, settle=plan.settle, patience=plan.patience,
                              stay=plan.stay, started=now + users / rate)

    def note(self, changes: Iterable[Change]) -> None:
        """These happened to terminals."""
        self._record.note(changes)

    def tick(self, now: float) -> tuple[int, float] | None:
        """How many users there are to be, started at so many a second; None when the load is over."""
        users = self._users()
        if self._course is None:
            return users
        before = self._course.stage
        stage = self._course.look(len(self._record.online), now)
        if stage is not before:
            log.info("%d terminals are registered: %s", len(self._record.online), stage.name.lower())
        if stage is Stage.SCENE and self._playing is None:
            self._playing = gevent.spawn(self._play)
        if stage is Stage.OVER:
            if before is not stage:
                self._tell(self._course)
            return None
        return users

    def end(self) -> int:
        """Locust ends. Returns the exit status: a scene that was not played to its end has not shown anything."""
        self._stop_playing()
        cut_short = self._plan.scene is not None and (self._course is None or self._course.stage is not Stage.OVER)
        return NOT_ALL_BACK if cut_short else self._status

    def _users(self) -> tuple[int, float]:
        """How many there are to be, and how many of them are started a second."""
        return self._plan.terminals + self._plan.points_of_sale, self._plan.ramp

    def _stop_playing(self) -> None:
        """A scene that is not over ends here, and the cloud works again."""
        if self._playing is not None:
            self._playing.kill()
            self._playing = None

    def _tell(self, course: Course) -> None:
        """What became of the fleet: on stdout, and in the file."""
        if course.late:
            self._status = NOT_ALL_BACK
            print(f"{course.late} of {self._plan.terminals} terminals were not registered after "
                  f"{show_duration(self._plan.patience)}", file=sys.stderr)
        back = self._record.back(self._began, self._works) if self._works < math.inf else []
        if back:
            print(self._words(back), flush=True)
            if self._plan.save:
                self._write(self._plan.save, back)

    def _play(self) -> None:
        """The scene, in a greenlet of its own: it waits for the cloud."""
        plan = self._plan
        scene = BY_NAME[plan.scene or ""]
        try:
            self._began = time.time()
            if plan.url is None:
                self._works = self._began
                self._cut()
            else:
                play(scene, scene.outage if plan.outage is None else plan.outage, SandboxCloud(plan.url), self._begun)
        except StageError as error:
            print(f"econduit-fleet: {error}", file=sys.stderr)
            self._status = NOT_ALL_BACK
            if self._course:
                self._course.fail(time.monotonic())
            return
        finally:
            self._playing = None
        if self._course:
            self._course.works(time.monotonic())

    def _begun(self, phase: Phase) -> None:
        if Does.WORKS not in (phase.primary, phase.secondary):
            self._works = math.inf
        elif math.isinf(self._works):       # since when some endpoint has worked without a break, at the end
            self._works = time.time()
        log.info("the cloud: primary %s, secondary %s; cut: %s", phase.primary.name.lower(),
                 phase.secondary.name.lower(), phase.cut.value)

    def _words(self, back: list[float]) -> str:
        parts = ", ".join(f"{part:.0%} after {part_back(back, part):.1f} s" for part in PARTS)
        return f"scene {self._plan.scene}: of {len(back)} terminals that were cut, {parts} (since the cloud worked)"

    def _write(self, file: str, back: list[float]) -> None:
        said = {"scene": self._plan.scene, "terminals": self._plan.terminals, "began": self._began,
                "works": self._works, "back": [None if math.isinf(seconds) else round(seconds, 3) for seconds in back]}
        if not feasible.write(Path(file), json.dumps(said)):
            self._status = CANNOT
