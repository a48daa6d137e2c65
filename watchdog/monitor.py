"""The watchdog's loop: doorbell, timer, agent and probes in; one report to the agent whenever something changed.

Rules:
  1. An event is a hint, the snapshot is the truth: whatever rings, the whole state is read and compared.
  2. The loop waits in one place, the selector, and never for the agent, a probe or a name.
  3. While the agent is registered nothing leaves the terminal. Probes start PATIENCE after it went offline (most losses
     are over by then), only while an interface is usable, and go on every ``probe_interval``.
  4. A report goes out when the verdict differs, when it says dial or verify, when another agent process appeared, and
     every ``report_interval`` in any case.
  5. BOOTTIME running ahead of MONOTONIC means that the terminal was suspended: look again, have the agent verify.
"""
import logging
import selectors
import threading
import time

from econduit_terminal.agent.local.client import Client
from econduit_terminal.conf.logs import clean
from econduit_terminal.watchdog import probes, snapshot
from econduit_terminal.watchdog.inbox import Inbox
from econduit_terminal.watchdog.liaison import Courier, Feed
from econduit_terminal.watchdog.netlink import Doorbell
from econduit_terminal.watchdog.orders import Orders
from econduit_terminal.watchdog.pace import Pace
from econduit_terminal.watchdog.state import State, changes, remembering
from econduit_terminal.watchdog.verdict import Answers, Carrier, Verdict, judge

PATIENCE = 1.0
SUSPENDED = 0.5
_NEVER = float("inf")

log = logging.getLogger("watchdog")


def suspended_for() -> float:
    """Seconds that this machine has spent suspended since it started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class Failed(Exception):
    """A part of the watchdog died: the process must end, so that it is started whole again."""


class Monitor:
    """One watchdog. ``stopped`` ends it. The rest is replaceable for tests: the doorbell, how to look, the clocks."""

    def __init__(self, orders: Orders, client: Client, inbox: Inbox, stopped: threading.Event, *,
                 doorbell=None, look=None, suspended=suspended_for, monotonic=time.monotonic):
        self._orders = orders
        self._inbox, self._stopped = inbox, stopped
        self._doorbell = Doorbell() if doorbell is None else doorbell
        self._look = look or (lambda: snapshot.read(orders.interfaces))
        self._suspended, self._monotonic = suspended, monotonic
        self._feed = Feed(client, inbox, stopped)
        self._courier = Courier(client, stopped)
        self._pace = Pace(orders.coalesce)
        self._prober = probes.Prober()
        self._questions: threading.Event = threading.Event()
        self._plan: tuple[int, probes.Plan] | None = None

        self._state: State | None = None
        self._verdict: Verdict | None = None
        self._carrier = Carrier()
        self._agent: int | None = None
        self._answers: Answers | None = None
        self._answers_due = _NEVER
        self._round = 0
        self._asking = False
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
        self._questions.set()
        self._doorbell.close()

    def _next(self) -> float:
        ring = self._pace.due()
        return min(self._look_due, self._report_due, self._answers_due, _NEVER if ring is None else ring)

    def _turn(self) -> None:
        now = self._monotonic()
        if self._doorbell.drain():
            self._pace.rang(now)
        words = self._inbox.take()
        if "failed" in words:
            name, error = words["failed"]
            raise Failed(f"{name}: {error!r}") from error
        appeared = "agent" in words and self._hear(words["agent"], now)
        if "answers" in words:
            self._take_answers(*words["answers"], now)
        resumed = self._resumed()
        ring = self._pace.due()
        looking = self._state is None or resumed or now >= self._look_due or ring is not None and now >= ring
        state = remembering(self._state, self._look()) if looking else self._state
        if looking:
            self._pace.looked(self._monotonic())
            self._look_due = now + self._orders.poll
        if looking or words:
            self._judge(state, now, appeared, resumed)
        if now >= self._report_due:
            self._report(now)
        if now >= self._answers_due:
            self._start_round(now)

    def _hear(self, status: dict | None, now: float) -> bool:
        """The agent's word on its connection. True: another agent process than before."""
        if status is None:
            self._agent, self._answers_due = None, _NEVER
            self._carrier = self._carrier._replace(online=False, reason=None)
            return False
        online = status.get("online") is True
        was_online, before = self._carrier.online, self._agent
        self._agent = status.get("pid")
        self._carrier = Carrier(
            online,
            status.get("local_address") or self._carrier.local_address,
            status.get("interface") or self._carrier.interface,
            None if online else status.get("reason"),
        )
        if online:
            self._answers, self._answers_due = None, _NEVER
        elif was_online or before != self._agent:
            self._answers_due = now + min(PATIENCE, self._orders.probe_interval)
        return self._agent != before

    def _take_answers(self, number: int, answers: Answers, now: float) -> None:
        self._asking = False
        if not self._carrier.online and self._agent is not None:
            if number == self._round:
                self._answers, self._answers_due = answers, now + self._orders.probe_interval
            else:
                self._answers_due = now     # asked of a network that is gone

    def _resumed(self) -> bool:
        asleep = self._suspended()
        slept, self._asleep = asleep - self._asleep, asleep
        if slept > SUSPENDED:
            log.info("resumed after %.0f s of suspension", slept)
            return True
        return False

    def _judge(self, state: State, now: float, appeared: bool, resumed: bool) -> None:
        before = self._state
        if before is not None and state != before:
            happened = changes(before, state)
            for change in happened:
                log.info("%s: %s", change.fact, change.detail)
            # That a gateway fell silent is no reason to forget what the answers said; that it is back, is one.
            other = (before.way_out, before.usable) != (state.way_out, state.usable)
            if other or any(change.fact == "gateway back" for change in happened):
                self._forget_answers(now)
        verdict = judge(before, state, self._answers, self._carrier, last=self._verdict, resumed=resumed)
        last, self._state, self._verdict = self._verdict, state, verdict
        if last is None or (last.reason, last.detail, last.path) != (verdict.reason, verdict.detail, verdict.path):
            log.info("%s (%s), path %s", clean(verdict.reason), clean(verdict.detail), verdict.path)
        if appeared or verdict.dial or verdict.verify or last is None or _content(last) != _content(verdict):
            self._report(now)

    def _forget_answers(self, now: float) -> None:
        """They were about another network; ask anew, soon, if it still matters."""
        self._answers = None
        self._round += 1
        if self._agent is not None and not self._carrier.online:
            self._answers_due = now + min(PATIENCE, self._orders.probe_interval)

    def _report(self, now: float) -> None:
        self._report_due = now + self._orders.report_interval
        self._courier.send(self._verdict)       # which keeps `dial` and `verify` until they are delivered
        self._verdict = _content(self._verdict)

    def _start_round(self, now: float) -> None:
        self._answers_due = _NEVER
        if self._asking:
            return      # the round under way sets the next one's time when it ends
        if not self._state.usable:
            return      # nothing to ask over; a usable interface starts the next round
        self._asking = True
        self._plan = self._round, probes.plan(self._state, self._orders.endpoints, self._orders.reference_hosts)
        self._questions.set()

    def _ask(self) -> None:
        """The probes' thread: one round at a time, its answers into the inbox."""
        while True:
            self._questions.wait()
            self._questions.clear()
            if self._stopped.is_set():
                return
            number, plan = self._plan
            self._inbox.put("answers", (number, self._prober.ask(plan, self._orders.probe_timeout)))


def _content(verdict: Verdict) -> Verdict:
    return verdict._replace(dial=False, verify=False)
