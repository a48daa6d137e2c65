"""A terminal's socket: what is read and written, and how each of its ends is told."""
import socket
import struct
import time

import pytest

from econduit_terminal.sandbox.cloud.terminal_socket import Ended, TerminalSocket


@pytest.fixture
def ends():
    """The cloud's end, and the terminal's."""
    with (socket.create_server(("127.0.0.1", 0)) as server,
          socket.create_connection(server.getsockname(), 5) as terminal, server.accept()[0] as ours):
        yield TerminalSocket(ours), terminal


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_reads_what_comes_and_tells_silence_from_the_end(ends):
    ours, terminal = ends
    terminal.sendall(b"hello")
    assert ours.read(5) == b"hello"
    with pytest.raises(TimeoutError):
        ours.read(0.01)
    assert not ours.gone()
    terminal.shutdown(socket.SHUT_WR)
    assert ours.read(5) == b"" and ours.gone()


def test_a_reset_is_told_by_whoever_meets_it(ends):
    ours, terminal = ends
    reset(terminal)
    with pytest.raises(Ended, match=r"^reset by the terminal$"):
        ours.read(5)
    with pytest.raises(Ended, match="^sending failed: "):
        ours.write(b"hello", 5, (), 0)


def test_segments_have_their_sizes_and_the_last_repeats():
    sent = []

    class Recorder:
        settimeout = setsockopt = staticmethod(lambda *arguments: None)
        sendall = staticmethod(sent.append)

    ours = TerminalSocket(Recorder())
    ours.write(b"abcdef", 5, (1, 2), 0)
    ours.write(b"abcdef", 5, (), 0)
    assert sent == [b"a", b"bc", b"de", b"f", b"abcdef"]


def test_who_reads_nothing_costs_a_bounded_time(ends):
    ours, _ = ends
    with pytest.raises(Ended, match=r"^the terminal reads nothing$"):
        ours.write(bytes(1 << 26), 0.1, (), 0)


def test_a_pause_is_over_when_the_terminal_leaves(ends):
    ours, terminal = ends
    began = time.monotonic()
    ours.pause(0.05)
    assert time.monotonic() >= began + 0.05
    terminal.close()
    with pytest.raises(Ended, match="while the cloud was slow"):
        ours.write(b"abc", 60, (1,), 60)
    assert time.monotonic() < began + 30


@pytest.mark.parametrize("rst", [False, True])
def test_is_closed_or_reset(ends, rst):
    ours, terminal = ends
    ours.close(rst)
    if rst:
        with pytest.raises(ConnectionResetError):
            terminal.recv(1)
    else:
        assert terminal.recv(1) == b""
    assert ours.gone()
