"""One after the other, in order of arrival: what waits, and the greenlet's loop that handles it."""
import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from gevent.event import Event

log = logging.getLogger("transactions")


class Labelled(Protocol):
    label: str


T = TypeVar("T", bound=Labelled)


class SerialQueue(Generic[T]):
    """handle(item) is called for each; what it raises goes to failed(item), and the next one's turn comes.

    handled() is called after each. current: the item that is being handled, else None.
    """

    def __init__(self, handle: Callable[[T], None], failed: Callable[[T], None], handled: Callable[[], None]):
        self.current: T | None = None
        self._waiting: deque[T] = deque()
        self._handle = handle
        self._failed = failed
        self._handled = handled
        self._wake = Event()

    def __len__(self) -> int:
        """How many are here: those that wait, and the current one."""
        return len(self._waiting) + (self.current is not None)

    def __iter__(self) -> Iterator[T]:
        if self.current is not None:
            yield self.current
        yield from self._waiting

    def add(self, item: T) -> None:
        self._waiting.append(item)
        self._wake.set()

    def clear(self) -> list[T]:
        """Those that wait, who will not be handled here."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def work(self) -> None:
        """The greenlet's work, without an end. Started again after a bug, it continues with those that wait."""
        self._wake.set()
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._waiting:
                item = self.current = self._waiting.popleft()
                try:
                    self._handle(item)
                except Exception:       # costs this one alone
                    log.exception("%s: failed", item.label)
                    self._failed(item)
                finally:
                    self.current = None
                    self._handled()
