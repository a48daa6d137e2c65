"""Reads a connection, one chunk ahead: what is not taken stays in the kernel, so that no cloud can fill our memory."""
import errno
from collections.abc import Callable
from typing import Protocol

import gevent
from gevent.queue import Queue


class Source(Protocol):
    """What is read (connection.Connection)."""

    def receive(self) -> bytes: ...


class Reader:
    """wake: called when there is something to take."""

    def __init__(self, source: Source, wake: Callable[[], None]):
        self._source = source
        self._wake = wake
        self._inbox: Queue[bytes | Exception] = Queue(maxsize=1)
        self._greenlet: gevent.Greenlet[[], None] | None = None
        self._handing_over = False      # what was read waits for its place in the inbox, or was just put there

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._read)

    def close(self) -> None:
        if self._greenlet:
            self._greenlet.kill()

    @property
    def empty(self) -> bool:
        """Nothing is here to take."""
        return self._inbox.empty() and not self._handing_over

    def take(self) -> bytes | None:
        """The next chunk; None while there is none. Raises OSError at the end, EPIPE if the peer ended the stream."""
        if self._inbox.empty():
            return None
        data = self._inbox.get_nowait()
        if isinstance(data, Exception):
            raise data
        if not data:
            raise OSError(errno.EPIPE, "")
        return data

    def _read(self) -> None:
        try:
            while True:
                data = self._source.receive()
                self._handing_over = True
                self._inbox.put(data)
                self._handing_over = False
                self._wake()
                if not data:
                    return
        except Exception as error:  # noqa: BLE001  a bug, too: it is raised where it is looked for
            self._inbox.put(error)
            self._wake()
