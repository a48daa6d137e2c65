"""Something that is not the cloud: what it answers, and for how long."""
import socket
import threading

import pytest

from econduit_terminal.sandbox.lab.lab_stranger import serve


@pytest.fixture
def ends():
    ours, its = socket.socketpair()
    with ours, its:
        ours.settimeout(5)
        yield ours, its


def test_it_answers_and_ends_after_its_time(ends):
    ours, its = ends
    threading.Thread(target=serve, args=(its, b"HTTP/1.1 302 Found\r\n", 0.01), daemon=True).start()
    ours.sendall(b"hello")
    assert ours.recv(100) == b"HTTP/1.1 302 Found\r\n" and ours.recv(100) == b""


def test_it_says_nothing_and_stays(ends):
    ours, its = ends
    serving = threading.Thread(target=serve, args=(its, b"", None), daemon=True)
    serving.start()
    ours.sendall(b"hello")
    ours.shutdown(socket.SHUT_WR)
    assert ours.recv(100) == b"", "it ends when we do"
    serving.join(5)
    assert not serving.is_alive()
