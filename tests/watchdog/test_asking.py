"""When the network is asked, and whether the endpoints are: the agent's story in steps, then what is due."""
import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Outcome, Phase
from econduit_terminal.watchdog.agent_status import AgentStatus, Dialed
from econduit_terminal.watchdog.asking import NEVER, PATIENCE, STALE, Asking

UNTRIED, MET, OPEN, OTHER, SAID_NO, SHUT, REJECTED, MUTE, NAMELESS, NO_WAY = Outcome
INTERVAL = 5.0


def agent(*outcomes, phase=Phase.WAITING, online=False, pid=1):
    return AgentStatus(online, pid=pid, phase=phase, endpoints=tuple(
        Dialed(Endpoint(f"e{number}", 80), outcome) for number, outcome in enumerate(outcomes)))


ONLINE = agent(MET, UNTRIED, phase=Phase.ONLINE, online=True)


@pytest.mark.parametrize("name, word, want", [
    ("silence", agent(MUTE, MUTE), True),
    ("a router rejects", agent(REJECTED, MUTE), True),
    ("silence at the one, no name at the other", agent(MUTE, NAMELESS), True),
    ("the cloud refuses the dial", agent(SHUT, SHUT), False),
    ("it refuses at one endpoint", agent(MUTE, SHUT), False),
    ("it refuses the registration", agent(SAID_NO, UNTRIED), False),
    ("it opens, and does not register", agent(MUTE, OPEN), False),
    ("something else answers", agent(OTHER, MUTE), False),
    ("no names", agent(NAMELESS, NAMELESS), False),
    ("no way", agent(NO_WAY, NO_WAY), False),
    ("nothing dialed yet", agent(UNTRIED, UNTRIED), False),
    ("cut a moment ago", agent(MET, UNTRIED), False),
    ("cut, the other port is blocked", agent(MUTE, MET), False),
    ("it registers", agent(MUTE, MUTE, phase=Phase.REGISTERING), False),
    ("an agent of 1.0.0", agent(), True),
])
def test_o12_whether_the_endpoints_are_asked(name, word, want):
    asking = Asking(INTERVAL)
    asking.heard(word, 0.0)
    assert asking.endpoints(100.0) is want


@pytest.mark.parametrize("outcomes, want", [
    ((UNTRIED, UNTRIED), True), ((MET, UNTRIED), True), ((MUTE, MUTE), True), ((NO_WAY, NO_WAY), True),
    ((SHUT, MUTE), False),
    ((OPEN, UNTRIED), False),
])
def test_a_dial_without_an_answer_is_silence(outcomes, want):
    asking = Asking(INTERVAL)
    asking.heard(agent(*outcomes, phase=Phase.DIALING), 10.0)
    assert asking.endpoints(10.0 + PATIENCE) is want
    assert asking.endpoints(10.0 + PATIENCE - 0.1) is (outcomes == (MUTE, MUTE))


def test_the_first_round_comes_a_moment_after_the_loss_and_then_every_interval():
    asking = Asking(INTERVAL)
    assert asking.due() == NEVER
    asking.heard(ONLINE, 0.0)
    assert asking.due() == NEVER
    asking.heard(agent(MET, UNTRIED, phase=Phase.DIALING), 10.0)
    assert asking.due() == 10.0 + PATIENCE
    asking.began(asking.endpoints(11.0))
    assert asking.due() == NEVER
    asking.ended(12.0, current=True)
    assert asking.due() == 12.0 + INTERVAL
    asking.heard(ONLINE, 13.0)
    assert asking.due() == NEVER


def test_a_round_about_another_network_is_followed_by_one_at_once():
    asking = Asking(INTERVAL)
    asking.heard(agent(SHUT, SHUT), 0.0)
    asking.began(False)
    asking.network_changed(1.0)
    assert asking.due() == NEVER
    asking.ended(1.5, current=False)
    assert asking.due() == 1.5


def test_when_the_dial_fell_silent_the_endpoints_are_asked_at_once():
    asking = Asking(INTERVAL)
    asking.heard(agent(SHUT, SHUT), 0.0)
    asking.began(asking.endpoints(1.0))
    asking.ended(2.0, current=True)
    assert asking.due() == 7.0
    asking.heard(agent(MUTE, MUTE), 3.0)
    assert asking.due() == 3.0
    asking.began(asking.endpoints(3.0))
    asking.ended(4.0, current=True)
    asking.heard(agent(MUTE, MUTE, phase=Phase.DIALING), 5.0)
    assert asking.due() == 4.0 + INTERVAL, "and then again every interval"


def test_a_dial_that_lasts_brings_the_round_forward_once():
    asking = Asking(INTERVAL)
    asking.heard(agent(NAMELESS, NAMELESS), 0.0)
    asking.began(False)
    asking.ended(1.0, current=True)
    asking.heard(agent(NAMELESS, NAMELESS, phase=Phase.DIALING), 2.0)
    assert asking.due() == 2.0 + PATIENCE
    asking.began(asking.endpoints(3.0))
    asking.ended(4.0, current=True)
    assert asking.due() == 4.0 + INTERVAL


def test_an_agent_that_names_no_endpoint_is_not_hurried():
    """It is of the first release, or has no settings that it can work by."""
    asking = Asking(INTERVAL)
    asking.heard(agent(), 0.0)
    asking.heard(agent()._replace(reason="settings wrong"), 0.01)
    assert asking.due() == PATIENCE


def test_dials_that_the_cloud_refuses_bring_no_round_forward():
    """Each of them is an event; the rounds keep their interval all the same."""
    asking, now, rounds = Asking(INTERVAL), 0.0, []
    asking.heard(ONLINE, 0.0)
    while now < 45:
        asking.heard(agent(SHUT, SHUT, phase=Phase.DIALING), now)
        asking.heard(agent(SHUT, SHUT), now + 0.01)
        if now >= asking.due():
            rounds.append(asking.endpoints(now))
            asking.began(rounds[-1])
            asking.ended(now, current=True)
        now += 0.25
    assert len(rounds) == 9 and not any(rounds)


def test_an_answer_of_a_while_ago_is_history_while_the_agent_waits():
    asking = Asking(INTERVAL)
    asking.heard(agent(UNTRIED, UNTRIED, phase=Phase.DIALING), 0.0)
    assert not asking.stale(100.0)
    asking.heard(agent(SAID_NO, SAID_NO), 1.0)
    assert not asking.stale(1.0 + STALE) and asking.stale(1.1 + STALE)
    asking.heard(agent(SAID_NO, SAID_NO, phase=Phase.DIALING), 50.0)
    assert not asking.stale(100.0)
    asking.heard(ONLINE, 60.0)
    assert not asking.stale(100.0)


def test_without_an_agent_nothing_is_asked():
    asking = Asking(INTERVAL)
    asking.heard(agent(MUTE, MUTE), 0.0)
    asking.heard(AgentStatus(), 1.0)
    asking.network_changed(2.0)
    assert asking.due() == NEVER
    asking.heard(agent(MUTE, MUTE, pid=2), 3.0)
    assert asking.due() == 3.0 + PATIENCE
