"""PURE. Why a connection or a dial ended, and how long to wait before the next dial.

`classify` is the one place where evidence becomes a cause; `Policy` holds the one table of waits:

| cause         | it ended because                                       | wait before the next dial                 |n|
|---------------|--------------------------------------------------------|-------------------------------------------|-|
| ASKED         | a new connection was asked for, or a better one stands | none                                      | |
| LOCAL         | the local network went away                            | `local_retry` ± 50 %, or until woken      | |
| PATH          | nothing answers anywhere; a router's ICMP; no name     | the same, steady                          | |
| SILENT        | no endpoint answers, but something else beyond does    | like DOWN                                 |+|
| CUT           | the cloud ended a registered connection                | up to `first_retry`, while the bucket     | |
|               |                                                        | of `quick_returns` lasts; then as CROWDED |+|
| DOWN          | the endpoint itself refused the dial                   | up to min(`max_delay`, `base_delay` · 2ⁿ) |+|
| CROWDED       | it opened: closed, silent, TLS failed; no registration | up to min(`crowded_delay`, 1 s · 2ⁿ)      |+|
| NOT_THE_CLOUD | an answer that is none of the document's three texts   | like DOWN                                 |+|
| REFUSED       | FAILED-REGISTRATION                                    | like CROWDED, but 5 s at least            |+|
| REJECTED      | FAILED-INVALID-TERMINAL-TYPE                           | `rejected_retry`                          | |

"Up to" is full jitter: uniform from 0.

Rules

- It keeps the terminals that one cloud lost at one moment from coming back at one moment ("Exponential Backoff and
  Jitter", AWS Architecture Blog, 2015). What costs the cloud little (a refused dial) is tried often, what costs it
  much (a connection that helps nobody) seldom.
- Each endpoint waits for its own cause, with its own n. An endpoint that was not tried does not wait: an end
  at one leads to the other at once, and a login page that goes away is not waited out with the refusal of the other.
- What ends a registered connection, or is asked for, sets the wait of every endpoint again. A cut with an empty bucket
  is reported as CROWDED: an endpoint that registers the terminal only to drop it is no better than one that does not.
- n falls to 0 after `stable_after` registered. An hour without a cable never makes the first dial slow.
- The bucket is refilled by one every `stable_after`, so that a cloud which cuts again and again is limited, and a lab
  that does so a few times sees the terminal back at once.
- The watchdog's signal (`wake`) ends every wait and resets no n. An endpoint that was found open (`opened`) is dialed
  within a second, at random: a fleet learns of it at one moment.
- Waits after silence run from the start of the dial: while nothing answers, something is asked every `local_retry`.
  The wait of an endpoint that refused runs from its refusal, though the dial went on at the other one.
- Where nothing can tell whether the line or the cloud is silent, it is taken for the line for UNEXPLAINED seconds.
"""
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from enum import Enum
from typing import Any, Generic, TypeVar

from econduit_terminal.conf.schema import Reconnect
from econduit_terminal.contract.network_report import NetworkReport

REFUSED_FLOOR = 5.0
"""Seconds that a refused registration waits at least."""
CROWDED_BASE = 1.0
"""Seconds within which the first dial comes after a connection that did not register."""
OPENED_WITHIN = 1.0
"""Seconds within which an endpoint is dialed that was found open."""
UNEXPLAINED = 300.0
"""Seconds for which silence that nothing explains counts as the line's."""

K = TypeVar("K", bound=Hashable)


class Cause(Enum):
    """Why there is no connection; the value is in the log."""
    ASKED = "asked for"
    LOCAL = "local network away"
    PATH = "path dead"
    SILENT = "cloud silent"
    CUT = "cut by the cloud"
    DOWN = "cloud down"
    CROWDED = "cloud crowded"
    NOT_THE_CLOUD = "not the cloud"
    REFUSED = "registration refused"
    REJECTED = "registration rejected"


class Finding(Enum):
    """What an attempt met at an endpoint: the observation, not yet its meaning."""
    ASKED = "left on purpose"
    ABORTED = "the watchdog says that the local address is gone"
    LOST = "nothing was acknowledged any more"
    CLOSED = "the peer ended it (FIN, RST, or it broke the protocol)"
    MUTE = "the peer's TCP acknowledged, nobody answered"
    DEREGISTERED = "the cloud took the registration back"
    FAILED = "FAILED-REGISTRATION"
    INVALID_TYPE = "FAILED-INVALID-TERMINAL-TYPE"
    OTHER = "answered by something that is not the cloud"
    TLS = "opened, but TLS failed"
    REFUSED = "refused by the endpoint itself (RST)"
    ROUTER = "rejected by a router (ICMP)"
    SILENT = "no answer"
    NO_NAME = "no address"
    NO_WAY = "not even sent"


