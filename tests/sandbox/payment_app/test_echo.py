"""The payment application's echo mode: pure."""
import hashlib
import json
from functools import reduce
from operator import xor
from xml.etree import ElementTree

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.payment_app.echo import answer, understand

XML = b"<request><Command>Sale</Command><RefID>R1</RefID><AnswerBytes>3000</AnswerBytes><Delay>1.5</Delay></request>"
JSON = b'{"Command":"Sale","RefID":"R1","AnswerBytes":"3000","Delay":1.5}'
FIELDS = b"\x1c".join((b"T00", b"1.28", b"01", b"250", b"1", b"R1", b"", b"3000", b"1.5")) + b"\x03"
STX = b"\x02" + FIELDS + bytes([reduce(xor, FIELDS, 0)])


@pytest.mark.parametrize("kind, request_", [("json", JSON), ("xml", XML), ("stx", STX)])
def test_a_request_says_what_answer_it_wants(kind, request_):
    asked = understand(request_)
    assert (asked.kind, asked.ref, asked.answer_bytes, asked.delay) == (kind, "R1", 3000, 1.5)
    made = answer(request_, asked, 7)
    assert len(made) == 3000
    told = ["R1", "000007", str(len(request_)), hashlib.sha256(request_).hexdigest()]
    match kind:
        case "json":
            fields = json.loads(made)
            assert [fields[name] for name in ("RefID", "AuthCode", "RequestBytes", "RequestSHA256")] == told
        case "xml":
            root = ElementTree.fromstring(made)
            assert [root.findtext(name) for name in ("RefID", "AuthCode", "RequestBytes", "RequestSHA256")] == told
        case "stx":
            assert made[:4] == b"\x02T01" and reduce(xor, made[1:-1]) == made[-1]
            assert [part.decode() for part in made[1:-2].split(b"\x1c")][2:6] == told


@pytest.mark.parametrize("request_", [
    b"", b"SALE", b"[]", b"{", b"<a", b"<a>\x00</a>", b"\x02", b"\x02\x03\x03", b'{"Delay":"-1"}',
    b'{"Delay":"nan","AnswerBytes":"1e9"}', b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"])
def test_anything_else_is_answered_too(request_):
    asked = understand(request_)
    assert (asked.answer_bytes, asked.delay) == (0, 0.0)
    assert hashlib.sha256(request_).hexdigest().encode() in answer(request_, asked, 1)


@given(st.binary(max_size=60), st.sampled_from([b"", b"{", b"<", b"\x02"]))
def test_it_never_raises(data, first):
    answer(first + data, understand(first + data), 1)
