"""psutil, netifaces, sysfs and /proc → one frozen State.

Why so many: none of them knows it all. psutil has the interfaces and addresses but calls IFF_RUNNING "up"; sysfs has
the link in the kernel's words (``operstate``, ``carrier``, ``carrier_changes``, ``wireless``); netifaces has the
gateways of every family but misses defaults without a gateway (ppp0) and, once a second table has a default (VPN), the
main table's; ``/proc/net/route`` and ``ipv6_route`` have those, with metrics. Nothing here goes over the network.

Everything may change while it is read: what vanished in between reads as absent, and the netlink ring that told of it
is still waiting to be answered by another look.
"""
import socket
from pathlib import Path

import netifaces
import psutil

from econduit_terminal.watchdog import neighbours
from econduit_terminal.watchdog.state import ETHERNET, OTHER, WIFI, Interface, Route, State

SYSFS = Path("/sys/class/net")
PROC = Path("/proc/net")

ARPHRD_ETHER, ARPHRD_PPP, ARPHRD_RAWIP = 1, 512, 519
RTF_UP, RTF_GATEWAY, RTF_REJECT = 0x1, 0x2, 0x200
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_UNKNOWN_METRIC = 2**32 - 1
_BEFORE_ALL = -1
_ALL, _HALF = "00000000", "00000080"    # masks, as /proc/net/route has them


def read(
    named: tuple[str, ...] = (),
    sysfs: Path = SYSFS,
    proc: Path = PROC,
    *,
    addresses=psutil.net_if_addrs,
    gateways=netifaces.gateways,
    silent=neighbours.silent,
) -> State:
    """The state of this network namespace now. ``named``: the interfaces that count (empty: every real one).

    ``sysfs`` must be the one of the namespace (``ip netns exec`` mounts it). The callables are those of psutil,
    netifaces and the neighbour table; tests pass their own together with a tree of files. Never raises for what a
    network can look like.
    """
    held = _addresses(addresses())
    names = sorted(set(_listed(sysfs)) | set(held))
    counting = set(named) if named else _real(sysfs, names)
    interfaces = tuple(_interface(sysfs / name, held.get(name, ()), name in counting) for name in names)
    return State(interfaces, _routes(proc, gateways(), silent()))


def _interface(folder: Path, addresses: tuple[str, ...], counts: bool) -> Interface:
    carrier = _text(folder / "carrier")
    return Interface(
        name=folder.name,
        kind=_kind(folder),
        operstate=_text(folder / "operstate") or "unknown",
        carrier=None if carrier is None else carrier == "1",
        carrier_changes=_number(folder / "carrier_changes"),
        addresses=addresses,
        counts=counts,
    )


def _kind(folder: Path) -> str:
    if (folder / "wireless").exists() or (folder / "phy80211").exists():
        return WIFI
    return ETHERNET if _number(folder / "type") == ARPHRD_ETHER else OTHER


def _real(sysfs: Path, names: list[str]) -> set[str]:
    """The interfaces with a cable or a radio behind them.

    Hardware has a ``device``; a bond, a VLAN or a bridge counts if hardware lies under it (``lower_*``), and its ports
    (``master``) do not count beside it. ppp and raw-ip modems are lines of their own. A machine without any of these is
    a container or a test network: there the plain Ethernet interfaces that are nobody's port stand for the cable.
    """
    free = [name for name in names if name != "lo" and not (sysfs / name / "master").exists()]
    lines = {name for name in free if _number(sysfs / name / "type") in (ARPHRD_PPP, ARPHRD_RAWIP)}
    real = {name for name in free if _on_hardware(sysfs, name)} | lines
    return real or {name for name in free if _is_plain_ethernet(sysfs / name)}


def _on_hardware(sysfs: Path, name: str, depth: int = 4) -> bool:
    folder = sysfs / name
    if (folder / "device").exists():
        return True
    if depth == 0 or (folder / "tun_flags").exists():
        return False
    return any(_on_hardware(sysfs, lower.name.removeprefix("lower_"), depth - 1) for lower in folder.glob("lower_*"))


def _is_plain_ethernet(folder: Path) -> bool:
    virtual = (folder / "tun_flags").exists() or (folder / "bridge").exists()
    return _number(folder / "type") == ARPHRD_ETHER and not virtual


def _addresses(found) -> dict[str, tuple[str, ...]]:
    """Addresses by interface name, without those that never leave the cable (169.254/16, fe80::/10)."""
    held: dict[str, tuple[str, ...]] = {}
    for name, entries in found.items():
        texts = (entry.address.partition("%")[0] for entry in entries if entry.family in _FAMILIES)
        held[name] = tuple(sorted(text for text in texts if not text.startswith(("169.254.", "fe80:"))))
    return held


def _routes(proc: Path, gateways: dict, silent: dict[tuple[str, str], bool]) -> tuple[Route, ...]:
    """Default routes by metric; those that only netifaces saw (another table's) come last."""
    defaults, private = _ipv4_ways(_text(proc / "route") or "")
    routes = defaults + _ipv6_defaults(_text(proc / "ipv6_route") or "") or private
    seen = {(route.interface, route.gateway) for route in routes}
    for family, number in ((netifaces.AF_INET, 4), (netifaces.AF_INET6, 6)):
        for entry in gateways.get(family, ()):
            gateway, interface = entry[0].partition("%")[0], entry[1]
            if (interface, gateway) not in seen:
                routes.append(Route(interface, gateway, _UNKNOWN_METRIC, number))
    marked = (route._replace(silent=silent.get((route.interface, route.gateway))) for route in routes)
    return tuple(sorted(marked, key=lambda route: route.metric))


def _ipv4_ways(table: str) -> tuple[list[Route], list[Route]]:
    """Lines of /proc/net/route: name, destination, gateway, flags, refs, use, metric, mask, … in host-order hex.

    A VPN may take everything in two halves (0.0.0.0/1 and 128.0.0.0/1), which win over any default. A private line may
    have no default, only routes through a gateway to where it leads (the second list): they stand for one.
    """
    defaults, others = [], []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8:
            continue
        flags = int(fields[3], 16)
        if not flags & RTF_UP or flags & RTF_REJECT:
            continue
        gateway = socket.inet_ntoa(int(fields[2], 16).to_bytes(4, "little")) if fields[2] != "00000000" else None
        route = Route(fields[0], gateway, int(fields[6]), 4)
        if fields[1] == "00000000" and fields[7] in (_ALL, _HALF):
            defaults.append(route if fields[7] == _ALL else route._replace(metric=_BEFORE_ALL))
        elif flags & RTF_GATEWAY:
            others.append(route)
    return defaults, list(dict.fromkeys(others))


def _ipv6_defaults(table: str) -> list[Route]:
    """Lines of /proc/net/ipv6_route: destination, length, source, length, next hop, metric, refs, use, flags, name."""
    routes = []
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 10 or fields[1] != "00" or fields[0].strip("0") or fields[9] == "lo":
            continue
        flags = int(fields[8], 16)
        if not flags & RTF_UP or flags & RTF_REJECT:
            continue
        hop = bytes.fromhex(fields[4])
        gateway = socket.inet_ntop(socket.AF_INET6, hop) if any(hop) else None
        routes.append(Route(fields[9], gateway, int(fields[5], 16), 6))
    return routes


def _listed(sysfs: Path) -> list[str]:
    try:
        return [entry.name for entry in sysfs.iterdir() if (entry / "operstate").exists()]
    except OSError:
        return []


def _text(file: Path) -> str | None:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return None


def _number(file: Path) -> int:
    text = _text(file)
    return int(text) if text is not None and text.isdecimal() else 0
