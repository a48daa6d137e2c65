"""What came from elsewhere, with the moment of each, for whoever waits for it."""
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class History(Generic[T]):
    """Any thread adds; `entries` are (monotonic time, value), oldest first."""

    def __init__(self) -> None:
        self.entries: list[tuple[float, T]] = []
        self._grown = threading.Condition()

    def add(self, value: T) -> None:
        """It came now."""
        with self._grown:
            self.entries.append((time.monotonic(), value))
            self._grown.notify_all()

    def first(self, wanted: Callable[[T], object], timeout: float, after: float = 0.0) -> tuple[float, T] | None:
        """The first that came after a moment and is wanted, be it already there; None if none comes in time."""
        found: tuple[float, T] | None = None

        def look() -> bool:
            nonlocal found
            found = next((entry for entry in self.entries if entry[0] >= after and wanted(entry[1])), None)
            return found is not None

        with self._grown:
            self._grown.wait_for(look, timeout)
        return found
