"""A file with one line that others read, replaced as a whole: they find the old line, the new one, or none.

A line that can no longer be replaced (disk full, quota, read-only) goes, since it would keep saying what is no longer
true; the room that it leaves is often enough for the new one. Readers judge its age by what the line itself carries:
VALID_FOR seconds from its `written_uptime`, on the clock that no one sets (CLOCK_BOOTTIME).

Each program that writes the file has a name of its own for its temporary file, so that two never share one, and what a
killed program left there is overwritten by its successor.
"""
import contextlib
import glob
import os
import time

VALID_FOR = 10.0
"""Seconds that a line may be believed; it is rewritten at half of that."""


def uptime() -> float:
    """Seconds since this machine started, suspensions included; nobody sets this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def replace(path: str, line: bytes, writer: str) -> None:
    """Puts `line` in place of what `path` holds, as `writer`. Raises OSError where it cannot; the old line is gone
    then, as far as the system lets it. Not synced: after a power cut it is written again."""
    try:
        _replace(path, line, writer)
    except OSError as error:
        try:
            made_room = withdraw(path)
        except OSError:
            raise error from None
        if not made_room:
            raise
        _replace(path, line, writer)


def withdraw(path: str) -> bool:
    """Take the line away; whether there was a file. Raises OSError where it cannot be removed; it is emptied then, if
    that works."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError:
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
        raise
    return True


def tidy(path: str, *writers: str) -> None:
    """Remove what dead predecessors of these writers (patterns of glob(7)) left next to the file."""
    for writer in writers:
        for left in glob.glob(f"{glob.escape(path)}.{writer}.new"):
            with contextlib.suppress(OSError):
                os.unlink(left)


def _replace(path: str, line: bytes, writer: str) -> None:
    temporary = f"{path}.{writer}.new"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o644)
            file.write(line)
        os.rename(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
