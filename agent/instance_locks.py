"""One agent for a terminal: no other one serves its local API or has its journal.

Two locks, since a socket may move, and its directory be recreated, while an orphan lives. They are held as long as the
process lives.
"""
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from econduit_terminal.conf.schema import Local, Settings
from econduit_terminal.process.single_instance import SingleInstance

log = logging.getLogger("agent")

TAKEOVER_MARGIN = 10.0
"""Seconds beyond `drain` that an orphan gets to end."""


class StatusStore(Protocol):
    """Where a lock that cannot be made is shown (status.store)."""

    def problem(self, name: str, text: str | None) -> None: ...


def lock_files(local: Local) -> dict[str, Path]:
    """Their files, by the setting that says where."""
    return {"local.socket": Path(f"{local.socket}.lock"), "local.state_dir": Path(local.state_dir) / "agent.lock"}


class InstanceLocks:
    """Those of the socket and of the journal."""

    def __init__(self, store: StatusStore):
        self._store = store
        self._locks: list[SingleInstance] = []

    def acquire(self, settings: Settings, pause: Callable[[float], bool]) -> bool:
        """Wait until no other agent runs. False: `pause` (waits that many seconds) says that we are to stop.

        A lock that cannot be made is logged and shown: the agent works without it.
        """
        grace = settings.transactions.drain + TAKEOVER_MARGIN
        state_dir = Path(settings.local.state_dir)
        for key, lock in lock_files(settings.local).items():
            self._locks.append(SingleInstance(lock))
            try:
                if key == "local.state_dir":
                    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not self._locks[-1].acquire(grace, pause):
                    return False
            except OSError as error:
                log.error("%s cannot be made (%s): a second agent would not be noticed; correct %s or its directory",
                          lock, error.strerror, key)
                self._store.problem("lock", f"{lock} cannot be made ({error.strerror})")
        return True
