"""PURE: IP addresses as DNS and people write them."""
import ipaddress

_NAT64 = ipaddress.ip_network("64:ff9b::/96")      # RFC 6052: an IPv4 address in its last four bytes


def parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, without its scope, and as IPv4 where IPv6 only carries one; None if `text` is not one."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_address(text: str) -> bool:
    return parsed(text) is not None


def leads_nowhere(text: str) -> bool:
    """Whether a name with this address leads to no other machine: unspecified and the rest of 0.0.0.0/8 (RFC 791),
    loopback, multicast, broadcast."""
    address = parsed(text)
    return (address is None or address.is_unspecified or address.is_loopback or address.is_multicast
            or (address.version == 4 and address.packed[0] in (0, 255)))
