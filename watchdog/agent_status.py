"""What the agent says of itself (GET /status, /events), as far as the watchdog goes by it. PURE.

Read leniently: an older agent says less, and a key of the wrong type says nothing.
"""
from enum import Enum
from typing import NamedTuple

from econduit_terminal.watchdog.addresses import Target

DIALING, REGISTERING = "dialing", "registering"


class Outcome(Enum):
    """What a dial found at an endpoint: the agent's last one, or a probe of ours."""

    UNTRIED = "untried"
    REGISTERED = "registered"
    OPEN = "open"
    NOT_THE_CLOUD = "not the cloud"
    REFUSED_REGISTRATION = "refused registration"
    REFUSED = "refused"
    REJECTED = "rejected by a router"
    SILENT = "silent"
    NO_NAME = "no name"
    NO_WAY = "no way"


ANSWERED = frozenset({Outcome.REGISTERED, Outcome.OPEN, Outcome.NOT_THE_CLOUD, Outcome.REFUSED_REGISTRATION,
                      Outcome.REFUSED})
"""Somebody answered at the endpoint's address."""


class Dialed(NamedTuple):
    """An endpoint, what the agent's last dial found there, and at which addresses."""

    endpoint: Target
    outcome: Outcome = Outcome.UNTRIED
    addresses: tuple[str, ...] = ()


class AgentStatus(NamedTuple):
    """``interface`` and ``local_address`` are the last known while offline. ``endpoints``: those that it dials, in
    order of preference; empty from an agent of 1.0.0. ``pid``: None while there is no agent."""

    online: bool = False
    local_address: str | None = None
    interface: str | None = None
    reason: str | None = None
    pid: int | None = None
    phase: str = ""
    endpoints: tuple[Dialed, ...] = ()

    def gone(self) -> "AgentStatus":
        """The agent ended: where it was connected last is still known."""
        return AgentStatus(local_address=self.local_address, interface=self.interface)

    def heard(self, status: dict) -> "AgentStatus":
        """Its newest word."""
        online = status.get("online") is True
        pid = status.get("pid")
        return AgentStatus(
            online,
            _text(status, "local_address") or self.local_address,
            _text(status, "interface") or self.interface,
            None if online else _text(status, "reason"),
            pid if isinstance(pid, int) else 0,
            _text(status, "phase") or "",
            tuple(filter(None, map(_dialed, _list(status, "endpoints")))),
        )


def _dialed(said: object) -> Dialed | None:
    if not isinstance(said, dict) or (endpoint := target(_text(said, "endpoint") or "")) is None:
        return None
    outcome = next((one for one in Outcome if one.value == said.get("outcome")), Outcome.UNTRIED)
    return Dialed(endpoint, outcome, tuple(one for one in _list(said, "addresses") if isinstance(one, str)))


def target(name: str) -> Target | None:
    """``host:port`` or ``[v6]:port``; None if it is neither."""
    host, _, port = name.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
        return None
    return Target(name, host, int(port))


def _text(said: dict, key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) and value else None


def _list(said: dict, key: str) -> list:
    value = said.get(key)
    return value if isinstance(value, list) else []
