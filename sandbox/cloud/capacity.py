"""How many terminals the cloud can carry: each needs an open file, and so does each HTTP call. PURE.

What the system allows is shared between them: the calls get a part, so that a full cloud can still be asked, and some
files are the process's own.
"""
from dataclasses import dataclass

OWN_FILES = 64
CALLS, MOST_CALLS = 100, 1000


@dataclass(frozen=True)
class Capacity:
    """terminals: connections on both terminals' ports together. calls: HTTP calls at one time. files: the limit on open
    files that this follows from."""
    terminals: int
    calls: int
    files: int


def capacity(files: int) -> Capacity:
    """What so many open files are enough for."""
    left = max(2, files - OWN_FILES)
    calls = min(left // 2, MOST_CALLS, CALLS + left // 40)
    return Capacity(left - calls, calls, files)
