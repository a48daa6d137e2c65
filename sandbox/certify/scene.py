"""A scene: one thing that is done with the device, and the cases that are judged from it."""
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from econduit_terminal.sandbox.certify.table.model import Case

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Scene(Generic[S]):
    """`play` reports a finding for each of `cases`; `seconds` estimates how long it takes."""

    cases: tuple[Case, ...]
    play: Callable[[S], Coroutine[Any, Any, None]]
    seconds: Callable[[S], float]


def scene(*cases: Case, seconds: float | Callable[[S], float],
          play: Callable[[S], Coroutine[Any, Any, None]]) -> Scene[S]:
    """One scene; `seconds` may depend on the declaration."""
    def estimate(subject: S) -> float:
        return seconds(subject) if callable(seconds) else seconds

    return Scene(cases, play, estimate)
