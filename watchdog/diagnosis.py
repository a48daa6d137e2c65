"""What was found out → why the terminal is not registered, as a reason and a detail. PURE.

Rules:
  1. Only what was proven is believed: an answer from the gateway, or from a private address for a public name, proves
     nothing beyond the gateway. Only what was tried is blamed: what could not be asked is never the cause.
  2. What the agent's own dials found comes first; our probes fill in where those met silence. Where the agent's last
     dial is out of date and the network fails now, the network is the reason.
  3. Where the cloud answered and the agent knows more (a port opened without a registration, something else answers, a
     refusal in the terminal's own network), nothing is said against the network: `connecting`, and the agent says why.
"""
from collections.abc import Callable
from typing import NamedTuple

from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Outcome

from .addresses import LocalNetwork
from .agent_status import ANSWERED, AgentStatus, DialResult
from .probe_results import EndpointResult, ProbeResults
from .state import Route

_FAILED = frozenset({Outcome.REFUSED, Outcome.REJECTED, Outcome.SILENT})


class Evidence(NamedTuple):
    """`endpoints`: what is known of each, by the agent's dial or our probe. `results`: of the last round; None before
    the first one in this network. `on_link`: the endpoints are in the terminal's own network."""

    endpoints: tuple[EndpointResult, ...] = ()
    results: ProbeResults | None = None
    gateway: str = "the gateway"
    agent_reason: str | None = None
    refused_registration: bool = False
    on_link: bool = False

    def having(self, *outcomes: Outcome) -> tuple[EndpointResult, ...]:
        """The endpoints, if really those, at which one of these was found."""
        return tuple(one for one in self.endpoints if one.genuine and one.outcome in outcomes)

    @property
    def reached(self) -> bool:
        """The path to an endpoint works: it answered, even if it refused. A port that opened to the agent without a
        registration, or something else that answered, proves nothing: it may be a proxy in this network."""
        return bool(self.having(Outcome.REGISTERED, Outcome.REFUSED_REGISTRATION, Outcome.REFUSED)) or any(
            one.probed for one in self.having(Outcome.OPEN))

    @property
    def unresolved(self) -> bool:
        """No endpoint has an address that can be dialed."""
        return bool(self.endpoints) and all(one.outcome is Outcome.NO_NAME or not one.genuine for one in self.endpoints)

    @property
    def tried(self) -> bool:
        """An endpoint itself was tried, in vain."""
        return bool(self.having(*_FAILED))

    @property
    def beyond(self) -> bool:
        return bool(self.results and self.results.beyond)

    def failed(self) -> str:
        return "; ".join(map(str, self.having(*_FAILED)))

    @property
    def implausible(self) -> str | None:
        """The first name that DNS answers with an address that it cannot have, and which."""
        names = self.results.names if self.results else ()
        return next((f"{name.host} is answered with {name.implausible}" for name in names if name.implausible), None)

    @property
    def servers(self) -> str:
        servers = self.results.servers if self.results else ()
        return ", ".join(map(str, servers)) or "no name server is set"


class Row(NamedTuple):
    """One row of the table: where it `fits` the evidence, this is said."""

    name: str
    fits: Callable[[Evidence], bool]
    reason: Callable[[Evidence], str]
    detail: Callable[[Evidence], str]


def _is(reason: Reason) -> Callable[[Evidence], str]:
    return lambda evidence: reason.words


def _refused(text: str | None) -> bool:
    """Whether this reason of the agent's is a refusal."""
    return (text or "").startswith(Reason.REFUSED_UNSAID.words)


def _probed_open(evidence: Evidence) -> bool:
    return any(one.probed for one in evidence.having(Outcome.OPEN))


def _gateway_answers(evidence: Evidence) -> str:
    return f"{evidence.gateway} answers, " if evidence.results and evidence.results.gateway else ""


def _denied(evidence: Evidence) -> bool:
    return any(name.denied for name in evidence.results.names) if evidence.results else False


