"""The snapshot, from a tree of files as the kernel would show it, and beside what ip(8) says of this machine."""
import errno
import ipaddress
import json
import shutil
import socket
import subprocess
from types import SimpleNamespace

import netifaces
import pytest

from econduit_terminal.contract.network_report import Kind
from econduit_terminal.watchdog import snapshot
from econduit_terminal.watchdog.agent_status import AgentStatus
from econduit_terminal.watchdog.ip_config import Address
from econduit_terminal.watchdog.neighbours import NUD_FAILED, NUD_INCOMPLETE, NUD_REACHABLE, Neighbour
from econduit_terminal.watchdog.state import EndpointRoute, Route
from econduit_terminal.watchdog.verdict import judge

ROUTE = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
VIA_WLAN = "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
VIA_ETH = "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
PPP = "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
REJECTED = "*\t00000000\t00000000\t0201\t0\t0\t-1\t00000000\t0\t0\t0\n"
NET = "eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
ZEROS = "0" * 32
VIA_6 = f"{ZEROS} 00 {ZEROS} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n"
LO_6 = f"{ZEROS} 00 {ZEROS} 00 {ZEROS} ffffffff 00000001 00000000 00200200       lo\n"


class Machine:
    """A made-up machine: /sys/class/net and /proc/net as files, and what netifaces and psutil would say."""

    def __init__(self, folder):
        self.sysfs, self.proc = folder / "sys", folder / "proc"
        self.sysfs.mkdir()
        self.proc.mkdir()
        self.addresses, self.gateways, self.neighbours, self.stats = {}, {}, [], {}
        self.endpoint_routes, self.ssids, self.unpaired = {}, {}, None
        self.routes()
        self.interface("lo", type=772, operstate="unknown", addresses=("127.0.0.1",), hardware=False)

    def interface(self, name, *, operstate="up", carrier="1", changes=1, type=1, addresses=(), hardware=True, marks=(),
                  flags="0x1003"):
        folder = self.sysfs / name
        folder.mkdir(exist_ok=True)
        files = {"operstate": operstate, "carrier": carrier, "carrier_changes": changes, "type": type, "flags": flags}
        for file, text in files.items():
            if text is not None:
                (folder / file).write_text(f"{text}\n")
            else:
                (folder / file).unlink(missing_ok=True)     # as good as the kernel's EINVAL: it cannot be read
        for mark in (*marks, *(["device"] if hardware else [])):
            (folder / mark).mkdir(exist_ok=True)
        self.addresses[name] = [
            Address(socket.AF_INET6, text, 64) if ":" in text
            else Address(socket.AF_INET, text, 24) for text in addresses
        ] + [Address(socket.AF_PACKET, "02:00:00:00:00:01")]

    def routes(self, *lines, ipv6=()):
        (self.proc / "route").write_text(ROUTE + "".join(lines))
        (self.proc / "ipv6_route").write_text("".join(ipv6))

    def read(self, *named, endpoints=()):
        return snapshot.read(named, endpoints, self.sysfs, self.proc, snapshot.Sources(
            addresses=self._addresses, flags=lambda: self.stats, gateways=lambda: self.gateways,
            table=lambda: self.neighbours, ssid=self.ssids.get, unpaired=lambda: self.unpaired,
            endpoint_routes=lambda wanted: tuple(filter(None, map(self.endpoint_routes.get, wanted)))))


    def _addresses(self):
        if self.addresses is None:
            raise OSError(errno.ENOBUFS, "No buffer space available")
        return self.addresses


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def names(state):
    return [one.name for one in state.counting]


@pytest.mark.parametrize("name, operstate, carrier, addresses, usable, verdict", [
    ("associated", "up", "1", ("192.168.0.7",), True, "connecting"),
    ("dormant: the key is not agreed on yet", "dormant", "1", ("192.168.0.7",), False, "Wi-Fi lost"),
    ("lost", "down", "0", ("192.168.0.7",), False, "Wi-Fi lost"),
    ("switched off", "down", None, (), False, "network switched off"),
    ("associated, DHCP not done", "up", "1", (), False, "no address"),
    ("associated, nobody gave an address", "up", "1", ("169.254.7.7", "fe80::7%wlan0"), False, "no address"),
])
@pytest.mark.parametrize("mark", ["wireless", "phy80211"])
def test_wifi(machine, mark, name, operstate, carrier, addresses, usable, verdict):
    machine.interface("wlan0", operstate=operstate, carrier=carrier, addresses=addresses, marks=[mark],
                      flags="0x1002" if carrier is None else "0x1003")
    machine.routes(VIA_WLAN)
    state = machine.read()
    assert state.interface("wlan0").kind is Kind.WIFI
    assert bool(state.usable) == usable
    assert judge(None, state, None, AgentStatus()).reason == verdict


