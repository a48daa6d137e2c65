"""How the watchdog's threads speak to its loop: the newest message of each kind, and a bell that a selector hears.

Bounded by construction: there are two kinds of message, and only the newest of each is kept. A thread that fails is an
exception of `take`: the loop ends the process, since a watchdog of which a part is dead must not look alive.
"""
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import NamedTuple

from econduit_terminal.contract.status import Status

from .probe_results import ProbeResults


class AgentChanged(NamedTuple):
    """The agent's status; None: nobody serves its socket, or it does not answer."""

    status: Status | None


class ProbesDone(NamedTuple):
    """What round `number` of the probes found."""

    number: int
    results: ProbeResults


Message = AgentChanged | ProbesDone


class ThreadFailed(Exception):
    """A thread of the watchdog failed: the process must end, so that all of it is started again."""


class Inbox:
    """Any number of threads put, one loop takes."""

    def __init__(self) -> None:
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._newest: dict[type[Message], Message] = {}
        self._failed: tuple[str, BaseException] | None = None

    def fileno(self) -> int:
        return self._bell

    def put(self, message: Message) -> None:
        """From any thread; replaces one of its kind that was not taken yet."""
        with self._lock:
            self._newest[type(message)] = message
        self.ring()

    def ring(self) -> None:
        """Wake the loop; safe where a lock may be held, as in a signal handler."""
        os.eventfd_write(self._bell, 1)

    def take(self) -> tuple[Message, ...]:
        """What was put since the last call, one of a kind at most; never waits. Raises ThreadFailed."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._bell)
        if self._failed is not None:
            name, error = self._failed
            raise ThreadFailed(f"{name}: {error!r}") from error
        with self._lock:
            messages, self._newest = tuple(self._newest.values()), {}
        return messages

    def spawn(self, work: Callable[[], object], name: str) -> threading.Thread:
        """Runs `work` in a daemon thread; an exception that leaves it becomes one of `take`."""
        def guarded() -> None:
            block_signals()
            try:
                work()
            except BaseException as error:  # noqa: BLE001  whatever it is, the loop ends the process
                self._failed = name, error
                self.ring()

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread


def block_signals() -> None:
    """For a thread to begin with: signals are the main thread's. It holds them back while the process is replaced; one
    that another thread took meanwhile would be lost."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
