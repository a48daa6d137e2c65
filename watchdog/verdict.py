"""(before, after, answers, carrier) → what happened, and what the agent should do about it. PURE.

Rules:
  1. A reason is one of the names below: they stand on the display, in the status and in the metrics.
  2. What counts is the interface that carries the cloud connection, by its local address. While that works the verdict
     is ``online``, whatever other interfaces do; a connection that works is never torn down for a better one.
  3. ``lost`` names the local addresses that work no longer, for as long as they do not, not only when they went.
  4. ``dial`` and ``verify`` are about a moment: something got better, something came into doubt. A carrier that was
     away between two looks (``link flapped``) may have left the connection alive: verify, do not abort.
  5. ``bind`` is given only when the kernel's default route would lead the dial into the void. Probes take the same way.
  6. While no interface is usable nothing else is worth asking: the reason is the link's or the address's. While one is,
     the reason is what the probes found. No answers yet: no reason against the network.
"""
from typing import NamedTuple

from econduit_terminal.watchdog.state import WIFI, Interface, Route, State, changes, describe_link

CABLE = "cable unplugged"
WIFI_LOST = "Wi-Fi lost"
NO_ADDRESS = "no address"
NO_GATEWAY = "no gateway"
GATEWAY_SILENT = "gateway silent"
NO_DNS = "no DNS"
NO_INTERNET = "no internet"
CLOUD_SILENT = "cloud not answering"
BLOCKED_PORT = "blocked port"
REFUSED = "registration refused"
ONLINE = "online"

WORKS, DEAD, UNKNOWN = "works", "dead", "unknown"

OPEN, CLOSED, SILENT, UNREACHABLE, UNTRIED = "open", "refused", "silent", "unreachable", "no address known"

_MOST_INTERFACES = 16


class Answers(NamedTuple):
    """What one round of probes found. None: there was nothing of that kind to ask.

    ``endpoints``: (``host:port``, OPEN | CLOSED | SILENT | UNREACHABLE | UNTRIED) in order of preference.
    ``resolver``: the host of a name server answers; ``resolver_outside``: and it stands in the internet.
    ``denied``: a name server said that there is no such name.
    ``elsewhere``: another usable interface over which something beyond the gateway answered.
    """

    gateway: bool | None = None
    names: bool | None = None
    resolver: bool | None = None
    resolver_outside: bool = False
    endpoints: tuple[tuple[str, str], ...] = ()
    references: bool | None = None
    elsewhere: str | None = None
    denied: bool = False

    @property
    def beyond(self) -> bool:
        """Something behind the gateway answered over the way that a dial takes, be it with a refusal."""
        endpoint = any(outcome in (OPEN, CLOSED) for _, outcome in self.endpoints)
        return endpoint or bool(self.references) or bool(self.resolver and self.resolver_outside)


class Carrier(NamedTuple):
    """What the agent says of its connection. ``interface`` and ``local_address`` are the last known while offline."""

    online: bool = False
    local_address: str | None = None
    interface: str | None = None
    reason: str | None = None


class Verdict(NamedTuple):
    """The network report's content (POST /network), and ``detour``: the interface to dial over because the default
    route's path is dead although its link is up; it stands until the default route changes or is asked again."""

    reason: str
    detail: str
    usable: bool
    path: str = UNKNOWN
    bind: str | None = None
    lost: tuple[tuple[str, str], ...] = ()
    dial: bool = False
    verify: bool = False
    interfaces: tuple[Interface, ...] = ()
    usable_names: tuple[str, ...] = ()
    detour: str | None = None


