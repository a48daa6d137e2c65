"""The status as a file, for payment applications that only read files: the same line as `GET /status`.

- Replaced atomically, mode 0644, at every change and every REWRITE seconds, so that a reader can tell by `valid_for` and
  `written_uptime` whether it still holds.
- A file that cannot be written is said once, taken away and tried again; it never disturbs the terminal. A thread of its
  own does the writing: a disk that hangs holds that thread and nothing else.
"""
import logging
from collections.abc import Callable

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from econduit_terminal.conf import line_file

from .status import Board, as_line

REWRITE = line_file.VALID_FOR / 2
HANGS = 3.0
"""Seconds after which the disk is said to hang."""
STOP_TIME = 2.0
PROBLEM = "status file"
WRITER = "agent"

log = logging.getLogger("status")


class StatusFile:
    """Keeps `path` (None: no file) up to date with the board until `stop`."""

    def __init__(self, path: str | None, board: Board):
        self._path = None if path is None else str(path)
        self._board = board
        self._stopping = Event()
        self._greenlet: gevent.Greenlet | None = None
        self._pool = ThreadPool(1)
        self._hanging = None
        self._said: str | None = None

    def start(self) -> None:
        if self._path is not None:
            self._greenlet = gevent.spawn(self._run)

    def stop(self, remove: bool = False) -> None:
        """Writes the last state, so that no file says `POS Online` for an agent that ended. `remove`: nor where it no
        longer is kept. Takes a little more than twice STOP_TIME at most."""
        if self._greenlet is None:
            return
        self._stopping.set()
        self._greenlet.join(STOP_TIME)
        if remove:
            self._board.problem(PROBLEM, None)
            try:
                self._do(line_file.withdraw, self._path, patience=STOP_TIME)
            except OSError as error:
                log.warning("status file: %s is no longer kept, remove it (%s)", self._path, error.strerror or error)
        else:
            self._write(STOP_TIME)
        if self._hanging is None or self._hanging.ready():
            self._pool.kill()

    def _run(self) -> None:
        self._do(line_file.tidy, self._path, WRITER)
        with self._board.subscribe() as changes:
            self._stopping.rawlink(lambda _event: changes.wake())
            while not self._stopping.is_set():
                changes.wait(REWRITE)
                try:
                    self._write()
                except Exception:
                    log.exception("the status file failed")

    def _write(self, patience: float = HANGS) -> None:
        try:
            self._do(line_file.replace, self._path, as_line(self._board.snapshot()), WRITER, patience=patience)
        except OSError as error:
            self._complain(error.strerror or str(error))
        else:
            if self._said:
                log.info("status file: %s is written again", self._path)
            self._said = None
            self._board.problem(PROBLEM, None)

    def _do(self, work: Callable[..., object], *arguments: object, patience: float = HANGS) -> None:
        """In the thread, to its end. What hangs is said after `patience`, and not waited for once we stop."""
        if self._hanging is not None and not self._hanging.ready():
            return      # stopping: the thread is still in there
        self._hanging = self._pool.spawn(work, *arguments)
        if not self._hanging.wait(patience) and not self._hanging.ready():
            self._complain("its disk does not answer")
            gevent.wait([self._hanging, self._stopping], count=1)
        if self._hanging.ready():
            self._hanging.get()

    def _complain(self, why: str) -> None:
        text = f"{self._path} cannot be written ({why}); mend local.status_file or its directory"
        if text != self._said:
            log.error("status file: %s; trying again", text)
        self._said = text
        self._board.problem(PROBLEM, text)
