"""The addresses of each interface, and the networks that they are in, as the kernel has them (RTM_GETADDR).

One reading for all, by the interface's index: getifaddrs(3), which the libraries use, names an address by its label,
which may be another name than the interface's (`eth0:1`).
"""
import ipaddress
import socket
import struct
from collections.abc import Mapping
from typing import NamedTuple

from .rtnetlink import IFLA_IFNAME, LINK, RTM_GETLINK, address_text, attributes, read_table, text

RTM_GETADDR = 22
IFLA_ADDRESS = 1
IFA_ADDRESS, IFA_LOCAL = 1, 2

_ADDRESS = struct.Struct("=BBBBI")      # struct ifaddrmsg: family, prefix length, flags, scope, index


class Address(NamedTuple):
    """One address of an interface, with the length of its network's prefix; AF_PACKET: its MAC."""

    family: int
    address: str
    prefix: int = 0


class IpConfig(NamedTuple):
    """An interface's addresses that reach further than the cable, with their networks. `hardware`: it has a MAC."""

    addresses: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    hardware: bool = False


def read_addresses() -> dict[str, list[Address]]:
    """Interface → its addresses now. Raises OSError where the kernel does not answer: no memory, no descriptor."""
    names, found = {}, {}
    for body in read_table(RTM_GETLINK, bytes(LINK.size)):
        _, _, index, *_ = LINK.unpack_from(body)
        fields = attributes(body[LINK.size:])
        names[index] = text(fields.get(IFLA_IFNAME))
        found[names[index]] = [Address(socket.AF_PACKET, fields.get(IFLA_ADDRESS, b"").hex(":"))]
    for body in read_table(RTM_GETADDR, bytes(_ADDRESS.size)):
        family, prefix, _, _, index = _ADDRESS.unpack_from(body)
        fields = attributes(body[_ADDRESS.size:])
        address = address_text(fields.get(IFA_LOCAL) or fields.get(IFA_ADDRESS))    # of a point-to-point line: ours
        if address and index in names:      # and not one that came between the two questions
            found[names[index]].append(Address(family, address, prefix))
    return found


def ip_configs(found: Mapping[str, list[Address]]) -> dict[str, IpConfig]:
    """The addresses of each interface, without those that never leave the link (169.254/16, fe80::/10)."""
    held = {}
    for name, entries in found.items():
        hardware = any(part.strip("0") for one in entries if one.family == socket.AF_PACKET
                       for part in one.address.split(":"))
        far = [one for one in entries
               if one.family != socket.AF_PACKET and not one.address.startswith(("169.254.", "fe80:"))]
        networks = [network for one in far if (network := network_of(one))]
        held[name] = IpConfig(tuple(sorted(one.address for one in far)), tuple(sorted(networks)), hardware)
    return held


def network_of(one: Address) -> str | None:
    """The network of an address; None where that is one address long."""
    network = ipaddress.ip_network((one.address, one.prefix), strict=False)
    return str(network) if network.num_addresses > 1 else None