def judge(
    before: State | None, after: State, answers: Answers | None, carrier: Carrier,
    *, last: Verdict | None = None, resumed: bool = False,
) -> Verdict:
    """The verdict on ``after``. ``last``: the verdict on ``before``; ``resumed``: it was suspended between them."""
    before = before if before is not None else after
    usable = after.usable
    names = tuple(interface.name for interface in usable)
    lost = lost_addresses(before, after, carrier)
    carried = carrier.online and carrier.local_address not in dict(lost)
    detour = _detour(before, after, answers, names, last)
    reason, detail = _reason(after, usable, answers, carrier, carried)
    path = _path(answers, carried, bool(usable), detour)
    doubted = carried and (resumed or _in_doubt(before, after, carrier))
    got_better = last is not None and last.path == DEAD and path == WORKS and not carried
    return Verdict(
        reason=reason,
        detail=detail,
        usable=bool(usable),
        path=path,
        bind=bind(after, detour),
        lost=lost,
        dial=bool(usable) and (got_better or _better(before, after, carrier, detour, last)),
        verify=doubted,
        interfaces=after.counting[:_MOST_INTERFACES],
        usable_names=names,
        detour=detour,
    )


def lost_addresses(before: State, after: State, carrier: Carrier) -> tuple[tuple[str, str], ...]:
    """(address, reason) of every local address known of that works no longer.

    An address is lost when no interface holds it, or only interfaces without a link; loopback is never lost.
    """
    known = {address: interface for interface in before.interfaces for address in interface.addresses}
    if carrier.online and carrier.local_address and carrier.local_address not in known:
        known[carrier.local_address] = before.interface(carrier.interface)
    known |= {address: interface for interface in after.interfaces for address in interface.addresses}
    lost = []
    for address, was_on in sorted(known.items()):
        holder = after.holder(address)
        if holder is not None and holder.linked or address == "::1" or address.startswith("127."):
            continue
        now = holder or (after.interface(was_on.name) if was_on else None)
        if now is not None and now.linked or was_on is None:
            lost.append((address, NO_ADDRESS))
        else:
            lost.append((address, link_reason(now or was_on)))
    return tuple(lost)


def link_reason(interface: Interface) -> str:
    """Why an interface has no link, by its kind; a modem's line has no cable to look for."""
    return {WIFI: WIFI_LOST, "ethernet": CABLE}.get(interface.kind, NO_ADDRESS)


def _reason(after, usable, answers, carrier, carried) -> tuple[str, str]:
    if carried:
        return ONLINE, f"registered over {carrier.interface or carrier.local_address or 'this terminal itself'}"
    if not usable:
        return _unusable(after, carrier)
    if answers is None:
        return ONLINE, f"{usable[0].name} is usable"
    return diagnose(answers, way(after), carrier.reason)


def _unusable(after: State, carrier: Carrier) -> tuple[str, str]:
    """The reason of the interface that carried last, else of the one that got furthest."""
    if not after.counting:
        gone = carrier.interface or "no network interface"
        return CABLE, f"{gone} is gone" if carrier.interface else "there is no network interface"
    ranked = sorted(after.counting, key=lambda one: (one.linked, bool(one.addresses), one.kind != WIFI), reverse=True)
    main = after.interface(carrier.interface)
    if main is None or not main.counts:
        main = ranked[0]
    if not main.linked:
        reason, detail = link_reason(main), f"{main.name}: {describe_link(main)}"
    elif not main.addresses:
        reason, detail = NO_ADDRESS, f"{main.name} is up, but has no address"
    else:
        reason, detail = NO_GATEWAY, f"{main.name} has {main.addresses[0]}, but no default route"
    return reason, detail


