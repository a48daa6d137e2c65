"""PURE. Whether the connection is alive, from what the kernel knows of it: doubt, question, background dial, verdict.

A router that restarted forgets the connections that passed through it: fresh dials work, the old connection is dead,
and nobody says so. The doubt begins with the first probe of the kernel's keepalive, or the first byte, that nothing has
answered since. Its unit of time is `doubt_after` (300 ms), but never less than the line's own retransmission time.

| state | when                                             | what is done                                     | next  |
|-------|--------------------------------------------------|--------------------------------------------------|-------|
| TRUST | nothing is unanswered, or for less than 1 unit   | nothing                                          | TRUST |
| TRUST | something is, for 1 unit                         | ask over this connection                         | DOUBT |
| DOUBT | anything was received                            | the background dial is closed unused             | TRUST |
| DOUBT | after 7/3 units, none unused in the last 10 s    | background dial                                  | DOUBT |
| DOUBT | the dial has been open for 2 units               | verdict FORGOTTEN, or OVERSIZED                  | ended |
| DOUBT | after 19/3 units, and no dial is open            | verdict SILENT, or OVERSIZED                     | ended |
| any   | the cloud's data wait behind a hole for 10 units | verdict OVERSIZED, as soon as the terminal idles | ended |

Rules

- A healthy line costs no packet and one check every `keepalive_idle`. That comes one unit after the moment when the
  kernel has to ask by itself, and finds its answer or the doubt; nothing is polled.
- Any segment received ends the doubt, whatever it acknowledges; `segs_in` counts them all.
- The question is a heartbeat, if the terminal is idle. Repeating its bytes is then the kernel's business. During a
  transaction the keepalive is asked for another probe. A Linux peer answers one of these each 500 ms
  (tcp_invalid_ratelimit, ip-sysctl). By probes alone, FORGOTTEN waits for four of them after the dial opened.
- Full-size segments that die while small ones pass are lost by an MTU on the path (RFC 2923), not by the connection;
  but what follows them in the stream waits as well. OVERSIZED means: go on with smaller ones on a new connection.
- A process that was kept from running still gives the line its time: verdicts count from the question as well.
"""
import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

DIAL_AFTER = 7 / 3
DEAD_AFTER = 2.0
SILENT_AFTER = 19 / 3
HOLE_FOR = 10.0
"""In units; see the table."""
DIAL_EVERY = 10.0
"""Seconds from a background dial of which no use was made to the next."""
PROBE_EVERY = 0.5
"""Seconds between two probes, at least; or a unit, if that is longer."""
PROBES = 4
"""Probes after which silence is believed where nothing but probes was sent."""
CHECKS = 3
"""While in doubt, checks per unit."""
RTO_MIN = 0.2
"""TCP_RTO_MIN: seconds that the kernel waits at least, beyond the round trip, until it sends something again."""
TIMER_SLACK = 1 / 16
"""Share of its time by which a timer of the kernel may be late (the timer wheel, kernel/time/timer.c)."""
SEGMENTS = 1200, 536
"""Segment sizes (TCP_MAXSEG) for a path that loses larger ones: what QUIC takes to pass everywhere (RFC 9000, section
14), and what every host must take (RFC 9293, section 3.7.1)."""


class Reading(Protocol):
    """The part of tcp_info.TcpInfo that is looked at; its docstring says what each is."""

    @property
    def probes(self) -> int: ...
    @property
    def unacked(self) -> int: ...
    @property
    def sacked(self) -> int: ...
    @property
    def snd_mss(self) -> int: ...
    @property
    def outq(self) -> int: ...
    @property
    def notsent_bytes(self) -> int: ...
    @property
    def rtt(self) -> float: ...
    @property
    def rttvar(self) -> float: ...
    @property
    def last_ack_recv(self) -> float: ...
    @property
    def last_data_recv(self) -> float: ...
    @property
    def segs_in(self) -> int: ...
    @property
    def bytes_received(self) -> int: ...
    @property
    def behind_hole(self) -> bool: ...


class Verdict(Enum):
    """Why the connection is given up."""
    FORGOTTEN = "the line works, but not for this connection"
    SILENT = "nothing is answered any more"
    OVERSIZED = "full-size segments are lost on the way"