ON_PURPOSE = (Finding.ASKED, Finding.ABORTED)
"""Ends that say nothing of the endpoint."""
BY_THE_CLOUD = (Finding.CLOSED, Finding.DEREGISTERED)
"""Ends of a registered connection that the cloud wanted."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one endpoint when an attempt is over.

    registered: OK-REGISTRATION had come. others_answer: another endpoint answered the terminal last time, even with a
    refusal. ago: seconds since it was met; a dial may go on at another endpoint. silent_for: seconds for which silence
    lasts that nothing explains (`Policy` fills it in).
    """
    finding: Finding
    registered: bool = False
    others_answer: bool = False
    _: KW_ONLY
    ago: float = 0.0
    silent_for: float = 0.0


_ANSWERS = {Finding.ASKED: Cause.ASKED, Finding.FAILED: Cause.REFUSED, Finding.INVALID_TYPE: Cause.REJECTED,
            Finding.OTHER: Cause.NOT_THE_CLOUD, Finding.TLS: Cause.CROWDED, Finding.REFUSED: Cause.DOWN}
_BY_THE_PEER = (Finding.CLOSED, Finding.MUTE, Finding.DEREGISTERED)
_UNSAID = (Finding.LOST, Finding.SILENT)
"""Silence, which alone does not say whose it is."""


def classify(evidence: Evidence, network: NetworkReport) -> Cause:
    """The cause of an end at one endpoint, by the table above. An answer is what it is; only silence is interpreted."""
    finding = evidence.finding
    if finding is Finding.ABORTED:
        return Cause.ASKED if network.usable else Cause.LOCAL      # over the other interface, at once
    if finding in _ANSWERS:
        return _ANSWERS[finding]
    if finding in _BY_THE_PEER:
        return Cause.CUT if evidence.registered else Cause.CROWDED
    if not network.usable:
        return Cause.LOCAL
    if finding is Finding.NO_WAY:
        return Cause.LOCAL
    if finding not in _UNSAID or evidence.registered:
        return Cause.PATH           # that its path works, the watchdog knew from the very connection that died
    if evidence.others_answer:
        return Cause.DOWN           # the line works: what is silent here is this endpoint
    explained = network.beyond if network.beyond is not None else evidence.silent_for >= UNEXPLAINED
    return Cause.SILENT if explained else Cause.PATH


_FROM_DIAL = (Cause.LOCAL, Cause.PATH)
_LIKE_DOWN = (Cause.DOWN, Cause.SILENT, Cause.NOT_THE_CLOUD)
_TELLING = (Cause.ASKED, Cause.LOCAL, Cause.PATH, Cause.SILENT, Cause.DOWN, Cause.NOT_THE_CLOUD, Cause.CUT,
            Cause.CROWDED, Cause.REFUSED, Cause.REJECTED)


def most_telling(causes: Iterable[Cause]) -> Cause:
    """Of several causes, at several endpoints, the one that says most about what keeps the terminal offline."""
    return max(causes, key=_TELLING.index)


@dataclass(frozen=True)
class Wait:
    """seconds: until the next dial. cause: the most telling of `causes`, which are by endpoint. attempt: how many ends
    in a row counted."""
    seconds: float
    cause: Cause
    attempt: int
    causes: Mapping[Any, Cause]


