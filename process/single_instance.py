"""One process of a kind at a time, even after its supervisor was killed.

A killed supervisord leaves its programs running, and the next one starts them again. The newcomer finds the lock
(flock(2): the kernel gives it up when its holder ends, however it ends) in the hands of the old process and asks what
that is: if its parent is no longer the one it was started by, it is an orphan, and is asked to end in order (SIGTERM);
if it does not, it is killed. If its parent lives, both were started on purpose, and the newcomer waits its turn.
"""
import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

POLL = 0.1
"""Seconds between two tries for a lock that another process holds."""


class SingleInstance:
    """The lock of one kind of process. `path`: its file, which is created with mode 0600 and stays."""

    def __init__(self, path: str | os.PathLike[str]):
        self._path = path
        self._file = -1
        self._parent = os.getppid()     # now: it may be gone by the time that the lock is ours

    def acquire(self, grace: float, pause: Callable[[float], bool]) -> bool:
        """Take the lock, taking over from an orphan, which gets `grace` seconds to end in order.

        pause(seconds) waits and says whether to give up (the process is asked to stop): then False. Raises OSError
        where the file cannot be made.
        """
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        asked: dict[int, float] = {}
        said = None
        while not self._locked():
            pid, parent = self._holder()
            orphan = pid if pid is not None and _parent_of(pid) not in (None, parent) else None
            if pid != said:
                log.warning("another one runs as pid %s: %s", pid or "unknown",
                            "its supervisor is gone, it is asked to end" if orphan else "waiting until it ends")
                said = pid
            if orphan and orphan not in asked:
                asked[orphan] = time.monotonic() + grace
                _signal(orphan, signal.SIGTERM)
            elif orphan and time.monotonic() > asked[orphan]:
                log.error("pid %d did not end within %g s and is killed", orphan, grace)
                _signal(orphan, signal.SIGKILL)
            if pause(POLL):
                return False
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps({"pid": os.getpid(), "parent": self._parent}).encode(), 0)
        return True

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> tuple[int | None, int | None]:
        """The holder's pid and the parent that started it, by its own note; None where it has not written one."""
        try:
            note = json.loads(os.pread(self._file, 4096, 0))
            return int(note["pid"]), int(note["parent"])
        except (ValueError, KeyError, TypeError):
            return None, None


def _parent_of(pid: int) -> int | None:
    """The pid of a process's parent now (proc(5), field 4 of stat, after the parenthesised name)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            stat = stream.read()
    except OSError:
        return None
    return int(stat.rpartition(b")")[2].split()[1])


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError as error:
        log.warning("pid %d cannot be signalled: %s", pid, error.strerror)
