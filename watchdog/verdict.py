"""(before, after, answers, agent) → what happened, and what the agent should do about it. PURE.

Rules:
  1. A reason is one of reasons.py.
  2. What counts is the interface that carries the cloud connection, by its local address. While that works the verdict
     is ``online``, whatever other interfaces do; a connection that works is never torn down for a better one.
  3. ``lost`` names the local addresses that work no longer, for as long as they do not, not only when they went.
  4. ``dial`` and ``verify`` are about a moment: something got better, something came into doubt. A carrier that was
     away between two looks (``link flapped``) may have left the connection alive: verify, do not abort. What the
     agent's own dial found is no news to it.
  5. ``bind`` is given only when the kernel would lead every dial into the void. Probes take the same way.
  6. While no interface is usable nothing else is worth asking: the reason is the link's or the address's. While one is,
     the reason is what was found out (diagnosis.py); while nothing is known against the network, `connecting`.
  7. Interfaces that cannot be read are no cable that is out: nothing is lost, and what was found out still counts.
"""
from typing import NamedTuple

from econduit_terminal.contract.network_report import ONLINE, Kind, Path
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Outcome
from econduit_terminal.watchdog.addresses import Nearby
from econduit_terminal.watchdog.agent_status import AgentStatus
from econduit_terminal.watchdog.answers import ALIVE, Answers
from econduit_terminal.watchdog.diagnosis import Evidence, diagnose, weigh
from econduit_terminal.watchdog.state import Interface, Route, State, changes, describe_link

_MOST_INTERFACES = 16


class Verdict(NamedTuple):
    """The network report's content (POST /network), and ``detour``: the interface to dial over because the default
    route's path is dead although its link is up; it stands until the default route changes or is asked again.

    ``beyond``: something beyond the gateway that is no endpoint answered; None: nothing could tell. ``network``: which
    network this is; None while that is not known. ``open``: endpoints that our own probes found open. ``addresses``:
    what is known of the endpoints' names.
    """

    reason: str
    detail: str
    usable: bool
    path: Path = Path.UNKNOWN
    bind: str | None = None
    lost: tuple[tuple[str, str], ...] = ()
    dial: bool = False
    verify: bool = False
    interfaces: tuple[Interface, ...] = ()
    usable_names: tuple[str, ...] = ()
    detour: str | None = None
    beyond: bool | None = None
    network: str | None = None
    open: tuple[str, ...] = ()
    addresses: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Beside(NamedTuple):
    """What is known beside the state and the answers. ``meant``: hosts whose address may be any (Nearby). ``refusing``:
    Wi-Fi interfaces whose password is refused. ``stale``: the agent's last dial is some time ago."""

    meant: frozenset[str] = frozenset()
    refusing: frozenset[str] = frozenset()
    stale: bool = False
    addresses: tuple[tuple[str, tuple[str, ...]], ...] = ()


NOTHING_BESIDE = Beside()


def judge(
    before: State | None, after: State, answers: Answers | None, agent: AgentStatus,
    *, last: Verdict | None = None, resumed: bool = False, beside: Beside = NOTHING_BESIDE,
) -> Verdict:
    """The verdict on ``after``. ``last``: the verdict on ``before``; ``resumed``: it was suspended between them."""
    before = before if before is not None and before.readable else after
    usable = after.usable
    names = tuple(interface.name for interface in usable)
    able = bool(usable) or after.here or not after.readable
    lost = lost_addresses(before, after, agent) if after.readable else ()
    carried = agent.online and agent.local_address not in dict(lost)
    detour = _detour(before, after, answers, names, last)
    evidence = weigh(agent, answers, nearby(after, beside.meant), way(after), beside.stale)
    reason, detail = _reason(after, able, evidence, agent, carried, beside.refusing)
    path = _path(reason, evidence, carried, able, detour)
    opened = tuple(str(one.endpoint) for one in evidence.having(Outcome.OPEN) if one.probed)
    return Verdict(
        reason=reason,
        detail=detail,
        usable=able,
        path=path,
        bind=bind(after, detour),
        lost=lost,
        dial=able and (_recovered(last, reason, path, evidence, opened, carried)
                       or _better(before, after, agent, detour, last)),
        verify=carried and (resumed or _in_doubt(before, after, agent)),
        interfaces=after.counting[:_MOST_INTERFACES],
        usable_names=names,
        detour=detour,
        beyond=answers.beyond if answers else None,
        network=identity(after),
        open=opened,
        addresses=beside.addresses,
    )