def _local_server_dead(evidence: Evidence) -> bool:
    """All name servers are in the local network, and none of their hosts answers: that was tried, and failed."""
    servers = evidence.results.servers if evidence.results else ()
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
        lambda e: not e.reached and not e.tried and e.implausible is not None,
        lambda e: f"{Reason.NO_DNS.words}: {e.implausible}",
        lambda e: "what answers there is not the cloud; nothing beyond it was asked" if not e.beyond
        else f"{e.results.witness} answers" if e.results else ""),
    Row("a name server says that there is no such name, or the internet answers",
        lambda e: e.unresolved and (_denied(e) or e.beyond), _is(Reason.NO_DNS),
        lambda e: ("the cloud's names do not exist: " if _denied(e)
                   else "the cloud's names cannot be looked up, though the network answers: ") + e.servers),
    Row("a router rejects the way to the cloud",
        lambda e: bool(e.having(Outcome.REJECTED)) and not e.having(Outcome.REFUSED), _is(Reason.NO_INTERNET),
        lambda e: f"{e.failed()}: its line is down, or its firewall blocks the cloud"),
    Row("the endpoints in this very network refuse",
        lambda e: e.on_link and bool(e.having(Outcome.REFUSED)), _is(Reason.CONNECTING), Evidence.failed),
    Row("the cloud's hosts answer, its service does not; or everything but the cloud answers",
        lambda e: e.reached or (e.tried and (e.beyond or e.on_link)), _is(Reason.CLOUD_SILENT),
        lambda e: (f"{e.results.witness} answers, the cloud does not ({e.failed()})" if e.results and e.beyond
                   else f"the cloud's host answers, its service does not ({e.failed()})" if e.reached else e.failed())),
    Row("nothing was asked yet",
        lambda e: e.results is None, _is(Reason.CONNECTING), lambda e: "not asked yet"),
    Row("the gateway is silent",
        lambda e: e.results is not None and e.results.gateway is False and not e.beyond, _is(Reason.GATEWAY_SILENT),
        lambda e: f"{e.gateway} does not answer"),
    Row("a name server of the local network is dead",
        lambda e: e.unresolved and _local_server_dead(e), _is(Reason.NO_DNS),
        lambda e: f"the name server: {e.servers}"),
    Row("names cannot be looked up, and nothing beyond could be asked",
        lambda e: e.unresolved, _is(Reason.NO_DNS_OR_INTERNET),
        lambda e: f"{_gateway_answers(e)}but the cloud's names cannot be looked up ({e.servers})"),
    Row("no endpoint was tried",
        lambda e: not e.tried, _is(Reason.CONNECTING),
        lambda e: _gateway_answers(e) + ("no way leads to the cloud: nothing could be sent"
                                         if e.having(Outcome.NO_WAY) else "the agent's dial is not over")),
    Row("nothing answers", lambda e: True, _is(Reason.NO_INTERNET),
        lambda e: f"{_gateway_answers(e)}nothing behind it does ({e.failed()})" if e.results and e.results.gateway
        else f"nothing answers ({e.failed()})"),
)


def diagnose(evidence: Evidence) -> tuple[str, str]:
    """The reason and the detail of the first row that fits."""
    row = next(row for row in ROWS if row.fits(evidence))
    return row.reason(evidence), row.detail(evidence)


def gather(agent: AgentStatus, results: ProbeResults | None, local: LocalNetwork, route: Route | None,
          stale: bool = False) -> Evidence:
    """What the agent found and what the probes found, as one. `stale`: the agent's last dial is out of date, and the
    round of `results` is newer."""
    probed = {finding.endpoint: finding for finding in results.endpoints} if results else {}
    found = tuple(_merged(dialed, probed.get(dialed.endpoint), local) for dialed in agent.endpoints)
    found = found or tuple(probed.values())
    if stale and results is not None and _fails(results):
        found = tuple(one._replace(outcome=Outcome.NO_NAME if results.unresolved else Outcome.UNTRIED)
                      if one.outcome in ANSWERED else one for one in found)
    addresses = [address for one in found for address in one.addresses]
    refused = any(one.outcome is Outcome.REFUSED_REGISTRATION for one in found)
    if not agent.endpoints:     # an agent of 1.0.0 says no more than its reason
        refused = _refused(agent.reason) and any(one.outcome is Outcome.OPEN for one in found)
    return Evidence(found, results, route.gateway if route and route.gateway else "the gateway", agent.reason, refused,
                    bool(addresses) and all(map(local.on_link, addresses)))


def _merged(dialed: DialResult, probed: EndpointResult | None, local: LocalNetwork) -> EndpointResult:
    """One endpoint. Where it answered the agent, that counts; else what our probe found, if there was one."""
    genuine = not dialed.addresses or bool(local.plausible(dialed.endpoint.host, dialed.addresses))
    own = EndpointResult(dialed.endpoint, dialed.outcome, dialed.addresses, genuine)
    if probed is None:
        return own
    if not genuine:         # that was not the endpoint; its right address may be known by now
        return own if probed.outcome is Outcome.NO_NAME else probed
    if dialed.outcome in ANSWERED and dialed.outcome is not Outcome.REGISTERED:
        return own
    if probed.outcome is Outcome.UNTRIED and dialed.outcome not in (Outcome.NO_NAME, Outcome.REGISTERED):
        return own
    return probed


def _fails(results: ProbeResults) -> bool:
    """The network fails now, whatever the cloud said before."""
    return results.beyond is not True and (results.gateway is False or results.unresolved)
