"""PURE. What is known of each endpoint of the cloud, and what follows for the next dial.

Only OK-REGISTRATION is evidence that an endpoint or an address works: that a connection opened proves nothing, since
a router, a proxy or a login page may have taken it. So a registration alone makes a record better, and alone decides
which address is remembered.

| what happens                             | what the record says from then on                                     |
|------------------------------------------|-----------------------------------------------------------------------|
| OK-REGISTRATION                          | in good standing; its address is remembered                           |
| opened, no registration                  | no head start until it registers again; the address goes to the end   |
| registered and cut, the bucket is empty  | no head start either                                                  |
| registered and cut by the cloud          | the whole time for its next answer: it lost others, too, and has a    |
|                                          | queue                                                                 |
| every endpoint opened in vain            | twice the time for an answer, at the third time four times as much:   |
|                                          | who hangs up in a queue has to start again at its end, and leaves     |
|                                          | work behind that helps nobody (docs/fleet.md)                         |
| a move from the secondary that was left  | the next one comes after 2, 4, 8 … times `primary_retry`, until a     |
| again within `stable_after`              | registration there lasted                                             |
| refused, rejected, silent, no name       | the outcome, for those who ask                                        |
| its name no longer holds the address     | the remembered address is forgotten                                   |
| ended ENDS_ALIKE times at one idle age   | heartbeats at half that age, FLOOR at least                           |
| a transaction came terminated            | it terminates transactions: no gap ends one                           |
| full-size segments were lost on the way  | the next smaller size for its segments                                |

Other settings, or another network (the gateway's MAC, the SSID, the prefix), clear every record. The same network
that returns does not. The remembered address outlives a change of network: it is tried with the name, never instead.
"""
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import EndpointStatus, Outcome

from .policy import Finding

Address = tuple[int, tuple[Any, ...]]
"""(family, sockaddr), as the socket module has them."""

FIRST_ANSWER = 3.0
"""Seconds for an endpoint's answer while the other one has not been tried since the last registration: a proxy that
takes the connection and says nothing must not cost ten. A slow line gets the whole time at the second try."""
MOST_ANSWER_DOUBLINGS = 2
"""How often the time for an answer doubles, once for each connection that every endpoint took in vain."""
MOVE_ANSWER = 2.0
"""Seconds for the primary's answer when a connection that worked was left for it."""
MOST_MOVE_DOUBLINGS = 10
ENDS_ALIKE = 3
"""Ends at the same idle age after which something on the way is taken to end idle connections."""
FLOOR = 10.0
"""The shortest interval of heartbeats that an endpoint can make necessary, in seconds."""
SHORT_REGISTRATIONS = 4
"""Registrations in a row, each ended soon by the cloud, that make a second terminal with the same TerminalID likely."""
MOST_DOUBTED = 16


_OUTCOMES = {
    Finding.FAILED: Outcome.REFUSED_REGISTRATION, Finding.INVALID_TYPE: Outcome.REFUSED_REGISTRATION,
    Finding.OTHER: Outcome.NOT_THE_CLOUD, Finding.TLS: Outcome.OPEN, Finding.CLOSED: Outcome.OPEN,
    Finding.MUTE: Outcome.OPEN, Finding.LOST: Outcome.OPEN, Finding.REFUSED: Outcome.REFUSED,
    Finding.ROUTER: Outcome.REJECTED, Finding.SILENT: Outcome.SILENT, Finding.NO_NAME: Outcome.NO_NAME,
    Finding.NO_WAY: Outcome.NO_WAY}
_ANSWERING = (Outcome.REGISTERED, Outcome.OPEN, Outcome.REFUSED_REGISTRATION, Outcome.REFUSED)


@dataclass(frozen=True)
class PastRegistration:
    """A registration that is over: how long it lasted, and how long it was without data at its end (seconds)."""
    lasted: float
    idle: float


