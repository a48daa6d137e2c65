"""The kernel's neighbour table (ARP and IPv6 neighbour discovery): which gateways answer on the link, and as whom.

netlink, because `/proc/net/arp` knows neither IPv6 nor the time of the last answer. Reading it sends nothing.
"""
import struct
from typing import NamedTuple

from .rtnetlink import address_text, attributes, dump, interface_name

RTM_GETNEIGH = 30
NDA_DST, NDA_LLADDR, NDA_CACHEINFO = 1, 2, 3
TICKS = 100     # USER_HZ, in which ages are given
NUD_INCOMPLETE, NUD_REACHABLE, NUD_FAILED, NUD_NOARP = 0x01, 0x02, 0x20, 0x40

_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_AGES = struct.Struct("=IIII")      # confirmed, used, updated, references


class Neighbour(NamedTuple):
    """`heard`: seconds since its last answer, or what the kernel took for one. `mac`: None where it has never answered,
    or has none."""

    interface: str
    address: str
    state: int
    heard: float
    mac: str | None = None

    @property
    def silent(self) -> bool | None:
        """Whether the kernel looked for it in vain; None while it looks: after a failure it does so at each packet."""
        return None if self.state & NUD_INCOMPLETE else bool(self.state & NUD_FAILED)


def table() -> tuple[Neighbour, ...]:
    """All entries now; empty where the kernel does not answer."""
    return tuple(filter(None, map(_entry, dump(RTM_GETNEIGH, bytes(_NEIGHBOUR.size)))))


def find(interface: str, address: str) -> Neighbour | None:
    return next((entry for entry in table() if (entry.interface, entry.address) == (interface, address)), None)


def _entry(body: bytes) -> Neighbour | None:
    if len(body) < _NEIGHBOUR.size:
        return None
    _, index, state, _, _ = _NEIGHBOUR.unpack_from(body)
    fields = attributes(body[_NEIGHBOUR.size:])
    address = address_text(fields.get(NDA_DST))
    ages = fields.get(NDA_CACHEINFO, b"")
    if address is None:
        return None
    ticks = _AGES.unpack_from(ages)[0] if len(ages) >= _AGES.size else 0
    return Neighbour(interface_name(index), address, state, ticks / TICKS, _mac(fields.get(NDA_LLADDR, b""), state))


def _mac(value: bytes, state: int) -> str | None:
    unknown = state & (NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP) or not any(value)
    return None if unknown else ":".join(f"{byte:02x}" for byte in value)