def nearby(state: State, meant: frozenset[str] = frozenset()) -> Nearby:
    """What stands on this side of the gateway, by the state."""
    own = frozenset(address for one in state.interfaces for address in one.addresses)
    return Nearby(own, state.gateways, state.networks, meant)


def lost_addresses(before: State, after: State, agent: AgentStatus) -> tuple[tuple[str, str], ...]:
    """(address, reason) of every local address known of that works no longer.

    An address is lost when no interface holds it, or only interfaces without a link; loopback is never lost. What an
    interface held that does not count is news only where the connection comes from there.
    """
    known: dict[str, Interface | None] = {address: one for one in before.counting for address in one.addresses}
    if agent.online and agent.local_address and agent.local_address not in known:
        known[agent.local_address] = before.holder(agent.local_address) or before.interface(agent.interface)
    known |= {address: one for one in after.counting for address in one.addresses}
    lost = []
    for address, was_on in sorted(known.items()):
        holder = after.holder(address)
        if (holder is not None and holder.linked) or address == "::1" or address.startswith("127."):
            continue
        now = holder or (after.interface(was_on.name) if was_on else None)
        if (now is not None and now.linked) or was_on is None:
            lost.append((address, Reason.NO_ADDRESS.words))
        else:
            lost.append((address, link_reason(now or was_on)))
    return tuple(lost)


def link_reason(interface: Interface) -> str:
    """Why an interface has no link, by its kind; a modem's line has no cable to look for."""
    if not interface.counts:
        return Reason.NO_ADDRESS.words
    if not interface.enabled:
        return Reason.SWITCHED_OFF.words
    return {Kind.WIFI: Reason.WIFI_LOST, Kind.ETHERNET: Reason.CABLE}.get(interface.kind, Reason.NO_ADDRESS).words


def identity(state: State) -> str | None:
    """Which network this is: by its gateway's MAC, else the Wi-Fi network's name, else the prefix; a modem's line by
    its interface, since it gets another address each time. None while a gateway's MAC is not known yet: what is said of
    one network is not to change from one moment to the next."""
    route = way(state)
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


def _reason(after: State, able: bool, evidence: Evidence, agent: AgentStatus, carried: bool,
            refusing: frozenset[str]) -> tuple[str, str]:
    if carried:
        return ONLINE, f"registered over {agent.interface or agent.local_address or 'this terminal itself'}"
    if not able:
        return _unusable(after, agent, refusing)
    reason, detail = diagnose(evidence)
    if reason == Reason.CONNECTING.words and not after.readable:
        return Reason.NOT_READABLE.words, f"nothing says which network interfaces there are; {detail}"
    if reason == Reason.CONNECTING.words and evidence.answers is None and after.usable and not evidence.reached:
        return Reason.CONNECTING.words, f"{after.usable[0].name} is usable"
    return reason, detail


def _unusable(after: State, agent: AgentStatus, refusing: frozenset[str]) -> tuple[str, str]:
    """The reason of the interface that carried last, else of the one that got furthest; where cable and Wi-Fi got
    equally far, nobody knows which of them is meant, and both are named."""
    if not after.counting:
        gone = agent.interface or "no network interface"
        return Reason.CABLE.words, f"{gone} is gone" if agent.interface else "there is no network interface"
    main = after.interface(agent.interface)
    if main is None or not main.counts:
        furthest = _furthest(after.counting, refusing)
        main = furthest[0]
        if main.enabled and not main.linked and {one.kind for one in furthest} >= {Kind.ETHERNET, Kind.WIFI}:
            return Reason.NO_LINK.words, "; ".join(f"{one.name}: {describe_link(one)}" for one in furthest)
    if main.name in refusing and not main.linked:
        return Reason.WIFI_PASSWORD.words, f"{main.name}: the access point ends the log-in again and again"
    if not main.linked:
        return link_reason(main), f"{main.name}: {describe_link(main)}"
    if not main.addresses:
        return Reason.NO_ADDRESS.words, f"{main.name} is up, but has no address"
    return Reason.NO_GATEWAY.words, (f"{main.name} has {main.addresses[0]}, but no default route, and no route to the "
                                     "cloud")


