"""What one round found, and what follows from it alone."""
import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Outcome
from econduit_terminal.watchdog.probe_results import EndpointResult, NameResult, ProbeResults, ServerResult

PUBLIC, LOCAL = ServerResult("9.9.9.9", True, "SERVFAIL", True), ServerResult("192.168.0.1", True, "an address")
DEAD = PUBLIC._replace(alive=False, answer=None)
DC = Endpoint("dc", 80)


@pytest.mark.parametrize("name, results, beyond, witness", [
    ("nothing asked", ProbeResults(), None, None),
    ("t1: the router's own name server proves nothing", ProbeResults(True, servers=(LOCAL,)), None, None),
    ("a name server in the internet", ProbeResults(servers=(LOCAL, PUBLIC)), True, "name server 9.9.9.9"),
    ("the same, silent", ProbeResults(servers=(DEAD,)), False, None),
    ("a reference host before it",
     ProbeResults(servers=(PUBLIC,), references=(("a:1", False), ("b:2", True))), True, "b:2"),
    ("a silent one", ProbeResults(references=(("a:1", False),)), False, None),
    ("an endpoint is no witness", ProbeResults(endpoints=(EndpointResult(DC, Outcome.OPEN, probed=True),)), None, None),
])
def test_what_proves_the_internet(name, results, beyond, witness):
    assert (results.beyond, results.witness) == (beyond, witness)


@pytest.mark.parametrize("names, unresolved", [
    ((), False), ((NameResult("a"),), True), ((NameResult("a"), NameResult("b", ("192.0.2.1",), True)), False),
    ((NameResult("a", ("192.0.2.1",)),), True), ((NameResult("a", implausible="0.0.0.0"),), True),
])
def test_whether_names_are_answered(names, unresolved):
    assert ProbeResults(names=names).unresolved is unresolved


def test_in_words():
    assert str(PUBLIC) == "9.9.9.9 answers with SERVFAIL"
    assert str(PUBLIC._replace(answer=None)) == "9.9.9.9 answers no question"
    assert str(DEAD) == "9.9.9.9 does not answer"
    assert str(EndpointResult(DC, Outcome.REJECTED, offender="10.0.0.1")) == "dc:80: rejected by a router (10.0.0.1)"
