"""What the terminal's network looks like at one moment, and what differs between two moments. PURE.

Rules:
  1. A State is frozen and complete; nothing in it is read later, nothing in it belongs to another moment.
  2. An interface *counts* if a cable or a radio stands behind it (snapshot.py decides), or if the settings name it.
  3. linked  = operstate ``up`` or ``unknown``, and no known lack of carrier.
     usable  = counts, linked, has an address that reaches further than the cable, and a default route.
  4. changes() names every difference that a person or the verdict could want to know; the rest did not happen.
"""
from typing import NamedTuple

ETHERNET, WIFI, OTHER = "ethernet", "wifi", "other"

_LINKED = frozenset({"up", "unknown"})


class Interface(NamedTuple):
    """One interface. ``carrier`` is None where the kernel does not say (administratively down)."""

    name: str
    kind: str = ETHERNET
    operstate: str = "up"
    carrier: bool | None = True
    carrier_changes: int = 0
    addresses: tuple[str, ...] = ()
    counts: bool = True

    @property
    def linked(self) -> bool:
        return self.operstate in _LINKED and self.carrier is not False


class Route(NamedTuple):
    """A default route, or what stands for one (snapshot.py). ``gateway`` is None on a line without one (ppp0).
    ``silent``: the kernel asked for the gateway on the cable and nobody answered; None: it does not know just now."""

    interface: str
    gateway: str | None = None
    metric: int = 0
    family: int = 4
    silent: bool | None = None


class State(NamedTuple):
    """All interfaces by name, all default routes in the order in which the kernel prefers them."""

    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()

    def interface(self, name: str | None) -> Interface | None:
        return next((interface for interface in self.interfaces if interface.name == name), None)

    def holder(self, address: str | None) -> Interface | None:
        """The interface that holds a local address; one with a link before one without."""
        holders = [interface for interface in self.interfaces if address in interface.addresses]
        return next((interface for interface in holders if interface.linked), holders[0] if holders else None)

    @property
    def counting(self) -> tuple[Interface, ...]:
        return tuple(interface for interface in self.interfaces if interface.counts)

    @property
    def default(self) -> Route | None:
        """The route that the kernel takes, dead or not: IPv4 where there is one, since the cloud speaks it."""
        return next((route for route in self.routes if route.family == 4), self.routes[0] if self.routes else None)

    @property
    def way_out(self) -> Route | None:
        """``default``, whether its gateway answers or not: what answers and a detour are about."""
        return self.default and self.default._replace(silent=None)

    def route_of(self, name: str) -> Route | None:
        """The default route of an interface that the kernel prefers, among all over that interface."""
        own = [route for route in self.routes if route.interface == name]
        return next((route for route in own if route.family == 4), own[0] if own else None)

    @property
    def usable(self) -> tuple[Interface, ...]:
        """Every usable interface, the one with the best default route first."""
        order = {}
        for position, route in enumerate(self.routes):
            order.setdefault(route.interface, position)
        able = [one for one in self.counting if one.linked and one.addresses and one.name in order]
        return tuple(sorted(able, key=lambda one: order[one.name]))


def remembering(before: State | None, after: State) -> State:
    """``after``; a gateway of which the kernel knows nothing just now is as silent as it was ``before``."""
    silent = {(route.interface, route.gateway): route.silent for route in (before.routes if before else ())}
    return after._replace(routes=tuple(
        route._replace(silent=silent.get((route.interface, route.gateway), False)) if route.silent is None else route
        for route in after.routes))


class Change(NamedTuple):
    """One named difference. ``detail`` is for people; ``interface`` is None for the default route as a whole."""

    fact: str
    interface: str | None
    detail: str


def changes(before: State, after: State) -> tuple[Change, ...]:
    """The differences between two moments, in the order: interfaces by name, then the default route.

    Facts: ``interface gone``, ``interface new``, ``link lost``, ``link back``, ``link flapped`` (it was up at both
    moments and away between them), ``link state`` (any other operstate), ``address gone``, ``address new``,
    ``default gone``, ``default new``, ``default changed``, ``gateway silent``, ``gateway back``.
    """
    old = {interface.name: interface for interface in before.interfaces}
    new = {interface.name: interface for interface in after.interfaces}
    found: list[Change] = []
    for name in sorted(old.keys() | new.keys()):
        found += _interface_changes(name, old.get(name), new.get(name))
    found += _route_changes(before.default, after.default)
    return tuple(found)


def _interface_changes(name: str, old: Interface | None, new: Interface | None) -> list[Change]:
    found = []
    if new is None:
        found.append(Change("interface gone", name, f"{name} is gone"))
    elif old is None:
        found.append(Change("interface new", name, f"{name} is there ({new.kind}, {new.operstate})"))
    elif old.linked != new.linked:
        fact = "link back" if new.linked else "link lost"
        found.append(Change(fact, name, f"{name} {old.operstate} → {describe_link(new)}"))
    elif new.linked and old.carrier_changes != new.carrier_changes:
        found.append(Change("link flapped", name, f"{name} lost its carrier for a moment"))
    elif old.operstate != new.operstate:
        found.append(Change("link state", name, f"{name} {old.operstate} → {new.operstate}"))
    was, now = (one.addresses if one else () for one in (old, new))
    found += [Change("address gone", name, f"{name} has {address} no longer") for address in was if address not in now]
    found += [Change("address new", name, f"{name} has {address}") for address in now if address not in was]
    return found


def _route_changes(old: Route | None, new: Route | None) -> list[Change]:
    if old is None and new is None:
        return []
    if new is None:
        return [Change("default gone", None, f"no default route any more (was {describe_route(old)})")]
    if old is None:
        return [Change("default new", None, f"default route {describe_route(new)}")]
    if (old.interface, old.gateway) != (new.interface, new.gateway):
        return [Change("default changed", None, f"default route {describe_route(old)} → {describe_route(new)}")]
    if bool(old.silent) != bool(new.silent):
        answers = "does not answer on the link" if new.silent else "answers again on the link"
        return [Change("gateway silent" if new.silent else "gateway back", new.interface, f"{new.gateway} {answers}")]
    return []


def describe_link(interface: Interface) -> str:
    """The state of a link as a person says it."""
    if interface.linked:
        return "up"
    if interface.operstate == "dormant":
        return "not authorised yet"
    if interface.carrier is None:
        return "switched off"
    return "no carrier"


def describe_route(route: Route) -> str:
    return f"{route.gateway} over {route.interface}" if route.gateway else f"over {route.interface}"
