"""Which way a dial takes, and into which network it leads, by the state alone. PURE."""
from econduit_terminal.contract.network_report import Kind

from .addresses import LocalNetwork
from .state import Route, State


def dial_route(state: State) -> Route | None:
    """The route that a dial takes, and that probes ask about: the kernel's to an endpoint, else the default."""
    if name := bind(state):
        return state.route_of(name)
    if not state.endpoint_routes:
        return state.default
    names = [interface.name for interface in state.usable]
    first = min((one.route for one in state.endpoint_routes), key=lambda route: route.interface not in names)
    # The same route in the kernel's table knows more, such as its metric.
    same = (route for route in state.routes if (route.interface, route.gateway) == (first.interface, first.gateway))
    return next(same, first)


def bind(state: State, alternative: str | None = None) -> str | None:
    """The interface to dial over where the kernel would choose a dead one, else None. `alternative`: one over which the
    internet answers while it does not over the kernel's choice."""
    names = [interface.name for interface in state.usable]
    if not names or not state.dial_interfaces:
        return None
    if any(name in names for name in state.dial_interfaces):
        return alternative
    # A route over an interface that does not count (a VPN, this terminal itself) is someone's decision, and is left as
    # it is while that interface is up.
    chosen = map(state.interface, state.dial_interfaces)
    decided = any(one is not None and one.linked and not one.counts for one in chosen)
    return None if decided else alternative or names[0]


def local_network(state: State, trusted: frozenset[str] = frozenset()) -> LocalNetwork:
    """What is on this side of the gateway."""
    own = frozenset(address for one in state.interfaces for address in one.addresses)
    return LocalNetwork(own, state.gateways, state.networks, trusted)


def network_identity(state: State) -> str | None:
    """Which network this is: by its gateway's MAC, else the Wi-Fi network's name, else the prefix; a modem's line by
    its interface, since its address is another one each time. None while a gateway's MAC is not known yet: the name of
    a network must not change from one moment to the next."""
    route = dial_route(state)
    name = route.interface if route else next((one.name for one in state.usable), None)
    carries = state.interface(name)
    if carries is None or not carries.linked:
        return None
    if carries.kind == Kind.OTHER:
        return f"line {carries.name}"
    if route is not None and route.gateway:
        return f"gateway {route.mac}" if route.mac else None
    if ssid := dict(state.ssids).get(carries.name):
        return f"Wi-Fi {ssid}"
    return f"network {carries.networks[0]}" if carries.networks else None
