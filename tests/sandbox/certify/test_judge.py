"""From what was seen to a finding: named rows, pure."""
import json

import pytest

from econduit_terminal.sandbox.certify import judge
from econduit_terminal.sandbox.certify.inbox import Message, What
from econduit_terminal.sandbox.certify.requests import Answer, Request
from econduit_terminal.sandbox.certify.table.model import Verdict

PASS, NON_STRICT, FAIL = Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL
FIELDS = {"Command": "Register", "TerminalType": "T", "TerminalModel": "M", "TerminalID": "1", "SoftwareVersion": "1",
          "AckHeartbeat": "true"}


def message(tail: bytes, lead: bytes = b"") -> Message:
    return Message(What.RESPONSE, lead, b"{}", tail, 0.0, 0.0)


@pytest.mark.parametrize("messages, verdict", [
    ([message(b"\x04\x04")] * 3, PASS), ([message(b"\x04")], FAIL), ([message(b"")], FAIL),
    ([message(b"\x04\x04\x04")], FAIL),
    ([message(b"\r\n\x04\x04")], FAIL), ([message(b"\x04\x04", b"\x04")], FAIL),
    ([message(b"\x04\x04"), message(b"\x04")], FAIL), ([], Verdict.INCONCLUSIVE)])
def test_ends(messages, verdict):
    assert judge.ends(messages).verdict is verdict


@pytest.mark.parametrize("body, verdict", [
    (json.dumps(FIELDS).encode(), PASS), (json.dumps(FIELDS, indent=1).encode(), PASS),
    (json.dumps(FIELDS).encode()[1:], FAIL),
    (str(FIELDS).encode(), FAIL), (b"[]", FAIL), (b"", FAIL), (b'{"a":1,"a":2}', FAIL), (b'{"a":"\xff"}', FAIL),
    (json.dumps(FIELDS).replace('"', "\u201d").encode(), FAIL)])
def test_register_json(body, verdict):
    assert judge.register_json(body).verdict is verdict


@pytest.mark.parametrize("fields, names, types, order, values", [
    (FIELDS, PASS, PASS, PASS, PASS), ({**FIELDS, "More": "1"}, NON_STRICT, PASS, PASS, PASS),
    ({name.lower(): value for name, value in FIELDS.items()}, FAIL, PASS, PASS, PASS),
    ({name: value for name, value in FIELDS.items() if name != "TerminalID"}, FAIL, PASS, PASS, PASS),
    (dict(reversed(FIELDS.items())), PASS, PASS, NON_STRICT, PASS), ({**FIELDS, "AckHeartbeat": True}, PASS, FAIL,
    PASS, PASS),
    ({**FIELDS, "TerminalID": 1}, PASS, FAIL, PASS, PASS), ({**FIELDS, "TerminalID": "2"}, PASS, PASS, PASS, FAIL),
    ({**FIELDS, "SoftwareVersion": " "}, PASS, FAIL, PASS, PASS), ({**FIELDS, "Command": "register"}, PASS, PASS,
    PASS, FAIL),
    ({**FIELDS, "AckHeartbeat": "false"}, PASS, PASS, PASS, FAIL), ({**FIELDS, "AckHeartbeat": "True"}, PASS, PASS,
    PASS, FAIL)])
def test_one_fault_of_a_register_fails_one_case(fields, names, types, order, values):
    found = [judge.register_names(fields), judge.register_types(fields), judge.register_order(fields),
             judge.register_values(fields, "T", "1", ["true"])]
    assert [one.verdict for one in found] == [names, types, order, values]


@pytest.mark.parametrize("seconds, verdict", [(0.1, PASS), (3.0, PASS), (3.1, NON_STRICT), (10.1, FAIL), (None, FAIL)])
def test_returned(seconds, verdict):
    assert judge.returned(seconds, 3.0, 10.0).verdict is verdict


@pytest.mark.parametrize("between, declared, verdict", [
    ([60, 60], 60, PASS), ([50, 51], 60, PASS), ([65, 65], 60, PASS), ([30, 30], 60, NON_STRICT), ([66, 66], 60, FAIL),
    ([1.0, 1.01], 1, PASS),
    ([1.0] * 9 + [4.0], 1, FAIL), ([1.0] * 9 + [0.1], 1, NON_STRICT),
    ([0.5, 0.5], 1, NON_STRICT), ([2, 2], 1, FAIL), ([], 1, Verdict.INCONCLUSIVE)])
def test_interval(between, declared, verdict):
    assert judge.interval(between, declared).verdict is verdict


@pytest.mark.parametrize("declared, verdict", [(60, PASS), (50, PASS), (30, NON_STRICT), (1, Verdict.INFO), (90, FAIL)])
def test_minute(declared, verdict):
    assert judge.minute(declared).verdict is verdict


@pytest.mark.parametrize("bodies, verdict", [
    ([judge.HEARTBEAT], PASS), ([b'{"Command": "TerminalHeartbeat"}'], NON_STRICT), ([judge.HEARTBEAT, b"PING"], FAIL),
    ([b'{"Command":"TerminalHeartbeat","TerminalID":"1"}'], NON_STRICT), ([b'{"Command":"Heartbeat"}'], FAIL),
    ([b'{"command":"TerminalHeartbeat"}'], FAIL), ([], Verdict.INCONCLUSIVE)])
def test_heartbeat_content(bodies, verdict):
    assert judge.heartbeat_content(bodies).verdict is verdict


REQUEST = Request("R1", b"abc", 10)


def answer(size=3, sha=None, whole=True, body=b"0123456789"):
    return Answer(body, "R1", "000001", 1, size, sha or REQUEST.sha256, whole)


@pytest.mark.parametrize("given, runs, verdict", [
    (answer(), 1, PASS), (answer(), None, PASS), (answer(), 2, FAIL), (answer(), 0, FAIL), (answer(4), 1, FAIL),
    (answer(sha="0" * 64), 1, FAIL), (None, None, FAIL)])
def test_sold(given, runs, verdict):
    assert judge.sold(REQUEST, given, runs, False, 3.0).verdict is verdict


@pytest.mark.parametrize("given, verdict", [
    (answer(), PASS), (answer(whole=False), FAIL), (answer(body=b"012345678"), FAIL), (answer(body=b"x" * 3000),
    FAIL), (None, FAIL)])
def test_answer_whole(given, verdict):
    assert judge.answer_whole(REQUEST, given, False, 3.0).verdict is verdict


def test_bytes_are_shown_as_text():
    assert judge.shown(b"Card 4111111111111111", 12) == "Card 411111*… (21 bytes)"
    assert judge.shown(b"a\x04\xff\n") == "a\\x04\\xff\\x0a" and judge.shown(b"x" * 200).endswith("… (200 bytes)")
