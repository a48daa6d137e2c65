"""(before, after, probe results, agent) → what happened, and what the agent should do about it. PURE.

Rules:
  1. A reason is one of contract.reason.
  2. What counts is the interface that carries the cloud connection, by its local address. While that works the verdict
     is `online`, whatever other interfaces do; a connection that works is never torn down for a better one.
  3. `lost` names the local addresses that no longer work, in every verdict for as long as they do not.
  4. `dial` and `verify` are about a moment: something got better, something came into doubt. A carrier that was
     away between two looks (LINK_FLAPPED) may have left the connection alive: verify, do not abort. What the agent's
     own dial found is no news to it.
  5. `bind` is given only where the kernel chooses an interface over which every dial fails. Probes go the same way.
  6. While no interface is usable, nothing else is worth asking: the reason is the link's or the address's. While one
     is, the reason is what was found out (diagnosis.py); while nothing is known against the network, `connecting`.
  7. Interfaces that cannot be read do not mean that a cable is out: nothing is lost, and what was found still counts.
"""
from typing import NamedTuple

from econduit_terminal.contract.network_report import ONLINE, Kind, Path
from econduit_terminal.contract.reader import MAX_ITEMS
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Outcome

from .agent_status import AgentStatus
from .diagnosis import Evidence, diagnose, gather
from .dial_route import bind, dial_route, local_network, network_identity
from .probe_results import ALIVE, ProbeResults
from .state import Fact, Interface, State, changes, describe_link, kind_by_name

_MOST_INTERFACES = 16
_LINK_LOCAL = ("169.254.", "fe80:")
_BETTER = frozenset({Fact.DEFAULT_NEW, Fact.DEFAULT_CHANGED, Fact.GATEWAY_BACK, Fact.ADDRESS_NEW, Fact.LINK_BACK,
                     Fact.LINK_FLAPPED})


class Verdict(NamedTuple):
    """What the network report (POST /network) says, and `alternative`: the interface to dial over because the path of
    the default route is dead although its link is up; it stays until the default route changes or is probed again.

    `beyond`: something beyond the gateway that is no endpoint answered; None: nothing could tell. `network`: which
    network this is; None while that is not known. `open`: endpoints that our own probes found open. `addresses`: the
    known addresses of the endpoints' names.
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
    alternative: str | None = None
    beyond: bool | None = None
    network: str | None = None
    open: tuple[str, ...] = ()
    addresses: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Context(NamedTuple):
    """What else is known. `trusted`: see LocalNetwork. `password_refused`: Wi-Fi interfaces. `stale`: the agent's last
    dial is out of date. `addresses`: those of the endpoints' names."""

    trusted: frozenset[str] = frozenset()
    password_refused: frozenset[str] = frozenset()
    stale: bool = False
    addresses: tuple[tuple[str, tuple[str, ...]], ...] = ()


NO_CONTEXT = Context()


def judge(before: State | None, after: State, results: ProbeResults | None, agent: AgentStatus, *,
          last: Verdict | None = None, resumed: bool = False, context: Context = NO_CONTEXT) -> Verdict:
    """The verdict on `after`. `last`: the verdict on `before`. `resumed`: the terminal was suspended between them."""
    before = before if before is not None and before.readable else after
    usable = after.usable
    names = tuple(interface.name for interface in usable)
    able = bool(usable) or after.endpoint_is_local or not after.readable
    lost = lost_addresses(before, after, agent) if after.readable else ()
    carried = agent.online and agent.local_address not in dict(lost)
    alternative = _alternative(before, after, results, names, last)
    evidence = gather(agent, results, local_network(after, context.trusted), dial_route(after), context.stale)
    reason, detail = _reason(after, able, evidence, agent, carried, context.password_refused)
    path = _path(reason, evidence, carried, able, alternative)
    opened = tuple(str(one.endpoint) for one in evidence.having(Outcome.OPEN) if one.probed)
    return Verdict(
        reason, detail, able, path, bind(after, alternative), lost,
        dial=able and (_recovered(last, reason, path, evidence, opened, carried)
                       or _better(before, after, agent, alternative, last)),
        verify=carried and (resumed or _in_doubt(before, after, agent)),
        interfaces=after.counting[:_MOST_INTERFACES], usable_names=names, alternative=alternative,
        beyond=results.beyond if results else None, network=network_identity(after), open=opened,
        addresses=context.addresses)


