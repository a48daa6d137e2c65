"""What the payment application says to a request, or the failure answer in its place."""
import logging
from dataclasses import dataclass

from econduit_terminal.conf.schema import Transactions

from ..journal.entry import Outcome
from . import failure_reasons, relay
from .failure import failure_answer
from .request import Request

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
            outcome, reason = Outcome.FAILURE, failure_reasons.UNKNOWN
        return Answer(self.failure(request, reason), outcome, reason)

    def failure(self, request: Request, reason: str) -> bytes:
        return failure_answer(self.settings.failure_answer, reason=reason, RefID=request.ref_id,
                              Command=request.command, TerminalID=self.terminal_id)
