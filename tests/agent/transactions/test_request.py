import pytest

from econduit_terminal.agent.transactions import request as request_module
from econduit_terminal.agent.transactions.identity import Identity
from econduit_terminal.agent.transactions.request import Request, shown


def test_what_may_be_known():
    body = b'{"refid":"17","COMMAND":"Sale","Amount":"2.50"}'
    request = Request.of(body, "connection")
    assert (request.body, request.connection, request.ref_id, request.command) == (body, "connection", "17", "Sale")
    assert request.identity == Identity.of(body, "17", "Sale")
    assert request.label == "RefID=17 command=Sale"


def test_without_a_ref_id_it_is_like_no_other():
    request = Request.of(b"SALE 2.50", None)
    assert (request.identity, request.label) == (None, "RefID=- command=-")


def test_the_label_is_safe_to_log_and_the_value_unchanged():
    request = Request.of(b'{"RefID":"4111111111111111\\n\\u001b[2J","Command":"%s"}' % (b"S" * 500), None)
    assert request.ref_id == "4111111111111111\n\x1b[2J"
    assert "4111111111111111" not in request.label and request.label.isprintable() and len(request.label) < 160
    assert shown("4111111111111111") == "************1111"
    assert "4111" not in shown("x" * 50 + "4111111111111111")      # which does not fit


def test_a_request_s_name_costs_no_more_than_what_is_shown_of_it():
    """A million digits would take the card scan seconds, in the hub: cut, they take as long as a few hundred."""
    seen = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(request_module, "mask_label", lambda text: seen.append(len(text)) or text)
        Request.of(b'{"RefID":"%s","Command":"Sale"}' % (b"5 " * 500_000), None)
    assert max(seen) < 1000

