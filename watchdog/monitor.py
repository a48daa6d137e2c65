"""The watchdog's loop: kernel, timers, agent and probes in; one report to the agent whenever something changed.

Rules:
  1. An event is a hint, the snapshot is the truth: whatever rings, the whole state is read and compared.
  2. The loop waits in one place, the selector, and never for the agent, a probe or a name.
  3. While the agent is registered, nothing leaves the terminal. When and what is asked while it is offline:
     probe_schedule.py. Nothing is asked while no interface has an address.
  4. A report goes out when the verdict differs, when it says dial or verify, when another agent process appeared, and
     every `report_interval` in any case.
  5. CLOCK_BOOTTIME running ahead of CLOCK_MONOTONIC means that the terminal was suspended: look again, and have the
     agent verify its connection.
  6. The endpoints that count are those that the agent dials, as soon as it has named them: the settings may have
     changed since this process read them.
"""
import logging
import queue
import selectors
import threading
import time
from collections.abc import Callable
from typing import Protocol

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.client import Client
from econduit_terminal.contract.status import Outcome, Status
from econduit_terminal.process.addresses import is_address
from econduit_terminal.process.line_file import uptime
from econduit_terminal.process.logs import clean

from . import snapshot
from .agent_events import AgentEvents
from .agent_status import AgentStatus
from .config import WatchdogConfig
from .debouncer import Debouncer
from .dial_route import local_network
from .inbox import AgentChanged, Inbox, ProbesDone
from .log_limiter import LogLimiter
from .netlink import Doorbell
from .probe_plan import Plan, plan
from .probe_results import ProbeResults
from .probe_schedule import ProbeSchedule
from .probes import Prober
from .report_sender import ReportSender
from .resolver import Resolver
from .state import Fact, State, changes, remembering
from .verdict import Context, Verdict, judge
from .wifi_logins import WifiLogins

SUSPEND_THRESHOLD = 0.5
"""Seconds."""
IDENTIFY_RETRY = 0.25
"""Seconds until the next look while it is not known which network this is: the gateway's hardware address is known as
soon as something spoke to it, and no event tells. Doubles up to `poll`."""
_NEVER = float("inf")

log = logging.getLogger("watchdog")


def suspended_for() -> float:
    """Seconds that this machine has spent suspended since it started."""
    return uptime() - time.monotonic()


class NetworkEvents(Protocol):
    """What a selector hears when the network changes (netlink.Doorbell)."""

    def fileno(self) -> int: ...

    def drain(self) -> bool: ...

    def close(self) -> None: ...