def lost_addresses(before: State, after: State, agent: AgentStatus) -> tuple[tuple[str, str], ...]:
    """(address, reason) of every known local address that no longer works.

    An address is lost when no interface has it, or only interfaces without a link; loopback is never lost. Addresses of
    an interface that does not count matter only where the connection uses one. A State holds no link-local addresses;
    one that the connection uses, to a controller on the same cable, is there as long as its interface has a link.
    """
    known: dict[str, Interface | None] = {address: one for one in before.counting for address in one.addresses}
    if agent.online and agent.local_address and agent.local_address not in known:
        known[agent.local_address] = before.holder(agent.local_address) or before.interface(agent.interface)
    known |= {address: one for one in after.counting for address in one.addresses}
    lost = []
    for address, was_on in sorted(known.items()):
        holder = after.holder(address)
        if address == agent.local_address and address.startswith(_LINK_LOCAL):
            holder = after.interface(agent.interface)
        if (holder is not None and holder.linked) or address == "::1" or address.startswith("127."):
            continue
        now = holder or (after.interface(was_on.name) if was_on else None)
        if (now is not None and now.linked) or was_on is None:
            lost.append((address, Reason.NO_ADDRESS.words))
        else:
            lost.append((address, link_reason(now or was_on)))
    if len(lost) > MAX_ITEMS:       # more than the agent takes; its own must be among them
        lost.sort(key=lambda one: one[0] != agent.local_address)
    return tuple(lost[:MAX_ITEMS])


def link_reason(interface: Interface) -> str:
    """Why an interface has no link, by its kind; a modem's line has no cable to plug in."""
    if not interface.counts:
        return Reason.NO_ADDRESS.words
    if not interface.enabled:
        return Reason.SWITCHED_OFF.words
    return {Kind.WIFI: Reason.WIFI_LOST, Kind.ETHERNET: Reason.CABLE}.get(interface.kind, Reason.NO_ADDRESS).words


def _reason(after: State, able: bool, evidence: Evidence, agent: AgentStatus, carried: bool,
            password_refused: frozenset[str]) -> tuple[str, str]:
    if carried:
        return ONLINE, f"registered over {agent.interface or agent.local_address or 'this terminal itself'}"
    if not able:
        return _unusable(after, agent, password_refused)
    reason, detail = diagnose(evidence)
    if reason == Reason.CONNECTING.words and not after.readable:
        return Reason.NOT_READABLE.words, f"nothing says which network interfaces there are; {detail}"
    if reason == Reason.CONNECTING.words and evidence.results is None and after.usable and not evidence.reached:
        return Reason.CONNECTING.words, f"{after.usable[0].name} is usable"
    return reason, detail


def _unusable(after: State, agent: AgentStatus, password_refused: frozenset[str]) -> tuple[str, str]:
    """By the interface that carried the connection last, else by the one that got furthest; where cable and Wi-Fi got
    equally far, nobody knows which of them is meant, and both are named."""
    main = after.interface(agent.interface)
    if main is None and agent.interface and not any(one.linked for one in after.counting):
        gone = Interface(agent.interface, kind_by_name(agent.interface))
        if gone.kind is not Kind.ETHERNET or not after.counting:    # else it may have been a tunnel
            return link_reason(gone), f"{gone.name} is gone"
    if not after.counting:
        return Reason.CABLE.words, "there is no network interface"
    if main is None or not main.counts:
        furthest = _furthest(after.counting, password_refused)
        main = furthest[0]
        if main.enabled and not main.linked and {one.kind for one in furthest} >= {Kind.ETHERNET, Kind.WIFI}:
            return Reason.NO_LINK.words, "; ".join(f"{one.name}: {describe_link(one)}" for one in furthest)
    if main.name in password_refused and not main.linked:
        return Reason.WIFI_PASSWORD.words, f"{main.name}: the access point ends the log-in again and again"
    if not main.linked:
        return link_reason(main), f"{main.name}: {describe_link(main)}"
    if not main.addresses:
        return Reason.NO_ADDRESS.words, f"{main.name} is up, but has no address"
    return Reason.NO_GATEWAY.words, (f"{main.name} has {main.addresses[0]}, but no default route, and no route to the "
                                     "cloud")


