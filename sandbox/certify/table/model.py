"""The words of the examiner: statements, cases, verdicts. PURE.

A statement is one normative sentence of the document, a case is one thing that is tried, and judged with a verdict
(`MEANS`). Both are numbered by the document's sections; so that nobody takes one for the other, a statement is
written with a § wherever a person reads it: case 3.6 is about §3.4.
"""
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What became of a case; the value is the word in every report."""

    PASS = "PASS"
    NON_STRICT = "NON-STRICT"
    FAIL = "FAIL"
    ADVICE = "ADVICE"
    INFO = "INFO"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "N/A"


class Level(Enum):
    """What a case rests on: a demand, a recommendation, good practice, or nothing (it only measures)."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    PRACTICE = "PRACTICE"
    INFO = "INFO"


MEANS: dict[Verdict, str] = {
    Verdict.PASS: "holds",
    Verdict.NON_STRICT: "works, but not by the letter; fails with --strict",
    Verdict.FAIL: "a sentence of the document does not hold",
    Verdict.ADVICE: "good practice that no sentence demands did not hold; never fails a device",
    Verdict.INFO: "measured only; there is no rule",
    Verdict.INCONCLUSIVE: "could not be judged, with the reason: nobody to ask, or a case that it rests on failed",
    Verdict.NOT_APPLICABLE: "not tried: declared absent",
}
RESTS: dict[Level, str] = {
    Level.MUST: "a sentence of the document demands it",
    Level.SHOULD: "a sentence recommends it, or asks for it \"if possible\"",
    Level.PRACTICE: "good practice that no sentence demands; its verdict is ADVICE where it does not hold",
    Level.INFO: "measured only; there is no rule",
}


class Role(Enum):
    """Who is examined."""

    TERMINAL = "terminal"
    CLOUD = "cloud"


class Profile(Enum):
    """How much time there is; each contains the ones before it."""

    QUICK = "quick"
    FULL = "full"
    LONG = "long"

    def contains(self, other: "Profile") -> bool:
        """Whether a case of the profile `other` belongs to this one."""
        order = list(Profile)
        return order.index(other) <= order.index(self)


class Need(Enum):
    """What a case needs that may be declared absent; the value is the reason then."""

    SECONDARY = "declared: no second endpoint"
    DISPLAY = "declared: no display"
    WIFI = "declared: no Wi-Fi"
    CABLE = "declared: no cable"
    ACK = "declared: AckHeartbeat is \"false\""
    NO_ACK = "declared: AckHeartbeat is \"true\""
    STX = "declared: the format is not stx"
    URL = "no --url was given"
    SECOND_PORT = "no second endpoint was given"
    TYPES = "declared: this cloud takes every terminal type"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the document: `id` is section.sentence, the text our paraphrase."""

    id: str
    level: Level
    text: str
    untested: str = ""
    """Why no case tries it, where none does."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is tried. `rests_on`: cases without which a failure here says nothing of its own: it becomes
    INCONCLUSIVE when one of them failed, so that a fault is blamed once, where it is named."""

    id: str
    role: Role
    statements: tuple[str, ...]
    level: Level
    title: str
    does: str
    expects: str
    why: str
    rests_on: tuple[str, ...] = ()
    needs: frozenset[Need] = frozenset()
    profile: Profile = Profile.QUICK

    @property
    def about(self) -> str:
        """Its statements, for people: "§3.3 §3.4"."""
        return " ".join(f"§{statement}" for statement in self.statements)

    @property
    def order(self) -> tuple[int, ...]:
        """For sorting by number: 3.10 comes after 3.9."""
        return number(self.id)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a case came to, and the words for it."""

    verdict: Verdict
    seen: str


class Catalogue:
    """The cases of one role, in the order of their definition."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.cases: list[Case] = []

    def add(self, id_: str, statements: str, level: Level, title: str, *, does: str, expects: str, why: str,
            rests_on: Iterable[Case] = (), needs: Iterable[Need] = (), profile: Profile = Profile.QUICK) -> Case:
        """A new case; `statements` are separated by spaces."""
        case = Case(id_, self.role, tuple(statements.split()), level, title, does, expects, why,
                    tuple(other.id for other in rests_on), frozenset(needs), profile)
        self.cases.append(case)
        return case


def number(id_: str) -> tuple[int, ...]:
    """"C3.10" → (3, 10)."""
    return tuple(int(part) for part in id_.lstrip("C").split("."))
