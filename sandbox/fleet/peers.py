"""PURE. Terminals of other makes, to compare with: three ways to wait that every programmer knows.

They dial one endpoint at a time, and after a failure the other one; an answer is waited for as long as by ours.

| name              | waits before a dial                      | after a lost connection |
|-------------------|------------------------------------------|-------------------------|
| naive 1 s         | 1 s                                      | dials at once           |
| plain exponential | min(60 s, 1 s · 2ⁿ)                      | 1 s                     |
| AWS full jitter   | at random up to min(60 s, 1 s · 2ⁿ)      | at random up to 1 s     |

n counts failures since the last registration. "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
"""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from econduit_terminal.sandbox.fleet.behaviour import Dialing
from econduit_terminal.sandbox.fleet.policies import UNTRIED, Codes, Flags, Ids, Seconds

BASE, MOST = 1.0, 60.0
_DOUBLINGS = 16


@dataclass(frozen=True)
class Habit:
    """doubles: the wait, up to MOST. jitter: at random, from 0. at_once: the first dial after a lost connection."""
    name: str
    doubles: bool
    jitter: bool = False
    at_once: bool = False


HABITS = (Habit("naive 1 s", doubles=False, at_once=True), Habit("plain exponential", doubles=True),
          Habit("AWS full jitter", doubles=True, jitter=True))


class Peer:
    """See Behaviour. answer: seconds that an answer is waited for."""

    def __init__(self, habit: Habit, terminals: int, endpoints: int, random: Callable[[Ids], Seconds], *,
                 timeout: float, answer: float):
        self.name = habit.name
        self.dialing = Dialing(head_start=0.0, again=BASE, timeout=timeout)
        self.due = np.full((endpoints, terminals), np.inf)
        self._habit = habit
        self._random = random
        self._answer = answer
        self._failures = np.zeros(terminals, np.int8)

    def first(self, ids: Ids) -> Ids:
        """The one whose turn it is."""
        turn: Ids = self.due[:, ids].argmin(axis=0)
        return turn

    def opened(self, ids: Ids, endpoints: Ids, refused: Flags, *, moved: bool = False) -> Seconds:
        """Always the same time."""
        return np.full(ids.shape, self._answer)

    def registered(self, ids: Ids, endpoints: Ids) -> None:
        """Failures are forgotten."""
        self._failures[ids] = 0

    def not_registered(self, ids: Ids, endpoints: Ids, refused: Flags, now: Seconds, *, moved: Flags) -> None:
        """As a dial in vain."""
        self._wait(ids, self._other(endpoints), now + self._seconds(ids))

    def not_opened(self, ids: Ids, met: Codes, now: Seconds, dialed_for: Seconds, ago: Seconds) -> None:
        """The other endpoint is next."""
        tried: Ids = (met != UNTRIED).argmax(axis=0)
        self._wait(ids, self._other(tried), now + self._seconds(ids))

    def lost(self, ids: Ids, endpoints: Ids, now: Seconds, registered_for: Seconds) -> None:
        """The primary is next."""
        self._wait(ids, np.zeros_like(endpoints), now if self._habit.at_once else now + self._seconds(ids))

    def left(self, ids: Ids, endpoints: Ids, now: Seconds, registered_for: Seconds) -> None:
        """They stay where they are."""

    def move_after(self, ids: Ids) -> Seconds:
        """They stay where they are."""
        return np.full(ids.shape, np.inf)

    def probed(self, ids: Ids) -> Flags:
        """They have no watchdog."""
        return np.zeros(ids.shape, np.bool_)

    def wake(self, ids: Ids) -> None:
        """They have no watchdog."""

    def _other(self, endpoints: Ids) -> Ids:
        return 1 - endpoints if len(self.due) == 2 else endpoints

    def _seconds(self, ids: Ids) -> Seconds:
        failures = self._failures[ids]
        self._failures[ids] = np.minimum(failures + 1, _DOUBLINGS)
        seconds = np.minimum(MOST, BASE * 2.0 ** failures) if self._habit.doubles else np.full(ids.shape, BASE)
        return seconds * self._random(ids) if self._habit.jitter else seconds

    def _wait(self, ids: Ids, endpoints: Ids, due: Seconds) -> None:
        self.due[:, ids] = np.inf
        self.due[endpoints, ids] = due
