"""PURE. What can happen to the cloud of a fleet: the scenes that the model and the load generator both play.

A scene is a list of phases; a phase says what each endpoint does from its beginning on, and who loses the connection
at that moment. Times are parts of the outage, which is chosen when a scene is played.

Rules

- Before the first phase every terminal is registered, at the primary, for longer than any `stable_after`, and idle.
- In the last phase the cloud works again and stays so: a scene is over when every terminal is registered.
- Both endpoints are doors of one cloud: what it can do (`Cloud`) they share.
"""
from dataclasses import dataclass
from enum import Enum

NODES = 10
"""Servers of the cloud that are restarted one after the other."""
DROPPED_AFTER = 1.0
"""Seconds after its registration at which a cloud in a crash loop drops a terminal."""


class Does(Enum):
    """What an endpoint does with those who dial it."""
    WORKS = "registers them, as many as the cloud can"
    REFUSES = "refuses the dial (RST): nobody listens"
    SILENT = "no answer to a dial: the host is gone"
    HANGS = "takes connections and registers nobody; what waits is worked off when the cloud works again"
    STALLED = "accepts nothing: the backlog fills, then dials are dropped; what waits is accepted when it works again"
    DROPS = "registers them and ends each connection soon after"


class Cut(Enum):
    """Who loses the connection when a phase begins."""
    NOBODY = "nobody"
    NODE = "the terminals of the next of the cloud's servers"
    EVERYBODY = "everybody"


@dataclass(frozen=True)
class Phase:
    """`begins`: a part of the outage, 0 to 1."""
    begins: float
    primary: Does
    secondary: Does
    cut: Cut = Cut.NOBODY


@dataclass(frozen=True)
class Scene:
    """`outage`: seconds, unless another is chosen; 0 where nothing is away, so that none can be chosen. `watched`:
    seconds that are played at least when the cloud works again."""
    name: str
    about: str
    outage: float
    phases: tuple[Phase, ...]
    watched: float = 0.0


@dataclass(frozen=True)
class Cloud:
    """What the cloud can do.

    budget: registrations a second, in the order in which their connections came. queue: connections that may be
    accepted and wait for their registration; while there are so many the cloud accepts no other. backlog: connections
    that may wait until they are accepted, at each endpoint; a dial beyond that is dropped and gets no answer
    (listen(2)). notices: the registration of a terminal that hung up while it waited costs nothing; otherwise it is
    worked off like any other, although nobody is registered by it.
    """
    budget: float = 2000.0
    queue: int = 65_536
    backlog: int = 4096
    notices: bool = False


def _away(does: Does, secondary: Does | None = None) -> tuple[Phase, ...]:
    """Everybody is dropped, and until the end of the outage the endpoints do this."""
    return Phase(0.0, does, secondary or does, Cut.EVERYBODY), Phase(1.0, Does.WORKS, Does.WORKS)


SCENES = (
    Scene("cut", "the cloud drops everybody at one moment, and works", 0.0,
          (Phase(0.0, Does.WORKS, Does.WORKS, Cut.EVERYBODY),)),
    Scene("one-endpoint", "the primary goes away with everybody on it; the secondary works", 600.0,
          _away(Does.REFUSES, Does.WORKS), watched=310.0),
    Scene("rolling", f"a rolling restart: {NODES} servers, one after the other, each drops its terminals", 300.0,
          tuple(Phase(node / NODES, Does.WORKS, Does.WORKS, Cut.NODE) for node in range(NODES))),
    Scene("crash-loop", f"the cloud registers whoever comes and drops them after {DROPPED_AFTER:g} s", 60.0,
          _away(Does.DROPS)),
    Scene("crowded", "the cloud takes connections and answers nobody", 60.0, _away(Does.HANGS)),
    Scene("backlog", "the cloud accepts nothing: its backlog is full, and dials are dropped", 60.0,
          _away(Does.STALLED)),
    Scene("away", "the cloud refuses every dial", 600.0, _away(Does.REFUSES)),
    Scene("vanished", "the cloud's hosts are gone: no answer to any dial", 600.0, _away(Does.SILENT)),
)
BY_NAME = {scene.name: scene for scene in SCENES}
