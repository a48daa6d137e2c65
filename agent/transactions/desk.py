"""One after the other, in order of arrival: a line of things and the greenlet's loop that sees to each."""
import logging
from collections import deque

from gevent.event import Event

log = logging.getLogger("transactions")


class Desk:
    """see_to(thing) is called for each; what it raises goes to failed(thing), and the next one's turn comes.

    seen_to() is called after each. current: the thing being seen to, else None.
    """

    def __init__(self, see_to, failed, seen_to):
        self.current = None
        self._line = deque()
        self._see_to = see_to
        self._failed = failed
        self._seen_to = seen_to
        self._wake = Event()

    def __len__(self) -> int:
        """How many are here: those in the line, and the current one."""
        return len(self._line) + (self.current is not None)

    def __iter__(self):
        if self.current is not None:
            yield self.current
        yield from self._line

    def add(self, thing) -> None:
        self._line.append(thing)
        self._wake.set()

    def clear(self) -> list:
        """Those in the line, who will not be seen to here."""
        taken = list(self._line)
        self._line.clear()
        return taken

    def work(self) -> None:
        """The greenlet: for ever. Started again after a bug, it goes on with those that wait."""
        self._wake.set()
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._line:
                self.current = self._line.popleft()
                try:
                    self._see_to(self.current)
                except Exception:
                    log.exception("%s: failed", self.current.label)
                    self._failed(self.current)
                finally:
                    self.current = None
                    self._seen_to()
