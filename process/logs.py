"""One log line is one record: `2026-11-23T07:50:24.123Z INFO link: text`.

Records go to standard error, which supervisor keeps and rotates. Every record is one line of limited length, exceptions
included, so that nothing from outside can forge a line, move a cursor or fill the disk.

Nothing that a long-running process writes is waited for: records and whatever Python itself has to say go through a
BackgroundWriter, the stacks that a signal asks for to a descriptor that cannot hold the process.
"""
import faulthandler
import io
import logging
import os
import stat
import sys
from datetime import UTC, datetime
from typing import TextIO

from econduit_terminal.process.background_writer import BackgroundWriter, native_thread
from econduit_terminal.process.text import clean
from econduit_terminal.process.timestamps import rfc3339

__all__ = ["clean", "flush", "serve", "set_up", "stacks_on"]

LINE_MAX = 1000
TRACEBACK_MAX = 8000
LAST_WORDS = 0.5
"""Seconds that the end of the process waits for its last lines to be written."""
STANDARD_ERROR = 2

_writer: BackgroundWriter | None = None


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Logs from `level` (debug, info, warning, error) to `stream`, standard error if None.

    Called again, it replaces what it set up before: the level may change while the program runs.
    """
    handler = _handler(stream)
    root = logging.getLogger()
    for earlier in root.handlers[:]:
        if isinstance(earlier.formatter, _Formatter):
            root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # a full disk or a closed pipe is no reason to write even more


def serve(level: str) -> None:
    """`set_up` for a process that runs for long: what anything in Python writes to the standard streams, such as the
    traceback of an exception that nobody caught, becomes lines of the log and is not waited for either."""
    _open_standard_descriptors()
    set_up(level)
    sys.stdout = sys.stderr = _Stream(_standard_error())


def stacks_on(number: int) -> None:
    """Have every thread's stack written to standard error on a signal, from C: even when Python's lock is held."""
    faulthandler.register(number, file=_never_blocking(STANDARD_ERROR), all_threads=True)


def flush() -> None:
    """Before the process becomes another one: what was logged is written, as far as that takes no time."""
    if _writer is not None:
        _writer.flush(LAST_WORDS)


def _handler(stream: TextIO | None) -> logging.Handler:
    stream = stream or sys.stderr
    handler: logging.Handler
    if isinstance(stream, _Stream) or (stream is not None and _descriptor_of(stream) == STANDARD_ERROR):
        handler = _Handler(_standard_error())
    else:
        handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter())
    return handler


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None     # in memory, or closed


def _standard_error() -> BackgroundWriter:
    global _writer      # one for the process, as its descriptor is
    if _writer is None:
        _writer = BackgroundWriter(STANDARD_ERROR, lost=lambda number: _line(
            "WARNING", "logs", f"{number} lines were lost: standard error did not take them in time"))
    return _writer


def _line(level: str, name: str, text: str) -> bytes:
    return f"{rfc3339(datetime.now(UTC))} {level} {name}: {text}\n".encode(errors="backslashreplace")


class _Handler(logging.Handler):
    def __init__(self, writer: BackgroundWriter):
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.put(self.format(record).encode(errors="backslashreplace") + b"\n")
        except Exception:  # noqa: BLE001  as logging's own handlers do: a record must not end its caller
            self.handleError(record)

    def flush(self) -> None:
        """Called by logging at the end of the process."""
        self._writer.flush(LAST_WORDS)


class _Stream(io.TextIOBase):
    """A standard stream whose text becomes lines of the log."""

    def __init__(self, writer: BackgroundWriter):
        self._writer = writer
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, begun = (self._begun + text).split("\n")
        if len(begun) > TRACEBACK_MAX:
            lines, begun = [*lines, begun], ""
        self._begun = begun
        for line in filter(str.strip, lines):
            self._writer.put(_line("ERROR", "stderr", clean(line, LINE_MAX)))
        return len(text)

    def flush(self) -> None:
        if self._begun:
            self.write("\n")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return STANDARD_ERROR


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        try:
            text = record.getMessage()
        except Exception as error:  # noqa: BLE001  a wrong format string must not cost the line that would tell of it
            text = f"{record.msg} ({type(error).__name__} while formatting)"
        moment = rfc3339(datetime.fromtimestamp(record.created, UTC))
        line = f"{moment} {record.levelname} {record.name.rpartition('.')[2]}: {clean(text, LINE_MAX)}"
        if record.exc_info and record.exc_info[0] is not None:
            lines = self.formatException(record.exc_info).splitlines()
            steps = " | ".join(part for part in map(str.strip, lines) if part)
            line += f" | {clean(steps[-TRACEBACK_MAX:], TRACEBACK_MAX)}"
        return line


def _open_standard_descriptors() -> None:
    """One that is closed is opened on /dev/null: else the next file or connection would be standard error."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)      # gets the lowest number that is free


def _never_blocking(descriptor: int) -> int:
    """A descriptor to the same place on which no write waits; it stays open for the life of the process.

    A pipe or terminal is opened once more, with O_NONBLOCK for us alone. Where that is refused (a socket; a pipe made
    by another user) a pipe of our own goes there, by a thread that needs Python's lock. A file takes what it is given.
    """
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        pass
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    stream = _Stream(_standard_error())

    def carry() -> None:
        while data := os.read(reading, 4096):
            stream.write(data.decode(errors="backslashreplace"))

    native_thread(carry)
    return writing
