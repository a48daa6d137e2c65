"""The neighbour table: datagrams as the kernel writes them, and the kernel itself."""
import os
import socket
import struct
import subprocess
import sys
import textwrap

import pytest
from econduit_terminal.watchdog import neighbours
from econduit_terminal.watchdog.neighbours import NUD_FAILED, NUD_REACHABLE, Neighbour
from hypothesis import given, strategies

LO = socket.if_nametoindex("lo")


def attribute(kind, value):
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def entry(address, state, confirmed=250, index=LO, ages=True):
    """One RTM_NEWNEIGH message (rtnetlink(7))."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    body = struct.pack("=BxxxiHBB", family, index, state, 0, 1) + attribute(1, socket.inet_pton(family, address))
    body += attribute(3, struct.pack("=IIII", confirmed, 0, 0, 0)) if ages else b""
    return struct.pack("=IHHII", 16 + len(body), 28, 2, 1, 0) + body


DONE = struct.pack("=IHHII", 20, 3, 2, 1, 0) + bytes(4)


def parse(data):
    found = []
    return neighbours._parse(data, found), found


@pytest.mark.parametrize("data, last, found", [
    (b"", False, []),
    (DONE, True, []),
    (entry("192.0.2.1", NUD_REACHABLE), False, [Neighbour("lo", "192.0.2.1", NUD_REACHABLE, 2.5)]),
    (entry("2001:db8::1", NUD_FAILED, 0) + DONE, True, [Neighbour("lo", "2001:db8::1", NUD_FAILED, 0.0)]),
    (entry("192.0.2.1", NUD_REACHABLE, ages=False), False, [Neighbour("lo", "192.0.2.1", NUD_REACHABLE, 0.0)]),
    (entry("192.0.2.1", NUD_REACHABLE, index=2**30), False, [Neighbour("", "192.0.2.1", NUD_REACHABLE, 2.5)]),
    (struct.pack("=IHHII", 3, 28, 2, 1, 0), True, []),
], ids=["nothing", "the end", "IPv4", "IPv6 and the end", "no ages", "interface gone", "nonsense"])
def test_datagrams(data, last, found):
    assert parse(data) == (last, found)


@given(strategies.lists(strategies.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"])))
def test_every_entry_of_a_datagram_is_found(addresses):
    last, found = parse(b"".join(entry(address, NUD_REACHABLE) for address in addresses) + DONE)
    assert last and [one.address for one in found] == addresses


def test_reading_asks_the_kernel_alone():
    assert all(isinstance(one, Neighbour) and one.heard >= 0 for one in neighbours.table())


def test_a_kernel_that_does_not_say(monkeypatch):
    def refused(*arguments):
        raise PermissionError

    monkeypatch.setattr(neighbours.socket, "socket", refused)
    assert neighbours.table() == () and neighbours.silent() == {}
    assert neighbours.find("eth0", "192.0.2.1") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to have a network of its own")
def test_what_the_kernel_knows():
    script = """
        import subprocess
        from econduit_terminal.watchdog import neighbours
        subprocess.run(["ip", "-batch", "-"], check=True, text=True, input='''
            link add eth0 type veth peer name far
            addr add 192.0.2.1/24 dev eth0
            link set far up
            link set eth0 up
            neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev eth0 nud reachable
            neigh add 192.0.2.3 dev eth0 nud failed
            neigh add 192.0.2.4 dev eth0 nud incomplete
        ''')
        there = neighbours.find("eth0", "192.0.2.2")
        assert there.state & neighbours.NUD_REACHABLE and there.heard < 5, there
        known = neighbours.silent()
        assert known == {("eth0", "192.0.2.2"): False, ("eth0", "192.0.2.3"): True}, neighbours.table()
        assert neighbours.find("eth0", "192.0.2.9") is None and neighbours.find("eth9", "192.0.2.2") is None
    """
    done = subprocess.run(["unshare", "--net", sys.executable, "-c", textwrap.dedent(script)], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0, done.stderr
