"""Every layer once, from the cable to the registration: PASS, FAIL or SKIP, and what to do.

A layer is skipped when one below it makes the question meaningless. The exit status is that of the first layer that
fails, counted from the cable: whoever reads it from a script knows where to look.

    0   every layer passes
    2   the settings have mistakes: they are told first, and what is right in them is what is asked for
    10  link        no cable, no Wi-Fi
    11  address     no address
    12  gateway     no default route, or the gateway does not answer while nothing behind it does either
    18  internet    the gateway answers, nothing behind it does
    13  DNS         a cloud endpoint's name cannot be looked up
    14  cloud       no endpoint answers
    15  port        one of the two endpoints does not answer
    16  agent       the agent is not running, or hangs, or this user may not ask it
    17  registered  the agent runs, but is not registered with the cloud
"""
from typing import NamedTuple

from econduit_terminal.agent.local.client import AgentError, Client, NotAllowed, NotRunning
from econduit_terminal.conf.logs import clean
from econduit_terminal.watchdog.names import is_address
from econduit_terminal.watchdog.orders import Target
from econduit_terminal.watchdog.state import State, describe_link, describe_route
from econduit_terminal.watchdog.verdict import (
    CLOSED, NO_INTERNET, OPEN, UNTRIED, WIFI_LOST, Answers, bind, diagnose, link_reason, way,
)

PASS, FAIL, SKIP = "PASS", "FAIL", "SKIP"

LINK, ADDRESS, GATEWAY, DNS, CLOUD, PORT, AGENT, REGISTERED, INTERNET = range(10, 19)


class Line(NamedTuple):
    """One layer. ``status`` is the exit status if it failed; ``todo`` is empty unless it did."""

    layer: str
    outcome: str
    found: str
    todo: str = ""
    status: int = 0

    def __str__(self) -> str:
        todo = f"\n     {'':12} → {self.todo}" if self.todo else ""
        return f"{self.outcome} {self.layer:12} {self.found}{todo}"


def exit_status(lines: list[Line]) -> int:
    """``lines`` in the order of the layers, from the cable on."""
    return next((line.status for line in lines if line.outcome == FAIL), 0)


def network(state: State, named: tuple[str, ...] = ()) -> list[Line]:
    """Link, address and route, from the snapshot alone."""
    lines = [_link(state, named)]
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
    default = state.default
    if not addressed:
        lines.append(Line("route", SKIP, "no interface has an address"))
    elif default is None:
        lines.append(Line("route", FAIL, "there is no default route",
                          "see whether the router's DHCP names a gateway, or set one", GATEWAY))
    elif state.usable:
        dead = f" (not over {default.interface}, which is dead)" if bind(state) else ""
        lines.append(Line("route", PASS, describe_route(way(state)) + dead))
    else:
        lines.append(Line("route", FAIL, f"the default route leads {describe_route(default)}, which is not usable",
                          "plug that interface in, or give another one a default route", GATEWAY))
    return lines


def _link(state: State, named: tuple[str, ...]) -> Line:
    absent = [name for name in named if state.interface(name) is None]
    shown = [f"{one.name}: {describe_link(one)}" for one in state.counting] + [f"{name}: not there" for name in absent]
    found = ", ".join(shown) or "there is no network interface"
    if any(one.linked for one in state.counting):
        return Line("link", PASS, found)
    wifi = any(link_reason(one) == WIFI_LOST for one in state.counting)
    cable = any(one.kind == "ethernet" for one in state.counting) or not wifi
    todo = " or ".join(["plug the network cable in at both ends"] * cable
                       + ["see whether the Wi-Fi access point is on and in reach, and its password right"] * wifi)
    return Line("link", FAIL, found, todo, LINK)


def beyond(state: State, answers: Answers | None, endpoints: tuple[Target, ...]) -> list[Line]:
    """Gateway, DNS and endpoints, from one round of probes; None: there was nothing to ask over."""
    if answers is None:
        names = (f"DNS {host}" for host in _names(endpoints))
        layers = ["gateway", "internet", *names, *(endpoint.name for endpoint in endpoints)]
        return [Line(layer, SKIP, "no interface is usable") for layer in layers]
    line = [_gateway(state, answers), _internet(state, answers)]
    rest = [*_dns(state, answers, endpoints), *_endpoints(answers)]
    if any(one.outcome == FAIL for one in line):
        rest = [Line(one.layer, SKIP, one.found) if one.outcome == FAIL else one for one in rest]
    return line + rest


