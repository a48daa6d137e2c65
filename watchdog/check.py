"""Every layer once, from the cable to the registration: PASS, FAIL, SKIP or NOTE, and what to do.

A PASS says what it proves, and no more: an answer from the gateway itself, or a private address for a public name,
says nothing about the internet. A layer is skipped when one below it makes the question meaningless, or when nothing
can tell. The exit status is that of the first layer that fails, counted from the cable, so that a script knows where to
look.

    0   every layer passes
    2   the settings have mistakes: they are listed first, and what is right in them is checked
    10  link        no cable, no Wi-Fi, or the interface is switched off
    11  address     no address
    12  gateway     no route, or the gateway does not answer while nothing behind it does either
    18  internet    the gateway answers, nothing behind it does
    13  DNS         a cloud endpoint's name cannot be looked up, or is answered with an address that cannot be its own
    14  cloud       no endpoint answers
    15  port        one of the two endpoints does not answer
    16  agent       the agent is not running, or hangs, or this user may not ask it
    17  registered  the agent runs, but is not registered with the cloud
"""
from collections.abc import Iterable
from typing import NamedTuple

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.client import AgentError, Client, NotAllowed, NotRunning
from econduit_terminal.contract.network_report import Kind
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Outcome, Status
from econduit_terminal.process.addresses import is_address

from .agent_status import AgentStatus
from .diagnosis import diagnose, gather
from .dial_route import bind, dial_route, local_network
from .probe_results import EndpointResult, NameResult, ProbeResults
from .state import State, describe_link, describe_route
from .verdict import link_reason

PASS, FAIL, SKIP, NOTE = "PASS", "FAIL", "SKIP", "NOTE"

NO_AGENT = AgentStatus()

LINK, ADDRESS, GATEWAY, DNS, CLOUD, PORT, AGENT, REGISTERED, INTERNET = range(10, 19)

PROVIDER = "restart the modem or router, or call the internet provider"
SERVERS = "see whether the name servers in /etc/resolv.conf answer, and whether the name in [cloud] is right"


class Line(NamedTuple):
    """One layer. `status` is the exit status if it failed; `todo` is empty unless it did."""

    layer: str
    outcome: str
    found: str
    todo: str = ""
    status: int = 0

    def __str__(self) -> str:
        todo = f"\n     {'':12} → {self.todo}" if self.todo else ""
        return f"{self.outcome} {self.layer:12} {self.found}{todo}"


def exit_status(lines: Iterable[Line]) -> int:
    """Of `lines` in the order of the layers, from the cable on."""
    return next((line.status for line in lines if line.outcome == FAIL), 0)


def network_lines(state: State, named: tuple[str, ...] = (), watched: str = "") -> list[Line]:
    """Link, address and route, from the snapshot alone. `watched`: what the running watchdog says of the network; it
    has seen more than this moment."""
    if not state.readable:
        return [Line(layer, SKIP, "nothing says which interfaces there are (no /sys, no /proc): not known")
                for layer in ("link", "address", "route")]
    lines = [_link(state, named, watched)]
    linked = [one for one in state.counting if one.linked]
    addressed = [one for one in linked if one.addresses]
    if not linked:
        lines.append(Line("address", SKIP, "no interface has a link"))
    elif addressed:
        held = ", ".join(f"{one.name} {' '.join(one.addresses)}" for one in addressed)
        lines.append(Line("address", PASS, held))
    else:
        names = ", ".join(one.name for one in linked)
        lines.append(Line("address", FAIL, f"{names} is up, but has no address",
                          "see whether the router gives addresses (DHCP), or set a fixed one", ADDRESS))
    return [*lines, _route(state, bool(addressed))]


def _route(state: State, addressed: bool) -> Line:
    route = dial_route(state)
    if state.endpoint_is_local and route is not None and route.interface == "lo":
        return Line("route", PASS, "an endpoint is on this terminal itself")
    if not addressed:
        return Line("route", SKIP, "no interface has an address")
    if route is None:
        return Line("route", FAIL, "there is no default route, and no route to a known address of the cloud",
                    "see whether the router's DHCP names a gateway, or set one", GATEWAY)
    if not state.usable:
        return Line("route", FAIL, f"the default route leads {describe_route(route)}, which is not usable",
                    "plug that interface in, or give another one a default route", GATEWAY)
    dead = [name for name in state.dial_interfaces if bind(state) and name != route.interface]
    address = next((one.address for one in state.endpoint_routes if one.route.interface == route.interface), None)
    found = describe_route(route) if route.gateway or not address else f"{address} is on the link of {route.interface}"
    return Line("route", PASS, found + (f" (not over {dead[0]}, which is dead)" if dead else ""))