def test_addresses_that_the_kernel_does_not_tell_at_the_moment_are_not_lost(machine):
    """No memory for a netlink socket, no descriptor left: a connection that works must not end for that."""
    machine.interface("eth0", addresses=("192.168.2.7",))
    machine.routes(VIA_ETH)
    online, before = AgentStatus(True, "192.168.2.7", "eth0"), machine.read()
    held, machine.addresses = machine.addresses, None
    untold = machine.read()
    verdict = judge(before, untold, None, online)
    assert (verdict.reason, verdict.lost, verdict.usable, verdict.verify) == ("online", (), True, False)
    machine.addresses = held
    verdict = judge(untold, machine.read(), None, online, last=verdict)
    assert (verdict.reason, verdict.lost, verdict.verify) == ("online", (), False)


def test_wifi_out_of_range_and_back(machine):
    """As a radio does it: up, gone, seen again, authorised; the address stays all the time."""
    steps = []
    for operstate, carrier, changes in (("up", 1, 1), ("down", 0, 2), ("dormant", 1, 3), ("up", 1, 3)):
        machine.interface("wlan0", operstate=operstate, carrier=carrier, changes=changes,
                          addresses=("192.168.0.7",), marks=["wireless"])
        machine.routes(VIA_WLAN)
        steps.append(machine.read())
    carrier = AgentStatus(True, "192.168.0.7", "wlan0")
    gone = judge(steps[0], steps[1], None, carrier)
    assert gone.lost == (("192.168.0.7", "Wi-Fi lost"),)
    assert not judge(steps[1], steps[2], None, carrier._replace(online=False)).dial
    assert judge(steps[2], steps[3], None, carrier._replace(online=False)).dial


def test_what_counts(machine):
    machine.interface("eth0")
    machine.interface("wlan0", marks=["wireless"])
    machine.interface("docker0", hardware=False, marks=["bridge"], addresses=("172.17.0.1",))
    machine.interface("veth1", hardware=False, marks=["master"])
    machine.interface("tun0", hardware=False, type=65534, marks=["tun_flags"])
    machine.interface("wg0", hardware=False, type=65534)
    machine.interface("dummy0", hardware=False)
    machine.interface("ppp0", hardware=False, type=512)
    machine.interface("eth0.7", hardware=False, marks=["lower_eth0"])
    assert names(machine.read()) == ["eth0", "eth0.7", "ppp0", "wlan0"]
    assert names(machine.read("tun0", "eth9")) == ["tun0"]


@pytest.mark.parametrize("name, type, kind", [("wwan0", 1, Kind.OTHER), ("wwp0s20u4", 1, Kind.OTHER),
                                              ("wwan0", 65534, Kind.OTHER), ("eth0", 1, Kind.ETHERNET)])
def test_a_modem_has_no_cable_whatever_it_calls_itself(machine, name, type, kind):
    """MBIM modems are Ethernet by their type (cdc_mbim.c, usbnet.c: FLAG_WWAN gives the name alone)."""
    machine.interface(name, type=type, operstate="down", carrier=0)
    state = machine.read()
    assert state.interface(name).kind is kind
    said = "cable unplugged" if kind is Kind.ETHERNET else "no address"
    assert judge(None, state, None, AgentStatus()).reason == said


def test_a_bridge_over_hardware_counts_in_place_of_its_port(machine):
    machine.interface("eth0", marks=["master"])
    machine.interface("br0", hardware=False, marks=["bridge", "lower_eth0"])
    assert names(machine.read()) == ["br0"]


def test_a_container_s_only_interface_counts(machine):
    machine.interface("eth0", hardware=False)
    machine.interface("docker0", hardware=False, marks=["bridge"])
    assert names(machine.read()) == ["eth0"]


def test_t8_what_a_machine_without_hardware_makes_for_its_containers(machine):
    for name in ("eth0", "eth1", "veth12", "cni0", "pair0", "pair1"):
        machine.interface(name, hardware=False)
    assert names(machine.read()) == ["eth0", "eth1", "pair0", "pair1"], "where the kernel does not say"
    machine.unpaired = frozenset({"lo", "eth0", "eth1", "veth12", "cni0"})
    assert names(machine.read()) == ["eth0", "eth1"]


@pytest.mark.parametrize("only", ["veth0", "pair0"])
def test_but_its_only_interface_counts_whatever_it_is(machine, only):
    machine.interface(only, hardware=False)
    machine.unpaired = frozenset({"lo"})
    assert names(machine.read()) == [only]


def test_routes_by_metric_with_and_without_gateway(machine):
    machine.routes(VIA_WLAN, NET, VIA_ETH, REJECTED, PPP, ipv6=[LO_6, VIA_6])
    assert machine.read().routes == (
        Route("ppp0", None, 0, 4), Route("eth0", "192.168.2.1", 100, 4), Route("wlan0", "192.168.0.1", 600, 4),
        Route("eth0", "fe80::1", 1024, 6),
    )