def _furthest(interfaces: tuple[Interface, ...], password_refused: frozenset[str]) -> list[Interface]:
    """Those that got equally far, cables first. A password that is refused shows that its Wi-Fi is meant."""
    def got(one: Interface) -> tuple[bool, bool, bool, bool]:
        return one.linked, bool(one.addresses), one.enabled, one.name in password_refused

    best = max(map(got, interfaces))
    return sorted((one for one in interfaces if got(one) == best), key=lambda one: one.kind is Kind.WIFI)


def _path(reason: str, evidence: Evidence, carried: bool, able: bool, alternative: str | None) -> Path:
    if carried:
        return Path.WORKS
    if not able:
        return Path.DEAD
    if evidence.reached or evidence.beyond or alternative:
        return Path.WORKS
    return Path.UNKNOWN if reason in (Reason.CONNECTING.words, Reason.NOT_READABLE.words) else Path.DEAD


def _recovered(last: Verdict | None, reason: str, path: Path, evidence: Evidence, opened: tuple[str, ...],
               carried: bool) -> bool:
    """Our own probes found what the agent cannot know: the path works again, a port opened, names are answered
    again."""
    if last is None or carried:
        return False
    found = evidence.beyond or any(one.probed for one in evidence.having(Outcome.OPEN, Outcome.REFUSED))
    no_dns = Reason.NO_DNS.words
    answered = evidence.results is not None and any(name.answered for name in evidence.results.names)
    return ((bool(opened) and not last.open)
            or (last.path is Path.DEAD and path is Path.WORKS and found)
            or (answered and last.reason.startswith(no_dns) and not reason.startswith(no_dns)))


def _alternative(before: State, after: State, results: ProbeResults | None, usable: tuple[str, ...],
                 last: Verdict | None) -> str | None:
    probed = [one for one in results.endpoints if one.probed] if results else []
    if results is not None and (probed or results.witness):
        reached = results.witness or any(one.outcome in ALIVE for one in probed)
        return None if reached else results.reachable_over
    if last is None or last.alternative not in usable or before.default_identity != after.default_identity:
        return None
    return last.alternative


def _in_doubt(before: State, after: State, agent: AgentStatus) -> bool:
    """Something happened to the path of a connection whose own address still works."""
    holder = after.holder(agent.local_address)
    if holder is None or holder.name == "lo":
        return False
    for change in changes(before, after, frozenset({holder.name})):
        if change.fact in (Fact.DEFAULT_CHANGED, Fact.DEFAULT_GONE):
            return True
        if change.fact in (Fact.GATEWAY_SILENT, Fact.LINK_FLAPPED) and change.interface == holder.name:
            return True
        if not holder.counts and change.fact in (Fact.LINK_LOST, Fact.LINK_FLAPPED, Fact.INTERFACE_GONE):
            return True     # a tunnel: what carries it changed
    return False


def _better(before: State, after: State, agent: AgentStatus, alternative: str | None, last: Verdict | None) -> bool:
    """A dial that failed before may succeed now. Whether one is due, the agent decides."""
    was = {interface.name for interface in before.usable}
    if any(interface.name not in was for interface in after.usable):
        return True
    if agent.online and agent.local_address in dict(lost_addresses(before, after, agent)):
        return True     # the interface that the agent uses is gone, another one is usable
    if last is not None and alternative not in (None, last.alternative):
        return True
    usable = {interface.name for interface in after.usable} | {None}
    return any(change.fact in _BETTER and change.interface in usable for change in changes(before, after))
