"""Whether a command can do what it is asked; why not is said on standard error, before its minutes of work begin if
that can be known."""
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Asked(Protocol):
    """Of the model."""

    @property
    def refusal(self) -> str | None:
        """Why it cannot be played, for people; None where it can."""


def playable(runs: Sequence[Asked]) -> bool:
    """Whether the model can play all of these."""
    refusals = [run.refusal for run in runs if run.refusal]
    for refusal in refusals:
        print(f"econduit-fleet: {refusal}", file=sys.stderr)
    return not refusals


def writable(file: Path) -> bool:
    """Whether it can be opened for writing. What is in it stays."""
    try:
        file.open("a").close()
    except OSError as error:
        return _unwritable(file, error)
    return True


def write(file: Path, text: str) -> bool:
    """Whether it was written: the disk may be full."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        return _unwritable(file, error)
    return True


def _unwritable(file: Path, error: OSError) -> bool:
    print(f"econduit-fleet: {file} cannot be written ({error.strerror})", file=sys.stderr)
    return False
