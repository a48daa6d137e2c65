"""A progress bar on standard error, where that is a terminal."""
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Told:
    """How far the work is."""

    def __init__(self, progress: Progress, task: TaskID):
        self._progress = progress
        self._task = task
        self._steps = -1

    def at(self, completed: float) -> None:
        """So much of the total is done."""
        self._progress.update(self._task, completed=completed)

    def next(self, description: str) -> None:
        """Another step begins; the ones before are done."""
        self._steps += 1
        self._progress.update(self._task, completed=self._steps, description=description)


@contextmanager
def bar(console: Console, what: str, total: float, done: str) -> Iterator[Told]:
    """While it lasts. total: of what `Told` is told; done: how that is shown, with {task.completed}."""
    with Progress(TextColumn("{task.description}"), BarColumn(), TextColumn(done), TimeElapsedColumn(),
                  TextColumn("left about"), TimeRemainingColumn(), console=console, transient=True,
                  disable=not console.is_terminal) as progress:
        yield Told(progress, progress.add_task(what, total=total))
