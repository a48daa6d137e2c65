"""PURE. Which faults come when: all of it follows from a seed.

Rules
- Faults come in rounds of ROUND, `pace` seconds apart on average; a round ends when all its faults are undone. What
  follows is rest, until the terminal is online: whoever plays the schedule decides how long.
- A fault has a place (the cable, the router, a process, …). In one place there is one fault at a time; in different
  places they overlap.
- Kinds are dealt from a shuffled deck, each as often as it has cards, so that a short run meets most of them. The cards
  that end a process are in the first deck and in every KILLS-th after it: between those, processes live long enough for
  their growth to be seen.
"""
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

ROUND = 12
KILLS = 20


class Place(Enum):
    """Where a fault sits."""

    CABLE = auto()
    ROUTER = auto()
    NAMES = auto()
    PROXY = auto()
    CLOUD = auto()
    AGENT = auto()
    WATCHDOG = auto()
    SUPERVISOR = auto()
    APPLICATION = auto()
    DISK = auto()
    CLOCK = auto()


NETWORK = frozenset({Place.CABLE, Place.ROUTER, Place.NAMES, Place.PROXY, Place.CLOUD})
"""While nothing is wrong in these places, the terminal has no reason to be offline for long."""


class Kind(Enum):
    """What goes wrong, in words for the person who reads the table."""

    CABLE = "cable unplugged"
    ROUTER_OFF = "router switched off"
    ADDRESS = "another address"
    SILENCE = "silence on the line"
    REJECT = "router rejects"
    LOSSY = "packets lost"
    FORGET = "router forgets connections"
    NO_NAMES = "names not answered"
    WRONG_NAMES = "wrong answers to names"
    PROXY = "proxy takes port 80"
    CLOUD_DOWN = "cloud killed and back"
    CLOUD_CUT = "cloud cuts the connection"
    CLOUD_MUTE = "cloud takes and never answers"
    CLOUD_REFUSES = "cloud refuses registrations"
    AGENT_KILLED = "agent killed"
    AGENT_HANGS = "agent hangs"
    WATCHDOG_KILLED = "watchdog killed"
    WATCHDOG_HANGS = "watchdog hangs"
    SUPERVISOR_KILLED = "supervisord killed"
    APPLICATION_SLOW = "application stands still"
    APPLICATION_KILLED = "application killed and back"
    STATE_FULL = "disk of the journal full"
    RUN_FULL = "disk of the status file full"
    CLOCK = "clock jumps"


@dataclass(frozen=True)
class Card:
    """How a kind is dealt. `length`: seconds, from and to; short ones are more frequent. `variants`: its manners."""

    place: Place
    length: tuple[float, float] = (0.0, 0.0)
    variants: tuple[str, ...] = ("",)
    count: int = 1
    ends_process: bool = False


CARDS = {
    Kind.CABLE: Card(Place.CABLE, (0.05, 8.0), count=4),
    Kind.ROUTER_OFF: Card(Place.CABLE, (1.0, 8.0)),
    Kind.ADDRESS: Card(Place.CABLE, (0.0, 2.0), count=2),
    Kind.SILENCE: Card(Place.ROUTER, (0.2, 12.0), count=4),
    Kind.REJECT: Card(Place.ROUTER, (0.5, 10.0), ("port-unreachable", "net-unreachable", "host-unreachable",
                                                  "admin-prohibited"), count=2),
    Kind.LOSSY: Card(Place.ROUTER, (3.0, 12.0), ("3", "10", "30"), count=2),
    Kind.FORGET: Card(Place.ROUTER, (6.0, 10.0), count=2),
    Kind.NO_NAMES: Card(Place.NAMES, (1.0, 12.0), ("silent", "fail", "away"), count=2),
    Kind.WRONG_NAMES: Card(Place.NAMES, (1.0, 10.0), ("10.77.1.1", "0.0.0.0", "203.0.113.99"), count=2),
    Kind.PROXY: Card(Place.PROXY, (1.0, 12.0), ("HTTP/1.1 400 Bad Request\\r\\n\\r\\n",
                                                "HTTP/1.1 302 Found\\r\\n\\r\\n", ""), count=2),
    Kind.CLOUD_DOWN: Card(Place.CLOUD, (0.0, 8.0), count=3),
    Kind.CLOUD_CUT: Card(Place.CLOUD, (0.0, 0.0), ("drop", "rst"), count=3),
    Kind.CLOUD_MUTE: Card(Place.CLOUD, (3.0, 12.0), ("dead", "ignore-heartbeats")),
    Kind.CLOUD_REFUSES: Card(Place.CLOUD, (1.0, 8.0)),
    Kind.AGENT_KILLED: Card(Place.AGENT, count=2, ends_process=True),
    Kind.AGENT_HANGS: Card(Place.AGENT, (0.5, 20.0), ends_process=True),
    Kind.WATCHDOG_KILLED: Card(Place.WATCHDOG, ends_process=True),
    Kind.WATCHDOG_HANGS: Card(Place.WATCHDOG, (1.0, 8.0)),
    Kind.SUPERVISOR_KILLED: Card(Place.SUPERVISOR, (0.0, 3.0), ends_process=True),
    Kind.APPLICATION_SLOW: Card(Place.APPLICATION, (0.5, 8.0), count=2),
    Kind.APPLICATION_KILLED: Card(Place.APPLICATION, (0.0, 3.0)),
    Kind.STATE_FULL: Card(Place.DISK, (1.0, 10.0), count=2),
    Kind.RUN_FULL: Card(Place.DISK, (1.0, 10.0)),
    Kind.CLOCK: Card(Place.CLOCK, (0.0, 0.0), ("+86400", "-86400", "+3600", "-3600", "+30", "-30"), count=2),
}


@dataclass(frozen=True)
class Fault:
    """One fault. `number` counts from 1 over all rounds; `at` and `length` in seconds, `at` from its round's begin."""

    number: int
    kind: Kind
    variant: str
    at: float
    length: float

    @property
    def place(self) -> Place:
        """Where it sits."""
        return CARDS[self.kind].place

    def __str__(self) -> str:
        return f"{self.kind.value}{f' ({self.variant!r})' if self.variant else ''}, {self.length:.1f} s"


def rounds(seed: int, pace: float) -> Iterator[tuple[Fault, ...]]:
    """Rounds without end, each in the order of `at`. pace: seconds between two faults on average."""
    dice = random.Random(seed)
    kinds = _kinds(dice)
    for first in itertools.count(1, ROUND):
        at, free, found = 0.0, dict.fromkeys(Place, 0.0), []
        for number in range(first, first + ROUND):
            kind = next(kinds)
            card = CARDS[kind]
            at = max(at + pace * dice.uniform(0.25, 1.75), free[card.place])
            shortest, longest = card.length
            length = shortest + (longest - shortest) * dice.random() ** 2
            free[card.place] = at + length + pace / 4
            found.append(Fault(number, kind, dice.choice(card.variants), at, length))
        yield tuple(found)


def _kinds(dice: random.Random) -> Iterator[Kind]:
    for deck in itertools.count():
        kinds = [kind for kind, card in CARDS.items() for _ in range(card.count)
                 if not card.ends_process or deck % KILLS == 0]
        dice.shuffle(kinds)
        yield from kinds
