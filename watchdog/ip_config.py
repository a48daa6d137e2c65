"""The addresses of each interface, and the networks that they are in."""
import ipaddress
import socket
from collections.abc import Mapping
from typing import NamedTuple

import netifaces

_FAMILIES = (socket.AF_INET, socket.AF_INET6)


class Address(NamedTuple):
    """One address of an interface. netmask: for IPv6 also `mask/length`; None where there is none."""

    family: int
    address: str
    netmask: str | None


class IpConfig(NamedTuple):
    """An interface's addresses that reach further than the cable, with their networks. `hardware`: it has a MAC."""

    addresses: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    hardware: bool = False


def read_addresses() -> dict[str, list[Address]]:
    """What netifaces says of every interface now. Raises OSError where it cannot read anything."""
    found = {}
    for name in netifaces.interfaces():
        try:
            families = netifaces.ifaddresses(name)
        except ValueError:      # it vanished
            continue
        found[name] = [Address(family, entry.get("addr", ""), entry.get("netmask"))
                       for family, entries in families.items() for entry in entries]
    return found


def ip_configs(found: Mapping[str, list[Address]]) -> dict[str, IpConfig]:
    """The addresses of each interface, without those that never leave the link (169.254/16, fe80::/10)."""
    held = {}
    for name, entries in found.items():
        networks, texts, hardware = [], [], False
        for entry in entries:
            text = entry.address.partition("%")[0]
            if entry.family == socket.AF_PACKET:
                hardware = any(part.strip("0") for part in text.split(":"))
            elif entry.family in _FAMILIES and not text.startswith(("169.254.", "fe80:")):
                texts.append(text)
                networks += network_of(text, entry.netmask)
        held[name] = IpConfig(tuple(sorted(texts)), tuple(sorted(networks)), hardware)
    return held


def network_of(address: str, mask: str | None) -> list[str]:
    """The network of an address; none where that is one address long, or the mask makes no sense."""
    try:
        if mask is not None and ":" in mask:    # the mask as an address; its length follows from netifaces 0.11 on
            mask = str(bin(int(ipaddress.IPv6Address(mask.partition("/")[0]))).count("1"))
        network = ipaddress.ip_network(f"{address}/{mask}", strict=False)
    except ValueError:
        return []
    return [str(network)] if network.num_addresses > 1 else []
