"""Transactions from the cloud's connection to the payment application and back: no one charged twice, no approval lost.

| a request comes, and …                               | it gets                                                       |
|------------------------------------------------------|---------------------------------------------------------------|
| the same (identity.py) is under way                  | nothing of its own: the one answer is for both                |
| the same was answered, nobody got it yet             | likewise                                                      |
| the same was answered and delivered                  | the kept answer again                                         |
| … and its answer is scrubbed                         | the failure answer that says so                               |
| … a Sale or Auth, and voided since                   | the failure answer that says so                               |
| … a TipAdjust, and another TipAdjust came since      | its turn, like a new one                                      |
| the same was answered, never delivered, not kept     | the failure answer that says when: to be checked              |
| the same was handed over, its outcome is unknown     | likewise; it is never run again                               |
| `queue` others wait already                          | the failure answer `busy`; it did not run, may be repeated    |
| the disk does not say whether it ran before          | the failure answer that says so; it did not run now           |
| the agent is stopping                                | the failure answer that says so; likewise                     |
| none of these                                        | its turn: journal, application, journal, cloud, journal       |

One greenlet each for what comes in (`_sort`), for the application (`_running`), for the way back (`_delivery`) and for
upkeep. A greenlet that fails is started again; a transaction that fails gets the failure answer. A flood of requests
gets its answers and one line in the log (flood.py).
"""
import logging
import time

from econduit_terminal.conf.schema import Settings

from ..journal.ages import when
from ..journal.entry import Answered, Duplicate, Entry, Retention, State
from ..journal.worker import JournalStuck, JournalWorker
from ..restarting import RestartingGreenlets
from . import failure_reasons
from .application import PaymentApplication
from .declined import declined
from .delivery import DeliveryQueue, PendingResponse
from .failpoints import failpoint
from .identity import Command
from .report import Report, StatusStore
from .request import Connection, Request, shown
from .serial_queue import SerialQueue
from .upkeep import Upkeep

MAX_INTAKE = 8

log = logging.getLogger("transactions")


