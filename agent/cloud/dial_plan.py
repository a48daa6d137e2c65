"""From what is known to what is dialed, and back: targets out of records, policy and the watchdog's report; what a dial
saw into the records.
"""
from collections.abc import Sequence

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport

from .connect import source_of
from .dialed import Dialed, DialFailed, DialResults, Target
from .dialer import OUTSIDE, Dialer
from .endpoints import Address, Endpoints
from .policy import Cause, Finding, Policy
from .resolver import literal

_BY_THE_CLOUD = (Cause.CUT, Cause.DOWN, Cause.CROWDED, Cause.NOT_THE_CLOUD, Cause.REFUSED, Cause.REJECTED)


class DialPlan:
    """One for the whole life. name_first: ask for a name before its remembered address is dialed. returning: the
    network came back, and nothing was dialed since."""

    def __init__(self, dialer: Dialer, records: Endpoints, policy: Policy[Endpoint]):
        self._dialer = dialer
        self._records = records
        self._policy = policy
        self.name_first = False
        self.returning = True

    def after(self, cause: Cause) -> None:
        """After an end by the cloud the remembered address is no better than what the name holds now; after one by the
        network it is, and is dialed at once."""
        self.name_first = cause in _BY_THE_CLOUD

    def dial(self, endpoints: Sequence[Endpoint], network: NetworkReport, now: float, *,
             background: bool = False, mss: int | None = None) -> Dialed | DialFailed:
        """A failure is returned, not raised. background: a connection is in use, so that nothing is waited for, and
        nothing is said of why there is none. mss: the largest segment, if an endpoint needs no smaller ones. A kill of
        the greenlet ends it, and nothing was learned."""
        targets = [self._target(endpoint, network, 0.0 if background else self._policy.delay(endpoint, now), mss)
                   for endpoint in endpoints]
        opened: Dialed | DialFailed
        try:
            opened = self._dialer.dial(targets, interface=network.bind, lost=network.lost.keys(),
                                       returning=self.returning)
        except DialFailed as failed:
            opened = failed
        self._learn(opened.results, background)
        return opened

    def sources(self, endpoints: Sequence[Endpoint], network: NetworkReport) -> set[str]:
        """The local addresses from which a dial now would leave; none over an interface that the watchdog names, which
        it no longer does when that is dead."""
        if network.bind:
            return set()
        ways = [address for endpoint in endpoints
                for address in (literal(endpoint) or OUTSIDE, self._records[endpoint].address) if address]
        return {source for way in ways if (source := source_of(*way))}

    def _target(self, endpoint: Endpoint, network: NetworkReport, hold: float, mss: int | None) -> Target:
        record = self._records[endpoint]
        remembered: list[Address] = [record.address] if record.address else []
        elsewhere = [address for text in network.addresses.get(endpoint.host, ())
                     if (address := literal(Endpoint(text, endpoint.port)))]
        return Target(endpoint, hold, known=[] if self.name_first else remembered, spare=[*remembered, *elsewhere],
                      doubted=record.doubted, mss=min((size for size in (record.mss, mss) if size), default=None),
                      answer=self._records.answer_time(endpoint, self._dialer.settings.registration.timeout))

    def _learn(self, results: DialResults, background: bool) -> None:
        for endpoint, addresses in results.addresses.items():
            self._records[endpoint].addresses = tuple(str(sockaddr[0]) for _, sockaddr in addresses)
        for endpoint, addresses in results.named.items():
            self._records.named(endpoint, addresses)
        for endpoint, failure in results.failures.items():
            if failure.finding is Finding.TLS:
                self._records.not_registered(endpoint, failure.address, failure.finding, failure.reason,
                                             background=background)
            else:
                self._records.not_opened(endpoint, failure.finding, failure.reason, background=background)
