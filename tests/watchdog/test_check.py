"""What `econduit-watchdog check` says, as rows; the exit status is that of the lowest layer that fails."""
from dataclasses import replace

import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.client import AgentError, NotAllowed, NotRunning
from econduit_terminal.contract.network_report import Kind, NetworkReport
from econduit_terminal.contract.status import Outcome, Status
from econduit_terminal.watchdog import check
from econduit_terminal.watchdog.agent_status import AgentStatus, DialResult
from econduit_terminal.watchdog.probe_results import EndpointResult, NameResult, ProbeResults, ServerResult
from econduit_terminal.watchdog.state import EndpointRoute, Interface, Route, State

ETH, VIA = Interface("eth0", addresses=("192.0.2.5",)), Route("eth0", "192.0.2.1", 100)
OUT = ETH._replace(operstate="down", carrier=False)
OFF = OUT._replace(carrier=None, enabled=False)
WELL = State((ETH,), (VIA,))
ENDPOINTS = (Endpoint("dc", 80), Endpoint("ec", 9001))


OPEN, SHUT, MUTE, WHAT, UNTRIED, REJECTED, NO_WAY = (
    Outcome.OPEN, Outcome.REFUSED, Outcome.SILENT, Outcome.NO_NAME, Outcome.UNTRIED, Outcome.REJECTED, Outcome.NO_WAY)
PUBLIC = {"dc": "203.0.113.10", "ec": "203.0.113.11"}
GOOGLE = ServerResult("8.8.8.8", True, "an address", True)
LOCAL = ServerResult("192.0.2.1", True, "an address")


def ends(primary, secondary, offender=None):
    return tuple(EndpointResult(one, outcome, () if outcome is WHAT else (PUBLIC[one.host],),
                         offender=offender if outcome is REJECTED else None, probed=outcome not in (WHAT, UNTRIED))
                 for one, outcome in zip(ENDPOINTS, (primary, secondary), strict=True))


def named(*answered, **more):
    return tuple(NameResult(one.host, (PUBLIC[one.host],) if one.host in answered else (), one.host in answered, **more)
                 for one in ENDPOINTS)


def results(primary, secondary, *, gateway=True, names=None, servers=(GOOGLE,), **more):
    names = named("dc", "ec") if names is None else names
    return ProbeResults(gateway, names, servers, ends(primary, secondary), **more)


GOOD = results(OPEN, OPEN)


@pytest.mark.parametrize("name, state, status, failing, todo", [
    ("all well", WELL, 0, [], ""),
    ("cable out", State((OUT,), (VIA,)), 10, ["link"], "plug the network cable in"),
    ("Wi-Fi lost", State((OUT._replace(name="wlan0", kind=Kind.WIFI),)), 10, ["link"], "access point"),
    ("no interface", State(), 10, ["link"], "plug"),
    ("t13: switched off", State((OFF,)), 10, ["link"], "ip link set eth0 up"),
    ("t13: Wi-Fi switched off", State((OFF._replace(name="wlan0", kind=Kind.WIFI),)), 10, ["link"], "rfkill"),
    ("t3: no default, but a route to the endpoint",
     State((ETH,), (), (EndpointRoute("192.0.2.80", Route("eth0")),)), 0, [], ""),
    ("no address", State((ETH._replace(addresses=()),)), 11, ["address"], "DHCP"),
    ("no default route", State((ETH,)), 12, ["route"], "gateway"),
    ("the default route leads nowhere", State((ETH,), (Route("eth9", "192.0.2.1"),)), 12, ["route"], "default route"),
])
def test_network(name, state, status, failing, todo):
    lines = check.network_lines(state)
    assert [line.layer for line in lines if line.outcome == "FAIL"] == failing
    assert check.exit_status(lines) == status
    assert todo in "".join(line.todo for line in lines)
    assert [line.layer for line in lines] == ["link", "address", "route"]


def test_t13_nobody_is_told_to_plug_a_cable_into_what_is_switched_off():
    assert "cable" not in check.network_lines(State((OFF,)))[0].todo


def test_nobody_is_told_to_plug_a_cable_into_a_modem():
    todo = check.network_lines(State((OUT._replace(name="wwan0", kind=Kind.OTHER),)))[0].todo
    assert "modem wwan0" in todo and "cable" not in todo


def test_t12_a_refused_password_is_what_the_watchdog_has_seen():
    lost = State((OUT._replace(name="wlan0", kind=Kind.WIFI),))
    line = check.network_lines(lost, (), "Wi-Fi password refused")[0]
    assert "password refused" in line.found and "password" in line.todo and line.status == 10


def test_t4_interfaces_that_cannot_be_read_fail_nothing():
    lines = check.network_lines(State(readable=False))
    assert {line.outcome for line in lines} == {"SKIP"} and check.exit_status(lines) == 0
    assert "cable" not in "".join(map(str, lines))


