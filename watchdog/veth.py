"""Virtual Ethernet pairs that lead nowhere but to each other, as the kernel lists them (RTM_GETLINK)."""
import struct

from .rtnetlink import attributes, dump

RTM_GETLINK = 18
IFLA_IFNAME, IFLA_LINK, IFLA_LINKINFO, IFLA_LINK_NETNSID = 3, 5, 18, 37
IFLA_INFO_KIND = 1

_LINK = struct.Struct("=BxHiII")


def unpaired() -> frozenset[str] | None:
    """The names of all interfaces but those veths whose other end is in this network namespace, too: such a pair is no
    cable, but what a container is about to get. None where the kernel does not answer."""
    links = dump(RTM_GETLINK, bytes(_LINK.size))
    return frozenset(filter(None, map(_unpaired, links))) if links else None


def _unpaired(body: bytes) -> str | None:
    fields = attributes(body[_LINK.size:])
    kind = attributes(fields.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_KIND, b"").rstrip(b"\0")
    if kind == b"veth" and IFLA_LINK in fields and IFLA_LINK_NETNSID not in fields:
        return None
    return fields.get(IFLA_IFNAME, b"").rstrip(b"\0").decode(errors="replace") or None
