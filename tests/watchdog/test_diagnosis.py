"""What was found → the reason, as named rows; and what no combination of findings may ever lead to."""
import pytest
from hypothesis import given, strategies as st

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Outcome
from econduit_terminal.watchdog.addresses import LocalNetwork
from econduit_terminal.watchdog.agent_status import AgentStatus, DialResult
from econduit_terminal.watchdog.diagnosis import ROWS, diagnose, gather
from econduit_terminal.watchdog.probe_results import EndpointResult, NameResult, ProbeResults, ServerResult
from econduit_terminal.watchdog.state import Route

DC, EC = Endpoint("dc.econduitapp.com", 80), Endpoint("econduitapp.com",
                                                                           9001)
PUBLIC, OTHER, ROUTER = "203.0.113.10", "203.0.113.11", "192.168.0.1"
VIA = Route("eth0", ROUTER, 100)
NEAR = LocalNetwork(frozenset({"192.168.0.7"}), frozenset({ROUTER}), ("192.168.0.0/24",))
OPEN, SHUT, MUTE, UNTRIED, WHAT, REJECTED, OTHER_SERVICE, REFUSED, MET = (
    Outcome.OPEN, Outcome.REFUSED, Outcome.SILENT, Outcome.UNTRIED, Outcome.NO_NAME, Outcome.REJECTED,
    Outcome.NOT_THE_CLOUD, Outcome.REFUSED_REGISTRATION, Outcome.REGISTERED)


def probed(primary, secondary, offender=None):
    return (EndpointResult(DC, primary, (PUBLIC,), probed=True, offender=offender),
            EndpointResult(EC, secondary, (OTHER,), probed=True, offender=offender))


def unasked(addresses=()):
    outcome = UNTRIED if addresses else WHAT
    return EndpointResult(DC, outcome, addresses), EndpointResult(EC, outcome, addresses)


def named(answered=True, **more):
    addresses = (PUBLIC,) if answered else ()
    return tuple(NameResult(one.host, addresses, answered, **more) for one in (DC, EC))


def agent(primary, secondary, addresses=((PUBLIC,), (OTHER,)), reason="no answer", phase="waiting"):
    return AgentStatus(reason=reason, pid=1, phase=phase,
                       endpoints=(DialResult(DC, primary, addresses[0]), DialResult(EC, secondary, addresses[1])))


GOOGLE = ServerResult("8.8.8.8", True, "an address", True)
LOCAL = ServerResult(ROUTER, True, "an address")
FAILING = LOCAL._replace(answer="SERVFAIL")
OLD = AgentStatus(pid=1, reason="connection lost")      # an agent that does not say what it found
NO_NAMES = agent(WHAT, WHAT, ((), ()))
REFERENCE = (("192.0.2.99:443", True),)