class Processor:
    """Where requests come in, and who sends answers over the connection that is attached."""

    def __init__(self, settings: Settings, terminal_id: str, journal: JournalWorker, store: StatusStore):
        self._journal = journal
        self._application = PaymentApplication(settings.transactions, terminal_id)
        self._intake: SerialQueue[Request] = SerialQueue(self._place, self._refuse, lambda: self._report.change())
        self._running: SerialQueue[Request] = SerialQueue(self._run, self._refuse, lambda: self._report.tell())
        self._delivery = DeliveryQueue(settings.transactions.late_answer, journal.now, self._delivered, self._expired)
        self._report = Report(store, lambda: self.busy, lambda: {
            "pending": self._delivery.waiting, "lost": self._journal.lost})
        self._draining = False
        self._upkeep = Upkeep(journal, self._delivery, self._report)
        self._greenlets = RestartingGreenlets(log)
        self.reconfigure(settings, terminal_id)

    # -- for the link and the application ----------------------------------------------------------------------------

    def start(self) -> None:
        for work in (self._upkeep.work, self._sort, self._running.work, self._delivery.work, self._report.tell_changes,
                     self._report.tell_floods):
            self._greenlets.start(work)

    def close(self) -> None:
        """Stop everything at once; the journal stays open. What runs becomes `unknown` at the next start."""
        self._greenlets.stop()

    def reconfigure(self, settings: Settings, terminal_id: str) -> None:
        self._settings = settings.transactions
        self._application.settings, self._application.terminal_id = settings.transactions, terminal_id
        self._delivery.late_answer = settings.transactions.late_answer
        self._journal.retention = Retention(settings.transactions.keep, settings.transactions.late_answer)

    def receive(self, request: bytes) -> None:
        """A transaction came in over the attached connection. Returns at once, never raises."""
        try:
            self._receive(Request.of(bytes(request), self._delivery.connection, self._settings.ref_id_field))
        except Exception:       # costs this request alone
            log.exception("a request of %d bytes could not be taken in", len(request))

    def attach(self, connection: Connection) -> None:
        """`connection` is registered: answers go there."""
        self._delivery.attach(connection)
        self._report.change()

    def detach(self, connection: Connection) -> None:
        """`connection` is gone: answers wait for the next."""
        self._delivery.detach(connection)
        self._report.change()

    @property
    def busy(self) -> bool:
        """A transaction runs or waits, or an answer is being sent."""
        return bool(self._intake or self._running or self._delivery.busy)

    def drain(self, timeout: float) -> bool:
        """Take nothing new and wait up to `timeout` seconds for the one that runs and for the answers: all done?

        Without a connection, answers wait in the journal for the next start; if that is in memory alone, here.
        """
        self._draining = True
        deadline = time.monotonic() + timeout
        for request in self._running.clear():
            self._intake.add(request)       # it may be a duplicate of one that has its answer
        while self.busy or (self._delivery.waiting and not self._journal.durable):
            self._report.settled.clear()
            if not self._report.settled.wait(max(0.0, deadline - time.monotonic())):
                return False
        return True

    def counts(self) -> dict[str, int]:
        """By what happened since the start. `pending`: answers that wait now; `lost`: unknown since an earlier run."""
        return self._report.counts()

    # -- in ----------------------------------------------------------------------------------------------------------

    def _receive(self, request: Request) -> None:
        self._report.count("received")
        request.hidden = self._report.crowded()
        if not request.hidden:
            log.info("%s: received, %d bytes", request.label, len(request.body))
        failpoint("received")
        if (other := self._under_way(request)) is not None:
            other.connection = request.connection       # a refusal, too, goes to the connection that asked last
            self._attached(request)
        elif len(self._intake) >= max(MAX_INTAKE, self._settings.queue + 2):    # a burst that the queue takes in
            self._busy(request, known_new=False)
        else:
            self._intake.add(request)
        self._report.change()

    def _remembers(self, request: Request) -> bool:
        """Can it be a duplicate at all?"""
        return request.identity is not None and self._settings.duplicates == "replay"

    def _under_way(self, request: Request) -> Request | None:
        """The same request, if it has not got its answer yet. A TipAdjust after a different one is not the same."""
        if not self._remembers(request):
            return None
        under_way: list[Request] = [*self._running, *self._intake]
        for other in reversed(under_way):
            if request.same_as(other):
                return other
            if request.adjusts_differently(other):
                return None
        return None

    def _sort(self) -> None:
        self._upkeep.adopted.wait()     # else an answer of an earlier process could go out twice
        self._intake.work()

    def _place(self, request: Request) -> None:
        """Duplicates that need no turn are answered at once; the rest gets its place in the queue."""
        duplicate = None
        if request.identity and self._remembers(request) and (self._draining or self._running):     # else `_run` does
            try:
                duplicate = self._journal.find(request.identity)
            except JournalStuck:
                self._refuse(request, failure_reasons.NOT_LOOKED_UP)
                return
            if duplicate is not None and not self._depends(request, duplicate):
                self._again(request, duplicate)
                return
        if self._draining:
            self._refuse(request, failure_reasons.STOPPING if duplicate is None else failure_reasons.RESTARTING)
        elif len(self._running) > self._settings.queue:
            self._busy(request, known_new=duplicate is None)
        else:
            self._running.add(request)

    def _depends(self, request: Request, duplicate: Duplicate) -> bool:
        """What it gets depends on another, whose turn comes first."""
        if any(map(request.adjusts_differently, self._running)):
            return True
        delivered = duplicate.first.delivered is not None and not duplicate.voided
        return delivered and any(map(request.voided_by, self._running))

    def _attached(self, request: Request) -> None:
        self._report.count("attached")
        if not request.hidden:
            log.info("%s: the same request is under way, its answer is for both", request.label)

    def _again(self, request: Request, duplicate: Duplicate) -> None:
        """The same as `duplicate.first`, and not run again."""
        first, waiting = duplicate.first, self._delivery.find(duplicate.first.id)
        if duplicate.voided and request.identity:
            self._refuse(request, failure_reasons.USED.format(command=request.identity.command.value))
        elif waiting is not None:
            waiting.since = self._journal.now()
            self._attached(request)
        elif first.answer is not None and self._delivery.full:
            self._busy(request, known_new=False)
        elif first.answer is not None:
            self._report.count("replayed")
            log.info("%s: the same request was answered before, the kept answer of %d bytes goes out again",
                     request.label, len(first.answer))
            self._delivery.add(PendingResponse(first.answer, request.label, self._journal.now(), first.id))
        elif first.state in (State.HANDED, State.UNKNOWN):
            self._report.count("unknown")
            self._refuse(request, failure_reasons.INTERRUPTED.format(when=when(first.at)))
        elif first.delivered is None:
            self._refuse(request, failure_reasons.NEVER_DELIVERED.format(when=when(first.at)))
        else:
            self._refuse(request, failure_reasons.SCRUBBED_CARD if first.card else failure_reasons.SCRUBBED)

    # -- to the application and back ---------------------------------------------------------------------------------

    def _run(self, request: Request) -> None:
        identity = request.identity
        entry = Entry(self._journal.new_id(), identity.digest if identity else None, shown(request.ref_id),
                      shown(request.command), len(request.body), time.time(), self._journal.now(),
                      ref=identity.ref if identity else None)
        remembered = self._remembers(request)
        try:
            duplicate = self._journal.hand_over(entry, identity if remembered else None)
        except JournalStuck as error:
            log.error("%s: not started, %s", request.label, error)
            self._journal.withdraw(entry.id)    # the entry may still get written, later
            self._refuse(request, failure_reasons.NOT_LOOKED_UP if remembered else failure_reasons.NO_DISK)
            return
        if duplicate is not None:
            self._again(request, duplicate)
            return
        failpoint("handed")
        start = time.monotonic()
        log.info("%s: handed to the payment application, %d bytes", request.label, len(request.body))
        answer = self._application.ask(request)
        took = time.monotonic() - start
        self._report.count("answered" if answer.reason is None else "failed")
        if answer.reason is None:
            log.info("%s: answered in %.1f ms, %d bytes", request.label, took * 1000, len(answer.body))
        else:
            log.warning("%s: failed after %.1f ms, a failure answer of %d bytes says: %s", request.label, took * 1000,
                        len(answer.body), answer.reason)
        now = self._journal.now()
        void = answer.reason is None and identity is not None and identity.command is Command.VOID
        try:
            self._journal.answer(entry.id, Answered(answer.body, answer.outcome, answer.reason, took,
                                                    declined=void and declined(answer.body)), now)
        except Exception as error:  # noqa: BLE001  whatever it is, it must not cost the answer
            log.error("%s: the answer goes out without its entry in the journal, %s", request.label, error)
        failpoint("answered")
        # From here on nothing waits: the terminal is free before the first byte of the answer leaves.
        self._delivery.add(PendingResponse(answer.body, request.label, now, entry.id))
        self._report.took(took)

    # -- out ---------------------------------------------------------------------------------------------------------

    def _busy(self, request: Request, known_new: bool = True) -> None:
        """known_new: it is certain that it did not run before either."""
        self._report.count("busy")
        did_not_run = known_new or not self._remembers(request)
        self._refuse(request, failure_reasons.BUSY if did_not_run else failure_reasons.CROWDED)

    def _refuse(self, request: Request, reason: str = failure_reasons.BROKEN) -> None:
        """A failure answer that is true only here and now: it is not kept, and only goes back."""
        if not request.hidden:
            log.warning("%s: %s", request.label, reason)
        self._delivery.refuse(self._application.failure(request, reason), "" if request.hidden else request.label,
                              request.connection)

    def _delivered(self, response: PendingResponse) -> None:
        failpoint("sent")
        self._report.count("delivered", response.count)
        if response.label:
            log.info("%s: answer of %d bytes delivered", response.label, len(response.answer))
        if response.id is not None:
            self._journal.deliver(response.id)
        self._report.tell()

    def _expired(self, response: PendingResponse) -> None:
        self._report.count("expired")
        if response.id is not None:
            self._journal.expire(response.id)
        self._report.change()