def test_t3_the_way_is_named():
    line = check.network_lines(State((ETH,), (), (EndpointRoute("192.0.2.80", Route("eth0")),)))[2]
    assert (line.outcome, line.found) == ("PASS", "192.0.2.80 is on the link of eth0")
    local = check.network_lines(State((OUT,), (), (EndpointRoute("127.0.0.1", Route("lo")),)))[2]
    assert (local.outcome, local.found) == ("PASS", "an endpoint is on this terminal itself")


def test_a_named_interface_that_is_not_there():
    assert "eth7: not there" in check.network_lines(State(), ("eth7",))[0].found


CAPTIVE = named(implausible="192.0.2.1, the router itself (a login page, or its line is down)")
FILTER = named(implausible="0.0.0.0 (a DNS filter)")
SERVFAIL = LOCAL._replace(answer="SERVFAIL")

FOUND = [
    ("all well", GOOD, 0, [], ""),
    ("gateway silent", results(MUTE, MUTE, gateway=False, servers=()), 12, ["gateway"], "see whether the router is on"),
    ("gateway mute, but lets through", GOOD._replace(gateway=False), 0, [], ""),
    ("no DNS, the network well", results(WHAT, WHAT, names=named(), servers=(GOOGLE._replace(answer="REFUSED"),)), 13,
     ["DNS dc", "DNS ec"], "name servers in /etc/resolv.conf"),
    ("no name server", results(WHAT, WHAT, names=named(), servers=()), 13, ["DNS dc", "DNS ec"], "name servers"),
    ("one name", results(OPEN, WHAT, names=named("dc")), 13, ["DNS ec"], "name servers"),
    ("t2: the router's name server fails: both remedies", results(WHAT, WHAT, names=named(), servers=(SERVFAIL,)), 13,
     ["DNS dc", "DNS ec"], "call the internet provider"),
    ("no internet", results(MUTE, MUTE, servers=(LOCAL,)), 18, ["internet"], "call the internet provider"),
    ("a line without gateway", results(MUTE, MUTE, gateway=None, servers=()), 18, ["internet"], "provider"),
    ("cloud refuses", results(SHUT, SHUT), 14, ["dc:80", "ec:9001"], "its service is not"),
    ("cloud silent", results(MUTE, MUTE), 14, ["dc:80", "ec:9001"], "name server 8.8.8.8 answers: ask eConduit"),
    ("one port blocked", results(MUTE, OPEN), 15, ["dc:80"], "have the firewall open this port"),
    ("no route to the endpoints' kind of address", results(NO_WAY, NO_WAY), 12, ["dc:80", "ec:9001"], "ip route get"),
    ("no route to one of them", results(NO_WAY, OPEN), 15, ["dc:80"], "nothing could be sent"),
    ("o14: a router rejects both",
     ProbeResults(True, named("dc", "ec"), (LOCAL,), ends(REJECTED, REJECTED, "192.0.2.1")), 18,
     ["internet"], "provider"),
    ("o14: a router rejects one",
     ProbeResults(True, named("dc", "ec"), (GOOGLE,), ends(REJECTED, OPEN, "192.0.2.1")), 15,
     ["dc:80"], "whoever runs 192.0.2.1"),
    ("t1: the router answers all names", results(WHAT, WHAT, names=CAPTIVE, servers=(LOCAL,)), 13, ["DNS dc", "DNS ec"],
     "log-in"),
    ("o7: a DNS filter", results(WHAT, WHAT, names=FILTER), 13, ["DNS dc", "DNS ec"], "DNS filter blocks the name"),
]


@pytest.mark.parametrize("name, found, status, failing, todo", FOUND, ids=[row[0] for row in FOUND])
def test_beyond(name, found, status, failing, todo):
    lines = check.probe_lines(WELL, found, ENDPOINTS)
    assert [line.layer for line in lines if line.outcome == "FAIL"] == failing
    assert check.exit_status(lines) == status
    assert all(line.todo for line in lines if line.outcome == "FAIL")
    assert todo in "".join(line.todo for line in lines)


def line_of(layer, *arguments):
    return next(line for line in check.probe_lines(WELL, *arguments) if line.layer == layer)


@pytest.mark.parametrize("name, found, outcome, says", [
    ("a public name server", GOOD, "PASS", "name server 8.8.8.8 answers"),
    ("a reference host", results(MUTE, MUTE, servers=(), references=(("192.0.2.99:443", True),)), "PASS",
     "192.0.2.99:443 answers"),
    ("t1: nothing but ports that opened", results(OPEN, OPEN, servers=(LOCAL,)), "SKIP", "not known"),
    ("t1: nothing but the router", results(WHAT, WHAT, names=CAPTIVE, servers=(LOCAL,)), "SKIP", "not known"),
    ("t2: nothing but a failing name server", results(WHAT, WHAT, names=named(), servers=(SERVFAIL,)), "SKIP",
     "not known"),
])
def test_t1_what_passes_for_the_internet_is_named(name, found, outcome, says):
    line = line_of("internet", found, ENDPOINTS)
    assert (line.outcome, says in line.found) == (outcome, True), line


