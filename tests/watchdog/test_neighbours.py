"""The neighbour table: datagrams as the kernel writes them, and the kernel itself."""
import os
import socket
import struct
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, strategies

from econduit_terminal.watchdog import neighbours, rtnetlink
from econduit_terminal.watchdog.neighbours import NUD_FAILED, NUD_REACHABLE, Neighbour

LO = socket.if_nametoindex("lo")
MAC = bytes.fromhex("020000000001")


def attribute(kind, value):
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def entry(address, state, confirmed=250, index=LO, ages=True, mac=b""):
    """The body of one RTM_NEWNEIGH message (rtnetlink(7))."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    body = struct.pack("=BxxxiHBB", family, index, state, 0, 1) + attribute(1, socket.inet_pton(family, address))
    body += attribute(2, mac) if mac else b""
    return body + (attribute(3, struct.pack("=IIII", confirmed, 0, 0, 0)) if ages else b"")


@pytest.mark.parametrize("name, body, found", [
    ("nothing", b"", None),
    ("IPv4", entry("192.0.2.1", NUD_REACHABLE), Neighbour("lo", "192.0.2.1", NUD_REACHABLE, 2.5)),
    ("IPv6", entry("2001:db8::1", NUD_FAILED, 0), Neighbour("lo", "2001:db8::1", NUD_FAILED, 0.0)),
    ("no ages", entry("192.0.2.1", NUD_REACHABLE, ages=False), Neighbour("lo", "192.0.2.1", NUD_REACHABLE, 0.0)),
    ("interface gone", entry("192.0.2.1", NUD_REACHABLE, index=2**30), Neighbour("", "192.0.2.1", NUD_REACHABLE, 2.5)),
    ("with its MAC", entry("192.0.2.1", 0x04, mac=MAC), Neighbour("lo", "192.0.2.1", 0x04, 2.5, "02:00:00:00:00:01")),
    ("a MAC of a while ago", entry("192.0.2.1", NUD_FAILED, mac=MAC), Neighbour("lo", "192.0.2.1", NUD_FAILED, 2.5)),
    ("no MAC at all", entry("192.0.2.1", 0x40, mac=bytes(6)), Neighbour("lo", "192.0.2.1", 0x40, 2.5)),
    ("no address", struct.pack("=BxxxiHBB", 2, LO, 2, 0, 1), None),
])
def test_entries(name, body, found):
    assert neighbours._entry(body) == found


@pytest.mark.parametrize("state, silent", [(0x01, None), (0x02, False), (0x04, False), (0x20, True), (0x80, False)])
def test_silence(state, silent):
    assert Neighbour("eth0", "192.0.2.1", state, 0.0).silent is silent


@given(strategies.binary())
def test_any_bytes(body):
    neighbours._entry(body)


def test_reading_asks_the_kernel_alone():
    assert all(isinstance(one, Neighbour) and one.heard >= 0 for one in neighbours.table())


def test_a_kernel_that_does_not_say(monkeypatch):
    def refused(*arguments):
        raise PermissionError

    monkeypatch.setattr(rtnetlink, "NetlinkSocket", refused)
    assert neighbours.table() == ()
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
        assert there.state & neighbours.NUD_REACHABLE and there.heard < 5 and there.mac == "02:00:00:00:00:02", there
        known = {entry.address: entry.silent for entry in neighbours.table() if entry.interface == "eth0"}
        wanted = {"192.0.2.2": False, "192.0.2.3": True, "192.0.2.4": None}
        assert {address: known[address] for address in wanted} == wanted, neighbours.table()
        assert neighbours.find("eth0", "192.0.2.9") is None and neighbours.find("eth9", "192.0.2.2") is None
    """
    done = subprocess.run(["unshare", "--net", sys.executable, "-c", textwrap.dedent(script)], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0, done.stderr
