"""The sandbox cloud against plain sockets: registration, heartbeats, who is registered, nonsense."""
import json

import pytest

REGISTER = {"Command": "Register", "TerminalType": "Test", "TerminalModel": "M", "TerminalID": "T1",
            "SoftwareVersion": "1", "AckHeartbeat": "true"}


def test_registers_and_acknowledges(cloud, dial):
    terminal = dial(cloud.primary)
    assert terminal.register("T1") == b"OK-REGISTRATION"
    event = cloud.wait_event("registered", terminal="T1")
    assert event["port"] == "primary" and event["open"] == 1
    terminal.send(b'{"Command":"TerminalHeartbeat"}')
    assert terminal.read(17) == b'{"Status":"OK"}\x04\x04'
    assert cloud.wait_event("heartbeat")["terminal"] == "T1"
    assert cloud.registered("T1") and not cloud.registered_twice("T1")


def test_no_ack_when_the_terminal_wants_none(cloud, dial):
    terminal = dial(cloud.secondary)
    assert terminal.register("T1", AckHeartbeat="false") == b"OK-REGISTRATION"
    mark = cloud.mark()
    terminal.send(b'{"Command":"TerminalHeartbeat"}')
    cloud.wait_event("heartbeat", since=mark)
    cloud.misbehave("raw", terminal="T1", text="after")
    assert terminal.read(5) == b"after"


@pytest.mark.parametrize("change, answer, said", [
    ({"AckHeartbeat": True}, b"FAILED-REGISTRATION", "quoted string"),
    ({"AckHeartbeat": "yes"}, b"FAILED-REGISTRATION", "AckHeartbeat"),
    ({"TerminalType": ""}, b"FAILED-INVALID-TERMINAL-TYPE", "TerminalType"),
    ({"TerminalID": ""}, b"FAILED-REGISTRATION", "TerminalID"),
])
def test_refuses_a_wrong_registration(cloud, dial, change, answer, said):
    terminal = dial(cloud.primary)
    assert terminal.register("T1", **change) == answer
    assert said in cloud.wait_event("refused")["detail"]
    assert not cloud.registered()


@pytest.mark.parametrize("nonsense", [
    b"\x04\x04", b"\x04" * 99, b"[" * 100_000 + b"\x04\x04", b"null\x04\x04", b'{"Command":7}\x04\x04',
    b"\xff\xfe\x04\x04",
    b'{"Command":"Register","TerminalID":{"a":1}}\x04\x04', b'{"Command":"TerminalHeartbeat"}\x04\x04', b"half",
    b'{"Command":"Register","TerminalID":"\\ud800","TerminalType":"x","TerminalModel":"","SoftwareVersion":"",'
    b'"AckHeartbeat":"true"}\x04\x04',
])
def test_stays_up_under_a_terminals_nonsense(cloud, dial, nonsense):
    terminal = dial(cloud.primary)
    terminal.write(nonsense)
    terminal.shut()
    cloud.wait_event("closed")
    good = dial(cloud.primary).online("T1")
    good.close()
    assert "a mistake in the sandbox" not in cloud.log()


def test_a_message_without_end_costs_the_connection(cloud, dial):
    terminal = dial(cloud.primary)
    terminal.write(b"A" * (5 << 20))
    assert "without EOT EOT" in cloud.wait_event("closed")["detail"]


@pytest.mark.parametrize("odd, said", [
    (lambda fields: {**fields, "Extra": "1"}, "warning: Extra is not part of a Register message"),
    (lambda fields: dict(reversed(fields.items())), "warning: the fields are not in the document's order"),
])
def test_an_odd_registration_is_taken_with_a_warning(cloud, dial, odd, said):
    terminal = dial(cloud.primary)
    terminal.send(json.dumps(odd(REGISTER)).encode())
    assert terminal.read_some() == b"OK-REGISTRATION"
    assert cloud.wait_event("registered")["detail"] == said
