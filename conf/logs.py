"""One log line is one record: ``2026-11-23T07:50:24.123Z INFO link: text``.

Records go to standard error, which supervisor keeps and rotates. Every record is one line of limited length, exceptions
included, so that nothing from outside can forge a line, move a cursor or fill the disk.
"""
import logging
import sys
import time
from typing import TextIO

from econduit_terminal.conf.text import clean

__all__ = ["clean", "set_up"]

LINE_MAX = 1000
TRACEBACK_MAX = 8000


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Logs from ``level`` (debug, info, warning, error) to ``stream``, standard error if None.

    Called again, it replaces what it set up before: the level may change while the program runs.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(_Formatter())
    root = logging.getLogger()
    for earlier in root.handlers[:]:
        if isinstance(earlier.formatter, _Formatter):
            root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # a full disk or a closed pipe is no reason to write even more


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        try:
            text = record.getMessage()
        except Exception as error:  # a wrong format string must not cost the line that would tell of it
            text = f"{record.msg} ({type(error).__name__} while formatting)"
        line = (f"{self.formatTime(record)} {record.levelname} {record.name.rpartition('.')[2]}: "
                f"{clean(text, LINE_MAX)}")
        if record.exc_info and record.exc_info[0] is not None:
            lines = self.formatException(record.exc_info).splitlines()
            steps = " | ".join(part for part in map(str.strip, lines) if part)
            line += f" | {clean(steps[-TRACEBACK_MAX:], TRACEBACK_MAX)}"
        return line

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"
