"""PURE. One row of the journal, and what may become of it.

| event     | from                         | to        | when                                                         |
|-----------|------------------------------|-----------|--------------------------------------------------------------|
| hand over | (nothing)                    | handed    | before the first byte goes to the payment application        |
| answer    | handed                       | answered  | its answer, or the failure answer in its place, is in        |
| lose      | handed                       | unknown   | a start finds it: nobody knows if it ran. It never runs again |
| withdraw  | handed                       | (nothing) | the disk was so slow that it was not handed over after all   |
| deliver   | answered, delivered, expired | delivered | the cloud's TCP acknowledged all of the answer               |
| expire    | answered                     | expired   | too old to be sent unasked; a repeated request still gets it |
| scrub     | delivered, expired           | scrubbed  | `keep` is over; with card data in it: at once, with `deliver` |
"""
from dataclasses import dataclass
from enum import Enum, StrEnum

from .ages import Moment, age


class State(StrEnum):
    """In the order in which a row goes through them: of two versions of one row, the later is right."""
    HANDED = "handed"
    UNKNOWN = "unknown"
    ANSWERED = "answered"
    EXPIRED = "expired"
    DELIVERED = "delivered"
    SCRUBBED = "scrubbed"


class Event(Enum):
    """The table above: out of which states, into which."""
    ANSWER = (State.HANDED,), State.ANSWERED
    LOSE = (State.HANDED,), State.UNKNOWN
    DELIVER = (State.ANSWERED, State.DELIVERED, State.EXPIRED), State.DELIVERED
    EXPIRE = (State.ANSWERED,), State.EXPIRED
    SCRUB = (State.DELIVERED, State.EXPIRED), State.SCRUBBED

    def __init__(self, origins: tuple[State, ...], target: State):
        self.origins = origins
        self.target = target


class Outcome(StrEnum):
    """Who gave the answer: the application; the terminal, after a byte may have reached the application; or before."""
    ANSWER = "answer"
    FAILURE = "failure"
    NOT_RUN = "not_run"


RETAIN = 30 * 86400.0
"""Seconds that a row stays at least."""


@dataclass(frozen=True)
class Retention:
    """Seconds. keep: answers are kept so long. late_answer: and so long with card numbers in them."""
    keep: float
    late_answer: float

    @property
    def rows(self) -> float:
        """How long it is known that there was a transaction."""
        return max(RETAIN, self.keep)


@dataclass(frozen=True)
class Entry:
    """One transaction. `at` is the moment of the hand-over, then of the answer; the rest as in schema.py.

    answer: None as well where it is not here, but perhaps elsewhere (see `Journal.copy_to`).
    """
    id: int
    digest: bytes | None
    ref_id: str | None
    command: str | None
    request_size: int
    received: float
    at: Moment
    state: State = State.HANDED
    took: float | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    answer: bytes | None = None
    answer_size: int | None = None
    card: bool = False
    delivered: float | None = None
    ref: bytes | None = None
    declined: bool = False

    def counts(self, now: Moment, retention: Retention) -> bool:
        """May a request still be a duplicate of this one?"""
        if self.state in (State.HANDED, State.ANSWERED):
            return True
        received = self.state is not State.UNKNOWN and self.delivered is not None
        return age(self.at, now) <= (retention.keep if received else retention.rows)


@dataclass(frozen=True)
class Answered:
    """How it ended. reason: of a failure, for people. took: seconds. declined: a Void, and its answer says so."""
    answer: bytes
    outcome: Outcome
    reason: str | None
    took: float
    declined: bool = False


@dataclass(frozen=True)
class Duplicate:
    """Of `first`. voided: a later Void of it was handed over, and not declined."""
    first: Entry
    voided: bool = False
