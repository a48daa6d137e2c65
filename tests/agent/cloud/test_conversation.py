"""One connection alone; what it does within the whole life stands in test_link.py."""
import errno
import time
from dataclasses import replace

import gevent
import pytest

from econduit_terminal.agent.cloud.connection import Connection
from econduit_terminal.agent.cloud.conversation import Conversation
from econduit_terminal.agent.cloud.dialed import Target
from econduit_terminal.agent.cloud.dialer import Dialer
from econduit_terminal.agent.cloud.ended import Ended
from econduit_terminal.agent.cloud.link_commands import LinkCommands
from econduit_terminal.agent.cloud.liveness import Rules
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.agent.wire.session import Session, Timing


@pytest.fixture
def conversation(settings, clouds, store, transactions):
    """A conversation under way: it, its greenlet, the cloud's end and the commands."""
    session = Session(b"HELLO\x04\x04", ack=True, timing=Timing(5, 30, 5, 0.05), max_message=1000, random=lambda: 0.0)
    connection = Connection(Dialer(settings).dial([Target(clouds[0].endpoint)]), session.respond)
    commands = LinkCommands()
    it = Conversation(connection, session, commands, store, transactions, dial=None, endpoints=[],
                      rules=Rules(0.3, 2.0))
    greenlet = gevent.spawn(it.run)
    yield it, greenlet, clouds[0].accept(), commands
    greenlet.kill()
    connection.close()


ELSE = "is answered by something else"


@pytest.mark.parametrize("answer, finding, reason", [
    (b"FAILED-REGISTRATION", Finding.FAILED, "registration refused: FAILED-REGISTRATION"),
    (b"FAILED-INVALID-TERMINAL-TYPE", Finding.INVALID_TYPE, "registration refused: FAILED-INVALID-TERMINAL-TYPE"),
    # a transaction in its place: what is shown and logged of it holds no card number
    (b'{"Track2":";5555555555554444=25121019876543210?"}', Finding.OTHER,
     ELSE + ', not the eConduit Cloud: {"Track2":"****************"}'),
    (b"\x1b[31mNO\x04\x04", Finding.OTHER, ELSE + ", not the eConduit Cloud: \\x1b[31mNO"),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", Finding.OTHER, ELSE + ", HTTP 400: a proxy or login page of this network"),
    (b"OK-REGISTRATION-X", Finding.OTHER, ELSE + ", not the eConduit Cloud: OK-REGISTRATION-X")])
def test_o2_m5_refusals(conversation, answer, finding, reason):
    _, greenlet, peer, _ = conversation
    peer.expect(b"HELLO\x04\x04")
    peer.send(answer)
    ended = greenlet.get(timeout=5)
    assert ended.finding is finding and ended.reason.endswith(reason)


@pytest.mark.parametrize("sent", [b"HTTP/1.1 400 Bad Request\r\nX: y\r\n", b"SSH-2.0-x", b"OK-REGISTER\r\n"])
def test_o2_an_answer_that_the_end_of_the_stream_ends(conversation, sent):
    _, greenlet, peer, _ = conversation
    peer.expect(b"HELLO\x04\x04")
    peer.send(sent)
    peer.close()
    assert greenlet.get(timeout=5).finding is Finding.OTHER


def test_the_end_before_the_answer_is_told_apart(conversation):
    _, greenlet, peer, _ = conversation
    peer.expect(b"HELLO\x04\x04")
    peer.close()
    assert greenlet.get(timeout=5) == Ended(Finding.CLOSED, "closed by the cloud before it answered the registration")


def test_m5_a_registration_that_is_withdrawn_was_none(conversation, store):
    it, greenlet, peer, _ = conversation
    peer.expect(b"HELLO\x04\x04")
    peer.send(b"OK-REGISTRATION")
    store.wait("online", str(it._connection.endpoint))
    peer.send(b", welcome\x04\x04")
    ended = greenlet.get(timeout=5)
    assert ended.finding is Finding.OTHER and "OK-REGISTRATION, welcome" in ended.reason
    assert it.registered_at is None


@pytest.mark.parametrize("answer", ["FAILED-REGISTRATION", "FAILED-INVALID-TERMINAL-TYPE"])
def test_m4_the_cloud_takes_the_registration_back(conversation, transactions, answer):
    it, greenlet, peer, _ = conversation
    peer.register()
    peer.send(answer.encode() + b"\x04\x04")
    assert greenlet.get(timeout=5) == Ended(Finding.DEREGISTERED, f"registration refused: {answer}")
    assert it.registered_at is not None and not [entry for entry in transactions.entries if entry[0] == "receive"]


@pytest.mark.parametrize("number, finding, reason", [
    (errno.ECONNRESET, Finding.CLOSED, "reset by the cloud"), (errno.ETIMEDOUT, Finding.LOST, "connection timed out"),
    (errno.EHOSTUNREACH, Finding.LOST, "no route to the cloud"), (errno.EIO, Finding.LOST, "connection lost (odd)")])
