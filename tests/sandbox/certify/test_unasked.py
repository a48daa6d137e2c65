"""Responses that nobody asked for, from connections and a log made by hand."""
import pytest

from econduit_terminal.sandbox.certify.device import Format
from econduit_terminal.sandbox.certify.inbox import Message, What
from econduit_terminal.sandbox.certify.requests import read
from econduit_terminal.sandbox.certify.unasked import unasked
from econduit_terminal.sandbox.certify.wire_log import WireLog


class Link:
    def __init__(self, name, closed, *answers, by_us=True, last_byte=0.0):
        self.name, self.closed, self.by_us, self.last_byte = name, closed, by_us, last_byte
        self.messages = [Message(What.RESPONSE, b"", body, b"", t, t) for t, body in answers]

    def of(self, what):
        return self.messages


def ref_of(message):
    return read(Format.JSON, message.body).ref


def found(sent, *links, tells=True):
    log = WireLog()
    for t, where, data in sent:
        log.add(t, "out", where, data)
    return unasked(links, log, ref_of if tells else None)


OK = b"OK-REGISTRATION\x04\x04"
A = b'{"RefID":"A1"}'


def test_asked_and_answered():
    assert found([(0, "p 1", OK), (1, "p 1", A)], Link("p 1", None, (2, A))) == ""


@pytest.mark.parametrize("tells", [True, False])
def test_before_anything_was_asked(tells):
    assert "before anything was asked" in found([(0, "p 1", OK)], Link("p 1", None, (1, b'{"Message":"hi"}')),
                                                tells=tells)


def test_the_answer_to_a_request_that_was_cut_comes_late_and_by_itself():
    sent = [(0, "p 1", OK), (1, "p 1", A), (2, "p 2", OK)]
    assert found(sent, Link("p 1", 1.5), Link("p 2", None, (3, A))) == ""
    assert found(sent, Link("p 1", 1.5, (1.4, A)), Link("p 2", None, (3, A))) == ""
    assert found(sent, Link("p 1", 1.5), Link("p 2", None, (3, b"{}")), tells=False) == ""


def test_an_answer_that_was_taken_comes_again():
    sent = [(0, "p 1", OK), (1, "p 1", A), (9, "p 2", OK)]
    links = Link("p 1", 8.0, (2, A)), Link("p 2", None, (10, A))
    assert "again, though p 1 had taken it" in found(sent, *links)
    assert found([*sent, (9.5, "p 2", A)], *links) == ""
    assert found(sent, Link("p 1", 8.0, (2, A), by_us=False), links[1]) == ""
    assert found(sent, Link("p 1", 8.0, (2, A), by_us=False, last_byte=3.0), links[1])
