"""The record of the kernel, from bytes and from real sockets."""
import socket
import struct
import termios

import pytest

from econduit_terminal.agent.cloud import tcp_info


@pytest.fixture
def pair():
    """Both ends of a connection on the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as server, \
            socket.create_connection(server.getsockname()) as near, server.accept()[0] as far:
        yield near, far


class Emulated:
    """A socket whose TCP_INFO is cut to a number of bytes."""

    def __init__(self, real, length):
        self._real, self._length = real, length

    def fileno(self):
        return self._real.fileno()

    def getsockopt(self, level, option, length):
        return self._real.getsockopt(level, option, length)[:self._length]


def structure(size=248, **fields):
    """A struct tcp_info, laid out by hand from linux/tcp.h."""
    offsets = {"state": ("B", 0), "probes": ("B", 3), "snd_mss": ("I", 16), "unacked": ("I", 24), "sacked": ("I", 28),
               "last_data_recv": ("I", 52), "last_ack_recv": ("I", 56), "rtt": ("I", 68), "rttvar": ("I", 72),
               "bytes_received": ("Q", 128), "segs_in": ("I", 140), "notsent_bytes": ("I", 144)}
    data = bytearray(size)
    for name, value in fields.items():
        letter, offset = offsets[name]
        struct.pack_into(f"={letter}", data, offset, value)
    return bytes(data)


def test_every_field_is_read_from_its_place():
    numbers = {"state": 1, "probes": 3, "snd_mss": 6, "unacked": 7, "sacked": 8, "bytes_received": 2**41,
               "segs_in": 11, "notsent_bytes": 12}
    times = {"rtt": 1_500, "rttvar": 750, "last_data_recv": 2_500, "last_ack_recv": 90_061}
    info = tcp_info.parse(structure(**numbers, **times), outq=99, behind_hole=True)
    assert {name: getattr(info, name) for name in numbers} == numbers
    assert (info.rtt, info.rttvar) == pytest.approx((0.0015, 0.00075))
    assert (info.last_data_recv, info.last_ack_recv) == pytest.approx((2.5, 90.061))
    assert info.outq == 99 and info.behind_hole


@pytest.mark.parametrize("length", [0, 1, 4, 104, 147])
def test_a_short_structure_is_no_record(length):
    assert tcp_info.parse(structure(size=length)) is None


def test_a_longer_structure_of_a_newer_kernel():
    assert tcp_info.parse(structure(size=280, segs_in=3)).segs_in == 3


def test_a_real_connection(pair):
    near, far = pair
    for _ in range(5):
        near.sendall(b"x" * 202)
        assert len(far.recv(202, socket.MSG_WAITALL)) == 202
    far.sendall(b"y")
    assert near.recv(1) == b"y"         # with it came the last acknowledgement
    info = tcp_info.read(near)
    assert info.state == tcp_info.state(near) == tcp_info.ESTABLISHED
    assert info.outq == info.unacked == 0 and info.segs_in >= 1
    assert tcp_info.read(far).bytes_received == 1010
    assert 0 < info.rtt < 1 and 0 < info.rttvar < 1 and info.snd_mss > 500
    assert info.last_ack_recv < 60 and info.last_data_recv < 60


def test_what_the_peer_does_not_take_is_not_acknowledged(pair):
    near, far = pair
    near.setblocking(False)
    sent = 0
    with pytest.raises(BlockingIOError):
        while True:
            sent += near.send(b"x" * 65536)
    info = tcp_info.read(near)
    assert 0 < info.outq <= sent and info.outq == tcp_info.unacknowledged(near)
    assert tcp_info.readable(far) > 0


def test_what_waits_to_be_read_is_behind_no_hole(pair):
    """What is: tests/lab/test_liveness.py."""
    near, far = pair
    far.sendall(b"x" * 1000)
    assert near.recv(1000, socket.MSG_PEEK)
    assert not tcp_info.read(near).behind_hole
    near.recv(1000, socket.MSG_WAITALL)
    assert not tcp_info.read(near).behind_hole


def test_a_kernel_that_does_not_tell_its_memory(pair):
    class Deaf(Emulated):
        def getsockopt(self, level, option, length):
            if level == socket.SOL_SOCKET:
                raise OSError(92, "Protocol not available")
            return super().getsockopt(level, option, length)

    assert tcp_info.read(Deaf(pair[0], 999)).behind_hole is False


def test_an_emulator_says_too_little(pair):
    assert tcp_info.read(Emulated(pair[0], 4)) is None
    assert tcp_info.state(Emulated(pair[0], 4)) == tcp_info.ESTABLISHED


def test_a_closed_socket_says_nothing(pair):
    pair[0].close()
    assert tcp_info.read(pair[0]) is None


def test_what_is_no_tcp_socket_says_nothing():
    with socket.socket(socket.AF_UNIX) as other:
        assert tcp_info.read(other) is None


def test_the_ioctl_is_the_one_of_tcp_7():
    assert termios.TIOCOUTQ == 0x5411 and termios.FIONREAD == 0x541B