def test_a_vpn_s_two_halves_win_over_the_default(machine):
    machine.routes(VIA_ETH, "tun0 00000000 0108080A 0003 0 0 50 00000080 0 0 0\n",
                   "tun0 00000080 0108080A 0003 0 0 50 00000080 0 0 0\n")
    assert [(route.interface, route.gateway) for route in machine.read().routes] == [
        ("tun0", "10.8.8.1"), ("eth0", "192.168.2.1")]


def test_a_private_line_without_a_default(machine):
    """Routes to the cloud's network alone, through a gateway, are a way out; where there is a default they are not."""
    private = "eth0 007100CB 0102A8C0 0003 0 0 100 00FFFFFF 0 0 0\n"
    machine.routes(NET, private, private.replace("007100CB", "00026433"))
    assert machine.read().routes == (Route("eth0", "192.168.2.1", 100, 4),)
    machine.routes(NET, private, VIA_WLAN)
    assert [route.interface for route in machine.read().routes] == ["wlan0"]
    machine.routes(NET, private, ipv6=[VIA_6])
    assert [route.family for route in machine.read().routes] == [6]


def test_what_only_netifaces_sees_comes_last(machine):
    machine.routes(VIA_ETH)
    machine.gateways = {netifaces.AF_INET: [("192.168.2.1", "eth0", True), ("10.8.0.1", "tun0", False)],
                        netifaces.AF_INET6: [("fe80::9%eth0", "eth0", True)]}
    routes = machine.read().routes
    assert [(route.interface, route.gateway) for route in routes] == [
        ("eth0", "192.168.2.1"), ("tun0", "10.8.0.1"), ("eth0", "fe80::9")]


MAC = "02:00:00:00:00:99"


@pytest.mark.parametrize("state, mac, silent, told", [
    (NUD_FAILED, None, True, None), (NUD_REACHABLE, MAC, False, MAC), (NUD_INCOMPLETE, None, None, None)])
def test_what_the_link_knows_of_the_gateways(machine, state, mac, silent, told):
    machine.routes(VIA_ETH, VIA_WLAN)
    machine.neighbours = [Neighbour("eth0", "192.168.2.1", state, 1.0, mac),
                          Neighbour("eth1", "192.168.0.1", 2, 1.0, MAC)]
    machine.endpoint_routes = {"203.0.113.10": EndpointRoute("203.0.113.10", Route("eth0", "192.168.2.1"))}
    found = machine.read(endpoints=("203.0.113.10",))
    assert [(route.silent, route.mac) for route in found.routes] == [(silent, told), (None, None)]
    route = found.endpoint_routes[0].route
    assert (route.silent, route.mac) == (silent, told), "a route to an endpoint as well"


def test_networks_and_the_name_of_the_wi_fi(machine):
    machine.interface("wlan0", addresses=("192.168.0.7", "2001:db8::7", "169.254.3.3"), marks=["wireless"])
    machine.interface("wlan1", operstate="down", carrier="0", marks=["wireless"])
    machine.ssids = {"wlan0": "Shop", "wlan1": "Old"}
    state = machine.read()
    assert state.interface("wlan0").networks == ("192.168.0.0/24", "2001:db8::/64")
    assert state.ssids == (("wlan0", "Shop"),)


def stats(flags):
    return SimpleNamespace(isup="running" in flags, flags=flags)


UP, NO_CARRIER, OFF = "up,broadcast,running,multicast", "up,broadcast,multicast", "broadcast,multicast"


@pytest.fixture
def blind(machine):
    """A machine without /sys: the addresses and the flags are all there is."""
    shutil.rmtree(machine.sysfs)
    machine.addresses = {}

    def interface(name, flags=UP, addresses=("192.168.2.7",), mac="02:00:00:00:00:01"):
        machine.addresses[name] = [
            *(Address(socket.AF_INET, text, 24) for text in addresses),
            *([Address(socket.AF_PACKET, mac)] if mac else [])]
        machine.stats[name] = stats(flags)

    interface("lo", "up,loopback,running", ("127.0.0.1",), "00:00:00:00:00:00")
    machine.interface = interface
    return machine


@pytest.mark.parametrize("name, flags, usable, verdict", [
    ("eth0", UP, True, "connecting"), ("eth0", NO_CARRIER, False, "cable unplugged"),
    ("eth0", OFF, False, "network switched off"), ("enp3s0", NO_CARRIER, False, "cable unplugged"),
    ("wlan0", UP, True, "connecting"), ("wlan0", NO_CARRIER, False, "Wi-Fi lost"), ("wlp2s0", OFF, False,
                                                                                 "network switched off"),
])
def test_t4_without_sys_the_flags_tell(blind, name, flags, usable, verdict):
    blind.interface(name, flags)
    blind.routes(VIA_ETH.replace("eth0", name))
    state = blind.read()
    assert names(state) == [name] and state.readable
    assert state.interface(name).kind is (Kind.WIFI if name.startswith("wl") else Kind.ETHERNET)
    assert bool(state.usable) is usable
    assert judge(None, state, None, AgentStatus()).reason == verdict


