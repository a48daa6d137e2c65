"""The kernel's neighbour table (ARP and IPv6 neighbour discovery): which gateways answer on the link, and as whom.

netlink, because ``/proc/net/arp`` knows neither IPv6 nor when an answer was last heard. Reading it sends nothing.
"""
import struct
from typing import NamedTuple

from econduit_terminal.watchdog.rtnetlink import Kernel, address_text, attributes, interface_name

RTM_GETNEIGH = 30
NDA_DST, NDA_LLADDR, NDA_CACHEINFO = 1, 2, 3
TICKS = 100     # USER_HZ, in which ages are told
NUD_INCOMPLETE, NUD_REACHABLE, NUD_FAILED, NUD_NOARP = 0x01, 0x02, 0x20, 0x40

_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_AGES = struct.Struct("=IIII")      # confirmed, used, updated, references


class Neighbour(NamedTuple):
    """``heard``: seconds since it last answered (or the kernel took something for an answer). ``mac``: None where it
    has never answered, or has no such address."""

    interface: str
    address: str
    state: int
    heard: float
    mac: str | None = None

    @property
    def silent(self) -> bool | None:
        """Whether the kernel asked for it in vain; None while it asks: after a failure it asks anew at each packet."""
        return None if self.state & NUD_INCOMPLETE else bool(self.state & NUD_FAILED)


def table() -> tuple[Neighbour, ...]:
    """All entries now; empty where the kernel does not say."""
    try:
        with Kernel() as kernel:
            return tuple(filter(None, map(_entry, kernel.dump(RTM_GETNEIGH, _NEIGHBOUR.pack(0, 0, 0, 0, 0)))))
    except OSError:
        return ()


def find(interface: str, address: str) -> Neighbour | None:
    return next((entry for entry in table() if (entry.interface, entry.address) == (interface, address)), None)


def _entry(body: bytes) -> Neighbour | None:
    if len(body) < _NEIGHBOUR.size:
        return None
    _, index, state, _, _ = _NEIGHBOUR.unpack_from(body)
    said = attributes(body[_NEIGHBOUR.size:])
    address = address_text(said.get(NDA_DST))
    ages = said.get(NDA_CACHEINFO, b"")
    if address is None:
        return None
    ticks = _AGES.unpack_from(ages)[0] if len(ages) >= _AGES.size else 0
    return Neighbour(interface_name(index), address, state, ticks / TICKS, _mac(said.get(NDA_LLADDR, b""), state))


def _mac(value: bytes, state: int) -> str | None:
    unknown = state & (NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP) or not any(value)
    return None if unknown else ":".join(f"{byte:02x}" for byte in value)
