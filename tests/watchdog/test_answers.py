"""What one round found, and what follows from it alone."""
import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Outcome
from econduit_terminal.watchdog.answers import Answers, Finding, NameFound, ServerFound

PUBLIC, LOCAL = ServerFound("9.9.9.9", True, "SERVFAIL", True), ServerFound("192.168.0.1", True, "an address")
DEAD = PUBLIC._replace(alive=False, said=None)
DC = Endpoint("dc", 80)


@pytest.mark.parametrize("name, answers, beyond, witness", [
    ("nothing asked", Answers(), None, None),
    ("t1: the router's own name server proves nothing", Answers(True, servers=(LOCAL,)), None, None),
    ("a name server in the internet", Answers(servers=(LOCAL, PUBLIC)), True, "name server 9.9.9.9"),
    ("the same, silent", Answers(servers=(DEAD,)), False, None),
    ("a reference host before it", Answers(servers=(PUBLIC,), references=(("a:1", False), ("b:2", True))), True, "b:2"),
    ("a silent one", Answers(references=(("a:1", False),)), False, None),
    ("an endpoint is no witness", Answers(endpoints=(Finding(DC, Outcome.OPEN, probed=True),)), None, None),
])
def test_what_proves_the_internet(name, answers, beyond, witness):
    assert (answers.beyond, answers.witness) == (beyond, witness)


@pytest.mark.parametrize("names, nameless", [
    ((), False), ((NameFound("a"),), True), ((NameFound("a"), NameFound("b", ("192.0.2.1",), True)), False),
    ((NameFound("a", ("192.0.2.1",)),), True), ((NameFound("a", disbelieved="0.0.0.0"),), True),
])
def test_whether_names_are_answered(names, nameless):
    assert Answers(names=names).nameless is nameless


def test_in_words():
    assert str(PUBLIC) == "9.9.9.9 answers with SERVFAIL"
    assert str(PUBLIC._replace(said=None)) == "9.9.9.9 answers no question"
    assert str(DEAD) == "9.9.9.9 does not answer"
    assert str(Finding(DC, Outcome.REJECTED, offender="10.0.0.1")) == "dc:80: rejected by a router (10.0.0.1)"