PROBED = [
    # name, what the probes found, reason
    ("everything answers", ProbeResults(True, named(), (GOOGLE,), probed(OPEN, OPEN)), "connecting"),
    ("one port silent", ProbeResults(True, named(), (GOOGLE,), probed(MUTE, OPEN)), "blocked port"),
    ("the other refused", ProbeResults(True, named(), (GOOGLE,), probed(OPEN, SHUT)), "blocked port"),
    ("cloud down, its host up", ProbeResults(True, named(), (LOCAL,), probed(SHUT, SHUT)), "cloud not answering"),
    ("one host up", ProbeResults(True, named(), (LOCAL,), probed(SHUT, MUTE)), "cloud not answering"),
    ("hosts down, a reference answers", ProbeResults(True, named(), (LOCAL,), probed(MUTE, MUTE), REFERENCE),
     "cloud not answering"),
    ("hosts down, a public name server answers", ProbeResults(True, named(), (GOOGLE,), probed(MUTE, MUTE)),
     "cloud not answering"),
    ("line down, the router serves names", ProbeResults(True, named(), (LOCAL,), probed(MUTE, MUTE)), "no internet"),
    ("line down, public name server",
     ProbeResults(True, named(False), (GOOGLE._replace(alive=False),), probed(MUTE, MUTE)),
     "no internet"),
    ("gateway silent", ProbeResults(False, named(False), (), probed(MUTE, MUTE)), "gateway silent"),
    ("gateway silent at boot", ProbeResults(False, named(False), (), unasked()), "gateway silent"),
    ("gateway mute by policy", ProbeResults(False, named(), (GOOGLE,), probed(OPEN, OPEN)), "connecting"),
    ("no gateway to ask, line down", ProbeResults(None, (), (), probed(MUTE, MUTE)), "no internet"),
    ("name server's host up, no names", ProbeResults(True, named(False), (GOOGLE._replace(answer=None),), unasked()),
     "no DNS"),
    ("names gone, a reference answers", ProbeResults(True, named(False), (), unasked(), REFERENCE), "no DNS"),
    ("names gone, addresses known and open",
     ProbeResults(True, named(False), (LOCAL,), probed(OPEN, OPEN)), "connecting"),
    ("a name server of the own network is dead",
     ProbeResults(True, named(False), (ServerResult("192.168.0.53"),), unasked()), "no DNS"),
    ("no name server set", ProbeResults(True, named(False), (), unasked()), "no DNS"),
    ("a name that does not exist", ProbeResults(True, named(False, denied=True), (LOCAL._replace(answer="NXDOMAIN"),),
                                           unasked()),
     "no DNS"),
    *((f"t2: the router's name server answers {said}",
       ProbeResults(True, named(False), (LOCAL._replace(answer=said),), unasked()), "no DNS or no internet")
      for said in ("SERVFAIL", "REFUSED", "truncated", "NOTIMP", None)),
    ("t2: a public name server is silent, and nothing else was asked",
     ProbeResults(True, named(False), (GOOGLE._replace(alive=False, answer=None),), unasked()),
     "no DNS or no internet"),
    ("t2: the other endpoint is an address, and silent",
     ProbeResults(True, named(False), (FAILING,), (unasked()[0], probed(MUTE, MUTE)[1])), "no internet"),
    ("o14: a router rejects", ProbeResults(True, (), (), probed(REJECTED, REJECTED, ROUTER)), "no internet"),
    ("o14: one rejected, one silent", ProbeResults(True, (), (), probed(REJECTED, MUTE, ROUTER)), "no internet"),
    ("o14: one rejected, one refused by its host", ProbeResults(True, (), (), probed(REJECTED, SHUT, ROUTER)),
     "cloud not answering"),
    ("o14: one rejected, one open", ProbeResults(True, (), (), probed(REJECTED, OPEN, ROUTER)), "blocked port"),
    ("o7: a filter", ProbeResults(True, named(False, implausible="0.0.0.0 (a DNS filter)"), (LOCAL,), unasked()),
     f"no DNS: {DC.host} is answered with 0.0.0.0 (a DNS filter)"),
    ("o7: a filter, elsewhere", ProbeResults(True, named(False, implausible=":: (a DNS filter)"), (GOOGLE,), unasked()),
     f"no DNS: {DC.host} is answered with :: (a DNS filter)"),
]


@pytest.mark.parametrize("name, results, reason", PROBED, ids=[row[0] for row in PROBED])
def test_what_the_probes_found(name, results, reason):
    assert diagnose(gather(OLD, results, NEAR, VIA))[0] == reason
    if all(one.outcome is WHAT for one in results.endpoints):
        assert diagnose(gather(NO_NAMES, results, NEAR, VIA))[0] == reason, "the agent found the same"


ASKED = ProbeResults(True, named(), (LOCAL,), unasked((PUBLIC,)))
SAYS_FAILED = "registration refused: FAILED-REGISTRATION"
CAPTIVE = ((ROUTER,), (ROUTER,))
BY_ROUTER = f"{ROUTER}, the router itself (a login page, or its line is down)"
TRAPPED = ProbeResults(True, named(False, implausible=BY_ROUTER), (LOCAL,), unasked())

