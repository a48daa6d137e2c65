"""The kernel's own word on the way to an address, beside ip(8)'s."""
import os
import subprocess
import sys
import textwrap

import pytest

from econduit_terminal.watchdog import routes
from econduit_terminal.watchdog.state import EndpointRoute, Route


def test_this_terminal_itself():
    assert routes.routes_to(("127.0.0.1",)) == (EndpointRoute("127.0.0.1", Route("lo")),)


def test_nothing_asked_and_nonsense():
    assert routes.routes_to(()) == () and routes.routes_to(("nowhere", "1.2.3", "", "x:y")) == ()


def test_a_kernel_that_does_not_say(monkeypatch):
    def refused(*arguments):
        raise PermissionError

    monkeypatch.setattr(routes, "NetlinkSocket", refused)
    assert routes.routes_to(("127.0.0.1",)) == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to have a network of its own")
def test_t3_ways_of_every_kind():
    script = """
        import subprocess
        from econduit_terminal.watchdog.routes import routes_to
        subprocess.run(["ip", "-batch", "-"], check=True, text=True, input='''
            link set lo up
            link add eth0 type veth peer name far
            addr add 192.0.2.1/24 dev eth0
            addr add 2001:db8::1/64 dev eth0 nodad
            link set far up
            link set eth0 up
            route add 203.0.113.0/24 via 192.0.2.254
            route add blackhole 203.0.113.66
            route add 198.51.100.7 via inet6 2001:db8::9 dev eth0
            route add default via 192.0.2.9 table 7
            rule add to 10.9.0.0/16 table 7
            route add 2001:db8:1::/64 via 2001:db8::fe
        ''')
        wanted = ("192.0.2.80", "203.0.113.10", "203.0.113.66", "8.8.8.8", "10.9.1.1", "198.51.100.7", "2001:db8::80",
                  "2001:db8:1::5", "2620:fe::9", "192.0.2.1")
        print([(one.address, one.route.interface, one.route.gateway, one.route.family) for one in routes_to(wanted)])
    """
    done = subprocess.run(["unshare", "--net", sys.executable, "-c", textwrap.dedent(script)], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert eval(done.stdout) == [
        ("192.0.2.80", "eth0", None, 4), ("203.0.113.10", "eth0", "192.0.2.254", 4),
        ("10.9.1.1", "eth0", "192.0.2.9", 4),
        ("198.51.100.7", "eth0", "2001:db8::9", 4), ("2001:db8::80", "eth0", None, 6),
        ("2001:db8:1::5", "eth0", "2001:db8::fe", 6), ("192.0.2.1", "lo", None, 4)]