def test_t4_an_older_psutil_tells_up_or_not(blind):
    blind.interface("eth0")
    blind.routes(VIA_ETH)
    for up in (True, False):
        blind.stats["eth0"] = SimpleNamespace(isup=up)
        assert bool(blind.read().usable) is up


def test_t4_a_radio_by_the_kernel_s_word(blind):
    blind.interface("ra0")
    (blind.proc / "wireless").write_text("Inter-| sta-| Quality\n face | tus | link\n  ra0: 0000   70.  -40.\n")
    assert blind.read().interface("ra0").kind is Kind.WIFI


def test_t4_what_counts_without_sys(blind):
    for name in ("eth0", "wlan0", "docker0", "veth12", "br-1234", "tun0", "virbr0"):
        blind.interface(name)
    blind.interface("ppp0", "up,pointopoint,running,noarp,multicast", ("100.64.1.1",), None)
    blind.interface("wg0", "up,pointopoint,running,noarp", ("10.8.0.2",), None)
    assert names(blind.read()) == ["eth0", "ppp0", "wlan0"]
    assert names(blind.read("tun0")) == ["tun0"]


def test_t4_a_container_whose_only_interface_has_a_virtual_name(blind):
    blind.interface("veth0")
    assert names(blind.read()) == ["veth0"]


def test_t4_flags_stand_in_for_single_files_that_cannot_be_read(machine):
    machine.interface("eth0", operstate=None, carrier=None, flags=None, addresses=("192.168.2.7",))
    machine.stats = {"eth0": stats(NO_CARRIER), "lo": stats("up,loopback,running")}
    assert machine.read().interface("eth0").linked is False


def test_t4_nothing_can_be_read_at_all(machine):
    shutil.rmtree(machine.sysfs)
    shutil.rmtree(machine.proc)

    def refused():
        raise FileNotFoundError("/proc/net/dev")

    state = snapshot.read((), (), machine.sysfs, machine.proc, snapshot.Sources(
        addresses=refused, flags=refused, gateways=refused, table=tuple, endpoint_routes=lambda wanted: ()))
    assert not state.readable
    assert judge(None, state, None, AgentStatus()).reason == "interfaces not readable"


@pytest.mark.parametrize("flags, carrier, operstate, enabled", [
    ("0x1003", "0", "down", True), ("0x1002", None, "down", False), (None, None, "down", False),
    (None, "0", "down", True),
    (None, None, "unknown", True), ("0x1003", None, "unknown", True),
])
def test_t13_switched_off(machine, flags, carrier, operstate, enabled):
    machine.interface("eth0", flags=flags, carrier=carrier, operstate=operstate)
    assert machine.read().interface("eth0").enabled is enabled


def test_what_vanishes_while_it_is_read(machine):
    machine.addresses["usb0"] = [Address(socket.AF_INET, "192.168.3.2", 24)]
    state = machine.read()
    assert state.interface("usb0").addresses == ("192.168.3.2",)
    assert "usb0" not in names(state)


def _networks(link):
    ways = [ipaddress.ip_interface(f"{info['local']}/{info['prefixlen']}").network
            for info in link["addr_info"] if info["scope"] != "link"]
    return sorted(str(way) for way in ways if way.num_addresses > 1)


@pytest.mark.skipif(shutil.which("ip") is None, reason="ip(8) is not installed: nothing to compare with")
def test_this_machine_as_ip_sees_it():
    def ip(*words):
        return json.loads(subprocess.run(["ip", "-j", *words], capture_output=True, check=True).stdout)

    state = snapshot.read()
    links = {link["ifname"]: link for link in ip("addr")}
    assert {one.name for one in state.interfaces} == set(links)
    for one in state.interfaces:
        link = links[one.name]
        assert one.operstate == link["operstate"].lower()
        assert sorted(one.addresses) == sorted(
            info["local"] for info in link["addr_info"] if info["scope"] != "link")
    with_prefixes = {one.name: sorted(one.networks) for one in state.interfaces if one.addresses}
    assert with_prefixes == {name: _networks(links[name]) for name in with_prefixes}
    shown = ip("route", "show", "default")
    defaults = [(route["dev"], route.get("gateway"), route.get("metric", 0)) for route in shown]
    assert [(route.interface, route.gateway, route.metric) for route in state.routes if route.family == 4] == defaults
