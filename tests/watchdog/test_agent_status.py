"""The agent's word, as far as the watchdog goes by it."""
import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import EndpointStatus, Outcome, Phase, Status
from econduit_terminal.watchdog.agent_status import AgentStatus, DialResult

ONLINE = {"online": True, "local_address": "192.0.2.5", "interface": "eth0", "reason": None, "pid": 7,
          "phase": "online",
          "endpoints": [{"endpoint": "dc:80", "outcome": "registered", "addresses": ["203.0.113.10"]},
                        {"endpoint": "[2001:db8::1]:9001", "outcome": "untried", "addresses": []}]}


def test_all_of_it():
    assert AgentStatus().updated(Status.from_json(ONLINE)) == AgentStatus(
        True, "192.0.2.5", "eth0", None, 7, Phase.ONLINE,
        (DialResult(Endpoint("dc", 80), Outcome.REGISTERED, ("203.0.113.10",)),
         DialResult(Endpoint("2001:db8::1", 9001), Outcome.UNTRIED)))


def test_where_it_was_connected_last_stays_known():
    was = AgentStatus().updated(Status.from_json(ONLINE))
    offline = was.updated(Status(reason="closed", pid=7))
    assert offline == AgentStatus(False, "192.0.2.5", "eth0", "closed", 7)
    assert offline.gone() == AgentStatus(local_address="192.0.2.5", interface="eth0")


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_of_the_contract(outcome):
    said = AgentStatus().updated(Status.from_json({"endpoints": [{"endpoint": "dc:80", "outcome": outcome.value,
                                                                "addresses": []}]}))
    assert said.endpoints[0].outcome is outcome


def test_an_agent_of_the_first_release_says_less():
    assert AgentStatus().updated(Status.from_json({"online": False, "reason": "x", "pid": 1})).endpoints == ()


@pytest.mark.parametrize("name, want", [
    ("dc:80", Endpoint("dc", 80)), ("[::1]:9001", Endpoint("::1", 9001)), ("dc", None),
    (":80", None),
    ("dc:", None), ("dc:x", None), ("dc:0", None), ("dc:65536", None), ("dc:٣", None), ("dc:" + "9" * 5000, None),
    ("", None),
])
def test_endpoints_by_name(name, want):
    said = AgentStatus().updated(Status(endpoints=(EndpointStatus(name),)))
    assert [dialed.endpoint for dialed in said.endpoints] == ([] if want is None else [want])
