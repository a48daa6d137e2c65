"""What changed between two runs. PURE."""
from dataclasses import dataclass

from econduit_terminal.sandbox.certify.report.result import Record
from econduit_terminal.sandbox.certify.table.model import number

ORDER = ("FAIL", "INCONCLUSIVE", "ADVICE", "NON-STRICT", "INFO", "N/A", "PASS")


@dataclass(frozen=True, slots=True)
class Change:
    """A case whose verdict is another one. `worse`: nearer to FAIL than before, or gone."""

    case: str
    title: str
    before: str
    after: str
    seen: str

    @property
    def worse(self) -> bool:
        """Whether somebody should look at it."""
        return ORDER.index(self.after) < ORDER.index(self.before) if self.after in ORDER and self.before in ORDER \
            else self.after == "absent"


def compare(first: Record, second: Record) -> list[Change]:
    """Every case that came to another verdict, or is only in one of them, by number."""
    before = {case["case"]: case for case in first["cases"]}
    after = {case["case"]: case for case in second["cases"]}
    changes = []
    for name in sorted(before.keys() | after.keys(), key=lambda name: (name.startswith("C"), number(name))):
        one, two = before.get(name), after.get(name)
        old, new = (case["verdict"] if case else "absent" for case in (one, two))
        if old != new:
            any_ = two or one or {}
            changes.append(Change(name, any_.get("title", ""), old, new, (two or {}).get("seen", "")))
    return changes
