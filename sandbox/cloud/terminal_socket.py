"""The socket of one terminal: every wait on it is bounded, and whatever ends it is told as Ended. Knows no message."""
import socket
import struct
import time

import gevent
from gevent.lock import BoundedSemaphore

TCP_ESTABLISHED = 1
SLOW_LOOK = 0.02
"""Seconds between two looks whether the terminal is still there."""


class Ended(Exception):
    """The connection is over; the text says why."""


class TerminalSocket:
    """Read by one greenlet only; anyone may write, one after another. Times in seconds."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sending = BoundedSemaphore(1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def gone(self) -> bool:
        """Whether either side has ended the connection, read or not: only the kernel is asked."""
        try:
            return self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != TCP_ESTABLISHED
        except OSError:
            return True

    def read(self, timeout: float) -> bytes:
        """What came; nothing if the terminal has closed. Raises TimeoutError, Ended."""
        try:
            self._sock.settimeout(timeout)
            return self._sock.recv(65536)
        except TimeoutError:
            raise
        except ConnectionResetError:
            raise Ended("reset by the terminal") from None
        except OSError as error:
            raise Ended(f"reading failed: {error.strerror or error}") from None

    def write(self, data: bytes, timeout: float, sizes: tuple[int, ...], delay: float) -> None:
        """Sends bytes, whole or in segments of these sizes (the last repeats), this long apart. Raises Ended."""
        with self._sending:
            try:
                self._sock.settimeout(timeout)
                at, turn = 0, 0
                while at < len(data):
                    size = sizes[min(turn, len(sizes) - 1)] if sizes else len(data)
                    if at:
                        self.pause(delay)
                    self._sock.sendall(data[at:at + size])
                    at, turn = at + size, turn + 1
            except TimeoutError:
                raise Ended("the terminal reads nothing") from None
            except OSError as error:
                raise Ended(f"sending failed: {error.strerror or error}") from None

    def pause(self, seconds: float) -> None:
        """Waits, while the terminal is there. Raises Ended."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self.gone():
                raise Ended("closed by the terminal while the cloud was slow")
            gevent.sleep(min(left, SLOW_LOOK))

    def close(self, rst: bool) -> None:
        """Gives it back to the kernel (`rst`: with a TCP reset). Raises OSError."""
        if rst:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()
