"""The agent's word, read leniently."""
import pytest
from econduit_terminal.watchdog.addresses import Target
from econduit_terminal.watchdog.agent_status import AgentStatus, Dialed, Outcome, target
from hypothesis import given
from hypothesis import strategies as st

ONLINE = {"online": True, "local_address": "192.0.2.5", "interface": "eth0", "reason": None, "pid": 7,
          "phase": "online",
          "endpoints": [{"endpoint": "dc:80", "outcome": "registered", "addresses": ["203.0.113.10"]},
                        {"endpoint": "[2001:db8::1]:9001", "outcome": "untried", "addresses": []}]}
ANY_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def test_all_of_it():
    assert AgentStatus().heard(ONLINE) == AgentStatus(
        True, "192.0.2.5", "eth0", None, 7, "online",
        (Dialed(Target("dc:80", "dc", 80), Outcome.REGISTERED, ("203.0.113.10",)),
         Dialed(Target("[2001:db8::1]:9001", "2001:db8::1", 9001), Outcome.UNTRIED)))


def test_where_it_was_connected_last_stays_known():
    was = AgentStatus().heard(ONLINE)
    offline = was.heard({"online": False, "reason": "closed", "local_address": None, "interface": None, "pid": 7})
    assert offline == AgentStatus(False, "192.0.2.5", "eth0", "closed", 7)
    assert offline.gone() == AgentStatus(local_address="192.0.2.5", interface="eth0")


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_of_the_contract(outcome):
    said = AgentStatus().heard({"endpoints": [{"endpoint": "dc:80", "outcome": outcome.value, "addresses": []}]})
    assert said.endpoints[0].outcome is outcome


def test_an_agent_of_the_first_release_says_less():
    assert AgentStatus().heard({"online": False, "reason": "x", "pid": 1}).endpoints == ()


@pytest.mark.parametrize("name, want", [
    ("dc:80", Target("dc:80", "dc", 80)), ("[::1]:9001", Target("[::1]:9001", "::1", 9001)), ("dc", None),
    (":80", None),
    ("dc:", None), ("dc:x", None), ("dc:0", None), ("dc:65536", None), ("dc:٣", None), ("dc:" + "9" * 5000, None),
    ("", None),
])
def test_endpoints_by_name(name, want):
    assert target(name) == want


@given(st.dictionaries(st.sampled_from(list(ONLINE)), ANY_JSON))
def test_any_values(values):
    said = AgentStatus().heard({**ONLINE, **values})
    assert said.online in (True, False) and all(isinstance(one, Dialed) for one in said.endpoints)


@given(ANY_JSON, ANY_JSON, ANY_JSON)
def test_any_endpoint(name, outcome, addresses):
    said = {"endpoints": [{"endpoint": name, "outcome": outcome, "addresses": addresses}]}
    assert len(AgentStatus().heard(said).endpoints) <= 1