def test_t1_nothing_is_said_of_a_firewall_where_the_router_answered_for_the_cloud():
    lines = check.probe_lines(WELL, results(WHAT, WHAT, names=CAPTIVE, servers=(LOCAL,)), ENDPOINTS)
    assert "firewall" not in "".join(map(str, lines))
    assert {line.outcome for line in lines if line.layer in ("dc:80", "ec:9001")} == {"SKIP"}
    assert "192.0.2.1, the router itself" in "".join(map(str, lines))


def said(primary, secondary, online=False):
    return AgentStatus(online, pid=1, endpoints=(DialResult(ENDPOINTS[0], primary, ("203.0.113.10",)),
                                                 DialResult(ENDPOINTS[1], secondary, ("203.0.113.11",))))


def test_t1_what_a_port_that_opened_proves_is_said():
    assert "only a registration proves" in line_of("dc:80", GOOD, ENDPOINTS).found
    registered = line_of("dc:80", GOOD, ENDPOINTS, said(Outcome.REGISTERED, UNTRIED, online=True))
    assert "registered there" in registered.found
    proxy = line_of("dc:80", GOOD, ENDPOINTS, said(Outcome.NOT_THE_CLOUD, MUTE))
    assert (proxy.outcome, proxy.status) == ("FAIL", 14) and "something else" in proxy.found


@pytest.mark.parametrize("other", [MUTE, SHUT])
def test_t1_behind_a_proxy_no_firewall_is_blamed_for_the_other_port(other):
    found = results(OPEN, other, servers=(LOCAL,))
    lines = check.probe_lines(WELL, found, ENDPOINTS, said(Outcome.NOT_THE_CLOUD, MUTE))
    second = next(line for line in lines if line.layer == "ec:9001")
    assert (second.outcome, second.status) == ("FAIL", 14) and "login page" in second.todo
    assert "firewall" not in "".join(map(str, lines)) and check.exit_status(lines) == 14


def test_a_registered_terminal_has_the_internet_whatever_else_could_be_asked():
    line = line_of("internet", results(OPEN, OPEN, servers=(LOCAL,)), ENDPOINTS,
                   said(Outcome.REGISTERED, UNTRIED, True))
    assert (line.outcome, line.found) == ("PASS", "the terminal is registered with the cloud")


def test_nothing_to_ask_over_is_skipped():
    lines = check.probe_lines(State((OUT,), (VIA,)), None, ENDPOINTS)
    assert [str(line).split()[0] for line in lines] == ["SKIP"] * 6
    assert check.exit_status(lines) == 0


def test_every_exit_status_is_in_the_table():
    assert all(f"\n    {number}  " in check.__doc__ for number in range(10, 19))


def test_a_dead_default_route_beside_a_usable_interface():
    """What is asked and said is about the way that the agent takes, not about the dead one."""
    wlan = Interface("wlan0", Kind.WIFI, addresses=("198.51.100.7",))
    state = State((OUT, wlan), (VIA, Route("wlan0", "198.51.100.1", 600)))
    route = check.network_lines(state)[2]
    assert (route.outcome, route.found) == ("PASS", "198.51.100.1 over wlan0 (not over eth0, which is dead)")
    lines = check.probe_lines(state, results(OPEN, WHAT, names=named("dc")), ENDPOINTS)
    assert lines[0].found == "198.51.100.1 answers"
    assert "withdraw the one over eth0" in next(line.todo for line in lines if line.outcome == "FAIL")


def test_another_interface_that_reaches_the_cloud_is_named():
    found = results(MUTE, MUTE, gateway=False, servers=(), reachable_over="wlan0")
    assert "over wlan0 meanwhile" in check.probe_lines(WELL, found, ENDPOINTS)[0].todo


@pytest.mark.parametrize("error, found, todo", [
    (NotRunning("not running"), "not running", "supervisorctl start"),
    (NotAllowed("no permission; run this as root"), "not known: no permission; run this as root", ""),
    (AgentError("no answer in time"), "no answer in time", "supervisorctl restart"),
])
def test_an_agent_that_does_not_answer(error, found, todo):
    class Silent:
        def status(self):
            raise error

    line, registered = check.agent_lines(check.ask_agent(Silent()))
    assert (line.outcome, line.found, line.status) == ("FAIL", found, 16) and registered.outcome == "SKIP"
    assert todo in line.todo and bool(todo) == bool(line.todo)
    assert check.watchdog_verdict(error) == ""


STATUS = Status(pid=7, version="1.1.0", online=True, endpoint="dc:80", terminal_id="29531204", since="now")


def test_o10_what_the_agent_says_beside_is_told_and_fails_nothing():
    lines = check.agent_lines(replace(STATUS, problems={"identity": "another terminal may use this TerminalID"}))
    assert [line.outcome for line in lines] == ["PASS", "PASS", "NOTE"] and check.exit_status(lines) == 0
    assert "another terminal may use this TerminalID" in lines[2].found
    assert len(check.agent_lines(STATUS)) == 2


@pytest.mark.parametrize("network, says", [(NetworkReport("Wi-Fi lost"), "Wi-Fi lost"), (None, "")])
def test_what_the_watchdog_that_runs_says(network, says):
    assert check.watchdog_verdict(Status(network=network)) == says
