"""A cloud that the test itself plays, greenlet beside greenlet, and the settings of a terminal that dials it."""
import contextlib
import socket as std
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gevent
import pytest
from gevent import socket

from econduit_terminal.conf import settings
from econduit_terminal.conf.schema import Settings

PATIENCE = 10.0
EOT2 = b"\x04\x04"


class Peer:
    """The cloud's end of one connection."""

    def __init__(self, sock: Any):
        self.socket = sock
        self._rest = b""

    def message(self) -> bytes:
        """The next message of the terminal, without its end."""
        while EOT2 not in self._rest:
            data = self.socket.recv(4096)
            assert data, f"the terminal ended the connection after {self._rest!r}"
            self._rest += data
        message, _, self._rest = self._rest.partition(EOT2)
        return message

    def send(self, data: bytes) -> None:
        """These bytes."""
        self.socket.sendall(data)

    def registered(self) -> "Peer":
        """Takes the registration; returns itself."""
        assert b'"Command":"Register"' in self.message()
        self.send(b"OK-REGISTRATION")
        return self

    def ended(self) -> bool:
        """Waits until the terminal ends the connection."""
        with contextlib.suppress(ConnectionResetError):
            while self.socket.recv(4096):
                pass
        return True

    def close(self) -> None:
        """Ends it."""
        self.socket.close()


class Door:
    """One port of the cloud."""

    def __init__(self) -> None:
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.address = self.listener.getsockname()
        self.peers: list[Peer] = []

    def accept(self) -> Peer:
        """The next connection."""
        self.peers.append(Peer(self.listener.accept()[0]))
        return self.peers[-1]

    def shut(self) -> None:
        """Refuses dials from now on; the port stays ours."""
        self.listener.close()
        self.listener = socket.socket()
        self.listener.setsockopt(std.SOL_SOCKET, std.SO_REUSEADDR, 1)
        self.listener.bind(self.address)

    def open(self) -> None:
        """Takes dials again."""
        self.listener.listen(16)


@pytest.fixture
def in_time() -> Iterator[None]:
    """Whatever a test waits for."""
    with gevent.Timeout(PATIENCE):
        yield


@pytest.fixture
def door(in_time: None) -> Iterator[Callable[[], Door]]:
    """A function that opens a port; all are closed after the test."""
    doors: list[Door] = []

    def make() -> Door:
        doors.append(Door())
        return doors[-1]
    yield make
    for each in doors:
        each.listener.close()
        for peer in each.peers:
            peer.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Any]]:
    """gevent.spawn, ended with the test; a mistake in it is the test's."""
    begun: list[Any] = []

    def spawn(function: Callable[..., Any], *arguments: Any) -> Any:
        begun.append(gevent.spawn(function, *arguments))
        return begun[-1]
    yield spawn
    gevent.killall(begun)
    for greenlet in begun:
        if greenlet.exception is not None:
            raise greenlet.exception


@pytest.fixture
def quick() -> Settings:
    """The shipped settings, with times for a test."""
    shipped = settings.load(None)
    return replace(
        shipped, heartbeat=replace(shipped.heartbeat, interval=0.2, ack_timeout=0.3),
        registration=replace(shipped.registration, timeout=0.3),
        reconnect=replace(shipped.reconnect, first_retry=0.01, base_delay=0.02, max_delay=0.05, crowded_delay=0.05,
                          secondary_after=0.1, connect_timeout=0.5, primary_retry=0.2, stable_after=30.0))
