"""What the document says of a Register message."""
import pytest

from econduit_terminal.sandbox.cloud.register import FIELDS, what_is_odd, what_is_wrong

GOOD = dict.fromkeys(FIELDS, "x") | {"AckHeartbeat": "true"}


def test_the_documents_own_message():
    assert what_is_wrong(GOOD) is None and what_is_odd(GOOD) is None


@pytest.mark.parametrize("change, said", [
    ({"TerminalID": ""}, "TerminalID is empty"),
    ({"AckHeartbeat": "yes"}, 'AckHeartbeat must be "true" or "false"'),
    ({"SoftwareVersion": 1}, "SoftwareVersion must be a quoted string"),
])
def test_a_wrong_value(change, said):
    assert what_is_wrong(GOOD | change) == said


@pytest.mark.parametrize("name", FIELDS)
def test_a_missing_field_is_named(name):
    assert name in (what_is_wrong({key: value for key, value in GOOD.items() if key != name}) or "")


def test_what_is_odd_can_be_taken():
    assert "Extra" in (what_is_odd(GOOD | {"Extra": "1"}) or "")
    assert "order" in (what_is_odd(dict(reversed(GOOD.items()))) or "")
