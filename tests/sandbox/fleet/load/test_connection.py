"""One connection of a load, its other end played by the test."""
import errno
import json
import os
import socket as std
from dataclasses import dataclass, field

import pytest
from gevent import socket

from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.agent.wire import dialect
from econduit_terminal.agent.wire.session import Session, Timing
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load.application import Application
from econduit_terminal.sandbox.fleet.load.connection import Connection, Return
from econduit_terminal.sandbox.fleet.load.dial import NotOpened, Opened

REGISTER = dialect.register("T", "M", "L1", "1", True)
SALE = b'{"Command":"Sale","Amount":"2.50","RefID":"R1"}'


@dataclass
class Witness:
    acks: list[float] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    registrations: list[float] = field(default_factory=list)

    def acknowledged(self, seconds: float) -> None:
        self.acks.append(seconds)

    def answered(self, size: int) -> None:
        self.answers.append(size)


class Made:
    """A connection that runs, the cloud's end of it, and what its witness heard."""

    def __init__(self, door, start, *, latency=0.05, interval=0.2, back=None):
        self.witness = Witness()
        own = socket.create_connection(door.address)
        self.peer = door.accept()
        session = Session(REGISTER, ack=True, timing=Timing(0.3, interval, 0.3), max_message=100_000,
                          random=lambda: 0.5)
        self.connection = Connection(own, session, Application(latency), self.witness,
                                     self.witness.registrations.append, back)
        self._run = start(self.connection.run)

    def ended(self):
        """How it ended."""
        return self._run.get()


@pytest.fixture
def made(door, start):
    return lambda **how: Made(door(), start, **how)


def test_it_registers_beats_and_answers(made):
    one = made()
    one.peer.registered()
    assert one.peer.message() == b'{"Command":"TerminalHeartbeat"}'
    one.peer.send(b'{"Status":"OK"}\x04\x04' + SALE)
    assert json.loads(one.peer.message())["RefID"] == "R1"
    one.peer.close()
    ended = one.ended()
    assert (ended.finding, ended.reason) == (Finding.CLOSED, "closed by the cloud") and ended.registered_for > 0
    assert len(one.witness.registrations) == len(one.witness.acks) == len(one.witness.answers) == 1


def test_no_heartbeat_while_a_transaction_runs_and_a_second_request_is_told_that_it_is_busy(made):
    one = made(latency=0.5)
    one.peer.registered().send(SALE + SALE.replace(b"R1", b"R2"))
    assert json.loads(one.peer.message())["Message"] == "Terminal Is Busy"
    assert json.loads(one.peer.message())["RefID"] == "R1"
    assert one.peer.message() == b'{"Command":"TerminalHeartbeat"}'


@pytest.mark.parametrize("answer, finding", [
    (b"FAILED-REGISTRATION", Finding.FAILED), (b"FAILED-INVALID-TERMINAL-TYPE", Finding.INVALID_TYPE),
    (b"HTTP/1.1 302 Found\r\n\x04\x04", Finding.OTHER)])
def test_another_answer_is_none(made, answer, finding):
    one = made()
    one.peer.message()
    one.peer.send(answer)
    ended = one.ended()
    assert ended.finding is finding and ended.registered_for is None


def test_silence_after_register_and_after_a_heartbeat(made):
    mute, dead = made(), made()
    dead.peer.registered()
    ended = mute.ended()
    assert ended.finding is Finding.MUTE and ended.registered_for is None
    ended = dead.ended()
    assert ended.finding is Finding.MUTE and ended.registered_for >= 0.3


def test_a_reset_is_the_clouds(made):
    one = made()
    one.peer.registered()
    one.peer.socket.setsockopt(std.SOL_SOCKET, std.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    one.peer.close()
    ended = one.ended()
    assert (ended.finding, ended.reason) == (Finding.CLOSED, os.strerror(errno.ECONNRESET))


def test_what_no_session_takes_ends_it(made):
    one = made()
    one.peer.registered().send(b"{" + b'"' * 200_000)
    assert one.ended().finding is Finding.CLOSED


def test_the_primary_is_dialed_while_idle_and_left_for_once_it_opens(made):
    found = [NotOpened(0.0, {}), Opened(None, Endpoint("primary", 1), 0.0, {})]
    one = made(back=Return(0.1, lambda: found.pop(0)))
    one.peer.registered()
    assert one.peer.ended()
    one.peer.close()
    ended = one.ended()
    assert ended.finding is Finding.ASKED and ended.successor.endpoint.host == "primary" and ended.registered_for >= 0.2