FOUND = [
    # name, what the agent found, what the probes found, stale, reason
    ("not dialed yet", agent(UNTRIED, UNTRIED, phase="dialing"), None, False, "connecting"),
    ("not dialed yet, the gateway answers", agent(UNTRIED, UNTRIED, phase="dialing"), ASKED, False, "connecting"),
    ("not dialed yet, the gateway does not", agent(UNTRIED, UNTRIED, phase="dialing"), ASKED._replace(gateway=False),
     False, "gateway silent"),
    ("silence, nothing asked yet", agent(MUTE, MUTE), None, False, "connecting"),
    ("silence, not asked by us", agent(MUTE, MUTE), ASKED, False, "no internet"),
    ("silence, something beyond answers", agent(MUTE, MUTE), ASKED._replace(references=REFERENCE), False,
     "cloud not answering"),
    ("refused by both", agent(SHUT, SHUT), None, False, "cloud not answering"),
    ("refused by both, later", agent(SHUT, SHUT), ASKED, True, "cloud not answering"),
    ("refused by one, silence at the other", agent(MUTE, SHUT), ASKED, False, "cloud not answering"),
    ("refused a while ago, the gateway is silent now", agent(SHUT, SHUT), ASKED._replace(gateway=False), True,
     "gateway silent"),
    ("refused just now, the gateway heeds no question", agent(SHUT, SHUT), ASKED._replace(gateway=False), False,
     "cloud not answering"),
    ("refused a while ago, names are gone now", agent(SHUT, SHUT),
     ProbeResults(True, named(False), (FAILING,), unasked()), True,
     "no DNS or no internet"),
    ("refused a while ago, names are gone now, a reference answers", agent(SHUT, SHUT),
     ProbeResults(True, named(False), (FAILING,), unasked(), REFERENCE), True, "cloud not answering"),
    ("registration refused", agent(REFUSED, REFUSED, reason=SAYS_FAILED), ASKED, False, SAYS_FAILED),
    ("registration refused, the other port silent", agent(MUTE, REFUSED, reason=SAYS_FAILED), ASKED, False,
     SAYS_FAILED),
    ("registration refused, and what we said since is on the display", agent(REFUSED, REFUSED, reason="no internet"),
     ASKED,
     True, "registration refused"),
    ("registration refused a while ago, the line is dead now", agent(REFUSED, REFUSED, reason=SAYS_FAILED),
     ProbeResults(False, named(False), (), unasked()), True, "gateway silent"),
    ("it opens, and does not register", agent(OPEN, MUTE), ASKED, False, "connecting"),
    ("it opens, and does not register, later", agent(OPEN, OPEN), ASKED, True, "connecting"),
    ("a proxy takes one port", agent(OTHER_SERVICE, MUTE), ASKED, False, "connecting"),
    ("just lost", agent(MET, UNTRIED), ASKED, False, "connecting"),
    ("rejected by a router", agent(REJECTED, REJECTED), ASKED, False, "no internet"),
    ("no way", agent(Outcome.NO_WAY, Outcome.NO_WAY), ASKED, False, "connecting"),
    ("t1: the router answers all names with itself", agent(OTHER_SERVICE, SHUT, CAPTIVE), TRAPPED, False,
     f"no DNS: {DC.host} is answered with {ROUTER}, the router itself (a login page, or its line is down)"),
    ("t1: the same, all ports open", agent(OPEN, OPEN, CAPTIVE), TRAPPED, False,
     f"no DNS: {DC.host} is answered with {ROUTER}, the router itself (a login page, or its line is down)"),
    ("t1: not asked yet: what the agent says", agent(OTHER_SERVICE, SHUT, CAPTIVE), None, False, "connecting"),
    ("t1: names are right again", agent(OTHER_SERVICE, SHUT, CAPTIVE), ASKED, False, "connecting"),
    *((f"t1: a private address, {address}", agent(SHUT, SHUT, ((address,), (address,))), TRAPPED, False,
       f"no DNS: {DC.host} is answered with {ROUTER}, the router itself (a login page, or its line is down)")
      for address in ("10.9.9.9", "172.31.0.1", "192.168.44.1", "100.64.0.1", "169.254.1.1", "198.18.0.7", "fd12::7",
                      "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1")),
    ("o7: the agent has no address, too", NO_NAMES,
     ProbeResults(True, named(False, implausible="127.0.0.1 (a DNS filter)"), (LOCAL,), unasked()), False,
     f"no DNS: {DC.host} is answered with 127.0.0.1 (a DNS filter)"),
    ("o15: the agent knows no name, we do", NO_NAMES, ASKED, False, "connecting"),
]


@pytest.mark.parametrize("name, found, results, stale, reason", FOUND, ids=[row[0] for row in FOUND])
def test_what_the_agent_found(name, found, results, stale, reason):
    assert diagnose(gather(found, results, NEAR, VIA, stale))[0] == reason


@pytest.mark.parametrize("outcome, reason", [(SHUT, "connecting"), (MUTE, "cloud not answering"), (OPEN, "connecting")])
def test_t3_a_controller_in_the_own_network_is_not_the_internet_s(outcome, reason):
    one = Endpoint("192.168.0.80", 80)
    found = AgentStatus(pid=1, reason="refused by 192.168.0.80:80", endpoints=(DialResult(one, outcome, (one.host,)),))
    evidence = gather(found, ProbeResults(endpoints=(EndpointResult(one, UNTRIED, (one.host,)),)), NEAR, Route("eth0"))
    assert diagnose(evidence)[0] == reason


def test_t2_both_possible_culprits_are_told_with_what_was_found():
    detail = diagnose(gather(NO_NAMES, ProbeResults(True, named(False), (FAILING,), unasked()), NEAR, VIA))[1]
    assert "192.168.0.1 answers" in detail and "SERVFAIL" in detail


