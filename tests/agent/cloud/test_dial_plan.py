"""What is dialed by what is known; over real sockets in test_dialer.py and test_link.py."""
import socket

import pytest

from econduit_terminal.agent.cloud.dial_plan import DialPlan
from econduit_terminal.agent.cloud.dialed import Dialed, DialFailed, DialResults, EndpointFailure
from econduit_terminal.agent.cloud.endpoints import Endpoints
from econduit_terminal.agent.cloud.policy import Cause, Evidence, Finding, Policy
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.status import Outcome

A, B = Endpoint("primary.test", 80), Endpoint("secondary.test", 9001)
ONE, TWO = (socket.AF_INET, ("192.0.2.1", 80)), (socket.AF_INET, ("192.0.2.2", 80))


class Dialer:
    """Writes down what it is asked for, and gives what it is told."""

    def __init__(self, settings):
        self.settings = settings
        self.result = DialFailed(DialResults({A: EndpointFailure(Finding.SILENT, "no answer")}))

    def dial(self, targets, **more):
        self.targets, self.more = {target.endpoint: target for target in targets}, more
        if isinstance(self.result, DialFailed):
            raise self.result
        return self.result


@pytest.fixture
def parts(settings):
    records = Endpoints([A, B])
    policy = Policy(settings.reconnect, lambda: 0.5, [A, B])
    dialer = Dialer(settings)
    return DialPlan(dialer, records, policy), dialer, records, policy


@pytest.mark.parametrize("cause, known", [
    (Cause.LOCAL, True), (Cause.PATH, True), (Cause.SILENT, True), (Cause.ASKED, True), (Cause.CUT, False),
    (Cause.DOWN, False), (Cause.CROWDED, False), (Cause.NOT_THE_CLOUD, False), (Cause.REFUSED, False)])
def test_o5_the_remembered_address_at_once_or_behind_the_name(parts, cause, known):
    plan, dialer, records, _ = parts
    records.registered(A, ONE, 1.0)
    plan.after(cause)
    plan.dial([A, B], NetworkReport(), 2.0)
    assert dialer.targets[A].known == ([ONE] if known else []) and dialer.targets[A].spare == [ONE]
    assert dialer.targets[B].known == dialer.targets[B].spare == []


def test_o15_the_addresses_of_the_watchdog_are_spare(parts):
    plan, dialer, records, _ = parts
    records.registered(A, TWO, 1.0)
    plan.dial([A, B], NetworkReport(addresses={A.host: ("192.0.2.1", "2001:db8::1"), "other": ("192.0.2.9",)}), 2.0)
    assert dialer.targets[A].spare == [TWO, ONE, (socket.AF_INET6, ("2001:db8::1", 80, 0, 0))]


def test_the_way_the_waits_and_what_the_records_know(parts):
    plan, dialer, records, policy = parts
    policy.ended({A: Evidence(Finding.FAILED)}, NetworkReport(), 0.0)
    records.not_registered(A, ONE, Finding.FAILED, "refused")
    records[B].mss = 1200
    network = NetworkReport(bind="eth1", lost={"10.0.0.1": "cable unplugged"})
    plan.dial([B, A], network, 1.0)
    assert dialer.more == {"interface": "eth1", "lost": network.lost.keys(), "returning": True}
    assert dialer.targets[B].hold == 0 and dialer.targets[A].hold == pytest.approx(policy.delay(A, 1.0))
    assert dialer.targets[A].doubted == (ONE,) and dialer.targets[B].mss == 1200
    plan.dial([A], network, 1.0, background=True)
    assert dialer.targets[A].hold == 0


def test_what_a_dial_saw_goes_into_the_records(parts):
    plan, dialer, records, _ = parts
    records.registered(B, TWO, 1.0)
    results = DialResults({A: EndpointFailure(Finding.TLS, "TLS failed", ONE)}, {A: (ONE, TWO), B: (ONE,)}, {B: [ONE]})
    dialer.result = DialFailed(results)
    assert plan.dial([A, B], NetworkReport(), 2.0) is dialer.result
    assert (records[A].unregistered, records[A].outcome, records[A].addresses) == (1, Outcome.OPEN, ("192.0.2.1",))
    assert records[B].address is None and records[B].addresses == ("192.0.2.1",)
    assert records.reasons() == ["TLS failed"]
    dialer.result = Dialed(None, B, 0.1, ONE, DialResults({A: EndpointFailure(Finding.REFUSED, "refused by A")}))
    assert plan.dial([A, B], NetworkReport(), 3.0) is dialer.result
    assert records[A].outcome is Outcome.REFUSED


def test_where_a_dial_leaves_from_unless_the_watchdog_names_the_interface(parts):
    plan, _, records, _ = parts
    here = Endpoint("127.0.0.1", 80)
    assert "127.0.0.1" in plan.sources([here], NetworkReport())
    records.registered(A, (socket.AF_INET6, ("::1", 80, 0, 0)), 1.0)
    assert "::1" in plan.sources([A], NetworkReport())
    assert plan.sources([here], NetworkReport(bind="eth1")) == set()