class Policy(Generic[K]):
    """The waits of one terminal. `now` is monotonic time in seconds, everywhere.

    reconnect: the settings' section; endpoints: what may be dialed. Both may be replaced. random: uniform in [0, 1).
    """

    __slots__ = ("_counts", "_due", "_random", "_refilled", "_silent_since", "_tokens", "endpoints", "reconnect")

    def __init__(self, reconnect: Reconnect, random: Callable[[], float], endpoints: Iterable[K] = ()):
        self.reconnect = reconnect
        self.endpoints = tuple(endpoints)
        self._random = random
        self._due: dict[K, float] = {}      # when each may be dialed again; without an entry: now
        self._counts: dict[K, int] = {}     # n
        self._tokens = float(reconnect.quick_returns)
        self._refilled = 0.0
        self._silent_since: float | None = None

    def delay(self, endpoint: K, now: float) -> float:
        """Seconds until this endpoint may be dialed."""
        return max(0.0, self._due.get(endpoint, now) - now)

    def wait(self, now: float) -> float:
        """Seconds until one of the endpoints may be dialed."""
        return min((self.delay(endpoint, now) for endpoint in self.endpoints), default=0.0)

    def wake(self) -> None:
        """Something got better: every endpoint may be dialed now. What was counted stays."""
        self._due.clear()

    def opened(self, endpoints: Iterable[K], now: float) -> None:
        """These were found open: they are dialed within a second."""
        for endpoint in endpoints:
            self._due[endpoint] = min(self._due.get(endpoint, now), now + OPENED_WITHIN * self._random())

    def ended(self, evidence: Mapping[K, Evidence], network: NetworkReport, now: float, *,
              registered_for: float | None = None, dialed_for: float = 0.0) -> Wait:
        """The wait after an attempt, by what it met at each endpoint that it tried (at least one).

        registered_for: seconds registered, None if never. dialed_for: seconds that the dial took.
        """
        if registered_for is not None and registered_for >= self.reconnect.stable_after:
            self._counts.clear()
        silent_for = self._silence(evidence.values(), network, now)
        causes = {endpoint: classify(replace(met, silent_for=silent_for), network)
                  for endpoint, met in evidence.items()}
        for endpoint, met in evidence.items():
            if causes[endpoint] is Cause.CUT and not self._quick_return(now):
                causes[endpoint] = Cause.CROWDED
            cause = causes[endpoint]
            seconds = self._seconds(cause, endpoint)
            if cause in _FROM_DIAL:
                seconds = max(0.0, seconds - dialed_for)
            elif cause is Cause.DOWN:
                seconds = max(0.0, seconds - met.ago)
            if met.registered or met.finding in ON_PURPOSE:
                self._due = dict.fromkeys((*self.endpoints, endpoint), now + seconds)
            else:
                self._due[endpoint] = now + seconds
        attempt = max(self._counts.get(endpoint, 0) for endpoint in causes)
        return Wait(self.wait(now), most_telling(causes.values()), attempt, causes)

    def _seconds(self, cause: Cause, endpoint: K) -> float:
        rules = self.reconnect
        if cause is Cause.ASKED:
            return 0.0
        if cause in _FROM_DIAL:
            return rules.local_retry * (0.5 + self._random())
        if cause is Cause.REJECTED:
            return rules.rejected_retry
        if cause is Cause.CUT:
            return rules.first_retry * self._random()
        count = self._counts.get(endpoint, 0)
        self._counts[endpoint] = count + 1
        doubled = 2.0 ** min(count, 64)
        if cause in _LIKE_DOWN:
            # A chosen base_delay may be above a default of max_delay that an upgrade lowered: see conf.schema.
            return self._random() * min(max(rules.max_delay, rules.base_delay), rules.base_delay * doubled)
        if cause is Cause.REFUSED:
            most = max(rules.crowded_delay, REFUSED_FLOOR + CROWDED_BASE)
            return REFUSED_FLOOR + self._random() * min(most - REFUSED_FLOOR, CROWDED_BASE * doubled)
        return self._random() * min(rules.crowded_delay, CROWDED_BASE * doubled)

    def _quick_return(self, now: float) -> bool:
        """Take a token out of the bucket, if one is left."""
        rules = self.reconnect
        if rules.stable_after <= 0:
            self._tokens = rules.quick_returns
        else:
            self._tokens = min(rules.quick_returns, self._tokens + (now - self._refilled) / rules.stable_after)
        self._refilled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _silence(self, evidence: Iterable[Evidence], network: NetworkReport, now: float) -> float:
        """For how long silence lasts that nothing explains."""
        known = list(evidence)
        silent = any(met.finding in _UNSAID and not met.registered for met in known)
        answered = any(met.finding in _ANSWERS or met.finding in _BY_THE_PEER or met.others_answer for met in known)
        if not (network.usable and network.beyond is None and silent and not answered):
            self._silent_since = None
            return 0.0
        if self._silent_since is None:
            self._silent_since = now
        return now - self._silent_since
