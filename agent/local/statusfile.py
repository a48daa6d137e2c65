"""The status as a file, for payment applications that only read files: the same line as `GET /status`.

Replaced atomically (written beside, then renamed), mode 0644, at every change. A file that cannot be written is said
once and tried again; it never disturbs the terminal.
"""
import logging
import os

import gevent
from gevent.event import Event

from .status import as_line

RETRY = 5.0
STOP_TIME = 2.0
PROBLEM = "status file"

log = logging.getLogger("status")


def replace(path: str, line: bytes) -> None:
    """Puts `line` in place of what `path` holds. Raises OSError. Not synced: after a power cut it is written anew."""
    beside = f"{path}.{os.getpid()}.new"
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o644)
            file.write(line)
        os.rename(beside, path)
    except OSError:
        try:
            os.unlink(beside)
        except OSError:
            pass
        raise


class StatusFile:
    """Keeps `path` (None: no file) up to date with the board until `stop`."""

    def __init__(self, path, board):
        self._path = None if path is None else str(path)
        self._board = board
        self._stopping = Event()
        self._greenlet = None
        self._said = None

    def start(self) -> None:
        if self._path is not None:
            self._greenlet = gevent.spawn(self._run)

    def stop(self, remove: bool = False) -> None:
        """Writes the last state, so that no file says `POS Online` for an agent that ended. `remove`: nor where it no
        longer is kept."""
        if self._greenlet is None:
            return
        self._stopping.set()
        self._greenlet.join(STOP_TIME)
        if not remove:
            self._write(self._board.snapshot())
            return
        self._board.problem(PROBLEM, None)
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("status file: %s is no longer kept, remove it (%s)", self._path, error.strerror or error)

    def _run(self) -> None:
        with self._board.subscribe() as changes:
            self._stopping.rawlink(lambda _event: changes.wake())
            while not self._stopping.is_set():
                snapshot = changes.wait(RETRY if self._said else None)
                try:
                    self._write(snapshot or self._board.snapshot())
                except Exception:
                    log.exception("the status file failed")

    def _write(self, snapshot: dict) -> None:
        try:
            replace(self._path, as_line(snapshot))
        except OSError as error:
            text = (f"{self._path} cannot be written ({error.strerror or error}); "
                    "mend local.status_file or its directory")
            if text != self._said:
                log.error("status file: %s; trying again", text)
            self._said = text
            self._board.problem(PROBLEM, text)
        else:
            if self._said:
                log.info("status file: %s is written again", self._path)
            self._said = None
            self._board.problem(PROBLEM, None)
