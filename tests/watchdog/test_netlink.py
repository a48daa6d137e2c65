"""The doorbell rings when the kernel changes something, and bears every storm."""
import errno
import os
import select
import subprocess
import sys
import textwrap

import pytest

from econduit_terminal.watchdog.netlink import Doorbell


class NetlinkSocket:
    """Stands for the netlink socket: gives what it is told to, in that order."""

    def __init__(self, *words):
        self.words = list(words)

    def recv(self, size):
        word = self.words.pop(0) if self.words else BlockingIOError()
        if isinstance(word, Exception):
            raise word
        return word


def drain(*words):
    doorbell = Doorbell()
    doorbell.close()
    doorbell._socket = NetlinkSocket(*words)
    return doorbell.drain(), doorbell._socket.words


@pytest.mark.parametrize("words, rang", [
    ((), False),
    ((b"x",), True),
    ((OSError(errno.ENOBUFS, "overflow"),), True),
    ((b"x", OSError(errno.ENOBUFS, "overflow"), b"x"), True),
])
def test_a_message_or_an_overflow_is_a_ring(words, rang):
    assert drain(*words) == (rang, [])


def test_a_storm_is_left_to_the_next_call():
    rang, left = drain(*[b"x"] * 5000)
    assert rang and len(left) == 4000


def test_another_error_is_nothing_to_go_on_with():
    with pytest.raises(OSError, match="broken"):
        drain(OSError(errno.EBADF, "broken"))


def test_silence_is_no_ring():
    doorbell = Doorbell(groups=0)
    assert not select.select([doorbell], [], [], 0)[0] and not doorbell.drain()
    doorbell.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to change a network of its own")
def test_the_kernel_rings_for_links_addresses_and_routes():
    """In a network namespace of its own; also more messages than the socket's buffer holds."""
    script = """
        import socket, subprocess
        from econduit_terminal.watchdog.netlink import Doorbell
        doorbell = Doorbell()
        doorbell._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        for change in ("link add eth0 type veth peer name far", "addr add 192.0.2.1/24 dev eth0",
                       "link set eth0 up", "route add 198.51.100.0/24 dev eth0", "-6 addr add 2001:db8::1/64 dev eth0"):
            subprocess.run(["ip", *change.split()], check=True)
            assert doorbell.drain(), change
            assert not doorbell.drain(), change
        routes = "".join(f"route add 10.{number}.0.0/16 dev eth0\\n" for number in range(200))
        subprocess.run(["ip", "-batch", "-"], input=routes, text=True, check=True)
        assert doorbell.drain() and not doorbell.drain()
        subprocess.run(["ip", "link", "delete", "eth0"], check=True)
        assert doorbell.drain()
    """
    done = subprocess.run(["unshare", "--net", sys.executable, "-c", textwrap.dedent(script)], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0, done.stderr
