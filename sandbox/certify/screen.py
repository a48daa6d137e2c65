"""Standard output for a run that must come to its report, whoever reads along.

A pipe may be closed, a disk full, a terminal held by Ctrl-S: a run neither ends nor waits for it. What cannot be
written is lost; the last line then goes to standard error, with the reason.
"""
import io
import sys
from types import TracebackType
from typing import Self, TextIO

from econduit_terminal.process.background_writer import BackgroundWriter
from econduit_terminal.sandbox.certify.plain_words import why

FLUSH_TIMEOUT = 2.0
"""Seconds that the last line waits for a reader."""


class Screen(io.TextIOBase):
    """Takes the place of `sys.stdout` as a context manager."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._writer = BackgroundWriter(stream.fileno(), lambda count: b"(%d lines were not shown)\n" % count)

    def __enter__(self) -> Self:
        self._stream.flush()
        self._before, sys.stdout = sys.stdout, self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        sys.stdout = self._before
        if (trouble := self.trouble()) and not isinstance(self._writer.failure, BrokenPipeError):
            complain(f"standard output {trouble}")

    def trouble(self) -> str:
        """Waits a moment for what was written; why some of it is lost, or ""."""
        if not self._writer.flush(FLUSH_TIMEOUT):
            return "is not read by anybody"
        if (failure := self._writer.failure) is None:
            return ""
        return "was closed" if isinstance(failure, BrokenPipeError) else f"cannot be written: {why(failure)}"

    # As a stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Never waits, never fails."""
        if text:
            self._writer.put(text.encode(self._stream.encoding, self._stream.errors or "replace"))
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """That of the stream."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """A text stream says so."""
        return True


def last_line(text: str) -> None:
    """The line that a run ends with: on standard error where standard output takes nothing any more."""
    if sys.stdout is None:
        complain(f"standard output is closed; {text}")
        return
    print(text, flush=True)
    if isinstance(sys.stdout, Screen) and (trouble := sys.stdout.trouble()):
        complain(f"standard output {trouble}; {text}")


def complain(text: str) -> None:
    """A line on standard error, if anybody is there."""
    try:
        print(f"econduit-certify: {text}", file=sys.stderr, flush=True)
    except OSError:
        return
