"""The agent's status (GET /status, /events), as far as the watchdog needs it. PURE."""
from typing import NamedTuple

from econduit_terminal.conf.values import Endpoint, parse_endpoint
from econduit_terminal.contract.status import EndpointStatus, Outcome, Phase, Status

ANSWERED = frozenset({Outcome.REGISTERED, Outcome.OPEN, Outcome.NOT_THE_CLOUD, Outcome.REFUSED_REGISTRATION,
                      Outcome.REFUSED})
"""Something answered at the endpoint's address."""


class DialResult(NamedTuple):
    """An endpoint, what the agent's last dial found there, and at which addresses."""

    endpoint: Endpoint
    outcome: Outcome = Outcome.UNTRIED
    addresses: tuple[str, ...] = ()


class AgentStatus(NamedTuple):
    """`interface` and `local_address` are the last known while offline. `endpoints`: those that it dials, in order of
    preference; empty from an agent of 1.0.0. `pid`: None while there is no agent."""

    online: bool = False
    local_address: str | None = None
    interface: str | None = None
    reason: str | None = None
    pid: int | None = None
    phase: Phase = Phase.STARTING
    endpoints: tuple[DialResult, ...] = ()

    def gone(self) -> "AgentStatus":
        """After the agent ended: where it was connected last stays known."""
        return AgentStatus(local_address=self.local_address, interface=self.interface)

    def updated(self, status: Status) -> "AgentStatus":
        """After the agent sent a new status."""
        return AgentStatus(status.online, status.local_address or self.local_address,
                           status.interface or self.interface, None if status.online else status.reason,
                           status.pid or 0, status.phase, tuple(filter(None, map(_dial_result, status.endpoints))))


def _dial_result(status: EndpointStatus) -> DialResult | None:
    try:
        return DialResult(parse_endpoint(status.endpoint), status.outcome, status.addresses)
    except ValueError:
        return None     # our own agent names none like that