def _gateway(state: State, answers: Answers) -> Line:
    if answers.gateway is None:
        return Line("gateway", SKIP, "this line has none")
    gateway = way(state).gateway
    if answers.gateway:
        return Line("gateway", PASS, f"{gateway} answers")
    if answers.beyond:
        return Line("gateway", PASS, f"{gateway} does not answer itself, but lets through")
    return Line("gateway", FAIL, f"{gateway} does not answer",
                "see whether the router is on; restart it" + _meanwhile(answers), GATEWAY)


def _internet(state: State, answers: Answers) -> Line:
    if answers.beyond:
        return Line("internet", PASS, "something in it answers")
    if answers.gateway is False:
        return Line("internet", SKIP, "the gateway does not answer")
    reason, detail = diagnose(answers, way(state))
    if reason != NO_INTERNET:
        return Line("internet", SKIP, "nothing in it is known by address")
    return Line("internet", FAIL, detail, "restart the modem or router, or call the internet provider; a firewall that "
                "blocks all of the cloud looks the same (reference_hosts tells them apart)" + _meanwhile(answers),
                INTERNET)


def _meanwhile(answers: Answers) -> str:
    return f"; the cloud can be reached over {answers.elsewhere} meanwhile" if answers.elsewhere else ""


def _names(endpoints: tuple[Target, ...]) -> list[str]:
    return list(dict.fromkeys(endpoint.host for endpoint in endpoints if not is_address(endpoint.host)))


def _dns(state: State, answers: Answers, endpoints: tuple[Target, ...]) -> list[Line]:
    todo = "see whether the name servers in /etc/resolv.conf answer, and whether the name in [cloud] is right"
    if bind(state):
        todo = f"name servers are asked over the default route: withdraw the one over {state.default.interface}"
    untried = {name for name, outcome in answers.endpoints if outcome == UNTRIED}
    lines = []
    for host in _names(endpoints):
        known = any(endpoint.host == host and endpoint.name not in untried for endpoint in endpoints)
        if known:
            lines.append(Line(f"DNS {host}", PASS, "looked up"))
        else:
            lines.append(Line(f"DNS {host}", FAIL, "cannot be looked up", todo, DNS))
    return lines


def _endpoints(answers: Answers) -> list[Line]:
    some = any(outcome == OPEN for _, outcome in answers.endpoints)
    lines = []
    for endpoint, outcome in answers.endpoints:
        if outcome == OPEN:
            lines.append(Line(endpoint, PASS, "answers"))
        elif outcome == UNTRIED:
            lines.append(Line(endpoint, SKIP, "its address is not known"))
        elif some:
            lines.append(Line(endpoint, FAIL, outcome, "the other endpoint carries on; have the "
                              "firewall open this port", PORT))
        elif outcome == CLOSED:
            lines.append(Line(endpoint, FAIL, "refused", "the cloud's host is up, its service is not: wait, or ask "
                              "eConduit; a firewall may refuse this port too", CLOUD))
        else:
            lines.append(Line(endpoint, FAIL, outcome, "the internet answers: ask eConduit, and see whether the "
                              "firewall blocks this port", CLOUD))
    return lines


def agent(client: Client) -> list[Line]:
    """Is it running, is it registered."""
    try:
        status = client.status()
    except NotRunning as error:
        return [Line("agent", FAIL, str(error), "supervisorctl start econduit:*", AGENT),
                Line("registered", SKIP, "the agent is not running")]
    except NotAllowed as error:
        return [Line("agent", FAIL, f"not known: {error}", status=AGENT),
                Line("registered", SKIP, "the agent could not be asked")]
    except AgentError as error:
        return [Line("agent", FAIL, str(error), "the watchdog restarts an agent that hangs; if it does not run: "
                     "supervisorctl restart econduit:*", AGENT),
                Line("registered", SKIP, "the agent does not answer")]
    running = Line("agent", PASS, f"running, pid {status.get('pid')}, version {clean(status.get('version'))}")
    if status.get("online") is True:
        return [running, Line("registered", PASS, f"at {clean(status.get('endpoint'))} as terminal "
                              f"{clean(status.get('terminal_id'))} since {clean(status.get('since'))}")]
    return [running, Line("registered", FAIL, clean(status.get("reason") or "not registered"),
                          "mend what fails above; if nothing does, see whether terminal "
                          f"{clean(status.get('terminal_id'))} and its type are known to eConduit", REGISTERED)]
