"""What is learned from one attempt; in the course of a terminal's life: test_link.py."""
import socket
from dataclasses import replace

import pytest

from econduit_terminal.agent.cloud.announcer import Announcer
from econduit_terminal.agent.cloud.dial_plan import DialPlan
from econduit_terminal.agent.cloud.dialed import Dialed, DialFailed, DialResults, EndpointFailure
from econduit_terminal.agent.cloud.dialer import Dialer
from econduit_terminal.agent.cloud.ended import Ended
from econduit_terminal.agent.cloud.endpoints import Endpoints, PastRegistration
from econduit_terminal.agent.cloud.evaluation import Evaluation
from econduit_terminal.agent.cloud.policy import Cause, Finding, Policy
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.status import Outcome

A, B = Endpoint("primary.test", 80), Endpoint("secondary.test", 9001)
ONE = socket.AF_INET, ("192.0.2.1", 80)
NETWORK = NetworkReport()
LONG, SHORT = PastRegistration(3600.0, 5.0), PastRegistration(1.0, 1.0)


@pytest.fixture
def it(settings, store):
    records, policy = Endpoints([A, B]), Policy(settings.reconnect, lambda: 0.5, [A, B])
    return Evaluation(records, DialPlan(Dialer(settings), records, policy), Announcer(store, records), policy)


def failed(**findings):
    endpoints = {"a": A, "b": B}
    return DialFailed(DialResults({endpoints[name]: EndpointFailure(finding, f"no {name}")
                                   for name, finding in findings.items()}))


def dialed(**findings):
    return Dialed(None, A, 0.1, ONE, failed(**findings).results if findings else DialResults())


def test_a_dial_in_vain(it, store):
    it.records.not_opened(A, Finding.REFUSED, "refused by A")
    wait = it.not_opened(failed(a=Finding.REFUSED), NETWORK, 10.0, dialed_for=0.0)
    assert wait.cause is Cause.DOWN and wait.seconds == it.policy.wait(10.0)
    assert store.reasons == ["refused by A"] and it.plan.name_first and not it.plan.returning


def test_o12_the_time_since_a_refusal_is_waited_already(it):
    refused = DialFailed(DialResults({A: EndpointFailure(Finding.REFUSED, "no a", at=9.995)}))
    it.not_opened(refused, NETWORK, 10.0, dialed_for=5.0)
    assert it.policy.delay(A, 10.0) == pytest.approx(it.policy.reconnect.base_delay * 0.5 - 0.005)


@pytest.mark.parametrize("finding, shown", [(Finding.NO_WAY, False), (Finding.NO_NAME, False), (Finding.SILENT, True)])
def test_the_first_dial_on_a_network_that_returns_shows_nothing_that_may_be_over_at_once(it, store, finding, shown):
    it.records.not_opened(A, finding, "no way to A")
    it.not_opened(failed(a=finding), NETWORK, 1.0, dialed_for=0.0)
    assert bool(store.reasons) is shown
    it.not_opened(failed(a=finding), NETWORK, 2.0, dialed_for=0.0)
    assert store.reasons


def test_the_display_comes_first_and_the_records_after_it(it, store):
    ended = Ended(Finding.CLOSED, "closed by the cloud")
    it.offline(A, ended, NETWORK, registered=True)
    assert store.reasons == ["closed by the cloud"] and it.records[A].outcome is Outcome.UNTRIED
    assert it.ended(dialed(), ended, SHORT, NETWORK, 1.0, moved=False).cause is Cause.CUT
    assert list(it.records[A].past) == [SHORT]


def test_without_a_registration_what_was_met_at_the_other_endpoint_counts_as_well(it):
    wait = it.ended(dialed(b=Finding.REFUSED), Ended(Finding.CLOSED, "closed"), None, NETWORK, 1.0, moved=False)
    assert wait.causes == {A: Cause.CROWDED, B: Cause.DOWN}
    assert it.records[A].unregistered == 1 and it.records[A].doubted == (ONE,)


def test_an_endpoint_that_was_silent_meanwhile_is_dialed_again_from_the_start_of_that_dial_on(it, settings):
    slow = replace(dialed(b=Finding.SILENT), seconds=3.0)
    wait = it.ended(slow, Ended(Finding.OTHER, "HTTP"), None, NETWORK, 1.0, moved=False)
    assert wait.causes == {A: Cause.NOT_THE_CLOUD, B: Cause.PATH}
    assert it.policy.delay(B, 1.0) == 0 < it.policy.delay(A, 1.0)


@pytest.mark.parametrize("finding", [Finding.ASKED, Finding.ABORTED])
def test_an_end_on_purpose_says_nothing_of_the_endpoint(it, finding):
    it.ended(dialed(), Ended(finding, "asked for"), LONG, NETWORK, 1.0, moved=False)
    it.ended(dialed(), Ended(finding, "asked for"), None, NETWORK, 2.0, moved=True)
    assert not it.records[A].past and it.records[A].unregistered == it.records[A].failed_moves == 0


@pytest.mark.parametrize("past, cause", [(SHORT, Cause.CUT), (LONG, Cause.ASKED)])
def test_silence_after_a_short_registration_is_as_good_as_a_cut_though_another_connection_is_open(it, past, cause):
    ended = Ended(Finding.LOST, "connection lost on the way", successor=dialed(), mss=1200)
    assert it.ended(dialed(), ended, past, NETWORK, 1.0, moved=False).cause is cause
    assert it.records[A].mss == 1200


def test_one_that_registers_us_and_drops_us_again_and_again_loses_its_head_start(it, settings):
    for _ in range(int(settings.reconnect.quick_returns) + 1):
        wait = it.ended(dialed(), Ended(Finding.CLOSED, "closed"), SHORT, NETWORK, 1.0, moved=False)
    assert wait.cause is Cause.CROWDED and it.records.order() == [B, A]


def test_a_type_that_the_cloud_does_not_know_is_said_with_what_to_do(it, caplog):
    it.ended(dialed(), Ended(Finding.INVALID_TYPE, "refused"), None, NETWORK, 1.0, moved=False)
    assert "correct terminal.type" in caplog.text
