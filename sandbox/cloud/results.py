"""The transactions that the cloud sent and the answers that came. PURE.

Rules

- A result is *pending* from the moment its request is sent until an answer comes, on whatever connection, however
  late. Only then is it final.
- An answer belongs to the pending results of its terminal with its RefID and, where it names one, its TransType (a
  Void reuses the RefID of its Sale). Requests sent again byte for byte share the answer.
- An answer without a RefID belongs to the oldest pending request of its terminal: terminals answer in order.
- A second answer for a final result is kept beside the first (`answers`) and is what is shown from then on.
- A RefID may be asked about every `check_interval` (5 s) for 36 of these after it was asked about first (3 minutes),
  then every six of them (30 s): the rhythm of the public pages.
- The oldest results go when there are more than `limit`, or more than `limit_bytes` of requests and answers.
"""
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

MAX_ANSWERS = 8
OFTEN, SELDOM = 36, 6


@dataclass(eq=False)
class Result:
    """One request to a terminal. `sent_at` is monotonic seconds; `answers` oldest first."""
    number: int
    ref: str
    command: str
    terminal: str
    amount: str
    request: bytes
    sent_at: float
    day: date
    answers: deque[bytes] = field(default_factory=lambda: deque(maxlen=MAX_ANSWERS))
    on_answer: Callable[[], object] | None = None

    @property
    def pending(self) -> bool:
        """Whether no answer came yet."""
        return not self.answers

    @property
    def size(self) -> int:
        """Bytes held."""
        return len(self.request) + sum(map(len, self.answers))


class Results:
    """All results, found by RefID or by terminal."""

    def __init__(self, limit: int = 10_000, limit_bytes: int = 64 << 20, check_interval: float = 5.0) -> None:
        self._limit, self._limit_bytes, self._check_interval = limit, limit_bytes, check_interval
        self._all: OrderedDict[int, Result] = OrderedDict()
        self._by_ref: dict[str, list[Result]] = {}
        self._pending: OrderedDict[int, Result] = OrderedDict()
        self._checked: OrderedDict[str, tuple[float, float]] = OrderedDict()      # first and last asked
        self._held = 0
        self._count = 0

    def start(self, ref: str, command: str, terminal: str, amount: str, request: bytes, *, now: float,
              day: date) -> Result:
        """A new pending result."""
        self._count += 1
        result = Result(self._count, ref, command, terminal, amount, request, now, day)
        self._all[result.number] = self._pending[result.number] = result
        self._by_ref.setdefault(ref, []).append(result)
        self._held += result.size
        self._prune()
        return result

    def forget(self, result: Result) -> None:
        """Takes a result out again: its request was never sent."""
        if self._all.pop(result.number, None) is None:
            return
        self._pending.pop(result.number, None)
        self._held -= result.size
        same = self._by_ref[result.ref]
        same.remove(result)
        if not same:
            del self._by_ref[result.ref]

    def answered(self, terminal: str, ref: str | None, trans_type: str | None,
                 answer: bytes) -> tuple[Result, bool] | None:
        """Files an answer: (its result, whether that was pending), or None when it belongs to nothing that was sent."""
        if ref is None:
            found = [r for r in self._pending.values() if r.terminal == terminal][:1]
        else:
            found = [r for r in self._by_ref.get(ref, ()) if r.terminal == terminal]
        typed = [r for r in found if trans_type and r.command.lower() == trans_type.lower()]
        found = typed or found
        waiting = [r for r in found if r.pending]
        if not found:
            return None
        first = waiting[0] if waiting else found[-1]
        for result in [r for r in waiting if r.request == first.request] or [first]:
            before = result.size
            result.answers.append(answer)
            self._held += result.size - before
            self._pending.pop(result.number, None)
            if result.on_answer is not None:
                result.on_answer()
        self._prune()
        return first, bool(waiting)

    def find(self, ref: str, command: str | None = None) -> Result | None:
        """The newest result of this RefID, of this command if given (any case)."""
        same = self._by_ref.get(ref, ())
        return next((r for r in reversed(same) if command is None or r.command.lower() == command.lower()), None)

    def last(self, terminal: str) -> Result | None:
        """The newest result of a terminal."""
        return next((r for r in reversed(self._all.values()) if r.terminal == terminal), None)

    def unanswered(self, terminal: str) -> Result | None:
        """The newest result of a terminal that no answer came for."""
        return next((r for r in reversed(self._pending.values()) if r.terminal == terminal), None)

    def too_soon(self, ref: str, now: float) -> float:
        """Seconds to wait before this RefID may be asked about again; 0: now, and counted as asked."""
        first, last = self._checked.get(ref, (now, None))
        interval = self._check_interval * (1 if now - first < OFTEN * self._check_interval else SELDOM)
        if last is not None and now - last < interval:
            return interval - (now - last)
        self._checked[ref] = first, now
        self._checked.move_to_end(ref)
        if len(self._checked) > self._limit:
            self._checked.popitem(last=False)
        return 0.0

    def _prune(self) -> None:
        while len(self._all) > self._limit or (self._held > self._limit_bytes and len(self._all) > 1):
            self.forget(next(iter(self._all.values())))