class Dial(Enum):
    """How the background dial is doing."""
    NONE = "there is none, or it failed"
    UNDER_WAY = "not open yet"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done now. `small`: the dial (the next one, with a verdict) is to take smaller segments."""
    ask: bool = False
    dial: bool = False
    small: bool = False
    close_dial: bool = False
    verdict: Verdict | None = None


NOTHING = Step()


@dataclass(slots=True)
class _Doubt:
    """Times are monotonic. `began`: the first unanswered probe or byte; the others are those of our own steps.

    segs_in: as it was when the doubt was raised. full_size: the first unanswered segment was.
    """
    began: float
    unit: float
    segs_in: int
    full_size: bool
    raised: float
    asked: float
    dialed: float | None = None
    opened: float | None = None

    @property
    def probe_every(self) -> float:
        return max(PROBE_EVERY, self.unit)


@dataclass(slots=True)
class Rules:
    """What outlives a connection: settings in seconds, which may be replaced; last_dial: when the last background dial
    began that was not used (yet)."""
    doubt_after: float
    keepalive_idle: float
    last_dial: float | None = None


class Liveness:
    """The check of one connection; `now` is monotonic time in seconds."""

    def __init__(self, rules: Rules, now: float):
        self._rules = rules
        self.next_check = now + rules.keepalive_idle + rules.doubt_after
        self._wrote: float | None = None        # the first write since all was acknowledged
        self._clean = now                       # when the kernel was last seen without a question of its own
        self._doubt: _Doubt | None = None
        self._received = 0                      # bytes in order, at the last check
        self._hole_since: float | None = None

    @property
    def doubting(self) -> bool:
        return self._doubt is not None

    def wrote(self, now: float) -> None:
        """Bytes were written to the connection."""
        if self._wrote is None:
            self._wrote = now
        self.next_check = min(self.next_check, now + self._rules.doubt_after)

    def check(self, now: float, reading: Reading, *, idle: bool, dial: Dial = Dial.NONE) -> Step:
        """What follows from a reading of `now`; due at `next_check`. A verdict is the last word."""
        unit = max(self._rules.doubt_after, reading.rtt + max(RTO_MIN, 4 * reading.rttvar))
        self._look_for_hole(now, reading)
        if self._hole_since is not None and now >= self._hole_since + HOLE_FOR * unit and idle:
            return Step(verdict=Verdict.OVERSIZED, small=True)
        if self._doubt is None:
            step = self._trust(now, reading, unit)
        elif reading.segs_in != self._doubt.segs_in:
            self._doubt = None
            step = replace(self._trust(now, reading, unit), close_dial=True)
        else:
            step = self._in_doubt(now, reading, self._doubt, dial)
        if self._hole_since is not None:
            self.next_check = min(self.next_check, max(self._hole_since + HOLE_FOR * unit, now + unit))
        return step

    def _trust(self, now: float, reading: Reading, unit: float) -> Step:
        heard = now - min(reading.last_ack_recv, reading.last_data_recv)
        if reading.unacked:
            began = heard if self._wrote is None else max(heard, self._wrote)
        else:
            self._wrote = None
            if not reading.probes:
                self._clean = now
            began = max(heard + self._rules.keepalive_idle, self._clean)
        unanswered = reading.unacked or reading.probes
        if not unanswered or now < began + unit:
            self.next_check = max(began + unit, now + unit / CHECKS, now + TIMER_SLACK * self._rules.keepalive_idle)
            return NOTHING
        self._doubt = _Doubt(began, unit, reading.segs_in, _full_size(reading), raised=now, asked=now)
        self.next_check = now + unit / CHECKS
        return Step(ask=reading.outq == 0)

    def _in_doubt(self, now: float, reading: Reading, doubt: _Doubt, dial: Dial) -> Step:
        if dial is not Dial.OPEN:
            doubt.opened = None
        elif doubt.opened is None:
            doubt.opened = now
        over_at, verdict = self._outcome(reading, doubt)
        if now >= over_at:
            return Step(verdict=verdict, small=verdict is Verdict.OVERSIZED)
        dial_at = math.inf if doubt.dialed else doubt.began + DIAL_AFTER * doubt.unit
        if self._rules.last_dial is not None:
            dial_at = max(dial_at, self._rules.last_dial + DIAL_EVERY)
        if begin_dial := now >= dial_at:
            doubt.dialed = self._rules.last_dial = now
        ask_at = math.inf if reading.outq else doubt.asked + doubt.probe_every
        if ask := now >= ask_at:
            doubt.asked = now
        later = [at for at in (over_at, dial_at, ask_at) if at > now]
        self.next_check = min(now + doubt.unit / CHECKS, *later)
        return Step(ask=ask, dial=begin_dial, small=doubt.full_size)

    def _outcome(self, reading: Reading, doubt: _Doubt) -> tuple[float, Verdict]:
        """When the doubt is over, if nothing is received until then, and how."""
        oversized = doubt.full_size and smaller(reading.snd_mss) is not None
        if doubt.opened is not None:
            by_probes = PROBES * doubt.probe_every if reading.outq == 0 else 0.0
            at = doubt.opened + max(by_probes, DEAD_AFTER * doubt.unit)
            return at, Verdict.OVERSIZED if oversized else Verdict.FORGOTTEN
        at = max(doubt.began + SILENT_AFTER * doubt.unit, doubt.raised + (SILENT_AFTER - 1.0) * doubt.unit)
        # Without a dial, only what the peer has of the later segments tells this from a dead line.
        sacked = oversized and reading.sacked > 0 and doubt.dialed is None
        return at, Verdict.OVERSIZED if sacked else Verdict.SILENT

    def _look_for_hole(self, now: float, reading: Reading) -> None:
        if not reading.behind_hole:
            self._hole_since = None
        elif self._hole_since is None or reading.bytes_received != self._received:
            self._hole_since = now
        self._received = reading.bytes_received


def smaller(segment: int) -> int | None:
    """The TCP_MAXSEG to try on a path that loses segments of this size; None where none is left."""
    return next((size for size in SEGMENTS if size < segment), None)


def _full_size(reading: Reading) -> bool:
    """Enough is in flight for a full-size segment at its front."""
    return reading.unacked > 0 and reading.outq - reading.notsent_bytes >= reading.snd_mss
