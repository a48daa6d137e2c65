"""What an earlier process left to be delivered, and once a minute what has become too old."""
import logging

import gevent
from gevent.event import Event

from ..journal.ages import before
from ..journal.worker import JournalStuck, JournalWorker
from .delivery import DeliveryQueue, PendingResponse
from .report import Report

UPKEEP = 60.0
"""Seconds between two rounds."""

log = logging.getLogger("transactions")


class Upkeep:
    """adopted: set when the answers of an earlier process are in the queue, or cannot be read."""

    def __init__(self, journal: JournalWorker, delivery: DeliveryQueue, report: Report):
        self.adopted = Event()
        self._journal = journal
        self._delivery = delivery
        self._report = report
        self._generation: int | None = None

    def work(self) -> None:
        """A greenlet's work, without an end."""
        while True:
            try:
                if self._journal.generation != self._generation:
                    self._adopt()
                if not self._delivery.busy:
                    self._delivery.sort_out()
                self.adopted.set()
                self._journal.housekeep()
            except JournalStuck as error:
                log.error("%s", error)
            except Exception:       # the next minute may be better
                log.exception("upkeep failed")
            self.adopted.set()
            self._report.change()
            gevent.sleep(UPKEEP)

    def _adopt(self) -> None:
        born = self._journal.born
        for entry in self._journal.pending():
            if entry.answer is not None and before(entry.at, born) and not self._delivery.carries(entry.id):
                label = f"RefID={entry.ref_id} command={entry.command} of an earlier run"
                log.info("%s: its answer of %d bytes is still to be delivered", label, len(entry.answer))
                self._delivery.add(PendingResponse(entry.answer, label, entry.at, entry.id))
        self._delivery.sort_out()
        self._generation = self._journal.generation
