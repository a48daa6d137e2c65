"""Virtual Ethernet pairs that lead nowhere but to each other, as the kernel lists them (RTM_GETLINK)."""
from .rtnetlink import IFLA_IFNAME, LINK, RTM_GETLINK, attributes, dump, text

IFLA_LINK, IFLA_LINKINFO, IFLA_LINK_NETNSID = 5, 18, 37
IFLA_INFO_KIND = 1


def unpaired() -> frozenset[str] | None:
    """The names of all interfaces but those veths whose other end is in this network namespace, too: such a pair is no
    cable, but what a container is about to get. None where the kernel does not answer."""
    links = dump(RTM_GETLINK, bytes(LINK.size))
    return frozenset(filter(None, map(_unpaired, links))) if links else None


def _unpaired(body: bytes) -> str | None:
    fields = attributes(body[LINK.size:])
    kind = text(attributes(fields.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_KIND))
    if kind == "veth" and IFLA_LINK in fields and IFLA_LINK_NETNSID not in fields:
        return None
    return text(fields.get(IFLA_IFNAME)) or None
