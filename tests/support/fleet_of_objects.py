"""A fleet as the agent has it: one Policy, Endpoints, Session and Lane for each terminal, and a heap of events.

Slow, and written from agent.cloud.link and agent.cloud.dialer instead of from the model: what both say is right.
"""
import heapq
from collections.abc import Generator
from dataclasses import dataclass, field
from math import isnan

from econduit_terminal.agent.cloud.endpoints import Endpoints, PastRegistration
from econduit_terminal.agent.cloud.policy import Cause, Evidence, Finding, Policy
from econduit_terminal.agent.cloud.race import Lane
from econduit_terminal.agent.wire.errors import AnswerOverdue
from econduit_terminal.agent.wire.events import Registered
from econduit_terminal.agent.wire.session import Session, Timing
from econduit_terminal.conf.schema import Settings
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.play import Run
from econduit_terminal.sandbox.fleet.registrations import Registrations
from econduit_terminal.sandbox.fleet.scenes import DROPPED_AFTER, NODES, Cut, Does

ENDPOINTS = Endpoint("primary", 1), Endpoint("secondary", 2)
ADDRESS = 2, ("192.0.2.1", 1)
LONG_AGO = -1e6
Process = Generator[float, None, None]


@dataclass
class Seen:
    """What became of a fleet. registered, cut: times, by terminal."""
    registered: dict[int, list[float]] = field(default_factory=dict)
    cut: dict[int, list[float]] = field(default_factory=dict)
    dials: int = 0
    opened: int = 0
    wasted: int = 0


@dataclass
class Dialed:
    """When a dial was over, and what it met, when; a session where an endpoint was open, and when its answer comes."""
    at: float
    found: dict[Endpoint, tuple[Finding, float]]
    endpoint: Endpoint = ENDPOINTS[0]
    session: Session | None = None
    answered: float = 0.0


class World:
    """The cloud of a run, and what is seen there."""

    def __init__(self, run: Run):
        self.run = run
        self.seen = Seen()
        self._queue = Registrations(run.cloud, 2)
        phases = run.scene.phases
        self._begins = [phase.begins * run.outage for phase in phases]
        for phase, end in zip(phases, [*self._begins[1:], run.end], strict=True):
            if Does.HANGS in (phase.primary, phase.secondary):
                self._queue.hang(end)
            if Does.STALLED in (phase.primary, phase.secondary):
                self._queue.stall(end)

    def does(self, endpoint: Endpoint, now: float) -> Does:
        """What it does now."""
        phase = [phase for phase, begin in zip(self.run.scene.phases, self._begins, strict=True) if begin <= now][-1]
        return phase.primary if endpoint == ENDPOINTS[0] else phase.secondary

    def cuts(self, terminal: int) -> list[float]:
        """When this terminal's connection is ended from outside."""
        return [begin for number, (phase, begin) in enumerate(zip(self.run.scene.phases, self._begins, strict=True))
                if phase.cut is Cut.EVERYBODY or (phase.cut is Cut.NODE and terminal % NODES == number % NODES)]

    def register(self, endpoint: Endpoint, opened: float, hangs_up: float) -> float:
        """When the answer comes; infinity for never, not a number where the dial was dropped."""
        way = self.run.rtt / 2
        taken = self._queue.take([(opened + way, ENDPOINTS.index(endpoint), hangs_up - way)])
        self.seen.wasted += len(taken.wasted)
        self.seen.opened += not isnan(taken.registered[0])
        return taken.registered[0] + way


def play(run: Run, settings: Settings, chances: list[float]) -> Seen:
    """All terminals of a run; `chances`: what each of them gets whenever it asks for chance."""
    world = World(run)
    heap = []
    for number in range(run.terminals):
        process = _terminal(world, settings, number, chances[number])
        heap.append((next(process), number, process))
    heapq.heapify(heap)
    while heap and heap[0][0] < run.end:
        _, number, process = heapq.heappop(heap)
        heapq.heappush(heap, (next(process), number, process))
    return world.seen


