"""Waiting for what a test needs, with a limit and a reason."""
import os
import select
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 15.0
"""Seconds that anything may take before a test fails; far beyond what it takes."""
LOOK = 0.01
"""Seconds between two looks at what tells nobody when it changes: a file, a socket that is not there yet."""

T = TypeVar("T")


def until(condition: Callable[[], T | None], what: str | Callable[[], str], timeout: float = PATIENCE) -> T:
    """The first true value of `condition()`, for what nobody announces. `what`: text, or a function that gives it."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what if isinstance(what, str) else what()}"
        time.sleep(LOOK)
    return value


def wait_end(pid: int, timeout: float = PATIENCE) -> None:
    """Until a process, whoever's child it is, has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([fd], [], [], timeout)
        assert ready, f"pid {pid} is still there after {timeout} s"
    finally:
        os.close(fd)
