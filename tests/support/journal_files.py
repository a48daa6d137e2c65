"""What somebody may do to the journal's files while they are open."""
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path


def another(path: Path) -> Path:
    """A journal of somebody else's, as a file."""
    other = path.with_name("other")
    other.unlink(missing_ok=True)
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    return other


def directory_in_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


WHAT_HAPPENS: dict[str, tuple[Callable[[Path], object], str]] = {
    "removed": (lambda path: path.unlink(), "journal.sqlite3 was removed"),
    "directory removed": (lambda path: shutil.rmtree(path.parent), "journal.sqlite3 was removed"),
    "directory renamed": (lambda path: path.parent.rename(f"{path.parent}.old"), "journal.sqlite3 was removed"),
    "renamed over": (lambda path: os.replace(another(path), path), "journal.sqlite3 was replaced by another file"),
    "a directory in its place": (directory_in_place, "was replaced by another file"),
    "log removed": (lambda path: os.unlink(f"{path}-wal"), "journal.sqlite3-wal was removed"),
    "log replaced": (lambda path: os.replace(another(path), f"{path}-wal"), "journal.sqlite3-wal was replaced"),
    "index removed": (lambda path: os.unlink(f"{path}-shm"), "journal.sqlite3-shm was removed"),
    "truncated": (lambda path: os.truncate(path, 0), "journal.sqlite3 was written into by another program"),
    "copied over": (lambda path: path.write_bytes(another(path).read_bytes()), "was written into"),
    "zeroed": (lambda path: path.write_bytes(bytes(path.stat().st_size)), "was written into"),
}
