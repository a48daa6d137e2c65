"""Pairs of interfaces that lead nowhere but to each other, by the kernel's word (RTM_GETLINK)."""
import struct

from econduit_terminal.watchdog.rtnetlink import Kernel, attributes

RTM_GETLINK = 18
IFLA_IFNAME, IFLA_LINK, IFLA_LINKINFO, IFLA_LINK_NETNSID = 3, 5, 18, 37
IFLA_INFO_KIND = 1

_LINK = struct.Struct("=BxHiII")


def inner() -> frozenset[str]:
    """The names of the veths whose other end is in this network namespace, too: no cable, but what a container is about
    to be given. Empty where the kernel does not say."""
    try:
        with Kernel() as kernel:
            return frozenset(filter(None, map(_inner, kernel.dump(RTM_GETLINK, _LINK.pack(0, 0, 0, 0, 0)))))
    except OSError:
        return frozenset()


def _inner(body: bytes) -> str | None:
    said = attributes(body[_LINK.size:])
    kind = attributes(said.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_KIND, b"").rstrip(b"\0")
    if kind != b"veth" or IFLA_LINK not in said or IFLA_LINK_NETNSID in said:
        return None
    return said.get(IFLA_IFNAME, b"").rstrip(b"\0").decode(errors="replace") or None
