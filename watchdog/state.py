"""What the terminal's network looks like at one moment, and what differs between two moments. PURE.

Rules:
  1. A State is frozen and complete; nothing in it is read later, nothing in it belongs to another moment.
  2. An interface *counts* if there is a cable or a radio behind it (snapshot.py decides), or if the settings name it.
  3. linked: switched on, operstate `up` or `unknown`, and no known lack of carrier.
     usable: counts, linked, has an address that reaches further than the cable, and leads somewhere: it has a default
     route, or the kernel's route to an endpoint leads over it.
  4. changes() names every difference that matters to a person or to the verdict, and no other. What happens to an
     interface that does not count is no news: containers come and go once a second.
"""
from enum import StrEnum
from typing import NamedTuple

from econduit_terminal.contract.network_report import Kind

_LINKED = frozenset({"up", "unknown"})


class Interface(NamedTuple):
    """One interface. `enabled`: administratively up (IFF_UP); one that is not has no known `carrier` (None).
    `networks`: those of `addresses`, as `192.0.2.0/24`."""

    name: str
    kind: Kind = Kind.ETHERNET
    operstate: str = "up"
    carrier: bool | None = True
    carrier_changes: int = 0
    addresses: tuple[str, ...] = ()
    counts: bool = True
    enabled: bool = True
    networks: tuple[str, ...] = ()

    @property
    def linked(self) -> bool:
        return self.enabled and self.operstate in _LINKED and self.carrier is not False


class Route(NamedTuple):
    """A default route, or what takes its place (snapshot.py). `gateway`: None on a line without one (ppp0). `silent`:
    the kernel looked for the gateway on the link and nobody answered; None: it does not know at the moment. `mac`: the
    gateway's, None while the kernel does not know it."""

    interface: str
    gateway: str | None = None
    metric: int = 0
    family: int = 4
    silent: bool | None = None
    mac: str | None = None


class EndpointRoute(NamedTuple):
    """The kernel's route to an endpoint's address; without a gateway where that is on the link, or on this terminal."""

    address: str
    route: Route


class State(NamedTuple):
    """All interfaces by name, all default routes in the order in which the kernel prefers them, and the kernel's routes
    to the known addresses of endpoints. `ssids`: interface → the Wi-Fi network it is in. `readable`: False where
    nothing says which interfaces there are (a container without /sys and /proc), or the kernel does not tell their
    addresses at the moment."""

    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    endpoint_routes: tuple[EndpointRoute, ...] = ()
    ssids: tuple[tuple[str, str], ...] = ()
    readable: bool = True

    def interface(self, name: str | None) -> Interface | None:
        return next((interface for interface in self.interfaces if interface.name == name), None)

    def holder(self, address: str | None) -> Interface | None:
        """The interface that has a local address; one with a link before one without."""
        holders = [interface for interface in self.interfaces if address in interface.addresses]
        return next((interface for interface in holders if interface.linked), holders[0] if holders else None)

    @property
    def counting(self) -> tuple[Interface, ...]:
        return tuple(interface for interface in self.interfaces if interface.counts)

    @property
    def default(self) -> Route | None:
        """The route that the kernel takes, dead or not: IPv4 where there is one, since the cloud has that."""
        return _preferred(self.routes)

    @property
    def default_identity(self) -> Route | None:
        """`default`, whether its gateway answers or not: what probe results and an alternative interface are about."""
        return self.default and self.default._replace(silent=None, mac=None)

    def route_of(self, name: str) -> Route | None:
        """The default route over an interface that the kernel prefers; else its route to an endpoint over it."""
        return _preferred(tuple(route for route in self.all_routes if route.interface == name))

    @property
    def dial_interfaces(self) -> tuple[str, ...]:
        """The interfaces over which the kernel dials: those of its routes to the endpoints, else the default's."""
        names = tuple(dict.fromkeys(one.route.interface for one in self.endpoint_routes))
        return names or ((self.default.interface,) if self.default else ())

    @property
    def usable(self) -> tuple[Interface, ...]:
        """Every usable interface, the one with the best default route first."""
        order: dict[str, int] = {}
        for position, route in enumerate(self.all_routes):
            order.setdefault(route.interface, position)
        able = [one for one in self.counting if one.linked and one.addresses and one.name in order]
        return tuple(sorted(able, key=lambda one: order[one.name]))

    @property
    def addressed(self) -> tuple[str, ...]:
        """The interfaces over which something can be asked, be there a route to the cloud or not."""
        return tuple(one.name for one in self.counting if one.linked and one.addresses)

    @property
    def endpoint_is_local(self) -> bool:
        """An endpoint is on this terminal itself: no network is needed."""
        return any(one.route.interface == "lo" for one in self.endpoint_routes)

    @property
    def all_routes(self) -> tuple[Route, ...]:
        return (*self.routes, *(one.route for one in self.endpoint_routes))

    @property
    def gateways(self) -> frozenset[str]:
        return frozenset(route.gateway for route in self.all_routes if route.gateway)

    @property
    def networks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(network for one in self.counting for network in one.networks))


def _preferred(routes: tuple[Route, ...]) -> Route | None:
    return next((route for route in routes if route.family == 4), routes[0] if routes else None)


