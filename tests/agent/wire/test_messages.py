import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econduit_terminal.agent.wire import messages
from econduit_terminal.agent.wire.messages import Peek, peek


def test_register_is_what_the_document_means():
    assert messages.register("TerminalManufacturer", "Model1", "29531204", "SomeProcessor v1.2", True) == (
        b'{"Command":"Register","TerminalType":"TerminalManufacturer","TerminalModel":"Model1",'
        b'"TerminalID":"29531204","SoftwareVersion":"SomeProcessor v1.2","AckHeartbeat":"true"}\x04\x04')
    assert b'"AckHeartbeat":"false"' in messages.register("t", "m", "1", "v", False)


@given(st.lists(st.text(), min_size=4, max_size=4), st.booleans())
def test_register_is_one_json_message_whatever_the_values(values, ack):
    message = messages.register(*values, ack)
    assert message.index(b"\x04") == len(message) - 2
    assert list(json.loads(message[:-2]).values()) == ["Register", *values, "true" if ack else "false"]


def test_heartbeat():
    assert messages.HEARTBEAT == b'{"Command":"TerminalHeartbeat"}\x04\x04'


def test_a_response_is_unchanged_but_for_its_end():
    assert messages.terminated(b"\x00any\x04thing") == b"\x00any\x04thing\x04\x04"


@pytest.mark.parametrize("payload, answer", [
    (b"OK-REGISTRATION", "OK-REGISTRATION"), (b" OK-REGISTRATION\r\n", "OK-REGISTRATION"),
    (b'"OK-REGISTRATION"', "OK-REGISTRATION"), (b"FAILED-REGISTRATION", "FAILED-REGISTRATION"),
    (b"\xff", "\ufffd"), (b'{"Status":"OK"}', '{"Status":"OK"}')])
def test_registration_answers(payload, answer):
    assert messages.registration_answer(payload) == answer


@pytest.mark.parametrize("payload, ack", [
    (b'{"Status":"OK"}', True), (b' { "Status" : "OK" }\n', True), (b'{"Status":"ok"}', False), (b"OK", False),
    (b'{"Status":"OK","Command":"Sale"}', False), (b'{"Status":"OK"}' + b" " * 300, False), (b"", False)])
def test_acks(payload, ack):
    assert messages.is_ack(payload) is ack


@pytest.mark.parametrize("request_, expected", [
    (b'{"Command":"Sale","RefID":"1234"}', Peek("1234", "Sale")),
    (b'{"command":"Void","REFID":1234}', Peek("1234", "Void")),
    (b'{"refId":"a","RefID":"b"}', Peek("a", None)),
    (b'{"RefID":""}', Peek()), (b'{"RefID":null,"Command":["Sale"]}', Peek()), (b'{"RefID":true}', Peek()),
    (b'{"Inner":{"RefID":"1"}}', Peek()), (b'[{"RefID":"1"}]', Peek()), (b"<RefID>1</RefID>", Peek()),
    (b'{"RefID":' + b"9" * 5000 + b"}", Peek("9" * 5000, None)), (b"[" * 100_000, Peek()), (b"", Peek())])
def test_peek(request_, expected):
    assert peek(request_) == expected


@given(st.binary())
def test_peek_never_raises(request_):
    assert isinstance(peek(request_), Peek)
