"""What people and programs learn about the connection: the reason, the endpoints, the problems.

The link says what happens; here it becomes words (`reasons`) and goes to the status store. Only here is said why the
terminal is offline, so that one place decides which of two reasons is true now.
"""
from collections.abc import Mapping
from typing import Protocol

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import EndpointStatus

from . import reasons
from .endpoints import Endpoints
from .policy import Cause, most_telling

SHARED_ID = "another terminal may use this TerminalID: the cloud ends each registration soon after the one before"
_BY_THE_NETWORK = (Cause.LOCAL, Cause.PATH)


class StatusStore(Protocol):
    """Where it is shown: the part of status.store.StatusStore that is used here; likewise in other modules."""

    def offline(self, reason: str) -> None: ...
    def endpoints(self, found: tuple[EndpointStatus, ...]) -> None: ...
    def problem(self, name: str, text: str | None) -> None: ...


class Announcer:
    """records: what is known of the endpoints; read whenever something is announced."""

    def __init__(self, store: StatusStore, records: Endpoints):
        self._store = store
        self._records = records
        self._network = NetworkReport()
        self._own = Reason.STARTING.words           # what the agent itself met last
        self._causes: dict[Endpoint, Cause] = {}    # of each endpoint's last end, since the last registration
        self._verdict_is_newer = False

    def network(self, network: NetworkReport, *, better: bool = False) -> None:
        """Another report, or none any more. better: what the network did to the connection is over."""
        self._verdict_is_newer |= self._network.verdict != network.verdict
        self._network = network
        if better and self._causes and most_telling(self._causes.values()) in _BY_THE_NETWORK:
            self._own = Reason.CONNECTING.words
            self._causes.clear()

    def met(self, causes: Mapping[Endpoint, Cause], reason: str | None = None) -> None:
        """The agent's last attempt, and in words; without them those of each endpoint that was tried."""
        configured = self._records.configured       # of those that the settings named before, nothing counts any more
        self._causes = {one: cause for one, cause in self._causes.items() if one in configured} | dict(causes)
        self._own = reason or "; ".join(self._records.reasons()) or self._own
        self._verdict_is_newer = False
        self.offline()

    def offline(self) -> None:
        """The reason that is true now."""
        cause = most_telling(self._causes.values()) if self._causes else None
        shown = reasons.display(self._own, cause, self._network, verdict_is_newer=self._verdict_is_newer)
        self._store.offline(shown)

    def registered(self) -> None:
        """What was met before is over."""
        self._causes.clear()
        self.endpoints()

    def endpoints(self) -> None:
        """What the last dial found at each."""
        self._store.endpoints(self._records.status())

    def problems(self) -> None:
        """What else a person should know: two terminals with one TerminalID, idle connections that are ended, large
        packets that are lost."""
        self._store.problem("TerminalID", SHARED_ID if self._records.shared_id else None)
        idle = [f"something on the way to {endpoint} ends connections without data after {record.idle_end:.0f} s: "
                f"heartbeats every {record.interval:g} s" for endpoint in self._records.configured
                if (record := self._records[endpoint]).interval and record.idle_end]
        self._store.problem("heartbeat", "; ".join(idle) or None)
        large = [f"the way to {endpoint} loses large packets: segments of {mss} bytes at most are sent"
                 for endpoint in self._records.configured if (mss := self._records[endpoint].mss)]
        self._store.problem("packet size", "; ".join(large) or None)
