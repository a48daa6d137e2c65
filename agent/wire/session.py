"""PURE. One connection's life, from the first byte to the last: what may happen when, and what is due.

| state       | sends           | receives → event                                | deadline                          |
|-------------|-----------------|-------------------------------------------------|-----------------------------------|
| CONNECTED   | Register        | nothing                                         | none                              |
|             | → REGISTERING   |                                                 |                                   |
| REGISTERING | nothing         | OK-REGISTRATION → Registered → ONLINE; anything | `registration.timeout` for it     |
|             |                 | else → Refused → REFUSED                        |                                   |
| ONLINE      | heartbeats,     | ack → Acknowledged, or SurplusAck;              | `ack_timeout` for the ack,        |
|             | responses       | a small Status → StatusNotice;                  | `interval` to the next heartbeat  |
|             |                 | OK-REGISTRATION → nothing;                      |                                   |
|             |                 | FAILED-… → Deregistered → REFUSED;              |                                   |
|             |                 | a corrected answer → Refused → REFUSED;         |                                   |
|             |                 | anything else → Transaction                     |                                   |
| REFUSED     | nothing         | nothing                                         | none                              |

Besides these, in every state: `frame_gap` and `patience` for the bytes of an unfinished message (`wire.framing`).

Rules

- A cloud that sends anything is alive: any payload but a StatusNotice lifts the ack's deadline. The heartbeat stays
  outstanding, so that its ack, when it comes after a transaction, is still known as one.
- An ack may come after the rest of an unfinished message. For half of `patience` after its last byte no heartbeat is
  due and no ack overdue; then the cloud is asked as always, since it may be dead and not only slow.
- A heartbeat is due `interval` after the last one, or after the registration, and only while idle; earlier at random,
  by up to EARLY of it, the first one by up to EARLY_AT_FIRST, and never later: terminals that came back together must
  not beat together. One that is asked for in between (`heartbeat`) counts as one; while an ack is awaited, no other is
  sent.
- A StatusNotice (`{"Status":"ERROR"}`) may mean that the cloud no longer has us: a heartbeat asks, as soon as the
  terminal is idle, but not sooner than `ack_timeout` after the last that was sent for this reason.
- With AckHeartbeat "false" nothing is ever outstanding.
- Messages that nobody asked for are taken from a bucket of BURST, which refills by REFILL a second: more of them than
  that are a protocol error.
"""
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from econduit_terminal.contract.reason import Reason

from . import dialect
from .dialect import Kind
from .errors import AnswerOverdue, MisuseError, ProtocolError
from .events import (
    Acknowledged,
    Deregistered,
    Refusal,
    Refused,
    Registered,
    SessionEvent,
    StatusNotice,
    SurplusAck,
    Transaction,
)
from .formats import bare
from .framing import Frame, Framer

EARLY, EARLY_AT_FIRST = 0.1, 0.5
"""Parts of `interval`."""
BURST, REFILL = 20_000, 1_000
"""Messages, messages a second. A point of sale sends one and waits for its answer; if it sends more it is told that we
are busy; if it never stops it loses the connection."""


class State(Enum):
    CONNECTED = auto()
    REGISTERING = auto()
    ONLINE = auto()
    REFUSED = auto()


_REFUSALS = {Kind.FAILED: Refusal.FAILED, Kind.INVALID_TYPE: Refusal.INVALID_TYPE}


@dataclass(frozen=True)
class Timing:
    """Settings of a session, durations in seconds; may be replaced while it lives."""
    registration_timeout: float
    interval: float
    ack_timeout: float
    frame_gap: float = 1.0
    patience: float = 20.0


