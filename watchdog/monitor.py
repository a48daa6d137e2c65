"""The watchdog's loop: doorbell, timer, agent and probes in; one report to the agent whenever something changed.

Rules:
  1. An event is a hint, the snapshot is the truth: whatever rings, the whole state is read and compared.
  2. The loop waits in one place, the selector, and never for the agent, a probe or a name.
  3. While the agent is registered nothing leaves the terminal. When and what is asked while it is offline: asking.py.
     Nothing is asked while no interface has an address.
  4. A report goes out when the verdict differs, when it says dial or verify, when another agent process appeared, and
     every ``report_interval`` in any case.
  5. BOOTTIME running ahead of MONOTONIC means that the terminal was suspended: look again, have the agent verify.
  6. What the agent dials is what counts: its endpoints, once it has named them, not those of the settings as they were
     when this process read them.
"""
import logging
import queue
import selectors
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.client import Client
from econduit_terminal.contract.status import Outcome, Status
from econduit_terminal.process.addresses import is_address
from econduit_terminal.process.logs import clean
from econduit_terminal.watchdog import probes, snapshot
from econduit_terminal.watchdog.agent_status import AgentStatus
from econduit_terminal.watchdog.answers import Answers
from econduit_terminal.watchdog.asking import Asking
from econduit_terminal.watchdog.inbox import Failure, Inbox
from econduit_terminal.watchdog.liaison import Courier, Feed
from econduit_terminal.watchdog.netlink import Doorbell
from econduit_terminal.watchdog.orders import Orders
from econduit_terminal.watchdog.pace import Pace, Quota
from econduit_terminal.watchdog.state import State, changes, remembering
from econduit_terminal.watchdog.verdict import Beside, Verdict, judge, nearby
from econduit_terminal.watchdog.wifi import LogIns

SUSPENDED = 0.5
UNSURE = 0.25
"""Seconds until the first further look while it is not known which network this is: the gateway's address on the link
is known as soon as somebody spoke to it, and no ring tells."""
_NEVER = float("inf")

log = logging.getLogger("watchdog")


def suspended_for() -> float:
    """Seconds that this machine has spent suspended since it started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class Failed(Exception):
    """A part of the watchdog died: the process must end, so that it is started whole again."""


class Bell(Protocol):
    """What rings when the network changed (netlink.Doorbell)."""

    def fileno(self) -> int: ...

    def drain(self) -> bool: ...

    def close(self) -> None: ...


class Found(NamedTuple):
    """What the probes' round ``number`` found."""

    number: int
    answers: Answers