def diagnose(answers: Answers, route: Route | None, agent_reason: str | None = None) -> tuple[str, str]:
    """What the probes' answers over a default route mean, as a reason and a detail. The first row that fits says it:

    | endpoints                  | else                                              | reason                |
    |----------------------------|---------------------------------------------------|-----------------------|
    | some or all open           | the agent was refused                             | registration refused… |
    | all open                   |                                                   | online                |
    | some open                  |                                                   | blocked port          |
    | no address known of any    | the name was denied, or something beyond answers  | no DNS                |
    | none open                  | anything beyond the gateway answers               | cloud not answering   |
    | none open                  | gateway does not answer                           | gateway silent        |
    | no address known of any    | a name server of the local network is dead        | no DNS                |
    | none open                  |                                                   | no internet           |

    A router that serves names answers without its line, too, but finds none: that is the line's fault, not the names'.
    """
    failed = [f"{endpoint}: {outcome}" for endpoint, outcome in answers.endpoints if outcome != OPEN]
    some_open = len(failed) < len(answers.endpoints)
    nameless = bool(answers.endpoints) and all(outcome == UNTRIED for _, outcome in answers.endpoints)
    gateway = route.gateway if route and route.gateway else "the gateway"
    if some_open and agent_reason and agent_reason.startswith(REFUSED):
        return agent_reason, "; ".join(["the cloud answers, and refuses this terminal", *failed])
    if answers.endpoints and not failed:
        return ONLINE, "every endpoint answers"
    if some_open:
        return BLOCKED_PORT, "; ".join(failed)
    unnamed = nameless and answers.names is False
    if unnamed and (answers.denied or answers.beyond):
        return NO_DNS, "the cloud's names cannot be looked up, though the network answers"
    if answers.beyond:
        return CLOUD_SILENT, "the internet answers, the cloud does not (" + "; ".join(failed) + ")"
    if answers.gateway is False:
        return GATEWAY_SILENT, f"{gateway} does not answer"
    if unnamed and not answers.resolver and not answers.resolver_outside:
        return NO_DNS, "the name server does not answer"
    answering = f"{gateway} answers, " if answers.gateway else ""
    return NO_INTERNET, f"{answering}nothing behind it does"


def _path(answers: Answers | None, carried: bool, usable: bool, detour: str | None) -> str:
    if carried:
        return WORKS
    if not usable:
        return DEAD
    if answers is None:
        return UNKNOWN
    return WORKS if answers.beyond or detour else DEAD


def _detour(before, after, answers, names, last) -> str | None:
    if answers is not None:
        return None if answers.beyond else answers.elsewhere
    if last is None or last.detour not in names or before.way_out != after.way_out:
        return None
    return last.detour


def bind(state: State, detour: str | None = None) -> str | None:
    """The interface to dial over where the kernel would choose a dead one, else None."""
    default = state.default
    names = [interface.name for interface in state.usable]
    if default is None or not names:
        return None
    if default.interface in names:
        return detour
    carries = state.interface(default.interface)
    # A default over an interface that does not count (a VPN) is someone's decision: leave it, as long as it is up.
    return (detour or names[0]) if carries is None or not carries.linked or carries.counts else None


def way(state: State) -> Route | None:
    """The default route that a dial takes, and that probes ask about."""
    name = bind(state)
    return state.route_of(name) if name else state.default


def _in_doubt(before: State, after: State, carrier: Carrier) -> bool:
    """Something happened to the way of a connection whose own address still works."""
    holder = after.holder(carrier.local_address)
    if holder is None or holder.name == "lo":
        return False
    for change in changes(before, after):
        if change.fact in ("default changed", "default gone"):
            return True
        if change.fact == "gateway silent" and change.interface == holder.name:
            return True
        if change.fact == "link flapped" and change.interface == holder.name:
            return True
        if not holder.counts and change.fact in ("link lost", "link flapped", "interface gone"):
            return True     # a tunnel: what lies under it changed
    return False


def _better(before, after, carrier, detour, last) -> bool:
    """A dial that failed before may succeed now. Whether one is due is the agent's to know."""
    was = {interface.name for interface in before.usable}
    if any(interface.name not in was for interface in after.usable):
        return True
    if carrier.online and carrier.local_address in dict(lost_addresses(before, after, carrier)):
        return True     # the way the agent takes is gone, another one is usable
    if last is not None and detour not in (None, last.detour):
        return True
    better = {"default new", "default changed", "gateway back", "address new", "link back", "link flapped"}
    usable = {interface.name for interface in after.usable} | {None}
    return any(change.fact in better and change.interface in usable for change in changes(before, after))
