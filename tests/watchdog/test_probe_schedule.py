"""When the network is asked, and whether the endpoints are: the agent's story in steps, then what is due."""
import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Outcome, Phase
from econduit_terminal.watchdog.agent_status import AgentStatus, DialResult
from econduit_terminal.watchdog.probe_schedule import FIRST_ROUND_AFTER, NEVER, STALE_AFTER, ProbeSchedule

UNTRIED, MET, OPEN, OTHER, SAID_NO, SHUT, REJECTED, MUTE, NAMELESS, NO_WAY = Outcome
INTERVAL = 5.0


def agent(*outcomes, phase=Phase.WAITING, online=False, pid=1):
    return AgentStatus(online, pid=pid, phase=phase, endpoints=tuple(
        DialResult(Endpoint(f"e{number}", 80), outcome) for number, outcome in enumerate(outcomes)))


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
    schedule = ProbeSchedule(INTERVAL)
    schedule.agent_changed(word, 0.0)
    assert schedule.asks_endpoints(100.0) is want


@pytest.mark.parametrize("outcomes, want", [
    ((UNTRIED, UNTRIED), True), ((MET, UNTRIED), True), ((MUTE, MUTE), True), ((NO_WAY, NO_WAY), True),
    ((SHUT, MUTE), False),
    ((OPEN, UNTRIED), False),
])
def test_a_dial_without_an_answer_is_silence(outcomes, want):
    schedule = ProbeSchedule(INTERVAL)
    schedule.agent_changed(agent(*outcomes, phase=Phase.DIALING), 10.0)
    assert schedule.asks_endpoints(10.0 + FIRST_ROUND_AFTER) is want
    assert schedule.asks_endpoints(10.0 + FIRST_ROUND_AFTER - 0.1) is (outcomes == (MUTE, MUTE))


def test_the_first_round_comes_a_moment_after_the_loss_and_then_every_interval():
    schedule = ProbeSchedule(INTERVAL)
    assert schedule.due() == NEVER
    schedule.agent_changed(ONLINE, 0.0)
    assert schedule.due() == NEVER
    schedule.agent_changed(agent(MET, UNTRIED, phase=Phase.DIALING), 10.0)
    assert schedule.due() == 10.0 + FIRST_ROUND_AFTER
    schedule.round_began(schedule.asks_endpoints(11.0))
    assert schedule.due() == NEVER
    schedule.round_ended(12.0, current=True)
    assert schedule.due() == 12.0 + INTERVAL
    schedule.agent_changed(ONLINE, 13.0)
    assert schedule.due() == NEVER


def test_a_round_about_another_network_is_followed_by_one_at_once():
    schedule = ProbeSchedule(INTERVAL)
    schedule.agent_changed(agent(SHUT, SHUT), 0.0)
    schedule.round_began(False)
    schedule.network_changed(1.0)
    assert schedule.due() == NEVER
    schedule.round_ended(1.5, current=False)
    assert schedule.due() == 1.5


def test_when_the_dial_fell_silent_the_endpoints_are_asked_at_once():
    schedule = ProbeSchedule(INTERVAL)
    schedule.agent_changed(agent(SHUT, SHUT), 0.0)
    schedule.round_began(schedule.asks_endpoints(1.0))
    schedule.round_ended(2.0, current=True)
    assert schedule.due() == 7.0
    schedule.agent_changed(agent(MUTE, MUTE), 3.0)
    assert schedule.due() == 3.0
    schedule.round_began(schedule.asks_endpoints(3.0))
    schedule.round_ended(4.0, current=True)
    schedule.agent_changed(agent(MUTE, MUTE, phase=Phase.DIALING), 5.0)
    assert schedule.due() == 4.0 + INTERVAL, "and then again every interval"


def test_a_dial_that_lasts_brings_the_round_forward_once():
    schedule = ProbeSchedule(INTERVAL)
    schedule.agent_changed(agent(NAMELESS, NAMELESS), 0.0)
    schedule.round_began(False)
    schedule.round_ended(1.0, current=True)
    schedule.agent_changed(agent(NAMELESS, NAMELESS, phase=Phase.DIALING), 2.0)
    assert schedule.due() == 2.0 + FIRST_ROUND_AFTER
    schedule.round_began(schedule.asks_endpoints(3.0))
    schedule.round_ended(4.0, current=True)
    assert schedule.due() == 4.0 + INTERVAL


def test_an_agent_that_names_no_endpoint_is_not_hurried():
    """It is of the first release, or has no settings that it can work by."""
    schedule = ProbeSchedule(INTERVAL)
    schedule.agent_changed(agent(), 0.0)
    schedule.agent_changed(agent()._replace(reason="settings wrong"), 0.01)
    assert schedule.due() == FIRST_ROUND_AFTER


def test_dials_that_the_cloud_refuses_bring_no_round_forward():
    """Each of them is an event; the rounds keep their interval all the same."""
    schedule, now, rounds = ProbeSchedule(INTERVAL), 0.0, []
    schedule.agent_changed(ONLINE, 0.0)
    while now < 45:
        schedule.agent_changed(agent(SHUT, SHUT, phase=Phase.DIALING), now)
        schedule.agent_changed(agent(SHUT, SHUT), now + 0.01)
        if now >= schedule.due():
            rounds.append(schedule.asks_endpoints(now))
            schedule.round_began(rounds[-1])
            schedule.round_ended(now, current=True)
        now += 0.25
    assert len(rounds) == 9 and not any(rounds)


def test_an_answer_of_a_while_ago_is_history_while_the_agent_waits():
    schedule = ProbeSchedule(INTERVAL)
    schedule.agent_changed(agent(UNTRIED, UNTRIED, phase=Phase.DIALING), 0.0)
    assert not schedule.stale(100.0)
    schedule.agent_changed(agent(SAID_NO, SAID_NO), 1.0)
    assert not schedule.stale(1.0 + STALE_AFTER) and schedule.stale(1.1 + STALE_AFTER)
    schedule.agent_changed(agent(SAID_NO, SAID_NO, phase=Phase.DIALING), 50.0)
    assert not schedule.stale(100.0)
    schedule.agent_changed(ONLINE, 60.0)
    assert not schedule.stale(100.0)


def test_an_answer_to_a_dial_that_nobody_saw_is_history_a_while_after_it_was_heard_of():
    """The watchdog started later, or the agent's dial was over before its status was read."""
    schedule = ProbeSchedule(INTERVAL)
    schedule.agent_changed(agent(SAID_NO, SAID_NO), 1.0)
    assert not schedule.stale(1.0 + STALE_AFTER) and schedule.stale(1.1 + STALE_AFTER)


def test_without_an_agent_nothing_is_asked():
    schedule = ProbeSchedule(INTERVAL)
    schedule.agent_changed(agent(MUTE, MUTE), 0.0)
    schedule.agent_changed(AgentStatus(), 1.0)
    schedule.network_changed(2.0)
    assert schedule.due() == NEVER
    schedule.agent_changed(agent(MUTE, MUTE, pid=2), 3.0)
    assert schedule.due() == 3.0 + FIRST_ROUND_AFTER
