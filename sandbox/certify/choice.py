"""Which cases are asked for: --only, --from-failed. PURE."""
import re
from collections.abc import Iterable, Sequence

from econduit_terminal.sandbox.certify.table.model import Case

PASSED = {"PASS", "INFO", "N/A"}


class NoSuchCase(Exception):
    """What was asked for is not in the table; the text names it."""


def chosen(cases: Sequence[Case], only: Iterable[str]) -> list[Case]:
    """The cases that `only` names: "3.6", "3", "3.6,4"; all when it names none. Raises NoSuchCase."""
    words = [word.strip() for text in only for word in text.split(",") if word.strip()]
    if not words:
        return list(cases)
    found: list[Case] = []
    for word in words:
        if not re.fullmatch(r"C?\d+(\.\d+|\.)?", word):
            raise NoSuchCase(f"--only {word}: the number of a case (3.6) or of a section (3)")
        plain = word.lstrip("C").rstrip(".")
        hits = [case for case in cases if case.id.lstrip("C") == plain or case.id.lstrip("C").split(".")[0] == plain]
        if not hits or (word.startswith("C") and not cases[0].id.startswith("C")):
            raise NoSuchCase(f"--only {word}: there is no such case; --list shows them all")
        found += [case for case in hits if case not in found]
    return [case for case in cases if case in found]


def failed(cases: Sequence[Case], verdicts: dict[str, str]) -> list[Case]:
    """The cases that did not pass, by an earlier run's case → verdict."""
    return [case for case in cases if verdicts.get(case.id, "absent") not in PASSED and case.id in verdicts]
