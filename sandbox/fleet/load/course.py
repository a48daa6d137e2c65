"""The course of a load, from the first terminal to the last. PURE.

| stage    | terminals are     | ends when                                                         | next    |
|----------|-------------------|-------------------------------------------------------------------|---------|
| RAMP     | started at `ramp` | all are registered                                                | SETTLE  |
| SETTLE   | registered        | `settle` is over                                                  | SCENE   |
| SCENE    | as the cloud does | the scene's last phase has begun (`works`)                        | BACK    |
| BACK     | coming back       | all are registered, and were for CALM seconds; `patience` is over | OVER    |
| OVER     | stopped           |                                                                   |         |

Without a scene RAMP is followed by STEADY, which ends after `stay`, or when somebody stops the load. `patience` bounds
RAMP, too, from when the last terminal is started.
"""
from enum import Enum, auto

CALM = 7.0
"""Seconds for which all must be registered: workers report every three seconds, so that what is known is older."""


class Stage(Enum):
    RAMP = auto()
    SETTLE = auto()
    SCENE = auto()
    BACK = auto()
    STEADY = auto()
    OVER = auto()


class Course:
    """`now` is monotonic seconds. terminals: how many there are to be. started: when the last of them is. stay: None
    for until somebody stops it."""

    def __init__(self, terminals: int, *, scene: bool, settle: float, patience: float, started: float,
                 stay: float | None = None):
        self.stage = Stage.RAMP
        self._terminals, self._scene, self._settle, self._patience = terminals, scene, settle, patience
        self._stay = stay
        self._since = started
        self._calm_since: float | None = None
        self.late = 0
        """Terminals that were not registered when patience ended."""

    def look(self, online: int, now: float) -> Stage:
        """How many terminals are registered now. Returns the stage."""
        all_here = online >= self._terminals
        if self.stage in (Stage.RAMP, Stage.BACK) and not all_here and now >= self._since + self._patience:
            self.late = self._terminals - online
            self._enter(Stage.OVER, now)
        elif self.stage is Stage.RAMP and all_here:
            self._enter(Stage.SETTLE if self._scene else Stage.STEADY, now)
        elif self.stage is Stage.STEADY and self._stay is not None and now >= self._since + self._stay:
            self._enter(Stage.OVER, now)
        elif self.stage is Stage.SETTLE and now >= self._since + self._settle:
            self._enter(Stage.SCENE, now)
        elif self.stage is Stage.BACK:
            self._look_back(all_here, now)
        return self.stage

    def works(self, now: float) -> None:
        """The scene's last phase has begun."""
        self._enter(Stage.BACK, now)

    def fail(self, now: float) -> None:
        """The scene cannot be played."""
        self._enter(Stage.OVER, now)

    def _look_back(self, all_here: bool, now: float) -> None:
        if not all_here:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now >= self._calm_since + CALM:
            self._enter(Stage.OVER, now)

    def _enter(self, stage: Stage, now: float) -> None:
        self.stage, self._since = stage, now
