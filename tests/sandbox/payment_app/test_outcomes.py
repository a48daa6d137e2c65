"""What happens by amount: pure."""
import json

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.payment_app.outcomes import APPROVED, TABLE, answer, outcome, table, understand


@pytest.mark.parametrize("amount, act, seconds, result", [
    ("2.50", "answer", 0, "Approved"), ("5.05", "answer", 0, "Declined"), ("6.25", "answer", 0.25, "Approved"),
    ("7.03", "answer", 3, "Approved"), ("17.03", "answer", 0, "Approved"), ("8.88", "hold", 0, "Approved"),
    ("9.06", "exit", 0, "Approved"), ("", "answer", 0, "Approved"), ("6.xx", "answer", 0, "Approved"),
])
def test_by_amount(amount, act, seconds, result):
    found = outcome(amount)
    assert (found.act, found.seconds, found.result) == (act, pytest.approx(seconds), result)


def test_the_table_tells_every_amount():
    for amount, (text, _) in TABLE.items():
        assert f"{amount:<7} {text}" in table()


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["Amount", "RefID", "Command", "TerminalID"]), inner)
).map(lambda value: json.dumps(value).encode()))
def test_any_request_is_understood_and_answered(body):
    request = understand(body)
    assert answer(request, outcome(request.amount), "A1")


def test_fields_in_any_case_and_amounts_as_numbers():
    request = understand(b'{"COMMAND":"Sale","refid":7,"amount":9.1}')
    assert (request.command, request.ref, request.amount) == ("Sale", "7", "9.10")
    assert json.loads(answer(request, APPROVED, "A1"))["RefID"] == "7"