def _terminal(world: World, settings: Settings, number: int, chance: float) -> Process:
    """Yields when it has something to do next."""
    policy: Policy[Endpoint] = Policy(settings.reconnect, lambda: chance, ENDPOINTS)
    records = Endpoints(ENDPOINTS)
    endpoint, since, cuts = ENDPOINTS[0], LONG_AGO, world.cuts(number)
    records.registered(endpoint, ADDRESS, since)
    while True:
        drops = world.does(endpoint, since) is Does.DROPS if since >= 0 else False
        now = since + DROPPED_AFTER if drops else next((cut for cut in cuts if cut > since), float("inf"))
        yield now
        world.seen.cut.setdefault(number, []).append(now)
        evidence = Evidence(Finding.CLOSED, True, records.others_answer(endpoint))
        records.ended(endpoint, PastRegistration(now - since, 0.0), by_the_cloud=True,
                      stable_after=settings.reconnect.stable_after)
        wait = policy.ended({endpoint: evidence}, world.run.network, now, registered_for=now - since)
        if wait.causes[endpoint] is Cause.CROWDED:
            records.crowded(endpoint)
        while True:
            if policy.wait(now) > 0:
                now += policy.wait(now)
                yield now
            began = now
            dialed = yield from _dial(world, settings, policy, records, began)
            now, found, session, answered = dialed.at, dialed.found, dialed.session, dialed.answered
            if session is None:
                for each, (finding, _) in found.items():
                    records.not_opened(each, finding, "x")
                met = {each: Evidence(finding, others_answer=records.others_answer(each), ago=now - at)
                       for each, (finding, at) in found.items()}
                policy.ended(met, world.run.network, now, dialed_for=now - began)
                continue
            endpoint = dialed.endpoint
            due = session.deadline(idle=True)
            assert due is not None
            if answered <= due:
                yield (now := answered)
                event, = session.receive(b"OK-REGISTRATION\x04\x04", now)
                assert isinstance(event, Registered)
                records.registered(endpoint, ADDRESS, now)
                world.seen.registered.setdefault(number, []).append(now)
                since = now
                break
            yield (now := due)
            try:
                raise AssertionError(session.check(now, idle=True))
            except AnswerOverdue:
                evidence = Evidence(Finding.MUTE, False, records.others_answer(endpoint))
            records.not_registered(endpoint, ADDRESS, Finding.MUTE, "x")
            met = {endpoint: evidence} | {each: Evidence(finding, others_answer=records.others_answer(each))
                                          for each, (finding, _) in found.items()}
            policy.ended(met, world.run.network, now)


def _dial(world: World, settings: Settings, policy: Policy[Endpoint], records: Endpoints,
          began: float) -> Generator[float, None, Dialed]:
    """agent.cloud.dialer._Dial.run, without sockets and names."""
    rules, rtt = settings.reconnect, world.run.rtt
    targets = records.order()
    holds = {endpoint: policy.delay(endpoint, began) for endpoint in targets}
    held = sorted(targets, key=lambda endpoint: holds[endpoint])
    lanes: dict[Endpoint, Lane] = {}
    reports: list[tuple[float, Endpoint]] = []
    refused: dict[Endpoint, tuple[Finding, float]] = {}
    now = deadline = began
    while True:
        while held and began + holds[held[0]] <= now:
            endpoint = held.pop(0)
            start = max(now, began + targets.index(endpoint) * rules.secondary_after)
            if all(lane.exhausted for lane in lanes.values()):
                start = now
            lanes[endpoint] = Lane(start, again=rules.local_retry)
            lanes[endpoint].resolved([ADDRESS])
            deadline = max(deadline, start + rules.connect_timeout)
        if now >= deadline or all(lane.exhausted for lane in lanes.values()):
            silent = {endpoint: (Finding.SILENT, now) for endpoint, lane in lanes.items() if lane.unanswered}
            return Dialed(now, refused | silent)
        for lane in list(lanes.values()):
            if lane.exhausted:
                for later in lanes.values():
                    later.start_by(now)
        for endpoint, lane in lanes.items():
            while lane.due(now) is not None:
                world.seen.dials += 1
                does = world.does(endpoint, now)
                if does is Does.REFUSES:
                    reports.append((now + rtt, endpoint))
                elif does is not Does.SILENT:
                    opened = now + rtt
                    for each in refused:
                        records.not_opened(each, Finding.REFUSED, "x")
                    session = _session(settings, records, endpoint)
                    session.register(opened)
                    due = session.deadline(idle=True)
                    assert due is not None
                    answered = world.register(endpoint, opened, due)
                    if not isnan(answered):
                        return Dialed(opened, refused, endpoint, session, answered)
        wake = min(deadline, *(lane.next_at() for lane in lanes.values()),
                   *(began + holds[endpoint] for endpoint in held[:1]), *(at for at, _ in reports))
        if wake > now:
            now = wake
            yield now
        for at, endpoint in [report for report in reports if report[0] <= now]:
            reports.remove((at, endpoint))
            refused[endpoint] = Finding.REFUSED, at
            lanes[endpoint].failed()


def _session(settings: Settings, records: Endpoints, endpoint: Endpoint) -> Session:
    timing = Timing(records.answer_time(endpoint, settings.registration.timeout), settings.heartbeat.interval,
                    settings.heartbeat.ack_timeout)
    return Session(b"register", ack=True, timing=timing, max_message=1000, random=lambda: 0.0)
