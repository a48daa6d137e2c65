"""Lines for a descriptor that may not take them: nobody waits for it but a thread of its own.

Standard error may be a pipe that nobody reads (supervisord is stopped), a terminal that is held, a disk that hangs. A
write(2) to it would then hold the whole process, and with it every sale.

Rules
- `put` never waits. At most LIMIT bytes wait to be written; a line that does not fit is dropped and counted.
- The count is said as a line of its own, in the place of the lost lines, as soon as something fits again. A line that
  the system refuses (disk full, pipe closed) is lost in the same way.
- The descriptor keeps its flags: O_NONBLOCK would be set for every process that shares it (open(2), "open file
  description").
- The thread is a native one under gevent, too, and uses nothing that gevent replaces. It takes no signals.
"""
import os
import signal
import sys
from _queue import SimpleQueue
from collections.abc import Callable
from importlib import import_module
from typing import Any

LIMIT = 256 * 1024
AGAIN = 0.1
"""Seconds until the next try where somebody else has made the descriptor non-blocking."""


def original(module: str, name: str) -> Any:
    """What a module of the standard library had under this name before gevent patched it, if it did."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey.get_original(module, name) if monkey else getattr(import_module(module), name)


def native_thread(work: Callable[[], None]) -> None:
    """Runs `work` in a thread of the system that takes no signals and that nobody waits for at the end."""
    def run() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        work()

    original("_thread", "start_new_thread")(run, ())


class BackgroundWriter:
    """`lost`: the line that says how many were lost (bytes, with its line end), given their number. `failure`: what
    the system said when it last refused a line."""

    def __init__(self, descriptor: int, lost: Callable[[int], bytes]):
        self.failure: OSError | None = None
        self._descriptor = descriptor
        self._say_lost = lost
        self._lines: SimpleQueue[tuple[bytes | Callable[[], None], int]] = SimpleQueue()
        self._lock = original("_thread", "RLock")()     # reentrant: a destructor may log in the middle of put()
        self._waiting = 0       # bytes put and not yet written
        self._dropped = 0       # lines that did not fit, since the last one that did
        self._refused = 0       # lines that could not be written, since the last one that could; the thread's own
        self._torn = False      # the last write ended in the middle of a line
        self._started = False

    def put(self, line: bytes) -> None:
        """From any thread. The line ends in a line end."""
        with self._lock:
            if self._waiting + len(line) > LIMIT:
                self._dropped += 1
                return
            self._waiting += len(line)
            dropped, self._dropped = self._dropped, 0
            self._lines.put((line, dropped))
            if not self._started:
                self._started = True
                native_thread(self._run)

    def flush(self, seconds: float) -> bool:
        """Wait until all that was put so far is written, or that long at most. Whether it is."""
        if not self._started:
            return True
        written = original("_thread", "allocate_lock")()
        written.acquire()
        self._lines.put((written.release, 0))
        return bool(written.acquire(timeout=seconds))

    def _run(self) -> None:
        while True:
            line, dropped = self._lines.get()
            if isinstance(line, bytes):
                self._say(dropped)
                self._refused += not self._write(line)
            with self._lock:
                self._waiting -= len(line) if isinstance(line, bytes) else 0
                dropped = 0
                if self._lines.empty():     # nothing follows that would say it
                    dropped, self._dropped = self._dropped, 0
            self._say(dropped)
            if not isinstance(line, bytes):
                line()

    def _say(self, dropped: int) -> None:
        lost = self._refused + dropped
        self._refused = 0 if not lost or self._write(self._say_lost(lost)) else lost

    def _write(self, line: bytes) -> bool:
        rest = memoryview(b"\n" + line if self._torn else line)
        while rest:
            try:
                written = os.write(self._descriptor, rest)
            except BlockingIOError:
                self._pause()
            except OSError as error:
                self.failure = error
                return False
            else:
                rest = rest[written:]
                self._torn = bool(rest)
        return True

    def _pause(self) -> None:
        held = original("_thread", "allocate_lock")()
        held.acquire()
        held.acquire(timeout=AGAIN)
