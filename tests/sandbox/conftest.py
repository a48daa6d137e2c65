"""A terminal made of a plain socket, for what the sandbox does on the wire."""
import contextlib
import json
import socket

import pytest

END = b"\x04\x04"


class PlainTerminal:
    """One connection to a port of the cloud."""

    def __init__(self, port: int, receive_buffer: int | None) -> None:
        self._sock = socket.socket()
        self._sock.settimeout(10)
        if receive_buffer:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._sock.connect(("127.0.0.1", port))

    def register(self, terminal: str, **change) -> bytes:
        """Registers; returns the answer, which comes bare."""
        fields = {"Command": "Register", "TerminalType": "Test", "TerminalModel": "M", "TerminalID": terminal,
                  "SoftwareVersion": "1", "AckHeartbeat": "true", **change}
        self.send(json.dumps(fields).encode())
        return self._sock.recv(4096)

    def online(self, terminal: str) -> "PlainTerminal":
        """Registers and returns itself."""
        assert self.register(terminal) == b"OK-REGISTRATION"
        return self

    def send(self, message: bytes) -> None:
        """Sends a message with its end."""
        self.write(message + END)

    def write(self, data: bytes) -> None:
        """Sends bytes; the other side may be gone."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._sock.sendall(data)

    def read_some(self) -> bytes:
        """What is there, at least a byte."""
        data = self._sock.recv(65536)
        assert data, "the connection ended"
        return data

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, or fewer at the end of the stream."""
        data = b""
        while len(data) < size and (part := self._sock.recv(size - len(data))):
            data += part
        return data

    def request(self) -> dict:
        """The next transaction, read byte by byte up to the end of its JSON object."""
        data = b""
        while part := self._sock.recv(1):
            data += part
            try:
                return json.loads(data)
            except ValueError:
                continue
        raise AssertionError(f"the connection ended after {data!r}")

    def ended(self) -> bool:
        """Waits until the cloud ends the connection: True for an orderly end; a reset raises ConnectionResetError."""
        while self._sock.recv(65536):
            pass
        return True

    def shut(self) -> None:
        """Sends no more."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Ends the connection."""
        self._sock.close()


@pytest.fixture
def dial():
    """A function that connects a plain terminal to a port; all are closed after the test."""
    connections = []

    def connect(port: int, receive_buffer: int | None = None) -> PlainTerminal:
        connections.append(PlainTerminal(port, receive_buffer))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()
