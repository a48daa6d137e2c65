"""What one round of probes asks, by the network's state; probes.py asks it."""
from typing import NamedTuple

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.process import lookups

from .addresses import LocalNetwork
from .dial_route import bind, dial_route
from .state import Route, State

NO_NETWORK = LocalNetwork()


class Plan(NamedTuple):
    """What one round asks. `dial`: also the endpoints themselves, not only their names. `others`: usable interfaces
    beside the one that a dial takes. `over`: that one, where the kernel would choose a dead one."""

    gateway: Route | None
    endpoints: tuple[Endpoint, ...]
    references: tuple[Endpoint, ...] = ()
    others: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    over: str | None = None
    local: LocalNetwork = NO_NETWORK
    dial: bool = True


def plan(state: State, endpoints: tuple[Endpoint, ...], references: tuple[Endpoint, ...],
         local: LocalNetwork = NO_NETWORK, dial: bool = True) -> Plan:
    """What is worth asking in this state."""
    route = dial_route(state)
    others = tuple(one.name for one in state.usable if route is None or one.name != route.interface)
    return Plan(route, endpoints, references, others, lookups.name_servers(), bind(state), local, dial)