def remembering(before: State | None, after: State) -> State:
    """`after`, with what the kernel has only forgotten: a gateway without an entry in its table is as silent as it was
    `before`, and has the same MAC. After the link was away it may be another one, even under the same address."""
    known = {(route.interface, route.gateway): route for route in (before.all_routes if before else ())}

    def remembered(route: Route) -> Route:
        was = known.get((route.interface, route.gateway), Route(route.interface, silent=False))
        link, old = after.interface(route.interface), before.interface(route.interface) if before else None
        same = link is not None and old is not None and link.linked and link.carrier_changes == old.carrier_changes
        return route._replace(
            silent=was.silent if route.silent is None else route.silent,
            mac=route.mac or (was.mac if same else None))

    return after._replace(routes=tuple(map(remembered, after.routes)),
                          endpoint_routes=tuple(one._replace(route=remembered(one.route))
                                                for one in after.endpoint_routes))


class Fact(StrEnum):
    """What can differ. LINK_FLAPPED: it was there at both moments, and away between them. LINK_STATE: any other
    operstate."""

    INTERFACE_GONE = "interface gone"
    INTERFACE_NEW = "interface new"
    LINK_LOST = "link lost"
    LINK_BACK = "link back"
    LINK_FLAPPED = "link flapped"
    LINK_STATE = "link state"
    ADDRESS_GONE = "address gone"
    ADDRESS_NEW = "address new"
    DEFAULT_GONE = "default gone"
    DEFAULT_NEW = "default new"
    DEFAULT_CHANGED = "default changed"
    GATEWAY_SILENT = "gateway silent"
    GATEWAY_BACK = "gateway back"


class Change(NamedTuple):
    """One difference. `detail` is for people; `interface` is None for the default route as a whole."""

    fact: Fact
    interface: str | None
    detail: str


def changes(before: State, after: State, carrying: frozenset[str] = frozenset()) -> tuple[Change, ...]:
    """The differences between two moments, in the order: interfaces by name, then the default route.

    `carrying`: interfaces that are news although they do not count, such as a tunnel that carries the connection.
    """
    old = {interface.name: interface for interface in before.interfaces}
    new = {interface.name: interface for interface in after.interfaces}
    found: list[Change] = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if name in carrying or any(one is not None and one.counts for one in (was, now)):
            found += _interface_changes(name, was, now)
    found += _route_changes(before.default, after.default)
    return tuple(found)


def _interface_changes(name: str, old: Interface | None, new: Interface | None) -> list[Change]:
    found = []
    if new is None:
        found.append(Change(Fact.INTERFACE_GONE, name, f"{name} is gone"))
    elif old is None:
        found.append(Change(Fact.INTERFACE_NEW, name, f"{name} is there ({new.kind.value}, {new.operstate})"))
    elif old.linked != new.linked:
        fact = Fact.LINK_BACK if new.linked else Fact.LINK_LOST
        found.append(Change(fact, name, f"{name} {old.operstate} → {describe_link(new)}"))
    elif new.linked and old.carrier_changes != new.carrier_changes:
        found.append(Change(Fact.LINK_FLAPPED, name, f"{name} lost its carrier for a moment"))
    elif old.operstate != new.operstate:
        found.append(Change(Fact.LINK_STATE, name, f"{name} {old.operstate} → {new.operstate}"))
    was, now = (one.addresses if one else () for one in (old, new))
    found += [Change(Fact.ADDRESS_GONE, name, f"{name} has {address} no longer")
              for address in was if address not in now]
    found += [Change(Fact.ADDRESS_NEW, name, f"{name} has {address}") for address in now if address not in was]
    return found


def _route_changes(old: Route | None, new: Route | None) -> list[Change]:
    if new is None:
        return [] if old is None else [
            Change(Fact.DEFAULT_GONE, None, f"no default route any more (was {describe_route(old)})")]
    if old is None:
        return [Change(Fact.DEFAULT_NEW, None, f"default route {describe_route(new)}")]
    if (old.interface, old.gateway) != (new.interface, new.gateway):
        return [Change(Fact.DEFAULT_CHANGED, None, f"default route {describe_route(old)} → {describe_route(new)}")]
    if bool(old.silent) != bool(new.silent):
        fact, text = ((Fact.GATEWAY_SILENT, "does not answer on the link") if new.silent
                      else (Fact.GATEWAY_BACK, "answers again on the link"))
        return [Change(fact, new.interface, f"{new.gateway} {text}")]
    return []


def kind_by_name(name: str) -> Kind:
    """What kind an interface is, as far as its name tells: so systemd and the kernel call radios and modems."""
    if name.startswith("wl"):
        return Kind.WIFI
    return Kind.OTHER if name.startswith(("ww", "ppp")) else Kind.ETHERNET


def describe_link(interface: Interface) -> str:
    """The state of a link in words."""
    if interface.linked:
        return "up"
    if not interface.enabled:
        return "switched off"
    return "not authorised yet" if interface.operstate == "dormant" else "no carrier"


def describe_route(route: Route) -> str:
    return f"{route.gateway} over {route.interface}" if route.gateway else f"over {route.interface}"
