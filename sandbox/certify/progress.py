"""What a run looks like in a terminal: a line for each case, a progress bar below them."""
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from econduit_terminal.sandbox.certify.outcome import Result
from econduit_terminal.sandbox.certify.table.model import Case, Verdict

STYLE = {Verdict.PASS: "green", Verdict.NON_STRICT: "yellow", Verdict.FAIL: "bold red", Verdict.ADVICE: "yellow",
         Verdict.INFO: "cyan", Verdict.INCONCLUSIVE: "magenta", Verdict.NOT_APPLICABLE: "dim"}
MAX_SEEN = 160


class Bar:
    """A context manager. Without a terminal there are only the lines."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True, markup=True)
        self._progress = Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
                                  TextColumn("left about"),
                                  TimeRemainingColumn(), console=self._console, transient=True,
                                  disable=not self._console.is_terminal)
        self._task = self._progress.add_task("waiting for the device", total=None)

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def begins(self, cases: Sequence[Case], done: float, total: float) -> None:
        """See Watcher."""
        self._progress.update(self._task, total=total, completed=done, description=escape(cases[0].title[:50]))

    def result(self, result: Result) -> None:
        """See Watcher."""
        word = f"[{STYLE[result.verdict]}]{result.verdict.value:<12}[/]"
        seen = result.seen if len(result.seen) <= MAX_SEEN else result.seen[:MAX_SEEN] + "…"
        self._console.print(f"{word} {result.case.id:<6}{escape(result.case.title)}: {escape(seen)}")

    def said(self, text: str) -> None:
        """See Watcher."""
        self._console.print(f"[dim]{escape(text)}[/]")
