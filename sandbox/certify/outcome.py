"""What a case came to in a run. PURE."""
from dataclasses import dataclass

from econduit_terminal.sandbox.certify.table.model import Case, Verdict
from econduit_terminal.sandbox.certify.wire_log import Entry

WORSE = (Verdict.NOT_APPLICABLE, Verdict.INFO, Verdict.PASS, Verdict.NON_STRICT, Verdict.ADVICE, Verdict.INCONCLUSIVE,
         Verdict.FAIL)
"""From the best to the worst: of several findings for a case, the last in this order counts."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a case came to. `seconds`: how long its scene took; `wire`: the bytes meanwhile."""

    case: Case
    verdict: Verdict
    seen: str
    seconds: float
    wire: tuple[Entry, ...]
