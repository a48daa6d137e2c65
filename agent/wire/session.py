"""PURE. One connection's life, from the first byte to the last: what may happen when, and what is due.

| state       | sends           | receives → event                              | deadline                         |
|-------------|-----------------|-----------------------------------------------|----------------------------------|
| CONNECTED   | Register        | nothing                                       | none                             |
|             | → REGISTERING   |                                               |                                  |
| REGISTERING | nothing         | first payload: OK-REGISTRATION → Registered   | `registration.timeout` for it    |
|             |                 |  → ONLINE; anything else → Refused → REFUSED  |                                  |
| ONLINE      | heartbeats,     | ack while a heartbeat is outstanding          | `ack_timeout` for the ack,       |
|             | responses       |  → Acknowledged; other payload → Transaction  | `interval` to the next heartbeat |
| REFUSED     | nothing         | nothing                                       | none                             |

Rules

- A cloud that sends anything is alive: any payload lifts the ack's deadline, and the bytes of an unfinished one, behind
  which the ack may wait, begin it anew. The heartbeat stays outstanding, so that its ack, when it comes after a
  transaction, is still known as one.
- A heartbeat is due `interval` after the last one, or after the registration, and only while idle. One that is asked
  for in between (`verify`) counts as one; while an ack is awaited, no other is sent.
- With AckHeartbeat "false" nothing is ever outstanding.
"""
from dataclasses import dataclass
from enum import Enum, auto

from . import messages
from .errors import AnswerOverdue, MisuseError, ProtocolError
from .framing import Framer


class State(Enum):
    CONNECTED = auto()
    REGISTERING = auto()
    ONLINE = auto()
    REFUSED = auto()


@dataclass(frozen=True)
class Registered:
    """OK-REGISTRATION came, `seconds` after Register was sent."""
    seconds: float


@dataclass(frozen=True)
class Refused:
    """Any other answer came; `answer` is its text."""
    answer: str

    @property
    def invalid_type(self) -> bool:
        return self.answer == messages.INVALID_TYPE


@dataclass(frozen=True)
class Acknowledged:
    """The cloud acknowledged a heartbeat."""


@dataclass(frozen=True)
class Transaction:
    """A request for the payment application, exactly as it came, without the terminator."""
    request: bytes


@dataclass(frozen=True)
class Timing:
    """Settings of a session, durations in seconds; may be replaced while it lives."""
    registration_timeout: float
    interval: float
    ack_timeout: float


class Session:
    """The protocol of one connection; `now` is monotonic time in seconds."""

    def __init__(self, registration: bytes, *, ack: bool, timing: Timing, max_message: int):
        self._registration = registration
        self._ack = ack
        self.timing = timing
        self._framer = Framer(max_message, registration=True)
        self.state = State.CONNECTED
        self._asked = 0.0               # when Register was sent
        self._beat = 0.0                # when the last heartbeat was sent
        self._waiting_since = None      # since when an ack is awaited
        self._outstanding = 0           # heartbeats whose ack did not come yet

    @property
    def pending(self) -> bool:
        """Bytes wait for the rest of their message: call `quiet` after each gap."""
        return self._framer.pending

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
        self._beat = now
        if self._ack:
            self._outstanding += 1
            self._waiting_since = now
        return messages.HEARTBEAT

    def receive(self, data: bytes, now: float) -> list:
        """The events in these bytes. Raises ProtocolError, whose `frames` are then the events before the fault."""
        try:
            frames = self._framer.receive(data)
        except ProtocolError as error:
            raise ProtocolError(str(error), self._events(error.frames, now)) from error
        if self._waiting_since is not None and self._framer.begun:
            self._waiting_since = now
        return self._events(frames, now)

    def quiet(self, now: float) -> list:
        """The events that the end of a gap makes of the bytes that wait. Raises ProtocolError."""
        return self._events(self._framer.quiet(), now)

    def deadline(self, *, idle: bool) -> float | None:
        """When `check` has something to say next, if nothing arrives until then."""
        if self.state is State.REGISTERING:
            return self._asked + self.timing.registration_timeout
        if self.state is not State.ONLINE:
            return None
        if self._waiting_since is not None:
            return self._waiting_since + self.timing.ack_timeout
        if not idle:
            return None
        return self._beat + self.timing.interval

    def check(self, now: float, *, idle: bool) -> bytes:
        """What is to be sent at `now`: a heartbeat that is due, or nothing. Raises AnswerOverdue."""
        due = self.deadline(idle=idle)
        if due is None or now < due:
            return b""
        if self.state is State.REGISTERING:
            raise AnswerOverdue(f"no answer to the registration within {self.timing.registration_timeout:g} s")
        if self._waiting_since is not None:
            raise AnswerOverdue(f"heartbeat not acknowledged within {self.timing.ack_timeout:g} s")
        return self.heartbeat(now)

    def _expect(self, state: State) -> None:
        if self.state is not state:
            raise MisuseError(f"not allowed while {self.state.name}, only while {state.name}")

    def _events(self, frames, now: float) -> list:
        return [event for frame in frames if (event := self._event(frame, now)) is not None]

    def _event(self, frame: bytes, now: float):
        if self.state is State.REGISTERING:
            answer = messages.registration_answer(frame)
            if answer == messages.ACCEPTED:
                self.state, self._beat = State.ONLINE, now
                return Registered(now - self._asked)
            self.state = State.REFUSED
            return Refused(answer)
        if self.state is not State.ONLINE:
            return None         # nothing that a cloud says before Register or after its refusal has a meaning
        self._waiting_since = None
        if self._outstanding and messages.is_ack(frame):
            self._outstanding -= 1
            return Acknowledged()
        return Transaction(frame)
