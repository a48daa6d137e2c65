"""netlink, sysfs, /proc, netifaces and psutil → one frozen State.

- None of them knows everything. netlink has the interfaces and addresses, the route to one address, and who answers on
  the link. sysfs has the link in the kernel's words (`operstate`, `carrier`, `carrier_changes`, `wireless`). netifaces
  has the gateways of every family, but misses defaults without a gateway (ppp0) and, once a second table has a default
  (VPN), the main table's. `/proc/net/route` and `ipv6_route` have those, with metrics. Nothing here sends anything over
  the network.
- A container may have no /sys. Then psutil's flags replace the link (it calls IFF_RUNNING "up"), and names the kind:
  nothing there tells hardware from a veth.
- Memory counts here: psutil (1 MB) is loaded only where it is needed, and paths are text (pathlib: 0.5 MB).
- Everything may change while it is read. What vanished in between reads as absent, and the netlink message that tells
  of it rings for another look.
"""
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import netifaces

from econduit_terminal.contract.network_report import Kind

from . import neighbours, veth, wifi_ssid
from .ip_config import Address, IpConfig, ip_configs, read_addresses
from .routes import routes_to
from .state import EndpointRoute, Interface, Route, State, kind_by_name

SYSFS = "/sys/class/net"
PROC = "/proc/net"

ARPHRD_ETHER, ARPHRD_PPP, ARPHRD_RAWIP = 1, 512, 519
RTF_UP, RTF_GATEWAY, RTF_REJECT = 0x1, 0x2, 0x200
_UNKNOWN_METRIC = 2**32 - 1
_BEFORE_ALL = -1
_ALL, _HALF = "00000000", "00000080"    # masks, as /proc/net/route has them
_IFF_UP = 0x1
_VIRTUAL = ("lo", "docker", "veth", "br-", "virbr", "vnet", "tun", "tap", "wg", "dummy", "ifb", "cni", "cali",
            "flannel")
"""How names of interfaces without a cable or a radio begin; used where nothing better tells."""


def _flags() -> Mapping[str, Any]:
    import psutil
    found: Mapping[str, Any] = psutil.net_if_stats()
    return found


class Sources(NamedTuple):
    """What is asked beside the files: netlink, psutil, netifaces."""

    addresses: Callable[[], Mapping[str, list[Address]]] = read_addresses
    flags: Callable[[], Mapping[str, Any]] = _flags
    gateways: Callable[[], Mapping[Any, Any]] = netifaces.gateways
    table: Callable[[], Iterable[neighbours.Neighbour]] = neighbours.table
    endpoint_routes: Callable[[Iterable[str]], tuple[EndpointRoute, ...]] = routes_to
    ssid: Callable[[str], str | None] = wifi_ssid.ssid
    unpaired: Callable[[], frozenset[str] | None] = veth.unpaired


SOURCES = Sources()


def read(named: tuple[str, ...] = (), endpoints: tuple[str, ...] = (), sysfs: str = SYSFS, proc: str = PROC,
         sources: Sources = SOURCES) -> State:
    """The state of this network namespace now. `named`: the interfaces that count (empty: every real one).
    `endpoints`: the known addresses of the cloud's endpoints.

    `sysfs` must be the one of the namespace (`ip netns exec` mounts it); tests pass a tree of files and `sources` of
    their own. No state of a network makes it raise.
    """
    try:
        held, answered = ip_configs(sources.addresses()), True
    except OSError:
        held, answered = {}, False
    listed = _listed(sysfs)
    names = sorted(set(listed) | set(held))
    stats = {} if _links_readable(sysfs, listed, names) else _or_nothing(sources.flags)
    counting = set(named) or (_real(sysfs, names, sources.unpaired) if listed else _real_by_name(held, stats))
    radios = _radios(proc)
    interfaces = tuple(
        _interface(sysfs, name, held.get(name, IpConfig()), name in counting, stats.get(name), name in radios)
        for name in names)
    known = {(entry.interface, entry.address): entry for entry in sources.table()}

    def marked(route: Route) -> Route:
        entry = known.get((route.interface, route.gateway or ""))
        return route if entry is None else route._replace(silent=entry.silent, mac=entry.mac)

    return State(
        interfaces,
        tuple(map(marked, _routes(proc, _or_nothing(sources.gateways)))),
        tuple(EndpointRoute(one.address, marked(one.route)) for one in sources.endpoint_routes(endpoints)),
        tuple((one.name, name) for one in interfaces
              if one.kind is Kind.WIFI and one.linked and (name := sources.ssid(one.name))),
        readable=answered and bool(names),
    )


def _or_nothing(source: Callable[[], Mapping[Any, Any]]) -> Mapping[Any, Any]:
    """What a library says; nothing where it cannot read its files (no /proc, no /sys)."""
    try:
        return source()
    except OSError:
        return {}


def _interface(sysfs: str, name: str, held: IpConfig, counts: bool, stats: Any, radio: bool) -> Interface:
    folder = f"{sysfs}/{name}"
    carrier = _text(f"{folder}/carrier")
    operstate = _text(f"{folder}/operstate")
    flags = _text(f"{folder}/flags")
    enabled = int(flags, 16) & _IFF_UP != 0 if flags else operstate != "down" or carrier is not None
    if operstate is None and stats is not None:
        words = getattr(stats, "flags", "running,up" if stats.isup else "up").split(",")
        enabled = "up" in words
        carrier = str(int("running" in words)) if enabled else None
        operstate = "up" if "running" in words else "down"
    return Interface(
        name, Kind.WIFI if radio else _kind(sysfs, name, held), operstate or "unknown",
        carrier=None if carrier is None else carrier == "1", carrier_changes=_number(f"{folder}/carrier_changes"),
        addresses=held.addresses, networks=held.networks, counts=counts, enabled=enabled)