@dataclass
class Record:
    """What is known of one endpoint."""
    outcome: Outcome = Outcome.UNTRIED
    reason: str | None = None               # why it is useless at present, for people
    addresses: tuple[str, ...] = ()         # those at which the outcome was met
    registered_at: float | None = None      # when it last registered
    unregistered: int = 0                   # connections that opened without a registration since
    cut: bool = False                       # the cloud ended the registration there, and it was not asked since
    address: Address | None = None          # where it last registered
    doubted: tuple[Address, ...] = ()       # addresses that opened without a registration since
    terminates: bool = False                # a transaction came with its terminator
    failed_moves: int = 0
    interval: float | None = None           # of heartbeats, where idle connections are ended
    idle_end: float | None = None           # the age at which they are
    mss: int | None = None                  # the segment size, since larger ones were lost on the way
    past: deque[PastRegistration] = field(default_factory=lambda: deque(maxlen=ENDS_ALIKE))


def _shown(address: Address | None) -> tuple[str, ...]:
    return () if address is None else (str(address[1][0]),)


class Endpoints:
    """The records of the configured endpoints, the primary first. `now`: monotonic seconds."""

    def __init__(self, configured: Sequence[Endpoint]):
        self._network: str | None = None
        self.configure(configured)

    def configure(self, configured: Sequence[Endpoint]) -> None:
        """Other settings: nothing is known any more."""
        self.configured = tuple(configured)
        self._records = {endpoint: Record() for endpoint in self.configured}
        self._tried: set[Endpoint] = set()      # since the last registration
        self._short: deque[float] = deque(maxlen=SHORT_REGISTRATIONS)

    def on_network(self, identity: str | None) -> bool:
        """The terminal is on this network now (None: nobody knows). True where it is another than the last known."""
        if identity is None or identity == self._network:
            return False
        changed, self._network = self._network is not None, identity
        if changed:
            addresses = {endpoint: record.address for endpoint, record in self._records.items()}
            self.configure(self.configured)
            for endpoint, address in addresses.items():
                self._records[endpoint].address = address
        return changed

    def __getitem__(self, endpoint: Endpoint) -> Record:
        """The record; an empty one that nobody keeps where the settings do not name the endpoint any more."""
        return self._records.get(endpoint) or Record()

    # -- what follows --------------------------------------------------------------------------------------------

    def order(self, endpoints: Iterable[Endpoint] | None = None) -> list[Endpoint]:
        """Endpoints in the order in which they are dialed: last those that opened without registering us."""
        chosen = self.configured if endpoints is None else endpoints
        return sorted(chosen, key=lambda endpoint: self[endpoint].unregistered)

    def answer_time(self, endpoint: Endpoint, timeout: float, *, moved: bool = False) -> float:
        """Seconds that this endpoint gets for its answer to the registration, of which `timeout` are usual."""
        if moved:
            return min(timeout, MOVE_ANSWER)
        others_tried = all(other in self._tried for other in self.configured if other != endpoint)
        if not (others_tried or self[endpoint].cut):
            return min(timeout, FIRST_ANSWER)
        in_vain = min(record.unregistered for record in self._records.values())
        return timeout * 2.0 ** min(in_vain, MOST_ANSWER_DOUBLINGS)

    def move_after(self, primary: Endpoint, primary_retry: float) -> float:
        """Seconds on the secondary after which the primary is tried."""
        return primary_retry * 2.0 ** min(self[primary].failed_moves, MOST_MOVE_DOUBLINGS)

    def others_answer(self, endpoint: Endpoint) -> bool:
        """Another endpoint answered last time, so that the line works. A login page is on this side of the line."""
        return any(record.outcome in _ANSWERING for other, record in self._records.items() if other != endpoint)

    def answers(self, endpoint: Endpoint) -> bool:
        """The last dial was answered there, by anybody."""
        return self[endpoint].outcome in (*_ANSWERING, Outcome.NOT_THE_CLOUD)

    def status(self) -> tuple[EndpointStatus, ...]:
        """Key "endpoints" of GET /status."""
        return tuple(EndpointStatus(str(endpoint), record.outcome, record.addresses)
                     for endpoint, record in self._records.items())

    def reasons(self) -> list[str]:
        """Why each endpoint that was tried since the last registration is useless, in order of preference.

        Where the cloud refuses the terminal, that comes first, and an endpoint that is silent would change nothing.
        """
        tried = [self[endpoint] for endpoint in self.configured if endpoint in self._tried]
        refused = [record for record in tried if record.outcome is Outcome.REFUSED_REGISTRATION]
        if refused:
            answering = (*_ANSWERING, Outcome.NOT_THE_CLOUD)
            tried = refused + [record for record in tried if record.outcome in answering]
        return list(dict.fromkeys(record.reason for record in tried if record.reason))

    # -- what happens --------------------------------------------------------------------------------------------

    def registered(self, endpoint: Endpoint, address: Address | None, now: float) -> None:
        record = self[endpoint]
        record.outcome, record.reason, record.registered_at = Outcome.REGISTERED, None, now
        record.unregistered, record.cut = 0, False
        record.address, record.doubted = address, ()
        record.addresses = _shown(address) or record.addresses
        self._tried.clear()

    def not_opened(self, endpoint: Endpoint, finding: Finding, reason: str, *, background: bool = False) -> None:
        """A dial did not open. background: of a registered connection, so that it is not why there is no connection."""
        record = self[endpoint]
        record.outcome, record.reason = _OUTCOMES[finding], reason
        if not background:
            self._tried.add(endpoint)

    def not_registered(self, endpoint: Endpoint, address: Address | None, finding: Finding, reason: str, *,
                       moved: bool = False, background: bool = False) -> None:
        """A connection opened, and nobody registered on it, or the registration was withdrawn."""
        self.not_opened(endpoint, finding, reason, background=background)
        record = self[endpoint]
        record.unregistered += 1
        record.cut = False
        record.failed_moves += moved
        record.addresses = _shown(address) or record.addresses
        if address is not None:
            others = tuple(other for other in record.doubted if other != address)
            record.doubted = (*others, address)[-MOST_DOUBTED:]
            if record.address == address:
                record.address = None

    def ended(self, endpoint: Endpoint, past: PastRegistration, *, by_the_cloud: bool, stable_after: float,
              moved: bool = False) -> None:
        """A registered connection is over, and not on our own wish."""
        record = self[endpoint]
        if past.lasted >= stable_after:
            record.failed_moves = 0
        elif moved and by_the_cloud:
            record.failed_moves += 1
        record.cut = by_the_cloud
        record.past.append(past)
        ages = [one.idle for one in record.past]
        if len(ages) == ENDS_ALIKE and min(ages) > FLOOR and max(ages) - min(ages) <= max(2.0, 0.05 * max(ages)):
            record.idle_end = min(ages)
            record.interval = min(record.interval or max(ages), max(FLOOR, record.idle_end / 2))
        if by_the_cloud and past.lasted < stable_after:
            self._short.append(past.lasted)
        else:
            self._short.clear()

    def crowded(self, endpoint: Endpoint) -> None:
        """It registers the terminal and drops it, again and again."""
        self[endpoint].unregistered += 1

    def named(self, endpoint: Endpoint, addresses: Sequence[Address]) -> None:
        """The name holds these addresses now; one that was remembered and is not among them is forgotten."""
        record = self[endpoint]
        if record.address is not None and record.address not in addresses:
            record.address = None

    def interval(self, endpoint: Endpoint, configured: float) -> float:
        """Seconds between two heartbeats."""
        return min(configured, self[endpoint].interval or configured)

    @property
    def shared_id(self) -> bool:
        """The cloud ends one registration after the other, soon, and not by a timer: another terminal may be taking the
        place of this one, and this one its, again and again."""
        ages = sorted(self._short)
        return len(ages) == SHORT_REGISTRATIONS and ages[-1] - ages[0] > 0.2 * ages[-1]

    def settled(self) -> None:
        """A registration lasts: whatever came before it is over."""
        self._short.clear()