def _link(state: State, named: tuple[str, ...], watched: str) -> Line:
    absent = [name for name in named if state.interface(name) is None]
    shown = [f"{one.name}: {describe_link(one)}" for one in state.counting] + [f"{name}: not there" for name in absent]
    found = ", ".join(shown) or "there is no network interface"
    if any(one.linked for one in state.counting):
        return Line("link", PASS, found)
    if watched == Reason.WIFI_PASSWORD.words:
        return Line("link", FAIL, f"{found} ({Reason.WIFI_PASSWORD.words}, again and again)",
                    "enter the password of the Wi-Fi network again", LINK)
    reasons = {link_reason(one) for one in state.counting}
    off = [one.name for one in state.counting if not one.enabled]
    modems = [one.name for one in state.counting if one.enabled and one.kind is Kind.OTHER]
    wifi = Reason.WIFI_LOST.words in reasons
    cable = Reason.CABLE.words in reasons or not (wifi or off or modems)
    todo = " or ".join(["plug the network cable in at both ends"] * cable
                       + ["see whether the Wi-Fi access point is on and in reach, and its password right"] * wifi
                       + [f"see whether the modem {name} has its SIM and a signal" for name in modems]
                       + [f"switch {name} on (ip link set {name} up; for Wi-Fi, see rfkill too)" for name in off])
    return Line("link", FAIL, found, todo, LINK)


def probe_lines(state: State, results: ProbeResults | None, endpoints: tuple[Endpoint, ...],
                agent: AgentStatus = NO_AGENT, trusted: frozenset[str] = frozenset()) -> list[Line]:
    """Gateway, internet, DNS and endpoints, from one round of probes and what the agent found. `results`: None where
    there was nothing to ask over."""
    if results is None:
        names = (f"DNS {host}" for host in _names(endpoints))
        layers = ["gateway", "internet", *names, *map(str, endpoints)]
        return [Line(layer, SKIP, "no interface is usable") for layer in layers]
    evidence = gather(agent._replace(endpoints=()), results, local_network(state, trusted), dial_route(state))
    reason, detail = diagnose(evidence)
    opened = bool(evidence.having(Outcome.OPEN))
    line = [_gateway(state, results, evidence.reached), _internet(results, reason, detail, opened, agent.online)]
    registered = {one.endpoint.host for one in agent.endpoints if one.outcome is Outcome.REGISTERED and agent.online}
    rest = [*_dns(state, results, endpoints, reason, registered), *_endpoints(results, agent)]
    if any(one.outcome == FAIL for one in line):
        rest = [Line(one.layer, SKIP, one.found) if one.outcome == FAIL else one for one in rest]
    return line + rest


def _gateway(state: State, results: ProbeResults, reached: bool) -> Line:
    route = dial_route(state)
    if results.gateway is None or route is None or route.gateway is None:
        return Line("gateway", SKIP, "this route has none")
    if results.gateway:
        return Line("gateway", PASS, f"{route.gateway} answers")
    if results.witness or reached:
        return Line("gateway", PASS, f"{route.gateway} does not answer itself, but lets through")
    return Line("gateway", FAIL, f"{route.gateway} does not answer",
                "see whether the router is on; restart it" + _meanwhile(results), GATEWAY)


def _internet(results: ProbeResults, reason: str, detail: str, opened: bool, online: bool) -> Line:
    """What proves it, by name. An endpoint's open port does not: a login page may have answered."""
    if results.witness:
        return Line("internet", PASS, f"{results.witness} answers")
    if results.gateway is False and not opened:
        return Line("internet", SKIP, "the gateway does not answer")
    if reason == Reason.NO_INTERNET.words:
        return Line("internet", FAIL, detail, f"{PROVIDER}; a firewall that blocks all of the cloud looks the same "
                    "(reference_hosts tells them apart)" + _meanwhile(results), INTERNET)
    if online:
        return Line("internet", PASS, "the terminal is registered with the cloud")
    return Line("internet", SKIP, "not known: nothing but the cloud's endpoints could be asked (reference_hosts names "
                "more)")


def _meanwhile(results: ProbeResults) -> str:
    return f"; the cloud can be reached over {results.reachable_over} meanwhile" if results.reachable_over else ""


def _names(endpoints: tuple[Endpoint, ...]) -> list[str]:
    return list(dict.fromkeys(endpoint.host for endpoint in endpoints if not is_address(endpoint.host)))


def _dns(state: State, results: ProbeResults, endpoints: tuple[Endpoint, ...], reason: str,
         registered: set[str]) -> list[Line]:
    todo = SERVERS
    if bind(state):
        todo = f"name servers are asked over the default route: withdraw the one over {state.dial_interfaces[0]}"
    if reason == Reason.NO_DNS_OR_INTERNET.words:
        todo = f"{todo}; where the router answers for them, its line may be down: {PROVIDER}"
    servers = "; ".join(map(str, results.servers)) or "no name server is set"
    found = {name.host: name for name in results.names}
    return [_name(found.get(host, NameResult(host)), servers, todo, host in registered) for host in _names(endpoints)]


