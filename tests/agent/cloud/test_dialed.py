from econduit_terminal.agent.cloud.dialed import DialFailed, DialResults, EndpointFailure
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.conf.values import Endpoint

A, B = Endpoint("primary.test", 80), Endpoint("secondary.test", 9001)


def test_a_failure_tells_each_reason_once():
    same = EndpointFailure(Finding.NO_NAME, "name cloud.test not found")
    assert str(DialFailed(DialResults({A: same, B: same}))) == "name cloud.test not found"
    other = EndpointFailure(Finding.SILENT, "no answer from B")
    assert str(DialFailed(DialResults({A: same, B: other}))) == "name cloud.test not found; no answer from B"