class Monitor:
    """The loop, until `stopped` is set and the inbox rings. For tests: `doorbell`, `look` (is given the addresses of
    the endpoints, as far as they are known) and the clocks."""

    def __init__(self, config: WatchdogConfig, client: Client, inbox: Inbox, stopped: threading.Event, *,
                 doorbell: NetworkEvents | None = None, look: Callable[[tuple[str, ...]], State] | None = None,
                 suspended: Callable[[], float] = suspended_for, monotonic: Callable[[], float] = time.monotonic):
        self._config = config
        self._inbox, self._stopped = inbox, stopped
        self._doorbell: NetworkEvents = Doorbell() if doorbell is None else doorbell
        self._look = look or (lambda addresses: snapshot.read(config.interfaces, addresses))
        self._suspended, self._monotonic = suspended, monotonic
        self._events = AgentEvents(client, inbox, stopped)
        self._sender = ReportSender(client, stopped)
        self._debouncer = Debouncer(config.coalesce)
        self._limiter = LogLimiter()
        self._resolver = Resolver()
        self._prober = Prober(self._resolver)
        self._plans: queue.SimpleQueue[tuple[int, Plan] | None] = queue.SimpleQueue()       # one, and an end

        self._state: State | None = None
        self._verdict: Verdict | None = None
        self._agent = AgentStatus()
        self._endpoints: tuple[Endpoint, ...] = config.endpoints
        self._schedule = ProbeSchedule(config.probe_interval)
        self._wifi_logins = WifiLogins()
        self._results: ProbeResults | None = None
        self._round = 0
        self._identify_retry = IDENTIFY_RETRY
        self._look_due = self._report_due = monotonic()
        self._suspended_before = suspended()

    def run(self) -> None:
        """The loop. Raises ThreadFailed."""
        self._inbox.spawn(self._events.run, "agent events")
        self._inbox.spawn(self._sender.run, "report sender")
        self._inbox.spawn(self._ask, "probes")
        with selectors.DefaultSelector() as selector:
            selector.register(self._doorbell, selectors.EVENT_READ)
            selector.register(self._inbox, selectors.EVENT_READ)
            while not self._stopped.is_set():
                selector.select(max(0.0, self._wake_at() - self._monotonic()))
                self._turn()
        self._sender.close()
        self._plans.put(None)
        self._doorbell.close()

    def _wake_at(self) -> float:
        ring = self._debouncer.due()
        return min(self._look_due, self._report_due, self._schedule.due(), _NEVER if ring is None else ring)

    def _turn(self) -> None:
        now = self._monotonic()
        if self._doorbell.drain():
            self._debouncer.rang(now)
        messages, appeared = self._inbox.take(), False
        for message in messages:
            match message:
                case AgentChanged(status):
                    appeared = self._agent_changed(status, now)
                case ProbesDone(number, results):
                    self._probes_done(number, results, now)
        resumed = self._resumed()
        ring = self._debouncer.due()
        looking = bool(messages) or resumed or now >= self._look_due or (ring is not None and now >= ring)
        if looking:
            state = remembering(self._state, self._look(self._addresses()))
            self._debouncer.looked(self._monotonic())
            self._wifi_logins.seen(state, now)
            verdict = self._judge(state, now, appeared, resumed)
            self._look_due = now + self._next_look(state, verdict)
        if now >= self._report_due:
            self._report(now)
        if now >= self._schedule.due():
            self._start_round(now)

    def _next_look(self, state: State, verdict: Verdict) -> float:
        """Seconds until the next look without an event."""
        if verdict.network is not None or not state.usable:
            self._identify_retry = IDENTIFY_RETRY
            return self._config.poll
        retry, self._identify_retry = self._identify_retry, min(2 * self._identify_retry, self._config.poll)
        return min(retry, self._config.poll)

    def _addresses(self) -> tuple[str, ...]:
        """Of the endpoints, as far as they are known."""
        known = self._resolver.known
        return tuple(address for one in self._endpoints
                     for address in ((one.host,) if is_address(one.host) else known(one.host)))

    def _agent_changed(self, status: Status | None, now: float) -> bool:
        """True: another agent process than before."""
        before = self._agent
        self._agent = before.gone() if status is None else before.updated(status)
        self._schedule.agent_changed(self._agent, now)
        endpoints = tuple(dialed.endpoint for dialed in self._agent.endpoints)
        if endpoints and endpoints != self._endpoints:
            log.info("the agent dials %s: these count", clean(", ".join(map(str, endpoints))))
            self._endpoints = endpoints
            self._forget_results(now)
        for dialed in self._agent.endpoints:
            if not is_address(dialed.endpoint.host):
                self._resolver.learn(dialed.endpoint.host, dialed.addresses, dialed.outcome is Outcome.REGISTERED)
        if self._agent.online:
            self._results = None
        return self._agent.pid not in (None, before.pid)

    def _probes_done(self, number: int, results: ProbeResults, now: float) -> None:
        current = number == self._round       # else it was about a network that is gone
        self._schedule.round_ended(now, current)
        if current and not self._agent.online and self._agent.pid is not None:
            self._results = results

    def _resumed(self) -> bool:
        asleep = self._suspended()
        slept, self._suspended_before = asleep - self._suspended_before, asleep
        if slept > SUSPEND_THRESHOLD:
            log.info("resumed after %.0f s of suspension", slept)
            return True
        return False

    def _judge(self, state: State, now: float, appeared: bool, resumed: bool) -> Verdict:
        before = self._state
        if before is not None and state != before:
            happened = changes(before, state, frozenset({self._agent.interface or ""}))
            for change in happened:
                self._say(f"{change.fact}: {change.detail}", now)
            # A gateway that fell silent does not make the results out of date; one that is back does.
            other = _probed_network(before) != _probed_network(state)
            if other or any(change.fact is Fact.GATEWAY_BACK for change in happened):
                self._forget_results(now)
        last, self._state = self._verdict, state
        verdict = judge(before, state, self._results, self._agent, last=last, resumed=resumed, context=Context(
            self._trusted(), self._wifi_logins.refused(now), self._schedule.stale(now), self._known()))
        self._verdict = verdict
        if last is None or (last.reason, last.detail, last.path) != (verdict.reason, verdict.detail, verdict.path):
            self._say(f"{clean(verdict.reason)} ({clean(verdict.detail)}), path {verdict.path.value}", now)
        if appeared or verdict.dial or verdict.verify or last is None or _content(last) != _content(verdict):
            self._report(now)
        return verdict

    def _say(self, line: str, now: float) -> None:
        said, left_out = self._limiter.allows(line, now)
        if said:
            log.info("%s%s", line, f" ({left_out} more times until now)" if left_out else "")

    def _trusted(self) -> frozenset[str]:
        return self._resolver.trusted(one.host for one in self._endpoints)

    def _known(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The known addresses of the endpoints' names, for the agent."""
        hosts = dict.fromkeys(one.host for one in self._endpoints if not is_address(one.host))
        return tuple((host, known) for host in hosts if (known := self._resolver.known(host)))

    def _forget_results(self, now: float) -> None:
        """They are about another network, or other endpoints."""
        self._results = None
        self._round += 1
        self._schedule.network_changed(now)

    def _report(self, now: float) -> None:
        self._report_due = now + self._config.report_interval
        if self._verdict is not None:
            self._sender.send(self._verdict)       # which keeps `dial` and `verify` until they are delivered
            self._verdict = _content(self._verdict)

    def _start_round(self, now: float) -> None:
        state = self._state
        if state is None or (state.readable and not state.addressed and not state.endpoint_is_local):
            self._schedule.no_interface()
            return
        dial = self._schedule.asks_endpoints(now)
        self._schedule.round_began(dial)
        local = local_network(state, self._trusted())
        self._plans.put((self._round, plan(state, self._endpoints, self._config.reference_hosts, local, dial)))

    def _ask(self) -> None:
        """The probes' thread: one round at a time, its results into the inbox."""
        while (asked := self._plans.get()) is not None:
            number, round_plan = asked
            self._inbox.put(ProbesDone(number, self._prober.ask(round_plan, self._config.probe_timeout)))


def _probed_network(state: State) -> tuple[object, ...]:
    """What results are about: once this differs, they are about another network."""
    return state.default_identity, state.usable, state.addressed


def _content(verdict: Verdict) -> Verdict:
    return verdict._replace(dial=False, verify=False)