def _kind(sysfs: str, name: str, held: IpConfig) -> Kind:
    if _has(sysfs, name, "wireless") or _has(sysfs, name, "phy80211"):
        return Kind.WIFI
    by_name = kind_by_name(name)
    if _has(sysfs, name, "type"):       # some modems call themselves Ethernet, too
        cable = _number(f"{sysfs}/{name}/type") == ARPHRD_ETHER and by_name is not Kind.OTHER
        return Kind.ETHERNET if cable else Kind.OTHER
    return by_name if by_name is not Kind.ETHERNET or held.hardware else Kind.OTHER


def _radios(proc: str) -> set[str]:
    """The interfaces in /proc/net/wireless, below its two lines of headings."""
    lines = (_text(f"{proc}/wireless") or "").splitlines()[2:]
    return {line.partition(":")[0].strip() for line in lines if ":" in line}


def _real_by_name(held: Mapping[str, IpConfig], stats: Mapping[str, Any]) -> set[str]:
    """The interfaces that count where /sys cannot be read: those with a MAC and no virtual one's name, and ppp."""
    cables = {name for name, one in held.items() if one.hardware and name != "lo"}
    lines = {name for name in {*held, *stats} if name.startswith(("ppp", "wwan"))}
    real = {name for name in cables if not name.startswith(_VIRTUAL)} | lines
    return real or cables


def _real(sysfs: str, names: list[str], unpaired: Callable[[], frozenset[str] | None]) -> set[str]:
    """The interfaces with a cable or a radio behind them.

    Hardware has a `device`. A bond, a VLAN or a bridge counts if there is hardware under it (`lower_*`); its ports
    (`master`) then do not count. ppp and raw-ip modems are lines of their own. A machine with none of these is a
    container or a test network: there the plain Ethernet interfaces that are nobody's port count, but not those that it
    made for containers of its own, as far as names and the other end tell.
    """
    free = [name for name in names if name != "lo" and not _has(sysfs, name, "master")]
    lines = {name for name in free if _number(f"{sysfs}/{name}/type") in (ARPHRD_PPP, ARPHRD_RAWIP)}
    if real := {name for name in free if _on_hardware(sysfs, name)} | lines:
        return real
    plain = {name for name in free if _is_plain_ethernet(sysfs, name)}
    cables = {name for name in plain if not name.startswith(_VIRTUAL)}
    if len(cables) > 1 and (alone := unpaired()) is not None:
        cables &= alone     # asked last: one end of a pair that was removed meanwhile is not in it either
    return cables or plain


def _on_hardware(sysfs: str, name: str, depth: int = 4) -> bool:
    if _has(sysfs, name, "device"):
        return True
    if depth == 0 or _has(sysfs, name, "tun_flags"):
        return False
    lower = [entry.removeprefix("lower_") for entry in _entries(f"{sysfs}/{name}") if entry.startswith("lower_")]
    return any(_on_hardware(sysfs, one, depth - 1) for one in lower)


def _is_plain_ethernet(sysfs: str, name: str) -> bool:
    virtual = _has(sysfs, name, "tun_flags") or _has(sysfs, name, "bridge")
    return _number(f"{sysfs}/{name}/type") == ARPHRD_ETHER and not virtual


def _routes(proc: str, gateways: Mapping[Any, Any]) -> list[Route]:
    """Default routes by metric; those that only netifaces saw (another table's) come last."""
    defaults, private = _ipv4_ways(_text(f"{proc}/route") or "")
    routes = defaults + _ipv6_defaults(_text(f"{proc}/ipv6_route") or "") or private
    seen = {(route.interface, route.gateway) for route in routes}
    for family, number in ((netifaces.AF_INET, 4), (netifaces.AF_INET6, 6)):
        for entry in gateways.get(family, ()):
            gateway, interface = entry[0].partition("%")[0], entry[1]
            if (interface, gateway) not in seen:
                routes.append(Route(interface, gateway, _UNKNOWN_METRIC, number))
    return sorted(routes, key=lambda route: route.metric)


def _ipv4_ways(table: str) -> tuple[list[Route], list[Route]]:
    """Lines of /proc/net/route: name, destination, gateway, flags, refs, use, metric, mask, … in host-order hex.

    A VPN may take everything in two halves (0.0.0.0/1 and 128.0.0.0/1), which win over any default. A private line may
    have no default, only routes through a gateway to certain networks (the second list): they take its place.
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


def _links_readable(sysfs: str, listed: list[str], names: list[str]) -> bool:
    """sysfs is there and tells of every interface that is still there."""
    return bool(listed) and all(_text(f"{sysfs}/{name}/operstate") for name in names if _has(sysfs, name, ""))


def _listed(sysfs: str) -> list[str]:
    return [name for name in _entries(sysfs) if _has(sysfs, name, "operstate")]


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _has(sysfs: str, name: str, file: str) -> bool:
    return os.path.exists(f"{sysfs}/{name}/{file}")


def _text(file: str) -> str | None:
    try:
        with open(file, errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return None


def _number(file: str) -> int:
    text = _text(file)
    return int(text) if text is not None and text.isdecimal() else 0