@pytest.mark.parametrize("outcome, told", [(Outcome.NO_WAY, "nothing could be sent"), (UNTRIED, "dial is not over")])
def test_a_dial_that_is_over_is_not_said_to_go_on(outcome, told):
    assert told in diagnose(gather(agent(outcome, outcome), ASKED, NEAR, VIA))[1]


def test_an_agent_of_the_first_release_is_understood():
    refused = OLD._replace(reason=SAYS_FAILED)
    assert diagnose(gather(refused, ProbeResults(True, endpoints=probed(MUTE, OPEN)), NEAR, VIA)) == (
        SAYS_FAILED, f"the cloud answers, and refuses this terminal; {DC}: silent")
    assert diagnose(gather(refused, ProbeResults(True, (), (GOOGLE,), probed(MUTE, MUTE)), NEAR,
                          VIA))[0] == "cloud not answering"


# What no findings may lead to

ADDRESSES = st.sampled_from([(), (PUBLIC,), (OTHER,), (ROUTER,), ("10.1.2.3",), ("100.64.0.1",), ("fd00::1",),
                             ("0.0.0.0",)])
SERVERS = st.builds(ServerResult, st.sampled_from(["8.8.8.8", ROUTER]), st.booleans(),
                    st.sampled_from([None, "SERVFAIL", "NXDOMAIN", "an address"]))
ANSWERS = st.builds(
    ProbeResults, st.sampled_from([None, True, False]),
    st.tuples(*(st.builds(NameResult, st.just(one.host), ADDRESSES, st.booleans(),
                          st.sampled_from([None, "0.0.0.0 (a DNS filter)"]), st.booleans()) for one in (DC, EC))),
    st.lists(SERVERS.map(lambda server: server._replace(beyond=server.address == "8.8.8.8")), max_size=3).map(tuple),
    st.tuples(*(st.builds(EndpointResult, st.just(one), st.sampled_from([UNTRIED, OPEN, SHUT, REJECTED, MUTE, WHAT]),
                          ADDRESSES, probed=st.booleans()) for one in (DC, EC))),
    st.sampled_from([(), REFERENCE, (("192.0.2.99:443", False),)]))
AGENTS = st.builds(agent, st.sampled_from(Outcome), st.sampled_from(Outcome), st.tuples(ADDRESSES, ADDRESSES),
                   st.sampled_from(["no answer", SAYS_FAILED, "no internet"]))
WORDS = [reason.words for reason in Reason]


@given(AGENTS, st.none() | ANSWERS, st.booleans())
def test_every_evidence_has_one_reason_of_the_list(found, results, stale):
    reason, detail = diagnose(gather(found, results, NEAR, VIA, stale))
    assert any(reason == word or reason.startswith(f"{word}: ") for word in WORDS)
    assert isinstance(detail, str) and "None" not in detail


@given(AGENTS, ANSWERS, st.booleans())
def test_what_was_not_asked_is_never_the_culprit(found, results, stale):
    evidence = gather(found, results, NEAR, VIA, stale)
    reason = diagnose(evidence)[0]
    asked = evidence.having(MUTE, REJECTED)
    if reason == Reason.NO_INTERNET.words:
        assert asked and not (evidence.beyond and not evidence.having(REJECTED))
    if reason in (Reason.CLOUD_SILENT.words, Reason.BLOCKED_PORT.words):
        assert asked or evidence.having(*(set(Outcome) - {UNTRIED, WHAT, Outcome.NO_WAY}))
    if reason == Reason.GATEWAY_SILENT.words:
        assert results.gateway is False


@given(st.sampled_from(Outcome), st.sampled_from(Outcome), ANSWERS)
def test_what_stands_in_for_the_cloud_neither_proves_nor_blames_anything(primary, secondary, results):
    """Every name is answered with the router or a private address, and everything there answers in some way."""
    found = agent(primary, secondary, CAPTIVE)
    results = results._replace(endpoints=unasked(), names=named(False, implausible=f"{ROUTER}, the router itself"))
    evidence = gather(found, results, NEAR, VIA)
    assert not evidence.reached and not evidence.tried
    assert diagnose(evidence)[0].startswith((Reason.NO_DNS.words, Reason.REFUSED_UNSAID.words, Reason.CONNECTING.words))


def test_each_row_of_the_table_has_a_case():
    evidences = [gather(OLD, results, NEAR, VIA) for _, results, _ in PROBED]
    evidences += [gather(found, results, NEAR, VIA, stale) for _, found, results, stale, _ in FOUND]
    met = {next(row.name for row in ROWS if row.fits(evidence)) for evidence in evidences}
    assert {row.name for row in ROWS} - met <= {"the endpoints in this very network refuse"}, "which T3 above meets"
