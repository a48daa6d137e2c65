"""Virtual Ethernet pairs that lead nowhere but to each other, as the kernel lists them (RTM_GETLINK)."""
import struct

from .rtnetlink import attributes, dump

RTM_GETLINK = 18
IFLA_IFNAME, IFLA_LINK, IFLA_LINKINFO, IFLA_LINK_NETNSID = 3, 5, 18, 37
IFLA_INFO_KIND = 1

_LINK = struct.Struct("=BxHiII")


def paired_veths() -> frozenset[str]:
    """The names of the veths whose other end is in this network namespace, too: no cable, but what a container is about
    to get. Empty where the kernel does not answer."""
    return frozenset(filter(None, map(_paired_veth, dump(RTM_GETLINK, bytes(_LINK.size)))))


def _paired_veth(body: bytes) -> str | None:
    fields = attributes(body[_LINK.size:])
    kind = attributes(fields.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_KIND, b"").rstrip(b"\0")
    if kind != b"veth" or IFLA_LINK not in fields or IFLA_LINK_NETNSID in fields:
        return None
    return fields.get(IFLA_IFNAME, b"").rstrip(b"\0").decode(errors="replace") or None
