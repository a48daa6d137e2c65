"""What the payment application says to a request, or the failure answer in its place."""
import logging
from dataclasses import dataclass

from econduit_terminal.conf.schema import Transactions

from ..journal.entry import Outcome
from . import relay
from .failure import failure_answer
from .request import Request

# What failure answers say where the application did not speak: for people at a till and their support.
BUSY = "terminal busy with another transaction: this request was not carried out"
CROWDED = ("terminal busy with other transactions: this request was not carried out now, it is not known whether it "
           "was before; ask again in a moment, do not start a new one")
STOPPING = "terminal restarting: this request was not carried out, try again in a moment"
NO_DISK = "terminal storage not answering: this request was not carried out"
NOT_LOOKED_UP = ("terminal storage not answering: this request was not carried out now, it is not known whether it was "
                 "before; ask again in a moment, do not start a new one")
BROKEN = ("terminal error, see the agent's log: it is not known whether the transaction took place; "
          "look at the payment application before trying again")
UNKNOWN = ("terminal interrupted during this transaction: it is not known whether it took place; "
           "look at the payment application before trying again")
INTERRUPTED = ("terminal interrupted during this transaction {when}: it is not known whether it took place; "
               "check it at the payment application before charging again")
NEVER_DELIVERED = ("this transaction was answered {when}, but nobody is known to have received the answer, and it is "
                   "no longer kept: check it at the payment application before charging again")
USED = "already used: {command}, then Void; a new sale needs a new RefID"
SCRUBBED = "this transaction was answered before, and the answer is no longer kept: look at the payment application"
SCRUBBED_CARD = ("this transaction was answered before; the answer held card data and was deleted when it was "
                 "delivered: look at the payment application")

log = logging.getLogger("transactions")


@dataclass(frozen=True)
class Answer:
    """reason: None for the application's own."""
    body: bytes
    outcome: Outcome
    reason: str | None


class PaymentApplication:
    """settings: the section [transactions]. terminal_id: for the failure answer."""

    def __init__(self, settings: Transactions, terminal_id: str):
        self.settings = settings
        self.terminal_id = terminal_id

    def ask(self, request: Request) -> Answer:
        """Waits for the answer, `timeout` at most. Never raises but for being killed."""
        settings = self.settings
        try:
            body = relay.ask(settings.application, request.body, timeout=settings.timeout,
                             frame_gap=settings.frame_gap, max_message=settings.max_message)
            return Answer(body, Outcome.ANSWER, None)
        except relay.ApplicationError as error:
            outcome, reason = Outcome.FAILURE if error.handed_over else Outcome.NOT_RUN, error.reason
        except Exception:       # it may have been handed over
            log.exception("%s: failed on the way to the payment application", request.label)
            outcome, reason = Outcome.FAILURE, UNKNOWN
        return Answer(self.failure(request, reason), outcome, reason)

    def failure(self, request: Request, reason: str) -> bytes:
        return failure_answer(self.settings.failure_answer, reason=reason, RefID=request.ref_id,
                              Command=request.command, TerminalID=self.terminal_id)
