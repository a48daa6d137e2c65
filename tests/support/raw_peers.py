"""A cloud and a payment application of sockets alone, for tests that say themselves which bytes go when."""
import queue
import socket
import threading
import time

PATIENCE = 15.0
QUIET = 0.05
"""Seconds without a byte after which a request is taken to be here as a whole."""


class _Listener:
    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._listener.close()


class RawConnection:
    """The cloud's end of a connection."""

    def __init__(self, sock):
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.received = b""

    def send(self, *pieces):
        """Bytes, and between them pauses in seconds."""
        for piece in pieces:
            if isinstance(piece, bytes):
                self.sock.sendall(piece)
            else:
                time.sleep(piece)

    def expect(self, data):
        """Read until `data` came; returns what stood in front of it."""
        while data not in self.received:
            more = self.sock.recv(65536)
            assert more, f"the end instead of {data}, after {self.received}"
            self.received += more
        before, _, self.received = self.received.partition(data)
        return before

    def quiet(self, seconds):
        """What comes within `seconds`, and came before unread; the end of the stream ends the wait."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                if not (more := self.sock.recv(65536)):
                    break
            except TimeoutError:
                break
            except ConnectionResetError:
                break
            self.received += more
        self.sock.settimeout(PATIENCE)
        data, self.received = self.received, b""
        return data


class RawCloud(_Listener):
    """A context manager; `accept` gives the next connection."""

    def accept(self):
        return RawConnection(self._listener.accept()[0])

    def register(self, answer=b"OK-REGISTRATION\x04\x04"):
        """The next connection, whose Register was answered."""
        connection = self.accept()
        connection.expect(b"\x04\x04")
        connection.send(answer)
        return connection


class RawApp(_Listener):
    """A context manager: answers each request with `answer`, bytes and pauses, and ends the connection if `close`."""

    def __init__(self):
        super().__init__()
        self.answer = (b'{"ResultCode":"Approved"}',)
        self.close = False
        self.requests = queue.Queue()
        self._closing = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def __exit__(self, *exception):
        self._closing.set()
        super().__exit__()

    def request(self):
        """The next request that came."""
        return self.requests.get(timeout=PATIENCE)

    def no_request(self):
        return self.requests.empty()

    def _serve(self):
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._exchange, args=(RawConnection(sock),), daemon=True).start()

    def _exchange(self, connection):
        request = connection.sock.recv(1 << 20)
        request += connection.quiet(QUIET)
        self.requests.put(request)
        connection.send(*self.answer)
        if not self.close:
            self._closing.wait(PATIENCE)
        connection.sock.close()
