"""PURE. How long to wait before the next dial, by what ended the connection.

| cause    | what happened                                          | wait                                    | counts |
|----------|--------------------------------------------------------|-----------------------------------------|--------|
| ASKED    | a new connection was asked for, or a better one stands | none                                    | no     |
| LOCAL    | the local network went away                            | `local_retry` ± 50 % at most            | no     |
| PATH     | the path is dead though the link is up                 | `local_retry` ± 50 %, steady            | no     |
| CLOUD    | the cloud closed, reset, refused or fell silent        | first 0…`first_retry`, then full jitter | yes    |
| REFUSED  | FAILED-REGISTRATION                                    | full jitter on top of 5 s               | yes    |
| REJECTED | FAILED-INVALID-TERMINAL-TYPE: other settings only      | `rejected_retry`                        | no     |

- Full jitter is random(0, min(`max_delay`, `base_delay` · 2ⁿ)): the terminals that one cloud lost at one moment do not
  come back at one moment ("Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
- Only failures that are the cloud's count towards n: an hour without a cable must not make the first dial slow.
- The count falls to zero only after `stable_after` seconds registered: a cloud that accepts and drops at once fails.
- A LOCAL or PATH wait runs from the start of the dial: while nothing answers, something is asked every `local_retry`.
"""
from dataclasses import dataclass
from enum import Enum

REFUSED_FLOOR = 5.0
"""Seconds that a refused registration waits at least."""


class Cause(Enum):
    ASKED = "asked for"
    LOCAL = "local network away"
    PATH = "path dead"
    CLOUD = "cloud"
    REFUSED = "registration refused"
    REJECTED = "registration rejected"


COUNTED = (Cause.CLOUD, Cause.REFUSED)
FROM_DIAL = (Cause.LOCAL, Cause.PATH)


@dataclass(frozen=True)
class Wait:
    """`seconds` until the next dial, and after how many counted failures in a row (`attempt`)."""
    seconds: float
    attempt: int


class Policy:
    """Counts failures. `reconnect`: the settings' section, may be replaced. `random()`: uniform in [0, 1)."""

    def __init__(self, reconnect, random):
        self.reconnect = reconnect
        self._random = random
        self.failures = 0

    def ended(self, cause: Cause, *, registered_for: float | None = None, dialed_for: float = 0.0) -> Wait:
        """The wait after an end.

        registered_for: seconds registered, None if never. dialed_for: seconds that the dial took.
        """
        if registered_for is not None and registered_for >= self.reconnect.stable_after:
            self.failures = 0
        if cause in COUNTED:
            self.failures += 1
        seconds = self._seconds(cause)
        if cause in FROM_DIAL:
            seconds = max(0.0, seconds - dialed_for)
        return Wait(seconds, self.failures)

    def _seconds(self, cause: Cause) -> float:
        rules = self.reconnect
        if cause is Cause.ASKED:
            return 0.0
        if cause in FROM_DIAL:
            return rules.local_retry * (0.5 + self._random())
        if cause is Cause.REJECTED:
            return rules.rejected_retry
        if cause is Cause.REFUSED:
            return REFUSED_FLOOR + self._jitter(self.failures - 1)
        if self.failures == 1:
            return rules.first_retry * self._random()
        return self._jitter(self.failures - 2)

    def _jitter(self, doublings: int) -> float:
        rules = self.reconnect
        return min(rules.max_delay, rules.base_delay * 2.0 ** min(doublings, 64)) * self._random()