def test_what_the_kernel_says(conversation, number, finding, reason):
    it, greenlet, peer, commands = conversation
    peer.register()
    gevent.idle()
    it._reader._inbox.put(OSError(number, "odd"))
    commands.wakeup.set()
    assert greenlet.get(timeout=5) == Ended(finding, reason)


@pytest.mark.parametrize("arrived, finding", [(True, Finding.MUTE), (False, Finding.LOST)])
def test_a_silent_cloud_and_a_question_that_never_arrived(conversation, store, monkeypatch, arrived, finding):
    it, greenlet, peer, commands = conversation
    peer.register()
    store.wait("online", str(it._connection.endpoint))
    monkeypatch.setattr(it._connection, "arrived", lambda: arrived)
    it.session.timing = replace(it.session.timing, ack_timeout=0.05)
    commands.verify = True
    commands.wakeup.set()
    assert greenlet.get(timeout=5) == Ended(finding, "heartbeat not acknowledged within 0.05 s")


def test_requests_before_a_fault_are_served(conversation, transactions):
    _, greenlet, peer, _ = conversation
    peer.register()
    peer.send(b'{"Command":"Sale"}' + b"x" * 2000)
    assert greenlet.get(timeout=5).finding is Finding.CLOSED
    transactions.wait("receive", b'{"Command":"Sale"}')


def test_a_bug_in_the_reader_is_raised_and_not_lost(conversation, monkeypatch):
    it, greenlet, peer, _ = conversation
    monkeypatch.setattr(it._connection, "receive", lambda: 1 / 0)
    peer.register()                     # ends the read that is under way
    with pytest.raises(ZeroDivisionError):
        greenlet.get(timeout=5)


def test_commands(conversation, store):
    _, greenlet, peer, commands = conversation
    peer.register()
    store.wait("online", str(conversation[0]._connection.endpoint))
    commands.stop = True
    commands.wakeup.set()
    assert greenlet.get(timeout=5) == Ended(Finding.ASKED, "stopped")
    commands.abort, commands.leave, commands.dial, commands.verify = "a", "b", True, True
    commands.begin()
    assert (commands.abort, commands.leave, commands.dial, commands.verify) == (None, None, False, False)
    assert commands.stop


def online(conversation, store):
    it, greenlet, peer, commands = conversation
    peer.register()
    store.wait("online", str(it._connection.endpoint))
    return it, greenlet, peer, commands


@pytest.mark.parametrize("word", [b"FAILED-REGISTRATION", b"FAILED-INVALID-TERMINAL-TYPE\x04\x04"])
def test_m4_the_cloud_no_longer_has_the_terminal(conversation, store, transactions, word):
    _, greenlet, peer, _ = online(conversation, store)
    peer.send(b"{}" + word + b"[]")
    reason = f"registration refused: {word.rstrip(bytes((4,))).decode()}"
    assert greenlet.get(timeout=5) == Ended(Finding.DEREGISTERED, reason)
    assert [entry for entry in transactions.entries if entry[0] == "receive"] == [("receive", b"{}")]


def test_m5_a_registration_is_withdrawn(conversation, store, transactions):
    _, greenlet, peer, _ = conversation
    peer.expect(b"\x04\x04")
    peer.send(b"OK-REGISTRATION")
    store.wait("online", str(conversation[0]._connection.endpoint))
    peer.send(b" welcome")
    ended = greenlet.get(timeout=5)
    assert ended.finding is Finding.OTHER
    assert ended.reason.endswith(ELSE + ", not the eConduit Cloud: OK-REGISTRATION welcome")
    assert not any(entry[0] == "receive" for entry in transactions.entries)


def test_m1_bytes_that_came_while_this_process_stood_still_are_read_before_a_gap_is_over(
        conversation, store, transactions):
    it, _, peer, _ = online(conversation, store)
    peer.send(b"SALE ")
    while not it.session.pending:
        gevent.sleep(0.001)
    peer.send(b"2.50")
    time.sleep(0.2)                     # nobody else runs; the gap is 50 ms
    transactions.wait("receive", b"SALE 2.50")


def test_m15_commands_come_between_the_messages_of_a_burst(conversation, store, transactions):
    _, greenlet, peer, commands = online(conversation, store)
    peer.send(b"{}" * 2000)
    transactions.wait("receive", b"{}")
    commands.abort = "cable unplugged"
    commands.wakeup.set()
    assert greenlet.get(timeout=5) == Ended(Finding.ABORTED, "cable unplugged")
    assert len(transactions.entries) < 1000


def test_m4_acks_that_nobody_asked_for_are_told_of_once(conversation, store, transactions, caplog):
    caplog.set_level("INFO")
    _, _, peer, _ = online(conversation, store)
    peer.send(b'{"Status":"OK"}\x04\x04' * 50 + b'{"Status":"ERROR 4111111111111111"}' * 50 + b"[]")
    transactions.wait("receive", b"[]")
    peer.expect(b'{"Command":"TerminalHeartbeat"}\x04\x04')
    assert caplog.text.count("acknowledges what was not asked") == 1
    assert caplog.text.count("a heartbeat asks whether") == 1 and "4111" not in caplog.text
    assert not any(entry == ("acked",) for entry in store.entries)
