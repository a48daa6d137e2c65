"""Addresses of interfaces, and which of them reach further than the cable."""
import socket

import netifaces
import pytest

from econduit_terminal.watchdog.ip_config import Address, IpConfig, ip_configs, network_of, read_addresses

MAC = Address(socket.AF_PACKET, "02:00:00:00:00:01", None)


@pytest.mark.parametrize("entries, config", [
    ([], IpConfig()),
    ([MAC], IpConfig(hardware=True)),
    ([Address(socket.AF_PACKET, "00:00:00:00:00:00", None)], IpConfig()),
    ([Address(socket.AF_INET, "192.0.2.5", "255.255.255.0"), MAC],
     IpConfig(("192.0.2.5",), ("192.0.2.0/24",), hardware=True)),
    ([Address(socket.AF_INET, "169.254.7.7", "255.255.0.0"), Address(socket.AF_INET6, "fe80::7%eth0", "ffff::/64")],
     IpConfig()),
    ([Address(socket.AF_INET6, "2001:db8::5", "ffff:ffff:ffff:ffff::/64"),
      Address(socket.AF_INET, "100.64.1.1", "255.255.255.255")],
     IpConfig(("100.64.1.1", "2001:db8::5"), ("2001:db8::/64",))),
])
def test_what_reaches_further_than_the_cable(entries, config):
    assert ip_configs({"eth0": entries}) == {"eth0": config}


@pytest.mark.parametrize("address, mask, network", [
    ("192.0.2.5", "255.255.255.0", ["192.0.2.0/24"]), ("192.0.2.5", "255.255.255.255", []), ("192.0.2.5", None, []),
    ("192.0.2.5", "nonsense", []), ("2001:db8::5", "ffff:ffff:ffff:ffff::", ["2001:db8::/64"]),
    ("2001:db8::5", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", []),
])
def test_the_network_of_an_address(address, mask, network):
    assert network_of(address, mask) == network


def test_an_interface_that_vanishes_while_it_is_read(monkeypatch):
    def ifaddresses(name):
        if name == "usb0":
            raise ValueError("You must specify a valid interface name.")
        return {socket.AF_INET: [{"addr": "127.0.0.1", "netmask": "255.0.0.0"}]}

    monkeypatch.setattr(netifaces, "interfaces", lambda: ["lo", "usb0"])
    monkeypatch.setattr(netifaces, "ifaddresses", ifaddresses)
    assert read_addresses() == {"lo": [Address(socket.AF_INET, "127.0.0.1", "255.0.0.0")]}