class Session:
    """The protocol of one connection; `now` is monotonic time in seconds.

    registration: the Register message. ack: it asks for acks. max_message: bytes. terminates: this endpoint is known to
    terminate transactions. random: a number from 0 up to 1, each time another.
    """

    def __init__(self, registration: bytes, *, ack: bool, timing: Timing, max_message: int,
                 random: Callable[[], float], terminates: bool = False):
        self._registration = registration
        self._ack = ack
        self._random = random
        self._framer = Framer(max_message, gap=timing.frame_gap, patience=timing.patience, answers=dialect.ANSWERS,
                              counts=self._counts, terminates=terminates)
        self.timing = timing
        self.state = State.CONNECTED
        self._registered = False
        self._asked = 0.0                           # when Register was sent
        self._beat = 0.0                            # when the last heartbeat was sent, or the registration came
        self._early = 0.0                           # the part of `interval` by which the next one is early
        self._waiting_since: float | None = None    # since when an ack is awaited
        self._outstanding = 0                       # heartbeats whose ack did not come yet
        self._inquiry_from: float | None = None     # from when on a heartbeat may ask whether the cloud still has us
        self._inquired = float("-inf")              # when one did
        self._bucket = float(BURST)                 # messages that may come unasked
        self._filled = 0.0                          # when that was so

    @property
    def timing(self) -> Timing:
        return self._timing

    @timing.setter
    def timing(self, timing: Timing) -> None:
        self._timing = timing
        self._framer.gap, self._framer.patience = timing.frame_gap, timing.patience

    @property
    def pending(self) -> bool:
        """The beginning of a message is here and waits for its rest."""
        return self._framer.begun

    @property
    def terminates(self) -> bool:
        """The endpoint terminates transactions: it was known to, or one came that was."""
        return self._framer.terminates

    @property
    def _over(self) -> bool:
        return self.state is State.REFUSED

    # -- out -----------------------------------------------------------------------------------------------------------

    def register(self, now: float) -> bytes:
        """The first bytes to send."""
        self._expect(State.CONNECTED)
        self.state, self._asked = State.REGISTERING, now
        return self._registration

    def heartbeat(self, now: float) -> bytes:
        """The heartbeat to send now: the one that is due, or one that was asked for. Empty while an ack is awaited."""
        self._expect(State.ONLINE)
        if self._waiting_since is not None:
            return b""
        self._begin_interval(now, EARLY)
        if self._inquiry_from is not None:
            self._inquiry_from, self._inquired = None, now
        if self._ack:
            self._outstanding += 1
            self._waiting_since = now
        return dialect.HEARTBEAT

    def respond(self, payload: bytes) -> bytes:
        """The bytes that carry the payment application's answer. Raises MisuseError before a registration."""
        if not self._registered:
            raise MisuseError(f"no response while {self.state.name}, only once registered")
        return dialect.response(payload)

    # -- in ------------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> list[SessionEvent]:
        """The events in these bytes. Raises ProtocolError, whose `events` are then those before it."""
        events: list[SessionEvent] = []
        if self._over:
            return events
        self._framer.feed(data, now)
        try:
            while frame := self._framer.next_frame():
                events += self._events(frame, now)
                if self._over:
                    break
        except ProtocolError as error:
            raise ProtocolError(str(error), events) from error
        if self._waiting_since is not None and self._framer.begun:
            self._waiting_since = now
        return events

    def quiet(self, now: float) -> list[SessionEvent]:
        """The events that the time since the last byte makes of those that wait: a gap, the end of the registration's
        time. To be called when `deadline` is reached, and not while bytes wait to be received. Raises ProtocolError."""
        if self._over:
            return []
        frame = self._framer.quiet(now)
        events = self._events(frame, now) if frame else []
        if self.state is State.REGISTERING and now >= self._asked + self.timing.registration_timeout:
            return events + self.finish(now)
        return events

    def finish(self, now: float) -> list[SessionEvent]:
        """The stream ended: what came instead of a registration answer is one, however little it is."""
        begun = bare(self._framer.rest)
        if self.state is not State.REGISTERING or not begun or any(a.startswith(begun) for a in dialect.ANSWERS):
            return []
        return self._answered(begun, now)

    # -- time ----------------------------------------------------------------------------------------------------------

    def deadline(self, *, idle: bool) -> float | None:
        """When `quiet` or `check` has something to say next, if nothing arrives until then."""
        due = [at for at in (self._framer.deadline(), self._due(idle)) if at is not None]
        return min(due, default=None) if not self._over else None

    def check(self, now: float, *, idle: bool) -> bytes:
        """What is to be sent at `now`: a heartbeat that is due, or nothing. Raises AnswerOverdue."""
        due = self._due(idle)
        if due is None or now < due:
            return b""
        if self.state is State.REGISTERING:
            raise AnswerOverdue(Reason.NO_ANSWER.text(f"{self.timing.registration_timeout:g} s"))
        if self._waiting_since is not None:
            raise AnswerOverdue(Reason.NO_ACK.text(f"{self.timing.ack_timeout:g} s"))
        return self.heartbeat(now)

    def _due(self, idle: bool) -> float | None:
        if self.state is State.REGISTERING:
            return self._asked + self.timing.registration_timeout
        if self.state is not State.ONLINE:
            return None
        held = self._framer.last + self.timing.patience / 2 if self._framer.begun else 0.0
        if self._waiting_since is not None:
            return max(self._waiting_since, held) + self.timing.ack_timeout
        if not idle:
            return None
        beat = self._beat + self.timing.interval * (1 - self._early)
        return max(held, beat if self._inquiry_from is None else min(beat, self._inquiry_from))

    def _begin_interval(self, now: float, early: float) -> None:
        self._beat, self._early = now, early * self._random()

    # -- what payloads are ---------------------------------------------------------------------------------------------

    def _expect(self, state: State) -> None:
        if self.state is not state:
            raise MisuseError(f"not allowed while {self.state.name}, only while {state.name}")

    def _counts(self, payload: bytes) -> bool:
        """Only a terminated transaction shows an endpoint's habit: the document terminates the rest anyway."""
        return self.state is State.ONLINE and dialect.kind(payload) is Kind.TRANSACTION

    def _events(self, frame: Frame, now: float) -> list[SessionEvent]:
        if self.state is State.REGISTERING:
            return self._answered(frame.payload, now)
        if self.state is not State.ONLINE:
            return []           # nothing that a cloud says before Register has a meaning
        if frame.corrects:
            self.state = State.REFUSED
            return [Refused(dialect.text(frame.payload), Refusal.OTHER)]
        kind = dialect.kind(frame.payload)
        if kind in _REFUSALS:
            self.state = State.REFUSED
            return [Deregistered(dialect.text(frame.payload), _REFUSALS[kind])]
        if kind is not Kind.STATUS:
            self._waiting_since = None
        if kind is Kind.ACK and self._outstanding:
            self._outstanding -= 1
            return [Acknowledged()]
        self._count_unasked(now)
        match kind:
            case Kind.ACK:
                return [SurplusAck()]
            case Kind.ACCEPTED:
                return []
            case Kind.STATUS:
                if self._waiting_since is None and self._inquiry_from is None:
                    self._inquiry_from = max(now, self._inquired + self.timing.ack_timeout)
                return [StatusNotice(dialect.text(frame.payload))]
        return [Transaction(frame.payload)]

    def _answered(self, payload: bytes, now: float) -> list[SessionEvent]:
        kind = dialect.kind(payload)
        if kind is Kind.ACCEPTED:
            self.state, self._registered = State.ONLINE, True
            self._begin_interval(now, EARLY_AT_FIRST)
            return [Registered(now - self._asked)]
        self.state = State.REFUSED
        return [Refused(dialect.text(payload), _REFUSALS.get(kind, Refusal.OTHER))]

    def _count_unasked(self, now: float) -> None:
        self._bucket = min(float(BURST), self._bucket + REFILL * (now - self._filled)) - 1
        self._filled = now
        if self._bucket < 0:
            raise ProtocolError(Reason.FLOOD.text(BURST))
