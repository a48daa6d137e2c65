"""What an attempt taught: into the records of the endpoints and the reason on the display, and the wait that follows.

`policy` says what an end means and how long to wait, `endpoints` keeps what is known, `announcer` puts it into words.
"""
import logging
from dataclasses import dataclass, replace

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport

from .announcer import Announcer
from .dial_plan import DialPlan
from .dialed import Dialed, DialFailed
from .ended import Ended
from .endpoints import Endpoints, PastRegistration
from .policy import BY_THE_CLOUD, ON_PURPOSE, Cause, Evidence, Finding, Policy, Wait, classify

log = logging.getLogger(__name__)

_PARTS = (Finding.NO_NAME, Finding.NO_WAY)
"""What a network that is just coming back may lack for a moment."""


@dataclass
class Evaluation:
    """The parts of the link that learn. `network`: the watchdog's last report; `now`: monotonic seconds."""
    records: Endpoints
    plan: DialPlan
    announcer: Announcer
    policy: Policy[Endpoint]

    def not_opened(self, failed: DialFailed, network: NetworkReport, now: float, *, dialed_for: float) -> Wait:
        """After a dial that did not open, which took `dialed_for` seconds."""
        failures = failed.results.failures
        met = {endpoint: replace(self._evidence(endpoint, failure.finding), ago=max(0.0, now - failure.at))
               for endpoint, failure in failures.items()}
        wait = self.policy.ended(met, network, now, dialed_for=dialed_for)
        returning, self.plan.returning = self.plan.returning, False
        only_parts = all(failure.finding in _PARTS for failure in failures.values())
        if not (returning and only_parts and wait.cause in (Cause.LOCAL, Cause.PATH)):
            self.announcer.met(wait.causes)
        self._over(wait)
        return wait

    def offline(self, endpoint: Endpoint, ended: Ended, network: NetworkReport, *, registered: bool) -> None:
        """The connection has just ended: only what the display says of it. `ended` follows."""
        cause = classify(self._evidence(endpoint, ended.finding, registered), network)
        self.announcer.met({endpoint: cause}, ended.reason)

    def ended(self, dialed: Dialed, ended: Ended, past: PastRegistration | None, network: NetworkReport, now: float, *,
              moved: bool) -> Wait:
        """After a connection. past: its registration, None if there was none. moved: another connection was left for
        this one."""
        endpoint, stable_after = dialed.endpoint, self.policy.reconnect.stable_after
        evidence = self._evidence(endpoint, ended.finding, past is not None)
        if ended.mss:
            self.records[endpoint].mss = ended.mss
        met = {endpoint: evidence}
        if ended.successor:
            short = past is not None and past.lasted < stable_after
            silent = ended.finding is Finding.LOST and short        # as good as cut: out of the same bucket
            met = {endpoint: replace(evidence, finding=Finding.CLOSED if silent else Finding.ASKED)}
        elif ended.finding not in ON_PURPOSE and past is None:
            self.records.not_registered(endpoint, dialed.address, ended.finding, ended.reason, moved=moved)
            met |= {other: self._evidence(other, failure.finding) for other, failure in dialed.results.failures.items()}
        if ended.finding not in ON_PURPOSE and past is not None:
            self.records.ended(endpoint, past, by_the_cloud=ended.finding in BY_THE_CLOUD, stable_after=stable_after,
                               moved=moved)
        self.announcer.problems()
        wait = (self.policy.ended(met, network, now, dialed_for=dialed.seconds) if past is None
                else self.policy.ended(met, network, now, registered_for=past.lasted))
        if past is not None and wait.causes[endpoint] is Cause.CROWDED:
            self.records.crowded(endpoint)
        self.announcer.met(wait.causes, ended.reason if past is not None else None)
        self._over(wait)
        if wait.cause is Cause.REJECTED:
            log.warning("the cloud does not know this terminal's type: correct terminal.type in the settings and have "
                        "them read again, or ask eConduit to add it")
        return wait

    def _over(self, wait: Wait) -> None:
        self.announcer.endpoints()
        self.plan.after(wait.cause)

    def _evidence(self, endpoint: Endpoint, finding: Finding, registered: bool = False) -> Evidence:
        return Evidence(finding, registered, others_answer=self.records.others_answer(endpoint))