class Monitor:
    """One watchdog. ``stopped`` ends it. The rest is replaceable for tests: the doorbell, how to look, the clocks.
    ``look`` gets the addresses of the endpoints, as far as they are known."""

    def __init__(self, orders: Orders, client: Client, inbox: Inbox, stopped: threading.Event, *,
                 doorbell: Bell | None = None, look: Callable[[tuple[str, ...]], State] | None = None,
                 suspended: Callable[[], float] = suspended_for, monotonic: Callable[[], float] = time.monotonic):
        self._orders = orders
        self._inbox, self._stopped = inbox, stopped
        self._doorbell: Bell = Doorbell() if doorbell is None else doorbell
        self._look = look or (lambda addresses: snapshot.read(orders.interfaces, addresses))
        self._suspended, self._monotonic = suspended, monotonic
        self._feed = Feed(client, inbox, stopped)
        self._courier = Courier(client, stopped)
        self._pace = Pace(orders.coalesce)
        self._quota = Quota()
        self._prober = probes.Prober()
        self._plans: queue.SimpleQueue[tuple[int, probes.Plan] | None] = queue.SimpleQueue()    # one, and an end

        self._state: State | None = None
        self._verdict: Verdict | None = None
        self._agent = AgentStatus()
        self._endpoints: tuple[Endpoint, ...] = orders.endpoints
        self._asking = Asking(orders.probe_interval)
        self._log_ins = LogIns()
        self._answers: Answers | None = None
        self._round = 0
        self._unsure = UNSURE
        self._look_due = self._report_due = monotonic()
        self._asleep = suspended()

    def run(self) -> None:
        """Until ``stopped``. Raises Failed when a part died."""
        for work, name in ((self._feed.run, "feed"), (self._courier.run, "courier"), (self._ask, "probes")):
            self._inbox.spawn(work, name)
        with selectors.DefaultSelector() as selector:
            selector.register(self._doorbell, selectors.EVENT_READ)
            selector.register(self._inbox, selectors.EVENT_READ)
            while not self._stopped.is_set():
                selector.select(max(0.0, self._next() - self._monotonic()))
                self._turn()
        self._courier.close()
        self._plans.put(None)
        self._doorbell.close()

    def _next(self) -> float:
        ring = self._pace.due()
        return min(self._look_due, self._report_due, self._asking.due(), _NEVER if ring is None else ring)

    def _turn(self) -> None:
        now = self._monotonic()
        if self._doorbell.drain():
            self._pace.rang(now)
        words = self._inbox.take()
        failure, found, word = words.get("failed"), words.get("answers"), words.get("agent")
        if isinstance(failure, Failure):
            raise Failed(f"{failure.name}: {failure.error!r}") from failure.error
        appeared = "agent" in words and self._hear(word if isinstance(word, Status) else None, now)
        if isinstance(found, Found):
            self._take_answers(found, now)
        resumed = self._resumed()
        ring = self._pace.due()
        looking = bool(words) or resumed or now >= self._look_due or (ring is not None and now >= ring)
        if looking:
            state = remembering(self._state, self._look(self._addresses()))
            self._pace.looked(self._monotonic())
            self._log_ins.seen(state, now)
            verdict = self._judge(state, now, appeared, resumed)
            self._look_due = now + self._next_look(state, verdict)
        if now >= self._report_due:
            self._report(now)
        if now >= self._asking.due():
            self._start_round(now)

    def _next_look(self, state: State, verdict: Verdict) -> float:
        """Seconds: the poll, and sooner while the network that the terminal is in is not known yet."""
        if verdict.network is not None or not state.usable:
            self._unsure = UNSURE
            return self._orders.poll
        self._unsure, unsure = min(2 * self._unsure, self._orders.poll), self._unsure
        return min(unsure, self._orders.poll)

    def _addresses(self) -> tuple[str, ...]:
        """Of the endpoints, as far as they are known."""
        names = self._prober.names
        return tuple(address for one in self._endpoints
                     for address in ((one.host,) if is_address(one.host) else names.known(one.host)))

    def _hear(self, status: Status | None, now: float) -> bool:
        """The agent's word on itself. True: another agent process than before."""
        before = self._agent
        self._agent = before.gone() if status is None else before.heard(status)
        self._asking.heard(self._agent, now)
        endpoints = tuple(dialed.endpoint for dialed in self._agent.endpoints)
        if endpoints and endpoints != self._endpoints:
            log.info("the agent dials %s: these count", clean(", ".join(map(str, endpoints))))
            self._endpoints = endpoints
            self._forget_answers(now)
        for dialed in self._agent.endpoints:
            if not is_address(dialed.endpoint.host):
                self._prober.names.learn(dialed.endpoint.host, dialed.addresses, dialed.outcome is Outcome.REGISTERED)
        if self._agent.online:
            self._answers = None
        return self._agent.pid not in (None, before.pid)

    def _take_answers(self, found: Found, now: float) -> None:
        current = found.number == self._round       # else asked of a network that is gone
        self._asking.ended(now, current)
        if current and not self._agent.online and self._agent.pid is not None:
            self._answers = found.answers

    def _resumed(self) -> bool:
        asleep = self._suspended()
        slept, self._asleep = asleep - self._asleep, asleep
        if slept > SUSPENDED:
            log.info("resumed after %.0f s of suspension", slept)
            return True
        return False

    def _judge(self, state: State, now: float, appeared: bool, resumed: bool) -> Verdict:
        before = self._state
        if before is not None and state != before:
            happened = changes(before, state, frozenset({self._agent.interface or ""}))
            for change in happened:
                self._say(f"{change.fact}: {change.detail}", now)
            # That a gateway fell silent is no reason to forget what the answers said; that it is back, is one.
            other = _ways_out(before) != _ways_out(state)
            if other or any(change.fact == "gateway back" for change in happened):
                self._forget_answers(now)
        last, self._state = self._verdict, state
        verdict = judge(before, state, self._answers, self._agent, last=last, resumed=resumed, beside=Beside(
            self._meant(), self._log_ins.refused(now), self._asking.stale(now), self._known()))
        self._verdict = verdict
        if last is None or (last.reason, last.detail, last.path) != (verdict.reason, verdict.detail, verdict.path):
            self._say(f"{clean(verdict.reason)} ({clean(verdict.detail)}), path {verdict.path.value}", now)
        if appeared or verdict.dial or verdict.verify or last is None or _content(last) != _content(verdict):
            self._report(now)
        return verdict

    def _say(self, line: str, now: float) -> None:
        said, left_out = self._quota.allows(line, now)
        if said:
            log.info("%s%s", line, f" ({left_out} more times until now)" if left_out else "")

    def _meant(self) -> frozenset[str]:
        return self._prober.names.meant(one.host for one in self._endpoints)

    def _known(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What is known of the endpoints' names, for the agent."""
        hosts = dict.fromkeys(one.host for one in self._endpoints if not is_address(one.host))
        return tuple((host, known) for host in hosts if (known := self._prober.names.known(host)))

    def _forget_answers(self, now: float) -> None:
        """They were about another network, or other endpoints."""
        self._answers = None
        self._round += 1
        self._asking.network_changed(now)

    def _report(self, now: float) -> None:
        self._report_due = now + self._orders.report_interval
        if self._verdict is not None:
            self._courier.send(self._verdict)       # which keeps `dial` and `verify` until they are delivered
            self._verdict = _content(self._verdict)

    def _start_round(self, now: float) -> None:
        state = self._state
        if state is None or (state.readable and not state.askable and not state.here):
            self._asking.nothing_to_ask_over()
            return
        dial = self._asking.endpoints(now)
        self._asking.began(dial)
        self._plans.put((self._round, probes.plan(state, self._endpoints, self._orders.reference_hosts,
                                                  nearby(state, self._meant()), dial)))

    def _ask(self) -> None:
        """The probes' thread: one round at a time, its answers into the inbox."""
        while (asked := self._plans.get()) is not None:
            number, plan = asked
            self._inbox.put("answers", Found(number, self._prober.ask(plan, self._orders.probe_timeout)))


def _ways_out(state: State) -> tuple[object, ...]:
    """What the answers are about: with another one, they are about another network."""
    return state.way_out, state.usable, state.askable


def _content(verdict: Verdict) -> Verdict:
    return verdict._replace(dial=False, verify=False)
