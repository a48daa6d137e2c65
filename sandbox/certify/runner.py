"""Plays scenes one after the other and turns what they report into the cases' results.

A scene that fails for a reason of its own (the device is gone, the person cannot) leaves its cases INCONCLUSIVE. A case
that failed while one that it rests on failed too says nothing of its own: INCONCLUSIVE, with the number to look at.
"""
import asyncio
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from econduit_terminal.sandbox.certify.exam import DeviceGone
from econduit_terminal.sandbox.certify.outcome import WORSE, Result
from econduit_terminal.sandbox.certify.person import Cannot
from econduit_terminal.sandbox.certify.table.model import Case, Finding, Level, Need, Profile, Verdict
from econduit_terminal.sandbox.certify.wire_log import WireLog, told

ENOUGH = 900.0
"""Seconds beyond its estimate after which a scene is given up."""


class Watcher(Protocol):
    """Whoever follows the run: the progress bar, the page."""

    def begins(self, cases: Sequence[Case], done: float, total: float) -> None:
        """A scene begins; `done` of `total` seconds are over, by the estimates."""

    def result(self, result: Result) -> None:
        """A case has come to its end."""

    def said(self, text: str) -> None:
        """A line about what happens."""


class Subject(Protocol):
    """What runs are made with: an exam of a terminal or of a cloud."""

    findings: dict[Case, Finding]

    @property
    def log(self) -> WireLog:
        """The bytes and notes of the run so far."""

    @property
    def now(self) -> float:
        """Seconds since the run began."""

    async def settle(self) -> None:
        """The usual state, between scenes."""

    async def revive(self) -> bool:
        """Tries to get a device back that has gone; whether it is there."""


S = TypeVar("S", bound=Subject, contravariant=True)


class Played(Protocol[S]):
    """A scene."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """What is judged from it."""

    async def play(self, subject: S) -> None:
        """Play the scene; findings go to the exam."""

    def seconds(self, subject: S) -> float:
        """How long it takes."""


R = TypeVar("R", bound=Subject)


def why_not(case: Case, absent: frozenset[Need]) -> str:
    """Why a case is not tried where something is declared absent, or ""."""
    return next((need.value for need in Need if need in case.needs & absent), "")


class Runner(Generic[R]):
    """One run of chosen cases."""

    def __init__(self, subject: R, chosen: Iterable[Case], absent: frozenset[Need], profile: Profile,
                 watchers: Sequence[Watcher]) -> None:
        self.subject, self.absent, self.profile, self.watchers = subject, absent, profile, watchers
        self.chosen = [case for case in chosen if profile.contains(case.profile)]
        self.results: dict[Case, Result] = {}
        self.gone = ""
        """Why the device is not asked any more."""

    def applies(self, case: Case) -> str:
        """Why a case is not tried with this declaration, or ""."""
        return why_not(case, self.absent)

    async def play(self, scenes: Sequence[Played[R]]) -> None:
        """Every scene that has a chosen case."""
        wanted = [scene for scene in scenes
                  if any(case in self.chosen and not self.applies(case) for case in scene.cases)]
        for case in self.chosen:
            if reason := self.applies(case):
                self._finish(case, Finding(Verdict.NOT_APPLICABLE, reason), 0.0, 0.0)
        total, done = sum(scene.seconds(self.subject) for scene in wanted) or 1.0, 0.0
        for at, scene in enumerate(wanted):
            cases = [case for case in scene.cases if case in self.chosen and not self.applies(case)]
            later = {case for other in wanted[at + 1:] for case in other.cases}
            for watcher in self.watchers:
                watcher.begins(cases, done, total)
            start = self.subject.now
            trouble = self.gone or await self._one(scene)
            end = self.subject.now
            for case in (case for case in cases if case not in later):
                finding = self.subject.findings.get(case) or Finding(Verdict.INCONCLUSIVE, trouble
                                                                     or "nothing was found out")
                self._finish(case, finding, start, end)
            done += scene.seconds(self.subject)
        self._weigh_again()

    def give_up(self, reason: str) -> None:
        """What has no result yet is INCONCLUSIVE: the run has ended early."""
        for case in self.chosen:
            if case not in self.results:
                finding = self.subject.findings.get(case) or Finding(Verdict.INCONCLUSIVE, reason)
                self._finish(case, finding, 0.0, 0.0)

    async def _one(self, scene: Played[R]) -> str:
        """Plays one; what stood in its way, or ""."""
        trouble = ""
        titles = ", ".join(case.id for case in scene.cases)
        try:
            async with asyncio.timeout(scene.seconds(self.subject) + ENOUGH):
                await scene.play(self.subject)
        except Cannot as reason:
            trouble = str(reason)
        except TimeoutError:
            trouble = "it took too long and was given up"
        except DeviceGone:
            trouble = "the device did not come back"
        except OSError as error:
            trouble = f"the examiner's own network failed it: {error}"
        except (AssertionError, LookupError, ValueError, TypeError, AttributeError, RuntimeError) as mistake:
            self._say(traceback.format_exc())
            trouble = f"a mistake in the examiner: {mistake!r}"
        try:
            await self.subject.settle()
            if trouble == "the device did not come back" and not await self.subject.revive():
                self.gone = f"the device did not come back (during case {titles})"
                self._say(self.gone)
        except DeviceGone:
            self.gone = f"the device did not come back (during case {titles})"
        except OSError as error:
            self.gone = f"the examiner's own network failed it (during case {titles}): {error}"
        return trouble

    def _weigh_again(self) -> None:
        """What failed later may be the reason for what failed earlier."""
        for case, result in list(self.results.items()):
            if result.verdict in (Verdict.FAIL, Verdict.ADVICE):
                finding = self._weighed(case, Finding(Verdict.FAIL, result.seen))
                if finding.verdict is Verdict.INCONCLUSIVE:
                    self.results[case] = replace(result, verdict=finding.verdict, seen=finding.seen)
                    self._say(f"{case.id}: {finding.seen}")

    def _say(self, text: str) -> None:
        for watcher in self.watchers:
            watcher.said(text)

    def _finish(self, case: Case, finding: Finding, start: float, end: float) -> None:
        finding = self._weighed(case, Finding(finding.verdict, told(finding.seen)))
        wire = tuple(self.subject.log.between(start, end)) if end > start else ()
        result = Result(case, finding.verdict, finding.seen, end - start, wire)
        before = self.results.get(case)
        if before is None or WORSE.index(result.verdict) > WORSE.index(before.verdict):
            self.results[case] = result
        for watcher in self.watchers:
            watcher.result(result)

    def _weighed(self, case: Case, finding: Finding) -> Finding:
        if finding.verdict is Verdict.FAIL:
            broken = [other for other in case.rests_on if any(
                done.id == other and found.verdict is Verdict.FAIL for done, found in self.subject.findings.items())]
            if broken:
                return Finding(Verdict.INCONCLUSIVE, f"{finding.seen}; but case {', '.join(broken)} failed, on which "
                               f"it rests")
        if case.level is Level.PRACTICE and finding.verdict in (Verdict.FAIL, Verdict.NON_STRICT):
            return Finding(Verdict.ADVICE, finding.seen)
        return finding
