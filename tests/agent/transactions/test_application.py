import json

import pytest

from econduit_terminal.agent.transactions import relay
from econduit_terminal.agent.transactions.application import PaymentApplication
from econduit_terminal.agent.transactions.request import Request

REQUEST = Request.of(b'{"RefID":"7","Command":"Sale"}', None)


@pytest.mark.parametrize("error, outcome, words", [
    (relay.ApplicationError("not reachable", handed_over=False), "not_run", "not reachable"),
    (relay.ApplicationError("no answer", handed_over=True), "failure", "no answer"),
    (ValueError("a bug"), "failure", "not known whether it took place"),
])
def test_a_failure_answer_stands_in(settings, monkeypatch, error, outcome, words):
    def fail(*arguments, **more):
        raise error
    monkeypatch.setattr(relay, "ask", fail)
    answer = PaymentApplication(settings().transactions, "T1").ask(REQUEST)
    assert answer.outcome == outcome and words in answer.reason
    assert json.loads(answer.body) == {"TerminalID": "T1", "ResultCode": "Failed", "TransType": "Sale",
                                       "Message": answer.reason, "RefID": "7"}


def test_the_application_s_own_answer(settings, app):
    answer = PaymentApplication(settings().transactions, "T1").ask(REQUEST)
    assert (answer.body, answer.outcome, answer.reason) == (b'{"ResultCode":"Approved","for":30}', "answer", None)
    assert app.runs == [REQUEST.body]
