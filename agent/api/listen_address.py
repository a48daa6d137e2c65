"""Where the local API listens: a Unix socket with the right mode and owner, and a TCP address."""
import contextlib
import grp
import logging
import os
import stat
from pathlib import Path
from typing import Protocol

from gevent import socket

from econduit_terminal.conf.values import Endpoint

BACKLOG = 512
GROUP = "econduit"

log = logging.getLogger("api")


class Unusable(Exception):
    """Why a listener cannot be bound, and what to do."""


class ListenAddress(Protocol):
    """str() is for people."""

    def bind(self) -> socket.socket:
        """A listening socket. Raises Unusable."""

    def ours(self) -> bool:
        """Clients still find the socket that was bound."""

    def release(self) -> None:
        """Remove what `bind` left in the file system."""


class UnixAddress:
    """A Unix socket, 0660, `group`'s where there is one. Replaces a stale one only: where nobody answers."""

    def __init__(self, path: str | Path, group: str = GROUP):
        self._path = str(path)
        self._group = group
        self._inode: int | None = None

    def __str__(self) -> str:
        return self._path

    def bind(self) -> socket.socket:
        self._clear()
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        old = os.umask(0o117)
        try:
            bound.bind(self._path)
        except OSError as error:
            bound.close()
            raise Unusable(f"{self._path} cannot be bound ({error.strerror or error}); local.socket needs a path of 107"
                           " bytes at most in a directory that exists and that the agent may write") from None
        finally:
            os.umask(old)
        self._inode = os.stat(self._path).st_ino
        self._hand_to_group()
        bound.listen(BACKLOG)
        return bound

    def ours(self) -> bool:
        try:
            return os.stat(self._path).st_ino == self._inode
        except OSError:
            return False

    def release(self) -> None:
        if self.ours():
            os.unlink(self._path)
        self._inode = None

    def _clear(self) -> None:
        try:
            mode = os.lstat(self._path).st_mode
        except OSError:
            return
        if not stat.S_ISSOCK(mode):
            raise Unusable(f"{self._path} is there and not a socket; remove it or name another path in local.socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect(self._path)
            except (ConnectionRefusedError, FileNotFoundError):
                pass
            except OSError as error:
                raise Unusable(f"{self._path} is in use ({error}); stop the process that serves it") from None
            else:
                raise Unusable(f"{self._path} is served by another process; stop that one")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def _hand_to_group(self) -> None:
        try:
            os.chown(self._path, -1, grp.getgrnam(self._group).gr_gid)
        except KeyError:
            pass  # no such group here: the agent's own user and group alone
        except OSError as error:
            log.warning("%s: group %s cannot be set (%s); its members may not open it", self._path,
                        self._group, error.strerror)


class TcpAddress:
    """A TCP address."""

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint

    def __str__(self) -> str:
        return f"http://{self._endpoint}/"

    def bind(self) -> socket.socket:
        host, port = self._endpoint
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
            bound = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            raise Unusable(f"{self._endpoint} is no address to listen on ({error}); correct local.display") from None
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(BACKLOG)
        except OSError as error:
            bound.close()
            raise Unusable(f"{self._endpoint} cannot be bound ({error.strerror or error}); stop the program that uses"
                           " it or set another local.display") from None
        return bound

    def ours(self) -> bool:
        return True

    def release(self) -> None:
        """Nothing is left behind."""