def _furthest(interfaces: tuple[Interface, ...], refusing: frozenset[str]) -> list[Interface]:
    """Those that got equally far, cables first. A password that is refused shows that its Wi-Fi is meant."""
    def got(one: Interface) -> tuple[bool, bool, bool, bool]:
        return one.linked, bool(one.addresses), one.enabled, one.name in refusing

    best = max(map(got, interfaces))
    return sorted((one for one in interfaces if got(one) == best), key=lambda one: one.kind is Kind.WIFI)


def _path(reason: str, evidence: Evidence, carried: bool, able: bool, detour: str | None) -> Path:
    if carried:
        return Path.WORKS
    if not able:
        return Path.DEAD
    if evidence.reached or evidence.beyond or detour:
        return Path.WORKS
    return Path.UNKNOWN if reason in (Reason.CONNECTING.words, Reason.NOT_READABLE.words) else Path.DEAD


def _recovered(last: Verdict | None, reason: str, path: Path, evidence: Evidence, opened: tuple[str, ...],
               carried: bool) -> bool:
    """Our own probes found what the agent cannot know: the path works again, a port opened, names are answered
    again."""
    if last is None or carried:
        return False
    found = evidence.beyond or any(one.probed for one in evidence.having(Outcome.OPEN, Outcome.REFUSED))
    nameless = Reason.NO_DNS.words
    answered = evidence.answers is not None and any(name.answered for name in evidence.answers.names)
    return ((bool(opened) and not last.open)
            or (last.path is Path.DEAD and path is Path.WORKS and found)
            or (answered and last.reason.startswith(nameless) and not reason.startswith(nameless)))


def _detour(before: State, after: State, answers: Answers | None, names: tuple[str, ...],
            last: Verdict | None) -> str | None:
    probed = [one for one in answers.endpoints if one.probed] if answers else []
    if answers is not None and (probed or answers.witness):
        reached = answers.witness or any(one.outcome in ALIVE for one in probed)
        return None if reached else answers.elsewhere
    if last is None or last.detour not in names or before.way_out != after.way_out:
        return None
    return last.detour


def bind(state: State, detour: str | None = None) -> str | None:
    """The interface to dial over where the kernel would choose a dead one, else None."""
    names = [interface.name for interface in state.usable]
    if not names or not state.taken:
        return None
    if any(name in names for name in state.taken):
        return detour
    # A way over an interface that does not count (a VPN, this terminal itself) is someone's decision: leave it, as long
    # as that is up.
    decided = [one for one in map(state.interface, state.taken) if one is not None and one.linked and not one.counts]
    return None if decided else detour or names[0]


def way(state: State) -> Route | None:
    """The route that a dial takes, and that probes ask about: the kernel's to an endpoint, else the default."""
    if name := bind(state):
        return state.route_of(name)
    names = [interface.name for interface in state.usable]
    ways = sorted((one.route for one in state.ways), key=lambda route: route.interface not in names)
    if not ways:
        return state.default
    same = (route for route in state.routes if (route.interface, route.gateway) == (ways[0].interface, ways[0].gateway))
    return next(same, ways[0])


def _in_doubt(before: State, after: State, agent: AgentStatus) -> bool:
    """Something happened to the way of a connection whose own address still works."""
    holder = after.holder(agent.local_address)
    if holder is None or holder.name == "lo":
        return False
    for change in changes(before, after, frozenset({holder.name})):
        if change.fact in ("default changed", "default gone"):
            return True
        if change.fact == "gateway silent" and change.interface == holder.name:
            return True
        if change.fact == "link flapped" and change.interface == holder.name:
            return True
        if not holder.counts and change.fact in ("link lost", "link flapped", "interface gone"):
            return True     # a tunnel: what lies under it changed
    return False


def _better(before: State, after: State, agent: AgentStatus, detour: str | None, last: Verdict | None) -> bool:
    """A dial that failed before may succeed now. Whether one is due is the agent's to know."""
    was = {interface.name for interface in before.usable}
    if any(interface.name not in was for interface in after.usable):
        return True
    if agent.online and agent.local_address in dict(lost_addresses(before, after, agent)):
        return True     # the way the agent takes is gone, another one is usable
    if last is not None and detour not in (None, last.detour):
        return True
    better = {"default new", "default changed", "gateway back", "address new", "link back", "link flapped"}
    usable = {interface.name for interface in after.usable} | {None}
    return any(change.fact in better and change.interface in usable for change in changes(before, after))
