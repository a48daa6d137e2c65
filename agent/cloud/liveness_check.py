"""Carries out what the liveness check's table (liveness.py) says about one registered connection.

It reads the kernel's record when a check is due, asks, dials in the background, and says in words for people why the
connection is to be given up. The caller registers on what that opened; nothing was sent on it here.
"""
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import Reason

from .background_dial import BackgroundDial
from .connection import Connection
from .dialed import Dialed, DialFailed
from .liveness import Dial, Liveness, Rules, Verdict, smaller

log = logging.getLogger(__name__)

REASONS = {
    Verdict.FORGOTTEN: Reason.FORGOTTEN.text(),
    Verdict.SILENT: Reason.TIMED_OUT.text(),
    Verdict.OVERSIZED: Reason.OVERSIZED.text(),
}
"""What a verdict says on the display."""

EARLIEST = 1
"""Seconds: the shortest idle time that TCP_KEEPIDLE knows."""
TICK = 0.05
"""Seconds in which a timer of the kernel that is due has run (tcp(7) promises nothing; HZ is 100 at least)."""

DialWithMss = Callable[[Sequence[Endpoint], int | None], Dialed | DialFailed]
"""Opens a connection to one of these endpoints, with TCP_MAXSEG if that is given. Bounded; raises nothing but bugs."""


@dataclass(frozen=True)
class GivenUp:
    """The connection is useless.

    dialed: another one was dialed. successor: that one, if it is open. mss: the TCP_MAXSEG that the endpoint needs
    from now on; None where their size was not the cause.
    """
    verdict: Verdict
    dialed: bool
    successor: Dialed | None
    mss: int | None

    @property
    def reason(self) -> str:
        return REASONS[self.verdict]


class LivenessCheck:
    """endpoints: to dial, in this order. dial: see DialWithMss. wake: called when `check` has something to do."""

    def __init__(self, connection: Connection, rules: Rules, endpoints: Sequence[Endpoint], dial: DialWithMss,
                 wake: Callable[[], None]):
        self._connection = connection
        self._rules = rules
        self._endpoints = endpoints
        self._wake = wake
        self._liveness: Liveness | None = None
        self._small: int | None = None          # TCP_MAXSEG of the background dial
        self._background = BackgroundDial(lambda endpoints: dial(endpoints, self._small), wake)
        self._dial = Dial.NONE
        self._last_data = 0.0                   # the connection's, when the doubt was raised
        self._phase: deque[tuple[float, bool]] = deque()    # when the kernel is to ask early, and then as usual

    @property
    def next_check(self) -> float | None:
        """When `check` is due; None where nothing is checked."""
        if self._liveness is None:
            return None
        return min([self._liveness.next_check, *(at for at, _ in self._phase)])

    def start(self, now: float) -> None:
        """The connection is registered: it is worth a check.

        One early probe, at random, sets the moment of all that follow: a fleet that came back together must not ask
        together.
        """
        self._liveness = Liveness(self._rules, now)
        self._connection.on_write = self._wrote
        early = now + EARLIEST + max(0.0, self._rules.keepalive_idle - EARLIEST) * random.random()
        self._phase.extend(((early, True), (early + TICK, False)))

    def close(self) -> None:
        """The connection is over, and with it a background dial."""
        self._liveness = self._connection.on_write = None
        self._background.drop()

    def check(self, now: float, heartbeat: Callable[[], bool] | None) -> GivenUp | None:
        """Check if one is due. heartbeat: sends one and returns True, or has one under way; None while not idle."""
        self._keep_phase(now)
        liveness, before = self._liveness, self._dial
        self._dial = self._dial_in_background()
        if liveness is None or (now < liveness.next_check and self._dial is before):
            return None
        info = self._connection.info()
        if info is None:
            log.info("connection %d: the kernel says too little of it for a liveness check", self._connection.number)
            self._liveness = None
            return None
        doubted = liveness.doubting
        step = liveness.check(now, info, idle=heartbeat is not None, dial=self._dial)
        if step.verdict:
            return self._give_up(step.verdict, info.snd_mss)
        if doubted != liveness.doubting:
            self._tell(liveness.doubting)
        if step.close_dial:
            self._background.drop()
        if step.ask and not (heartbeat and heartbeat()):
            self._connection.keepalive_after(int(self._rules.keepalive_idle))
        if step.dial:
            log.info("connection %d: nothing is answered; another one is dialed beside it", self._connection.number)
            self._small = smaller(info.snd_mss) if step.small else None
            self._background.start(self._endpoints)
        return None

    def give_up_hole(self) -> GivenUp | None:
        """For a caller whose wait ended: OVERSIZED where what it waits for may be behind a hole, else None."""
        info = self._connection.info()
        if self._liveness is None or info is None or not info.behind_hole:
            return None
        return self._give_up(Verdict.OVERSIZED, info.snd_mss)

    def _keep_phase(self, now: float) -> None:
        while self._phase and now >= self._phase[0][0]:
            early = self._phase.popleft()[1]
            self._connection.keepalive_after(EARLIEST if early else int(self._rules.keepalive_idle))

    def _wrote(self) -> None:
        if self._liveness is not None:
            self._liveness.wrote(time.monotonic())
            self._wake()

    def _tell(self, doubting: bool) -> None:
        self._connection.hurry(doubting)
        if doubting:
            self._last_data = self._connection.last_data
            log.debug("connection %d: in doubt", self._connection.number)
        elif self._background.running:
            log.info("connection %d: answers again; the one dialed beside it is closed unused", self._connection.number)
        else:
            log.debug("connection %d: answers again", self._connection.number)

    def _dial_in_background(self) -> Dial:
        if not self._background.running:
            return Dial.NONE
        opened = self._background.opened()
        if opened is None:
            return Dial.UNDER_WAY
        return Dial.OPEN if isinstance(opened, Dialed) else Dial.NONE

    def _give_up(self, verdict: Verdict, segment: int) -> GivenUp:
        opened = self._background.opened() if self._background.running else None
        successor = opened if isinstance(opened, Dialed) else None
        dialed = self._background.running
        if successor:
            self._background.take()
            self._rules.last_dial = None        # it was of use: the limit is on those that are not
        if self._liveness is not None and self._liveness.doubting:
            self._connection.last_data = self._last_data        # our own unanswered question does not count
        self._connection.reset_on_close()
        return GivenUp(verdict, dialed, successor, smaller(segment) if verdict is Verdict.OVERSIZED else None)
