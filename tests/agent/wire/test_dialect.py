import json

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.wire import dialect
from econduit_terminal.agent.wire.dialect import Kind, kind


def test_register_is_what_the_document_means():
    assert dialect.register("TerminalManufacturer", "Model1", "29531204", "SomeProcessor v1.2", True) == (
        b'{"Command":"Register","TerminalType":"TerminalManufacturer","TerminalModel":"Model1",'
        b'"TerminalID":"29531204","SoftwareVersion":"SomeProcessor v1.2","AckHeartbeat":"true"}\x04\x04')
    assert b'"AckHeartbeat":"false"' in dialect.register("t", "m", "1", "v", False)


@given(st.lists(st.text(), min_size=4, max_size=4), st.booleans())
def test_register_is_one_json_message_whatever_the_values(values, ack):
    message = dialect.register(*values, ack)
    assert message.index(b"\x04") == len(message) - 2
    assert list(json.loads(message[:-2]).values()) == ["Register", *values, "true" if ack else "false"]


def test_heartbeat():
    assert dialect.HEARTBEAT == b'{"Command":"TerminalHeartbeat"}\x04\x04'


def test_a_response_is_unchanged_but_for_its_end():
    assert dialect.response(b"\x00any\x04thing") == b"\x00any\x04thing\x04\x04"


@pytest.mark.parametrize("payload, answer", [
    (b"OK-REGISTRATION", "OK-REGISTRATION"), (b" OK-REGISTRATION\r\n", "OK-REGISTRATION"),
    (b"\xef\xbb\xbfOK-REGISTRATION", "OK-REGISTRATION"), (b'\r\n\xef\xbb\xbf "OK-REGISTRATION"', "OK-REGISTRATION"),
    (b"\xff", "\ufffd"), (b'{"Status":"OK"}', '{"Status":"OK"}')])
def test_text(payload, answer):
    assert dialect.text(payload) == answer


SALE = b'{"Command":"Sale","RefID":"1"}'


@pytest.mark.parametrize("payload, expected", [
    (b'{"Status":"OK"}', Kind.ACK), (b' { "Status" : "OK" }\n', Kind.ACK), (b'\xef\xbb\xbf{"Status":"OK"}', Kind.ACK),
    (b" " * 300 + b'{"Status":"OK"}' + b" " * 300, Kind.ACK), (b'{"\\u0053tatus":"\\u004fK"}', Kind.ACK),
    (b'{"Status":"ok"}', Kind.STATUS), (b'{"Status":"ERROR"}', Kind.STATUS), (b'{"Status":null}', Kind.STATUS),
    (b'{"Status":"OK","Message":"back soon"}', Kind.STATUS), (b'{"Message":"bye","Status":"ERROR"}', Kind.STATUS),
    (b'{"Status":"ERROR","Message":"' + b"x" * 225 + b'"}', Kind.STATUS),
    (b'{"Status":"ERROR","Message":"' + b"x" * 226 + b'"}', Kind.TRANSACTION),
    (b'{"Status":"OK","Command":"Sale"}', Kind.TRANSACTION), (b'{"status":"OK"}', Kind.TRANSACTION),
    (b'{"Message":"x"}', Kind.TRANSACTION), (b'[{"Status":"OK"}]', Kind.TRANSACTION), (b"{}", Kind.TRANSACTION),
    (b"OK", Kind.TRANSACTION), (b"", Kind.TRANSACTION), (SALE, Kind.TRANSACTION),
    (b"OK-REGISTRATION", Kind.ACCEPTED), (b"FAILED-REGISTRATION\r\n", Kind.FAILED),
    (b"\xef\xbb\xbfFAILED-REGISTRATION", Kind.FAILED), (b"FAILED-INVALID-TERMINAL-TYPE", Kind.INVALID_TYPE),
    (b"FAILED-REGISTRATION-X", Kind.TRANSACTION), (b"failed-registration", Kind.TRANSACTION),
    (b"<Status>OK</Status>", Kind.TRANSACTION), (b'{"Status":"OK"', Kind.TRANSACTION)])
def test_m4_what_a_payload_is(payload, expected):
    assert kind(payload) is expected


@given(st.binary() | st.sampled_from([b"{", b"[" * 3000, b'{"Status":' + b"[" * 200]))
def test_no_payload_raises(payload):
    assert isinstance(kind(payload), Kind) and isinstance(dialect.text(payload), str)
