"""PURE. One scene, played by one fleet: who is cut when, what the endpoints do, until everybody is back."""
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from econduit_terminal.conf.schema import Settings
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.sandbox.fleet.behaviour import Behaviour
from econduit_terminal.sandbox.fleet.history import STEP, History, Kind, Outcome
from econduit_terminal.sandbox.fleet.peers import HABITS, Peer
from econduit_terminal.sandbox.fleet.policies import Ids, Seconds
from econduit_terminal.sandbox.fleet.product import Product
from econduit_terminal.sandbox.fleet.registrations import Registrations
from econduit_terminal.sandbox.fleet.scenes import NODES, Cloud, Cut, Does, Phase, Scene
from econduit_terminal.sandbox.fleet.terminals import Terminals
from econduit_terminal.sandbox.fleet.windows import WIDTH, advance

GIVEN_UP_AFTER, GIVEN_UP_LIMITS = 300.0, 4.0
"""How long a fleet is given to come back after the last phase began: seconds, and times the cloud's own limit."""
LONGEST = 7 * 86_400.0
"""Seconds that are played at most: each takes its time, and room for what is counted."""
WIDTH_LIMITS = 0.001
_TAKES_CONNECTIONS = (Does.WORKS, Does.HANGS, Does.STALLED, Does.DROPS)


@dataclass(frozen=True)
class Run:
    """A scene with its numbers. outage: seconds. rtt: seconds, of a round trip to the cloud. network: what every
    watchdog says. seed: of chance. width: seconds, see `windows`; None: in proportion to what the cloud needs."""
    scene: Scene
    terminals: int
    outage: float
    cloud: Cloud = field(default_factory=Cloud)
    rtt: float = 0.03
    network: NetworkReport = field(default_factory=NetworkReport)
    seed: int = 1
    width: float | None = None

    @property
    def limit(self) -> float:
        """Seconds that the cloud needs to register those whom it lost at one moment."""
        nodes = NODES if all(phase.cut is Cut.NODE for phase in self.scene.phases) else 1
        return self.terminals / nodes / self.cloud.budget

    @property
    def window(self) -> float:
        """Seconds within which the order of events is not exact: a thousandth of the limit, or very little."""
        return max(WIDTH, WIDTH_LIMITS * self.limit) if self.width is None else self.width

    @property
    def last(self) -> float:
        """When the last phase begins; seconds."""
        return self.scene.phases[-1].begins * self.outage

    @property
    def works_from(self) -> float:
        """Since when some endpoint has worked without a break, at the end."""
        since = self.last
        for phase in reversed(self.scene.phases):
            if Does.WORKS not in (phase.primary, phase.secondary):
                break
            since = phase.begins * self.outage
        return since

    @property
    def end(self) -> float:
        """When the model gives up; seconds."""
        return self.last + self.scene.watched + GIVEN_UP_AFTER + GIVEN_UP_LIMITS * self.limit

    @property
    def refusal(self) -> str | None:
        """Why this cannot be played, for people; None where it can."""
        if self.end <= LONGEST:
            return None
        return (f"{self.scene.name}: up to {self.end / 86_400:,.0f} days would be played, {LONGEST / 86_400:.0f} are "
                f"possible (the cloud needs {self.limit / 86_400:,.1f} days): ask for fewer terminals, a larger "
                "--budget or a shorter outage")

    def behaviours(self, settings: Settings) -> list[Callable[[], Behaviour]]:
        """Makers of this product's terminals and of those to compare with, one at a time."""
        endpoints = 2 if settings.cloud.secondary else 1
        timing = {"timeout": settings.reconnect.connect_timeout, "answer": settings.registration.timeout}
        return [lambda: Product(settings, self.terminals, self._chance(), self.network),
                *(lambda habit=habit: Peer(habit, self.terminals, endpoints, self._chance(), **timing)
                  for habit in HABITS)]

    def _chance(self) -> Callable[[Ids], Seconds]:
        generator = np.random.default_rng(self.seed)
        return lambda ids: generator.random(ids.size)


def play(run: Run, behaviour: Behaviour, progress: Callable[[float], None] = lambda seconds: None) -> Outcome:
    """Plays it. progress: told how many seconds have been played, and how they get on."""
    registrations = Registrations(run.cloud, len(behaviour.due))
    history = History(run.terminals, run.end, run.works_from)
    terminals = Terminals(behaviour, registrations, history, rtt=run.rtt)
    phases = run.scene.phases
    begins = [phase.begins * run.outage for phase in phases]
    for number, (phase, begin, end) in enumerate(zip(phases, begins, [*begins[1:], run.end], strict=True)):
        terminals.does = (phase.primary, phase.secondary)[:len(behaviour.due)]
        _enter(registrations, terminals.does, end)
        terminals.cut(_cut(phase, number, run.terminals), begin)
        meet = any(does in _TAKES_CONNECTIONS for does in terminals.does)
        for now in advance(terminals.at, begin, end, terminals.step, meet=meet, width=run.window):
            progress(now)
            if number == len(phases) - 1 and now >= begin + run.scene.watched and terminals.online.all():
                break
    history.never(np.flatnonzero(~terminals.online))
    rows = {kind: row[:int(np.ceil(now / STEP))] for kind, row in history.rows.items()}
    online = run.terminals + np.cumsum(rows[Kind.REGISTERED] - rows[Kind.LOST])
    return Outcome(behaviour.name, rows, online, history.back)


def _enter(registrations: Registrations, does: tuple[Does, ...], end: float) -> None:
    if Does.HANGS in does:
        registrations.hang(end)
    if Does.STALLED in does:
        registrations.stall(end)


def _cut(phase: Phase, number: int, terminals: int) -> Ids:
    """Whose connection ends when this phase begins."""
    match phase.cut:
        case Cut.EVERYBODY:
            return np.arange(terminals)
        case Cut.NODE:
            return np.arange(number % NODES, terminals, NODES)
        case Cut.NOBODY:
            return np.arange(0)