def _name(name: NameResult, servers: str, todo: str, registered: bool) -> Line:
    layer = f"DNS {name.host}"
    if name.answered or (name.implausible and registered):
        return Line(layer, PASS, " ".join(name.addresses) or f"answered with {name.implausible}; registered there")
    if name.implausible:
        return Line(layer, FAIL, f"answered with {name.implausible}",
                    "open a page in a browser on this network: it may want a log-in; see whether a DNS filter blocks "
                    f"the name; or the router's line is down: {PROVIDER}", DNS)
    known = f"; {' '.join(name.addresses)} is still known" if name.addresses else ""
    return Line(layer, FAIL, f"cannot be looked up ({servers}){known}", todo, DNS)


def _endpoints(results: ProbeResults, agent: AgentStatus) -> list[Line]:
    dialed = {one.endpoint: one.outcome for one in agent.endpoints}
    opened = {one.endpoint for one in results.endpoints if one.outcome is Outcome.OPEN}
    captured = {name for name in opened if dialed.get(name) is Outcome.NOT_THE_CLOUD}
    shut = (Outcome.REFUSED, Outcome.SILENT)
    return [_captured(one) if one.endpoint in captured or (captured and one.outcome in shut)
            else _endpoint(one, bool(opened), dialed.get(one.endpoint), results.witness) for one in results.endpoints]


def _captured(found: EndpointResult) -> Line:
    """Something in this network intercepts connections: neither the cloud nor a firewall is to be blamed yet."""
    at = ", ".join(found.addresses)
    text = (f"{at} takes connections, but something else than the cloud answers there"
            if found.outcome is Outcome.OPEN else found.outcome.value)
    return Line(str(found.endpoint), FAIL, text, "a proxy or a login page of this network stands between: open a page "
                "in a browser and log in, or have both ports let through", CLOUD)


def _endpoint(found: EndpointResult, some: bool, dialed: Outcome | None, witness: str | None) -> Line:
    layer, at = str(found.endpoint), ", ".join(found.addresses)
    if found.outcome is Outcome.OPEN:
        proof = ("registered there" if dialed is Outcome.REGISTERED
                 else "only a registration proves that it is the cloud")
        return Line(layer, PASS, f"{at} takes connections ({proof})")
    if found.outcome in (Outcome.NO_NAME, Outcome.UNTRIED):
        asked = "not asked" if found.addresses else "no address known that could be its own"
        return Line(layer, SKIP, asked)
    status = PORT if some else CLOUD
    if found.outcome is Outcome.REJECTED:
        return Line(layer, FAIL, f"{found.outcome.value}, {found.offender}",
                    f"whoever runs {found.offender} must let this port through, or its line is down", status)
    if found.outcome is Outcome.NO_WAY:
        return Line(layer, FAIL, f"no way from here to {at}", "nothing could be sent: see whether this terminal has a "
                    "route to that address (ip route get), and an IPv6 address where that is one",
                    PORT if some else GATEWAY)
    if some:
        return Line(layer, FAIL, found.outcome.value, "the other endpoint carries on; have the firewall open this port",
                    status)
    if found.outcome is Outcome.REFUSED:
        return Line(layer, FAIL, f"refused by {at}", "the cloud's host is up, its service is not: wait, or ask "
                    "eConduit; a firewall may refuse this port too", status)
    known = f"{witness} answers: " if witness else ""
    return Line(layer, FAIL, found.outcome.value, f"{known}ask eConduit, and see whether the firewall blocks this port",
                status)


def ask_agent(client: Client) -> Status | AgentError:
    """The agent's status, or why there is none."""
    try:
        return client.status()
    except AgentError as error:
        return error


def watchdog_verdict(status: Status | AgentError) -> str:
    """What the running watchdog says of the network, through the agent; empty where neither says anything."""
    return status.network.verdict if isinstance(status, Status) and status.network else ""


def agent_lines(status: Status | AgentError) -> list[Line]:
    """Is it running, is it registered, and which problems does it name."""
    if isinstance(status, NotRunning):
        return [Line("agent", FAIL, str(status), "supervisorctl start econduit:*", AGENT),
                Line("registered", SKIP, "the agent is not running")]
    if isinstance(status, NotAllowed):
        return [Line("agent", FAIL, f"not known: {status}", status=AGENT),
                Line("registered", SKIP, "the agent could not be asked")]
    if isinstance(status, AgentError):
        return [Line("agent", FAIL, str(status), "the watchdog restarts an agent that hangs; if it does not run: "
                     "supervisorctl restart econduit:*", AGENT),
                Line("registered", SKIP, "the agent does not answer")]
    running = Line("agent", PASS, f"running, pid {status.pid}, version {status.version}")
    notes = [Line("problem", NOTE, f"{name}: {text}") for name, text in status.problems.items()]
    if status.online:
        registered = Line("registered", PASS, f"at {status.endpoint} as terminal {status.terminal_id} since "
                          f"{status.since}")
    else:
        registered = Line("registered", FAIL, status.reason or "not registered",
                          f"put right what fails above; if nothing does, see whether terminal {status.terminal_id} and "
                          "its type are known to eConduit", REGISTERED)
    return [running, registered, *notes]
