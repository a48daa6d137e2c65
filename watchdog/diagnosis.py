"""What was found out → why the terminal is not registered, as a reason and a detail. PURE.

Rules:
  1. Only what was proven is believed: an answer from the gateway, or from a private address in place of a public name,
     proves nothing beyond the gateway. Only what was tried is blamed: what could not be asked is never the culprit.
  2. What the agent's own dials found comes first; what our probes found fills in where those end in silence. Where the
     agent's last dial is some time ago and the network fails now, the network is the reason.
  3. An answer of the cloud's own that is none of the reasons here (it opened and did not register, something else
     answers, it refused in this very network) the agent words better: nothing is said against the network,
     `connecting`.
"""
from collections.abc import Callable
from typing import NamedTuple

from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Outcome
from econduit_terminal.watchdog.addresses import Nearby
from econduit_terminal.watchdog.agent_status import ANSWERED, AgentStatus, Dialed
from econduit_terminal.watchdog.answers import Answers, Finding
from econduit_terminal.watchdog.state import Route

_FAILED = frozenset({Outcome.REFUSED, Outcome.REJECTED, Outcome.SILENT})


class Evidence(NamedTuple):
    """``endpoints``: what is known of each, the agent's dial or our probe. ``answers``: of the last round, None before
    the first one in this network. ``on_link``: the endpoints stand in the terminal's own network."""

    endpoints: tuple[Finding, ...] = ()
    answers: Answers | None = None
    gateway: str = "the gateway"
    agent_reason: str | None = None
    refused_registration: bool = False
    on_link: bool = False

    def having(self, *outcomes: Outcome) -> tuple[Finding, ...]:
        """The endpoints, no stand-ins, at which one of these was found."""
        return tuple(one for one in self.endpoints if one.genuine and one.outcome in outcomes)

    @property
    def reached(self) -> bool:
        """The way to an endpoint works: it answered, be it with a refusal. That a port opened to the agent and nobody
        registered it, or something else answered, proves nothing: a proxy of this network may have taken the call."""
        return bool(self.having(Outcome.REGISTERED, Outcome.REFUSED_REGISTRATION, Outcome.REFUSED)) or any(
            one.probed for one in self.having(Outcome.OPEN))

    @property
    def nameless(self) -> bool:
        """No endpoint has an address that could be dialed."""
        return bool(self.endpoints) and all(one.outcome is Outcome.NO_NAME or not one.genuine for one in self.endpoints)

    @property
    def tried(self) -> bool:
        """An endpoint itself was tried, in vain."""
        return bool(self.having(*_FAILED))

    @property
    def beyond(self) -> bool:
        return bool(self.answers and self.answers.beyond)

    def failed(self) -> str:
        return "; ".join(map(str, self.having(*_FAILED)))

    @property
    def disbelieved(self) -> str | None:
        """The first name that is answered with what cannot be its address, and with what."""
        names = self.answers.names if self.answers else ()
        return next((f"{name.host} is answered with {name.disbelieved}" for name in names if name.disbelieved), None)

    @property
    def servers(self) -> str:
        servers = self.answers.servers if self.answers else ()
        return ", ".join(map(str, servers)) or "no name server is set"


class Row(NamedTuple):
    """One line of the table: ``fits`` the evidence, then this is said."""

    name: str
    fits: Callable[[Evidence], bool]
    reason: Callable[[Evidence], str]
    detail: Callable[[Evidence], str]


def _is(reason: Reason) -> Callable[[Evidence], str]:
    return lambda evidence: reason.words


def _refused(text: str | None) -> bool:
    """Is this reason of the agent's a refusal?"""
    return (text or "").startswith(Reason.REFUSED_UNSAID.words)


def _probed_open(evidence: Evidence) -> bool:
    return any(one.probed for one in evidence.having(Outcome.OPEN))


def _gateway_answers(evidence: Evidence) -> str:
    return f"{evidence.gateway} answers, " if evidence.answers and evidence.answers.gateway else ""


def _denied(evidence: Evidence) -> bool:
    return any(name.denied for name in evidence.answers.names) if evidence.answers else False


def _local_server_dead(evidence: Evidence) -> bool:
    """The name servers stand in the own network, and none of their hosts answers at all: that was tried, and failed."""
    servers = evidence.answers.servers if evidence.answers else ()
    return not any(server.alive or server.beyond for server in servers)


