"""How the watchdog's threads speak to its loop: the newest word on each subject, and a bell that a selector hears.

Bounded by construction: a subject holds one value, and there are a few subjects. A thread that fails says so here too,
so that the loop ends the process and nobody goes on half alive.
"""
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import NamedTuple


def deaf() -> None:
    """For a thread to begin with: signals are the main thread's. It holds them back while the process begins anew; one
    that a thread took meanwhile would be lost with it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


class Failure(NamedTuple):
    """The word on ``failed``: which thread, and by what."""

    name: str
    error: BaseException


class Inbox:
    def __init__(self) -> None:
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._newest: dict[str, object] = {}

    def fileno(self) -> int:
        return self._bell

    def put(self, subject: str, word: object) -> None:
        """From any thread or signal handler's thread; replaces what was said of the subject and not yet taken."""
        with self._lock:
            self._newest[subject] = word
        os.eventfd_write(self._bell, 1)

    def ring(self) -> None:
        """Wake the loop; safe in a signal handler, which may have interrupted a put()."""
        os.eventfd_write(self._bell, 1)

    def take(self) -> dict[str, object]:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._bell)
        with self._lock:
            words, self._newest = self._newest, {}
        return words

    def spawn(self, work: Callable[[], object], name: str) -> threading.Thread:
        """Runs ``work`` in a daemon thread; an exception that leaves it arrives as the subject ``failed``."""
        def guarded() -> None:
            deaf()
            try:
                work()
            except BaseException as error:  # noqa: BLE001  whatever it is, the loop ends the process
                self.put("failed", Failure(name, error))

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread
