"""Requests and what their answers tell, checked against the sandbox's payment application, which is another hand's."""
import pytest

from econduit_terminal.sandbox.certify import requests
from econduit_terminal.sandbox.certify.device import Format
from econduit_terminal.sandbox.payment_app import echo
from econduit_terminal.sandbox.payment_app.framing import Requests


@pytest.mark.parametrize("form", Format, ids=lambda form: form.value)
@pytest.mark.parametrize("made", [
    lambda form: requests.build(form, "R0001", "29531204"), lambda form: requests.unusual(form, "R0001", "29531204"),
    lambda form: requests.build(form, "R0001", "29531204", echo="a<b>&\"", answer_bytes=70000)], ids=["plain",
        "unusual", "asking"])
def test_a_request_is_whole_for_an_application_and_its_answer_tells(form, made):
    request = made(form)
    assert Requests().receive(request.body) == [request.body]
    asked = echo.understand(request.body)
    assert asked.ref == "R0001" and asked.answer_bytes == request.answer_bytes
    answer = requests.read(form, echo.answer(request.body, asked, 12), request)
    assert answer.whole and (answer.ref, answer.runs) == ("R0001", 12)
    assert (answer.request_bytes, answer.request_sha256) == (len(request.body), request.sha256)
    assert not request.answer_bytes or len(answer.body) == 70000


def test_the_check_byte_that_was_asked_for():
    assert requests.with_lrc(4, "R1").body[-1] == 4


def test_delay_and_template():
    assert echo.understand(requests.build(Format.XML, "R", "T", delay=2.5).body).delay == 2.5
    assert requests.build(Format.JSON, "R7", "T", template="<sale ref='{RefID}'/>").body == b"<sale ref='R7'/>"


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("body", [b"", b"APPROVED", b"{", b"<a>", b"\x02\x03\x03", b"[]",
b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"])
def test_answers_that_tell_nothing(form, body):
    answer = requests.read(form, body)
    assert (answer.ref, answer.runs, answer.request_sha256) == (None, None, None)


def test_half_an_answer_is_not_whole():
    for form in Format:
        body = echo.answer(requests.build(form, "R", "T").body, echo.understand(requests.build(form, "R", "T").body), 1)
        assert not requests.read(form, body[:len(body) // 2]).whole
