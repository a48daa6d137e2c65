"""A cloud and a payment application of sockets alone, for tests that say themselves which bytes go when."""
import queue
import socket
import threading
import time
from typing import Self

PATIENCE = 15.0
QUIET = 0.05
"""Seconds without a byte after which a request is taken to be here as a whole."""


class RawConnection:
    """One end of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.received = b""

    def send(self, *pieces: bytes | float) -> None:
        """Bytes, and between them pauses in seconds."""
        for piece in pieces:
            if isinstance(piece, bytes):
                self.sock.sendall(piece)
            else:
                time.sleep(piece)

    def expect(self, data: bytes) -> bytes:
        """Read until `data` came; returns what stood in front of it."""
        while data not in self.received:
            more = self.sock.recv(65536)
            assert more, f"the end instead of {data!r}, after {self.received!r}"
            self.received += more
        before, _, self.received = self.received.partition(data)
        return before

    def quiet(self, seconds: float) -> bytes:
        """What comes within `seconds`, and came before unread; the end of the stream ends the wait."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                if not (more := self.sock.recv(65536)):
                    break
            except (TimeoutError, ConnectionResetError):
                break
            self.received += more
        self.sock.settimeout(PATIENCE)
        data, self.received = self.received, b""
        return data


class Listener:
    """A port on 127.0.0.1. A context manager."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.close()


class RawCloud(Listener):
    """`accept` gives the next connection."""

    def accept(self) -> RawConnection:
        return RawConnection(self._listener.accept()[0])

    def register(self, answer: bytes = b"OK-REGISTRATION\x04\x04") -> RawConnection:
        """The next connection, whose Register was answered."""
        connection = self.accept()
        connection.expect(b"\x04\x04")
        connection.send(answer)
        return connection


class RawApp(Listener):
    """Answers each request with `answer`, bytes and pauses, and ends the connection if `close`."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: tuple[bytes | float, ...] = (b'{"ResultCode":"Approved"}',)
        self.close = False
        self.requests: queue.Queue[bytes] = queue.Queue()
        self._closing = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def __exit__(self, *exception: object) -> None:
        self._closing.set()
        super().__exit__()

    def request(self) -> bytes:
        """The next request that came."""
        return self.requests.get(timeout=PATIENCE)

    def no_request(self) -> bool:
        return self.requests.empty()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._exchange, args=(RawConnection(sock),), daemon=True).start()

    def _exchange(self, connection: RawConnection) -> None:
        request = connection.sock.recv(1 << 20)
        request += connection.quiet(QUIET)
        self.requests.put(request)
        connection.send(*self.answer)
        if not self.close:
            self._closing.wait(PATIENCE)
        connection.sock.close()
