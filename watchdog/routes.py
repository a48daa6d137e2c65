"""The route that the kernel takes to an address, as it says itself (RTM_GETROUTE, as `ip route get`).

A default route is not the only way out: a controller in the terminal's own network needs none, a private line has
routes to certain networks, a VPN has tables of its own. Asking sends nothing.
"""
import socket
import struct
from collections.abc import Iterable

from .rtnetlink import NetlinkSocket, address_text, attribute, attributes, interface_name
from .state import EndpointRoute, Route

RTM_GETROUTE = 26
RTN_UNICAST, RTN_LOCAL = 1, 2
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_VIA = 1, 4, 5, 18

_ROUTE = struct.Struct("=BBBBBBBBI")
MOST_ADDRESSES = 16


def routes_to(addresses: Iterable[str]) -> tuple[EndpointRoute, ...]:
    """The routes to these addresses, in their order; without those to which the kernel has no route."""
    wanted = list(dict.fromkeys(addresses))[:MOST_ADDRESSES]
    found = []
    if wanted:
        try:
            with NetlinkSocket() as kernel:
                found = [_route_to(kernel, address) for address in wanted]
        except OSError:
            pass
    return tuple(one for one in found if one is not None)


def _route_to(kernel: NetlinkSocket, address: str) -> EndpointRoute | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        packed = socket.inet_pton(family, address.partition("%")[0])
        head = _ROUTE.pack(family, 8 * len(packed), 0, 0, 0, 0, 0, 0, 0)
        answer = kernel.ask(RTM_GETROUTE, head + attribute(RTA_DST, packed))
    except TimeoutError:
        raise
    except (OSError, ValueError):
        return None     # no route, or it leads nowhere on purpose (blackhole, prohibit)
    if len(answer) < _ROUTE.size or answer[7] not in (RTN_UNICAST, RTN_LOCAL):
        return None
    fields = attributes(answer[_ROUTE.size:])
    if len(fields.get(RTA_OIF, b"")) != 4:
        return None
    via = fields.get(RTA_VIA)     # a gateway of the other family, behind its family's two bytes
    gateway = fields.get(RTA_GATEWAY) or (via[2:] if via else None)
    interface = interface_name(struct.unpack("=I", fields[RTA_OIF])[0])
    return EndpointRoute(address, Route(interface, address_text(gateway), 0, 4 if family == socket.AF_INET else 6))
