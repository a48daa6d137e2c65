"""What the terminal shows: the JSON of GET /status, of each event, and of the status file. PURE.

Rules
- `display`, `remedy` follow from the rest and are said for those who only show them.
- `written_uptime` is CLOCK_BOOTTIME; who is told nothing newer for `valid_for` seconds is told by nobody.
- Whoever reads a status of an older agent gets the defaults for what it does not say.
"""
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .network_report import NetworkReport
from .reader import ContractError, Reader
from .reason import remedy

DISPLAY = {True: "POS Online", False: "POS Offline"}


class Phase(Enum):
    """What the connection does now."""

    STARTING = "starting"
    DIALING = "dialing"
    REGISTERING = "registering"
    ONLINE = "online"
    WAITING = "waiting"
    STOPPING = "stopping"


class Outcome(Enum):
    """What a dial found at an endpoint: the agent's last one, or a probe of the watchdog's."""

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


_PHASES = {phase.value: phase for phase in Phase}
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


@dataclass(frozen=True)
class EndpointStatus:
    """An endpoint that the agent dials (`host:port`), what its last dial found there, and at which addresses."""

    endpoint: str
    outcome: Outcome = Outcome.UNTRIED
    addresses: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"endpoint": self.endpoint, "outcome": self.outcome.value, "addresses": list(self.addresses)}

    @classmethod
    def read(cls, said: Reader) -> "EndpointStatus":
        """Raises ContractError."""
        return cls(said.text("endpoint"), said.one_of("outcome", _OUTCOMES, Outcome.UNTRIED), said.texts("addresses"))


@dataclass(frozen=True)
class Status:
    """The terminal's state at one moment. since, last_ack: RFC 3339. retry_in, valid_for, written_uptime: seconds.

    endpoint, local_address, interface: of the connection to the cloud, None while there is none. problems: what a
    person should know beside, by name. network: the watchdog's last report, None before the first.
    """

    online: bool = False
    idle: bool = True
    reason: str | None = None
    since: str = ""
    terminal_id: str = ""
    endpoint: str | None = None
    local_address: str | None = None
    interface: str | None = None
    last_ack: str | None = None
    connects: int = 0
    disconnects: Mapping[str, int] = field(default_factory=dict)
    network: NetworkReport | None = None
    phase: Phase = Phase.STARTING
    endpoints: tuple[EndpointStatus, ...] = ()
    retry_in: float | None = None
    transactions: Mapping[str, int] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    pid: int | None = None
    version: str = ""
    valid_for: float | None = None
    written_uptime: float | None = None

    @property
    def display(self) -> str:
        return DISPLAY[self.online]

    @property
    def remedy(self) -> str:
        """What the merchant can do about the reason; empty where there is nothing to do."""
        return "" if self.online or self.reason is None else remedy(self.reason)

    def to_json(self) -> dict[str, Any]:
        return {
            "display": self.display, "online": self.online, "idle": self.idle, "reason": self.reason,
            "since": self.since, "terminal_id": self.terminal_id, "endpoint": self.endpoint,
            "local_address": self.local_address, "interface": self.interface, "last_ack": self.last_ack,
            "connects": self.connects, "disconnects": dict(self.disconnects),
            "network": {} if self.network is None else self.network.to_json(), "phase": self.phase.value,
            "endpoints": [endpoint.to_json() for endpoint in self.endpoints], "retry_in": self.retry_in,
            "transactions": dict(self.transactions), "problems": dict(self.problems), "remedy": self.remedy,
            "pid": self.pid, "version": self.version, "valid_for": self.valid_for,
            "written_uptime": self.written_uptime,
        }

    def to_line(self) -> bytes:
        """One line of JSON, newline included: the form of the status file, the events and the API."""
        return json.dumps(self.to_json()).encode("ascii") + b"\n"

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Status":
        """Raises ContractError."""
        said = Reader(given)
        report = said.object("network")
        return cls(
            online=said.flag("online", False), idle=said.flag("idle", True), reason=said.optional("reason"),
            since=said.text("since"), terminal_id=said.text("terminal_id"), endpoint=said.optional("endpoint"),
            local_address=said.optional("local_address"), interface=said.optional("interface"),
            last_ack=said.optional("last_ack"), connects=said.whole("connects", 0),
            disconnects=said.mapping("disconnects", _count),
            network=NetworkReport.from_json(report) if report else None,
            phase=said.one_of("phase", _PHASES, Phase.STARTING),
            endpoints=said.objects("endpoints", EndpointStatus.read), retry_in=said.number("retry_in"),
            transactions=said.mapping("transactions", _count), problems=said.mapping("problems", Reader.text),
            pid=said.optional_whole("pid"), version=said.text("version"), valid_for=said.number("valid_for"),
            written_uptime=said.number("written_uptime"))


def _count(said: Reader, name: str) -> int:
    return said.whole(name, 0)


__all__ = ["DISPLAY", "ContractError", "EndpointStatus", "Outcome", "Phase", "Status"]
