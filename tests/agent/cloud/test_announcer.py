"""The words and the problems; which reason is shown stands in test_reasons.py, the whole in test_link.py."""
import pytest

from econduit_terminal.agent.cloud.announcer import SHARED_ID, Announcer
from econduit_terminal.agent.cloud.endpoints import Endpoints, PastRegistration
from econduit_terminal.agent.cloud.policy import Cause, Finding
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport

A, B = Endpoint("primary.test", 80), Endpoint("secondary.test", 9001)


@pytest.fixture
def records():
    return Endpoints([A, B])


@pytest.fixture
def announcer(store, records):
    return Announcer(store, records)


def test_the_reason_is_that_of_each_endpoint_that_was_tried(announcer, store, records):
    announcer.offline()
    records.not_opened(A, Finding.REFUSED, "refused by A")
    announcer.met({A: Cause.DOWN})
    records.not_opened(B, Finding.SILENT, "no answer from B")
    announcer.met({B: Cause.DOWN})
    announcer.met({A: Cause.CUT}, "closed by the cloud")
    assert store.reasons == ["starting", "refused by A", "refused by A; no answer from B", "closed by the cloud"]


@pytest.mark.parametrize("cause, shown", [
    (Cause.LOCAL, "connecting"), (Cause.PATH, "connecting"), (Cause.REFUSED, "own"), (Cause.CUT, "own")])
def test_t11_when_the_network_gets_better_only_what_it_did_is_over(announcer, store, cause, shown):
    announcer.met({A: cause}, "own")
    announcer.network(NetworkReport(dial=True), better=True)
    announcer.offline()
    assert store.reasons[-1] == shown


def test_a_verdict_that_came_later_than_an_answer(announcer, store):
    announcer.network(NetworkReport(verdict="no internet"))
    announcer.met({A: Cause.REFUSED}, "registration refused: FAILED-REGISTRATION")
    assert store.reasons[-1] == "registration refused: FAILED-REGISTRATION"
    announcer.network(NetworkReport(verdict="no internet"))
    announcer.offline()
    assert store.reasons[-1] == "registration refused: FAILED-REGISTRATION"
    announcer.network(NetworkReport(verdict="gateway silent"))
    announcer.offline()
    assert store.reasons[-1] == "gateway silent"


def test_a_registration_ends_what_was_met_before(announcer, store, records):
    announcer.met({A: Cause.REFUSED}, "own")
    announcer.registered()
    announcer.network(NetworkReport(verdict="cloud not answering"))
    announcer.met({B: Cause.PATH}, "connection timed out")
    assert store.reasons[-1] == "cloud not answering"
    assert set(store.found) == {str(A), str(B)}


def test_what_endpoints_answered_that_the_settings_name_no_longer_says_nothing_of_the_others(announcer, store, records):
    announcer.met({A: Cause.REFUSED}, "registration refused: FAILED-REGISTRATION")
    records.configure([B])
    announcer.network(NetworkReport(verdict="no internet"))
    announcer.met({B: Cause.PATH}, "no answer from B")
    assert store.reasons[-1] == "no internet"


def test_problems(announcer, store, records):
    for seconds in (0.1, 0.25, 0.02, 0.18):
        records.ended(A, PastRegistration(seconds, 0.0), by_the_cloud=True, stable_after=30)
    for _ in range(3):
        records.ended(B, PastRegistration(900.0, 30.0), by_the_cloud=False, stable_after=30)
    announcer.problems()
    assert store.problems == {"heartbeat": (
        "something on the way to secondary.test:9001 ends connections without data after 30 s: heartbeats every 15 s")}
    for seconds in (0.1, 0.25, 0.02, 0.18):
        records.ended(A, PastRegistration(seconds, 0.0), by_the_cloud=True, stable_after=30)
    announcer.problems()
    assert store.problems["TerminalID"] == SHARED_ID
