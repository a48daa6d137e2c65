"""PURE. Which terminals have something to do next: the model's clock.

Where terminals do not meet (no endpoint takes a connection), each goes its own way through a whole second. Where they
meet, in the cloud's queue, they are taken in the order of time, in windows of a width: what follows from an event
within the same window (a dial to the other endpoint after a refusal) is played after the window's other events, so that
a place in the queue may be wrong by that width. No time is rounded.
"""
from collections.abc import Callable, Iterator

import numpy as np

from econduit_terminal.sandbox.fleet.policies import Ids, Seconds

WIDTH = 0.01
"""Seconds."""
SECOND = 1.0


def advance(at: Seconds, begin: float, end: float, step: Callable[[Ids], None], *, meet: bool,
            width: float = WIDTH) -> Iterator[float]:
    """Plays all events from `begin` to before `end`: `step` plays one event of each terminal in question and sets the
    time of its next one in `at`. width: seconds of a window. Yields how far it is, once a second of the played time."""
    now = begin
    while now < end:
        until = min(end, now + SECOND)
        due = np.flatnonzero(at < until)
        if meet:
            _in_order(at, due, until, step, width)
        else:
            _each_alone(at, due, until, step)
        now = until
        yield now


def _each_alone(at: Seconds, due: Ids, until: float, step: Callable[[Ids], None]) -> None:
    while due.size:
        step(due)
        due = due[at[due] < until]


def _in_order(at: Seconds, due: Ids, until: float, step: Callable[[Ids], None], width: float) -> None:
    due = due[np.argsort(at[due], kind="stable")]
    times, taken = at[due], 0
    again = due[:0]             # what has another event before `until`
    while taken < due.size or again.size:
        first = min(times[taken] if taken < due.size else until, at[again].min(initial=until))
        window = min(until, first + width)
        upto = int(np.searchsorted(times, window))
        inside = at[again] < window
        batch, again, taken = np.concatenate((due[taken:upto], again[inside])), again[~inside], upto
        while batch.size:
            step(batch)
            ahead = at[batch]
            again = np.concatenate((again, batch[(ahead >= window) & (ahead < until)]))
            batch = batch[ahead < window]
