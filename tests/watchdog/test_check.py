"""What `econduit-watchdog check` says, as rows; the exit status is that of the lowest layer that fails."""
import pytest
from econduit_terminal.agent.local.client import AgentError, NotAllowed, NotRunning
from econduit_terminal.watchdog import check
from econduit_terminal.watchdog.orders import Target
from econduit_terminal.watchdog.state import Interface, Route, State
from econduit_terminal.watchdog.verdict import Answers

ETH, VIA = Interface("eth0", addresses=("192.0.2.5",)), Route("eth0", "192.0.2.1", 100)
OUT = ETH._replace(operstate="down", carrier=False)
WELL = State((ETH,), (VIA,))
ENDPOINTS = (Target("dc:80", "dc", 80), Target("ec:9001", "ec", 9001))


def ends(primary, secondary):
    return (("dc:80", primary), ("ec:9001", secondary))


GOOD = Answers(True, True, True, True, ends("open", "open"))


@pytest.mark.parametrize("name, state, status, failing, todo", [
    ("all well", WELL, 0, [], ""),
    ("cable out", State((OUT,), (VIA,)), 10, ["link"], "plug the network cable in"),
    ("Wi-Fi lost", State((OUT._replace(name="wlan0", kind="wifi"),)), 10, ["link"], "access point"),
    ("no interface", State(), 10, ["link"], "plug"),
    ("no address", State((ETH._replace(addresses=()),)), 11, ["address"], "DHCP"),
    ("no default route", State((ETH,)), 12, ["route"], "gateway"),
    ("the default route leads nowhere", State((ETH,), (Route("eth9", "192.0.2.1"),)), 12, ["route"], "default route"),
])
def test_network(name, state, status, failing, todo):
    lines = check.network(state)
    assert [line.layer for line in lines if line.outcome == "FAIL"] == failing
    assert check.exit_status(lines) == status
    assert todo in "".join(line.todo for line in lines)
    assert [line.layer for line in lines] == ["link", "address", "route"]


def test_a_named_interface_that_is_not_there():
    assert "eth7: not there" in check.network(State(), ("eth7",))[0].found


@pytest.mark.parametrize("name, answers, status, failing", [
    ("all well", GOOD, 0, []),
    ("gateway silent", Answers(False, False, False, True, ends("silent", "silent")), 12, ["gateway"]),
    ("gateway mute, but lets through", GOOD._replace(gateway=False), 0, []),
    ("no DNS", Answers(True, False, False, False, ends("no address known", "no address known")), 13,
     ["DNS dc", "DNS ec"]),
    ("one name", Answers(True, False, True, True, ends("open", "no address known")), 13, ["DNS ec"]),
    ("no internet", Answers(True, False, False, False, ends("silent", "silent")), 18, ["internet"]),
    ("no internet since the start", Answers(True, False, True, False, ends("no address known", "no address known")), 18,
     ["internet"]),
    ("a line without gateway", Answers(None, False, False, True, ends("silent", "silent")), 18, ["internet"]),
    ("cloud refuses", GOOD._replace(endpoints=ends("refused", "refused")), 14, ["dc:80", "ec:9001"]),
    ("one port blocked", GOOD._replace(endpoints=ends("silent", "open")), 15, ["dc:80"]),
])
def test_beyond(name, answers, status, failing):
    lines = check.beyond(WELL, answers, ENDPOINTS)
    assert [line.layer for line in lines if line.outcome == "FAIL"] == failing
    assert check.exit_status(lines) == status
    assert all(line.todo for line in lines if line.outcome == "FAIL")


def test_nothing_to_ask_over_is_skipped():
    lines = check.beyond(State((OUT,), (VIA,)), None, ENDPOINTS)
    assert [str(line).split()[0] for line in lines] == ["SKIP"] * 6
    assert check.exit_status(lines) == 0


def test_every_exit_status_is_in_the_table():
    assert all(f"\n    {number}  " in check.__doc__ for number in range(10, 19))


def test_a_dead_default_route_beside_a_usable_interface():
    """What is asked and said is about the way that the agent takes, not about the dead one."""
    wlan = Interface("wlan0", "wifi", addresses=("198.51.100.7",))
    state = State((OUT, wlan), (VIA, Route("wlan0", "198.51.100.1", 600)))
    route = check.network(state)[2]
    assert (route.outcome, route.found) == ("PASS", "198.51.100.1 over wlan0 (not over eth0, which is dead)")
    lines = check.beyond(state, GOOD._replace(names=False, endpoints=ends("open", "no address known")), ENDPOINTS)
    assert lines[0].found == "198.51.100.1 answers"
    assert "withdraw the one over eth0" in next(line.todo for line in lines if line.outcome == "FAIL")


def test_another_interface_that_reaches_the_cloud_is_named():
    answers = Answers(False, False, False, False, ends("silent", "silent"), elsewhere="wlan0")
    assert "over wlan0 meanwhile" in check.beyond(WELL, answers, ENDPOINTS)[0].todo


@pytest.mark.parametrize("error, found, todo", [
    (NotRunning("not running"), "not running", "supervisorctl start"),
    (NotAllowed("no permission; run this as root"), "not known: no permission; run this as root", ""),
    (AgentError("no answer in time"), "no answer in time", "supervisorctl restart"),
])
def test_an_agent_that_does_not_answer(error, found, todo):
    class Silent:
        def status(self):
            raise error

    line, registered = check.agent(Silent())
    assert (line.outcome, line.found, line.status) == ("FAIL", found, 16) and registered.outcome == "SKIP"
    assert todo in line.todo and bool(todo) == bool(line.todo)