ROWS: tuple[Row, ...] = (
    Row("the cloud refuses this terminal",
        lambda e: e.refused_registration,
        lambda e: e.agent_reason if e.agent_reason and _refused(e.agent_reason) else Reason.REFUSED_UNSAID.words,
        lambda e: "; ".join(filter(None, ["the cloud answers, and refuses this terminal", e.failed()]))),
    Row("every endpoint takes connections",
        lambda e: len(e.having(Outcome.OPEN)) == len(e.endpoints) > 0, _is(Reason.CONNECTING),
        lambda e: "every endpoint takes connections"),
    Row("one endpoint takes connections, the other does not",
        lambda e: _probed_open(e) and e.tried, _is(Reason.BLOCKED_PORT), Evidence.failed),
    Row("an endpoint answers the agent, and does not register it",
        lambda e: bool(e.having(Outcome.OPEN, Outcome.NOT_THE_CLOUD, Outcome.REGISTERED)), _is(Reason.CONNECTING),
        lambda e: "; ".join(map(str, e.having(Outcome.OPEN, Outcome.NOT_THE_CLOUD, Outcome.REGISTERED)))),
    Row("names are answered with what cannot be the cloud's address",
        lambda e: not e.reached and not e.tried and e.disbelieved is not None,
        lambda e: f"{Reason.NO_DNS.words}: {e.disbelieved}",
        lambda e: "what answers there is not the cloud; nothing beyond it was asked" if not e.beyond
        else f"{e.answers.witness} answers" if e.answers else ""),
    Row("a name server says that there is no such name, or the internet answers",
        lambda e: e.nameless and (_denied(e) or e.beyond), _is(Reason.NO_DNS),
        lambda e: ("the cloud's names do not exist: " if _denied(e)
                   else "the cloud's names cannot be looked up, though the network answers: ") + e.servers),
    Row("a router rejects the way to the cloud",
        lambda e: bool(e.having(Outcome.REJECTED)) and not e.having(Outcome.REFUSED), _is(Reason.NO_INTERNET),
        lambda e: f"{e.failed()}: its line is down, or its firewall blocks the cloud"),
    Row("the endpoints in this very network refuse",
        lambda e: e.on_link and bool(e.having(Outcome.REFUSED)), _is(Reason.CONNECTING), Evidence.failed),
    Row("the cloud's hosts answer, its service does not; or everything but the cloud answers",
        lambda e: e.reached or (e.tried and (e.beyond or e.on_link)), _is(Reason.CLOUD_SILENT),
        lambda e: (f"{e.answers.witness} answers, the cloud does not ({e.failed()})" if e.answers and e.beyond
                   else f"the cloud's host answers, its service does not ({e.failed()})" if e.reached else e.failed())),
    Row("nothing was asked yet",
        lambda e: e.answers is None, _is(Reason.CONNECTING), lambda e: "not asked yet"),
    Row("the gateway is silent",
        lambda e: e.answers is not None and e.answers.gateway is False and not e.beyond, _is(Reason.GATEWAY_SILENT),
        lambda e: f"{e.gateway} does not answer"),
    Row("a name server of the local network is dead",
        lambda e: e.nameless and _local_server_dead(e), _is(Reason.NO_DNS),
        lambda e: f"the name server: {e.servers}"),
    Row("names cannot be looked up, and nothing beyond could be asked",
        lambda e: e.nameless, _is(Reason.NO_DNS_OR_INTERNET),
        lambda e: f"{_gateway_answers(e)}but the cloud's names cannot be looked up ({e.servers})"),
    Row("no endpoint was tried",
        lambda e: not e.tried, _is(Reason.CONNECTING),
        lambda e: f"{_gateway_answers(e)}the agent's dial is not over"),
    Row("nothing answers", lambda e: True, _is(Reason.NO_INTERNET),
        lambda e: f"{_gateway_answers(e)}nothing behind it does ({e.failed()})" if e.answers and e.answers.gateway
        else f"nothing answers ({e.failed()})"),
)


def diagnose(evidence: Evidence) -> tuple[str, str]:
    """The reason and the detail of the first row that fits."""
    row = next(row for row in ROWS if row.fits(evidence))
    return row.reason(evidence), row.detail(evidence)


def weigh(agent: AgentStatus, answers: Answers | None, nearby: Nearby, route: Route | None,
          stale: bool = False) -> Evidence:
    """What the agent found and what the probes found, as one. ``stale``: the agent's last dial is some time ago, and
    the round of ``answers`` is younger."""
    probed = {finding.endpoint: finding for finding in answers.endpoints} if answers else {}
    found = tuple(_merged(dialed, probed.get(dialed.endpoint), nearby) for dialed in agent.endpoints)
    found = found or tuple(probed.values())
    if stale and answers is not None and _fails(answers):
        found = tuple(one._replace(outcome=Outcome.NO_NAME if answers.nameless else Outcome.UNTRIED)
                      if one.outcome in ANSWERED else one for one in found)
    addresses = [address for one in found for address in one.addresses]
    refused = any(one.outcome is Outcome.REFUSED_REGISTRATION for one in found)
    if not agent.endpoints:     # an agent of 1.0.0 says no more than its reason
        refused = _refused(agent.reason) and any(one.outcome is Outcome.OPEN for one in found)
    return Evidence(found, answers, route.gateway if route and route.gateway else "the gateway", agent.reason, refused,
                    bool(addresses) and all(map(nearby.on_link, addresses)))


def _merged(dialed: Dialed, probed: Finding | None, nearby: Nearby) -> Finding:
    """One endpoint. Where it answered the agent, that counts; else what a probe of ours found, if it asked."""
    genuine = not dialed.addresses or bool(nearby.believed(dialed.endpoint.host, dialed.addresses))
    own = Finding(dialed.endpoint, dialed.outcome, dialed.addresses, genuine)
    if probed is None:
        return own
    if not genuine:         # what answered there is not the endpoint; its right address may be known by now
        return own if probed.outcome is Outcome.NO_NAME else probed
    if dialed.outcome in ANSWERED and dialed.outcome is not Outcome.REGISTERED:
        return own
    if probed.outcome is Outcome.UNTRIED and dialed.outcome not in (Outcome.NO_NAME, Outcome.REGISTERED):
        return own
    return probed


def _fails(answers: Answers) -> bool:
    """The network is in trouble now, whatever the cloud said before."""
    return answers.beyond is not True and (answers.gateway is False or answers.nameless)
