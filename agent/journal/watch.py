"""Is what is at the journal's path still the file that is open? Somebody may remove it, rename another over it,
mount something over its directory, or write into it.

SQLite keeps using the file that it has opened, wherever the path leads; what it writes then is gone with the process.
"""
import os
from pathlib import Path

FAMILIES = ("", "-wal", "-shm")
_HEADER = 100
"""Bytes of the database's header (sqlite.org/fileformat2.html, 1.3). It changes when the write-ahead log is emptied,
which `Journal.tidy` alone does (`wal_autocheckpoint` is 0)."""


class Watch:
    """Makes the file where it is missing, for its owner alone; SQLite gives its -wal and -shm the same mode.

    Its descriptor stays open as long as SQLite's: closing any of them would give up SQLite's locks on the file
    (sqlite.org/howtocorrupt.html, 2.2).
    """

    def __init__(self, path: Path):
        """Raises OSError."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._open = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.fchmod(self._open, 0o600)
        self._header = b""
        self._inodes: dict[str, tuple[int, int]] = {}

    def begin(self) -> None:
        """SQLite has opened them."""
        self._inodes[""] = _identity(os.fstat(self._open))
        for family in FAMILIES[1:]:
            if (inode := self._inode(family)) is not None:
                self._inodes[family] = inode
        self.written()

    def written(self) -> None:
        """SQLite has written into the file itself."""
        self._header = os.pread(self._open, _HEADER, 0)

    def tampering(self) -> str | None:
        """What happened to the files, for people. Raises OSError."""
        for family, inode in self._inodes.items():
            now = self._inode(family)
            if now != inode:
                return f"{self._path}{family} was {'removed' if now is None else 'replaced by another file'}"
        return f"{self._path} was written into by another program" if self.written_into else None

    @property
    def written_into(self) -> bool:
        """The file is the one that is open, and not as SQLite left it."""
        return self._inode("") == self._inodes[""] and os.pread(self._open, _HEADER, 0) != self._header

    @property
    def lookalike(self) -> bool:
        """The path leads to a file of the same number on another disk: SQLite takes it for its own when it closes."""
        inode = self._inode("")
        return inode is not None and inode != self._inodes[""] and inode[1] == self._inodes[""][1]

    def close(self) -> None:
        if self._open >= 0:
            os.close(self._open)
            self._open = -1

    def _inode(self, family: str) -> tuple[int, int] | None:
        try:
            return _identity(os.stat(f"{self._path}{family}"))
        except (FileNotFoundError, NotADirectoryError):
            return None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
