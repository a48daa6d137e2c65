"""Addresses of interfaces, and which of them reach further than the cable."""
import errno
import json
import shutil
import socket
import subprocess
import sys

import psutil
import pytest

from econduit_terminal.watchdog import rtnetlink
from econduit_terminal.watchdog.ip_config import Address, IpConfig, ip_configs, network_of, read_addresses

MAC = Address(socket.AF_PACKET, "02:00:00:00:00:01")


@pytest.mark.parametrize("entries, config", [
    ([], IpConfig()),
    ([MAC], IpConfig(hardware=True)),
    ([Address(socket.AF_PACKET, "00:00:00:00:00:00")], IpConfig()),
    ([Address(socket.AF_PACKET, "")], IpConfig()),
    ([Address(socket.AF_INET, "192.0.2.5", 24), MAC], IpConfig(("192.0.2.5",), ("192.0.2.0/24",), hardware=True)),
    ([Address(socket.AF_INET, "169.254.7.7", 16), Address(socket.AF_INET6, "fe80::7", 64)], IpConfig()),
    ([Address(socket.AF_INET6, "2001:db8::5", 64), Address(socket.AF_INET, "100.64.1.1", 32)],
     IpConfig(("100.64.1.1", "2001:db8::5"), ("2001:db8::/64",))),
])
def test_what_reaches_further_than_the_cable(entries, config):
    assert ip_configs({"eth0": entries}) == {"eth0": config}


@pytest.mark.parametrize("address, prefix, network", [
    ("192.0.2.5", 24, "192.0.2.0/24"), ("192.0.2.5", 32, None), ("192.0.2.5", 0, "0.0.0.0/0"),
    ("2001:db8::5", 64, "2001:db8::/64"), ("2001:db8::5", 128, None)])
def test_the_network_of_an_address(address, prefix, network):
    assert network_of(Address(socket.AF_INET, address, prefix)) == network


def test_this_machine_as_psutil_has_it():
    held = {(name, entry.family, entry.address.partition("%")[0]) for name, entries in psutil.net_if_addrs().items()
            for entry in entries if entry.family != socket.AF_PACKET or entry.address}
    read = {(name, one.family, one.address) for name, entries in read_addresses().items() for one in entries
            if one.family != socket.AF_PACKET or one.address}
    assert read == held


def test_a_kernel_that_does_not_answer_has_not_said_that_there_are_none(monkeypatch):
    def refused(protocol=socket.NETLINK_ROUTE):
        raise OSError(errno.ENOBUFS, "No buffer space available")

    monkeypatch.setattr(rtnetlink, "NetlinkSocket", refused)
    with pytest.raises(OSError):
        read_addresses()


SHOW = "import json; from econduit_terminal.watchdog import ip_config; print(json.dumps(ip_config.read_addresses()))"


@pytest.mark.skipif(shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"],
                                                                      capture_output=True).returncode != 0,
                    reason="no network namespace can be made here")
def test_addresses_belong_to_their_interface_whatever_their_label_and_peer():
    ways = ("ip link add eth0 type veth peer name x0", "ip addr add 192.0.2.5/24 dev eth0 label eth0:1",
            "ip tuntap add ppp0 mode tun", "ip addr add 100.64.1.1 peer 100.64.0.1 dev ppp0")
    shown = subprocess.run(["unshare", "-n", "sh", "-ec", "; ".join((*ways, f"{sys.executable} -c '{SHOW}'"))],
                           capture_output=True, text=True, check=True).stdout
    found = {name: [Address(*one) for one in entries] for name, entries in json.loads(shown).items()}
    assert found["eth0"][1:] == [Address(socket.AF_INET, "192.0.2.5", 24)]
    assert found["ppp0"] == [Address(socket.AF_PACKET, ""), Address(socket.AF_INET, "100.64.1.1", 32)]
    assert set(found) == {"lo", "eth0", "x0", "ppp0"}
