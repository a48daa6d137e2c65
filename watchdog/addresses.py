"""Where an address is, and whether a name can really have it. PURE.

A login page, a DNS filter and a router whose line is down answer every name with an address of their own. An address
that no host in the internet can have therefore proves nothing about the internet, whoever answers there.
"""
import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from econduit_terminal.process.addresses import is_address, leads_nowhere, parsed

_PRIVATE = tuple(map(ipaddress.ip_network, (
    "0.0.0.0/8",        # this network, RFC 1122
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",        # RFC 1918
    "100.64.0.0/10",    # behind a provider's NAT, RFC 6598
    "127.0.0.0/8", "169.254.0.0/16",
    "198.18.0.0/15",    # benchmarks, RFC 2544: what proxies that invent addresses hand out
    "224.0.0.0/3",      # multicast, reserved, broadcast
    "::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)))
_LOCAL_ENDINGS = (".local", ".localhost", ".localdomain", ".lan", ".home", ".home.arpa", ".internal", ".intranet",
                  ".corp", ".private")
"""Of names that no public name server answers (RFC 6761, 6762, 8375, and common usage)."""


def is_loopback(text: str) -> bool:
    address = parsed(text)
    return address is not None and address.is_loopback


def is_private(text: str) -> bool:
    """Whether no host in the internet can have this address."""
    address = parsed(text)
    return address is None or any(address in network for network in _PRIVATE if network.version == address.version)


def is_public_name(host: str) -> bool:
    """Whether a name belongs to the internet, so that its address should be public."""
    name = host.rstrip(".").lower()
    return "." in name and not is_address(host) and not name.endswith(_LOCAL_ENDINGS)


class LocalNetwork(NamedTuple):
    """What is on this side of the gateway.

    `own`: the terminal's addresses. `gateways`: the addresses of its gateways. `networks`: those that its interfaces
    are in, as `192.0.2.0/24`. `trusted`: hosts that may have any address, because a person wrote it down (/etc/hosts)
    or the terminal was registered there.
    """

    own: frozenset[str] = frozenset()
    gateways: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ()
    trusted: frozenset[str] = frozenset()

    def on_link(self, address: str) -> bool:
        """Whether it is in one of the terminal's own networks, with no router in between."""
        found = parsed(address)
        return found is not None and any(found in ipaddress.ip_network(network, strict=False)
                                         for network in self.networks)

    def holds(self, address: str) -> bool:
        """Whether it is on this side of the gateway, or the gateway itself: its answer proves nothing beyond."""
        return address in self.own or address in self.gateways or self.on_link(address)

    def is_beyond(self, address: str) -> bool:
        """Whether an answer from there proves that the gateway leads into the internet."""
        return not is_private(address) and not self.holds(address)

    def implausible(self, host: str, address: str) -> str | None:
        """Why `host` cannot have this address although DNS says so; None where it can."""
        if is_address(host) or host in self.trusted or host == "localhost" or host.endswith(".localhost"):
            return None
        if leads_nowhere(address):
            return f"{address} (a DNS filter)"
        if address in self.own:
            return f"{address}, an address of this terminal"
        if not is_public_name(host):
            return None
        if address in self.gateways:
            return f"{address}, the router itself (a login page, or its line is down)"
        return f"{address}, a private address (a login page or a DNS filter)" if is_private(address) else None

    def plausible(self, host: str, addresses: Iterable[str]) -> tuple[str, ...]:
        """Those that `host` can have."""
        return tuple(address for address in addresses if self.implausible(host, address) is None)
