"""A payment application that takes a given time and approves everything. PURE.

One transaction runs at a time; who asks meanwhile is told that the terminal is busy, as by the product's default. An
answer waits for a connection: the cloud gets it after the next registration.
"""
from econduit_terminal.sandbox.payment_app import outcomes

BUSY = outcomes.Outcome(result="Failed", message="Terminal Is Busy")


class Application:
    """`latency`: seconds from the request to the answer. `now`: monotonic seconds."""

    __slots__ = ("_answer", "_latency", "answered", "ready_at")

    def __init__(self, latency: float):
        self._latency = latency
        self._answer: bytes | None = None
        self.ready_at: float | None = None
        self.answered = 0

    @property
    def busy(self) -> bool:
        """A transaction runs, or its answer was not sent yet."""
        return self.ready_at is not None

    def take(self, request: bytes, now: float) -> bytes | None:
        """A request came. Returns what is to be said at once, if anything."""
        understood = outcomes.understand(request)
        if self.busy:
            return outcomes.answer(understood, BUSY, "")
        self.answered += 1
        self._answer = outcomes.answer(understood, outcomes.APPROVED, f"{self.answered % 1_000_000:06d}")
        self.ready_at = now + self._latency
        return None

    def answer(self, now: float) -> bytes | None:
        """The answer, once it is there; the terminal is free again."""
        if self.ready_at is None or now < self.ready_at:
            return None
        answer, self._answer, self.ready_at = self._answer, None, None
        return answer
