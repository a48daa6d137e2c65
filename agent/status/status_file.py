"""The status as a file, for payment applications that only read files: the same line as `GET /status`.

- Replaced atomically, mode 0644, at every change and every REWRITE seconds, so that a reader can tell by `valid_for`
  and `written_uptime` whether it is still valid.
- A file that cannot be written is reported once, removed and tried again; it never disturbs the terminal. A separate
  thread writes: a disk that hangs blocks that thread and nothing else.
"""
import contextlib
import logging
from collections.abc import Callable

import gevent
from gevent.event import AsyncResult, Event
from gevent.threadpool import ThreadPool

from econduit_terminal.process import line_file

from .store import StatusStore

REWRITE = line_file.VALID_FOR / 2
HANGS = 3.0
"""Seconds after which the disk counts as hanging."""
FIRST = 0.3
"""Seconds that the start waits for the first line."""
STOP_TIME = 2.0
"""Seconds that the end waits, twice: for the greenlet and for the last line."""
PROBLEM = "status file"
WRITER, WRITERS_1_0 = "agent", "[0-9]*"
"""Release 1.0.0 put its pid into the name of the temporary file."""

log = logging.getLogger("status")


class StatusFile:
    """Keeps `path` (None: no file) up to date with the status until `stop`."""

    def __init__(self, path: str | None, store: StatusStore):
        self._kept = path is not None
        self._path = str(path)
        self._store = store
        self._stopping = Event()
        self._greenlet: gevent.Greenlet[[], None] | None = None
        self._pool = ThreadPool(1)
        self._busy: AsyncResult[object] = AsyncResult()
        self._said: str | None = None

    def start(self) -> None:
        """Returns when the first line has replaced that of a killed predecessor, or after FIRST seconds."""
        if self._kept:
            self._busy = self._pool.spawn(self._begin, self._store.snapshot().to_line())
            self._greenlet = gevent.spawn(self._run)
            gevent.wait([self._busy], timeout=FIRST)

    def _begin(self, line: bytes) -> None:
        """In the thread. What fails here is tried again and reported by `_run`."""
        line_file.tidy(self._path, WRITER, WRITERS_1_0)
        with contextlib.suppress(OSError):
            line_file.replace(self._path, line, WRITER)

    def stop(self, remove: bool = False) -> None:
        """Writes the last state, so that no file says `POS Online` for an agent that ended. `remove`: nor where it no
        longer is kept. Takes a little more than twice STOP_TIME at most."""
        if self._greenlet is None:
            return
        self._stopping.set()
        self._greenlet.join(STOP_TIME)
        if remove:
            self._store.problem(PROBLEM, None)
            try:
                self._do(line_file.withdraw, self._path, patience=STOP_TIME)
            except OSError as error:
                log.warning("status file: %s is no longer kept, remove it (%s)", self._path, error.strerror or error)
        else:
            self._write(STOP_TIME)
        if self._busy.ready():
            self._pool.kill()

    def _run(self) -> None:
        self._wait(HANGS)
        with self._store.subscribe() as changes:
            self._stopping.rawlink(lambda _event: changes.wake())
            while not self._stopping.is_set():
                changes.wait(REWRITE)
                try:
                    self._write(HANGS)
                except Exception:
                    log.exception("the status file failed")

    def _write(self, patience: float) -> None:
        try:
            done = self._do(line_file.replace, self._path, self._store.snapshot().to_line(), WRITER, patience=patience)
        except OSError as error:
            self._complain(error.strerror or str(error))
        else:
            if done and self._said:
                log.info("status file: %s is written again", self._path)
            if done:
                self._said = None
                self._store.problem(PROBLEM, None)

    def _do(self, work: Callable[..., object], *arguments: object, patience: float) -> bool:
        """Do this in the thread: did it finish? Not even begun while the thread hangs. Raises what `work` raises."""
        if not self._busy.ready():
            return False
        self._busy = self._pool.spawn(work, *arguments)
        return self._wait(patience)

    def _wait(self, patience: float) -> bool:
        """Wait for the thread. A hang is reported after `patience` seconds, and not waited for once we stop."""
        gevent.wait([self._busy], timeout=patience)
        if not self._busy.ready():
            self._complain("its disk does not answer")
            gevent.wait([self._busy, self._stopping], count=1)
        if self._busy.ready():
            self._busy.get()
        return self._busy.ready()

    def _complain(self, why: str) -> None:
        text = f"{self._path} cannot be written ({why}); correct local.status_file or its directory"
        if text != self._said:
            log.error("status file: %s; trying again", text)
        self._said = text
        self._store.problem(PROBLEM, text)
