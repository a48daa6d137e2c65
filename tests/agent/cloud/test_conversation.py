"""One connection alone; what it does within the whole life stands in test_link.py."""
import errno
from dataclasses import replace

import gevent
import pytest
from econduit_terminal.agent.cloud.connection import Connection
from econduit_terminal.agent.cloud.conversation import Conversation, Ended, Orders, drop
from econduit_terminal.agent.cloud.dialer import Dialer
from econduit_terminal.agent.cloud.policy import Cause
from econduit_terminal.agent.wire.session import Session, Timing


@pytest.fixture
def conversation(settings, clouds, board, transactions):
    """A conversation under way: it, its greenlet, the cloud's end and the orders."""
    session = Session(b"HELLO\x04\x04", ack=True, timing=Timing(5, 30, 5, 0.05), max_message=1000, random=lambda: 0.0)
    connection = Connection(Dialer(settings).dial([clouds[0].endpoint]), session.respond)
    orders = Orders()
    it = Conversation(connection, session, orders, board, transactions, primary_retry=60)
    greenlet = gevent.spawn(it.run)
    yield it, greenlet, clouds[0].accept(), orders
    greenlet.kill()
    connection.close()


@pytest.mark.parametrize("answer, ended", [
    (b"FAILED-REGISTRATION", Ended(Cause.REFUSED, "registration refused: FAILED-REGISTRATION")),
    (b"FAILED-INVALID-TERMINAL-TYPE", Ended(Cause.REJECTED, "registration refused: FAILED-INVALID-TERMINAL-TYPE")),
    # a transaction in its place: what is shown and logged of it holds no card number
    (b'{"Track2":";5555555555554444=25121019876543210?"}',
     Ended(Cause.REFUSED, 'registration refused: {"Track2":"****************"}')),
    (b"\x1b[31mNO\x04\x04", Ended(Cause.REFUSED, "registration refused: \\x1b[31mNO"))])
def test_refusals(conversation, answer, ended):
    _, greenlet, peer, _ = conversation
    peer.expect(b"HELLO\x04\x04")
    peer.send(answer)
    assert greenlet.get(timeout=5) == ended


def test_the_end_before_the_answer_is_told_apart(conversation):
    _, greenlet, peer, _ = conversation
    peer.expect(b"HELLO\x04\x04")
    peer.close()
    assert greenlet.get(timeout=5) == Ended(Cause.CLOUD, "closed by the cloud before it answered the registration")


@pytest.mark.parametrize("number, cause, reason", [
    (errno.ECONNRESET, Cause.CLOUD, "reset by the cloud"), (errno.ETIMEDOUT, Cause.PATH, "connection timed out"),
    (errno.EHOSTUNREACH, Cause.PATH, "no route to the cloud"), (errno.EIO, Cause.PATH, "connection lost (odd)")])
def test_what_the_kernel_says(conversation, number, cause, reason):
    it, greenlet, peer, orders = conversation
    peer.register()
    gevent.idle()
    it._inbox.put(OSError(number, "odd"))
    orders.bell.set()
    assert greenlet.get(timeout=5) == Ended(cause, reason)


@pytest.mark.parametrize("arrived, cause", [(True, Cause.CLOUD), (False, Cause.PATH)])
def test_a_silent_cloud_and_a_question_that_never_arrived(conversation, board, monkeypatch, arrived, cause):
    it, greenlet, peer, orders = conversation
    peer.register()
    board.wait("online", str(it._connection.endpoint))
    monkeypatch.setattr(it._connection, "arrived", lambda: arrived)
    it.session.timing = replace(it.session.timing, ack_timeout=0.05)
    orders.verify = True
    orders.bell.set()
    assert greenlet.get(timeout=5) == Ended(cause, "heartbeat not acknowledged within 0.05 s")


def test_requests_before_a_fault_are_served(conversation, transactions):
    _, greenlet, peer, _ = conversation
    peer.register()
    peer.send(b'{"Command":"Sale"}' + b"x" * 2000)
    assert greenlet.get(timeout=5).cause is Cause.CLOUD
    transactions.wait("receive", b'{"Command":"Sale"}')


def test_a_bug_in_the_reader_is_raised_and_not_lost(conversation, monkeypatch):
    it, greenlet, peer, _ = conversation
    monkeypatch.setattr(it._connection, "receive", lambda: 1 / 0)
    peer.register()                     # ends the read that is under way
    with pytest.raises(ZeroDivisionError):
        greenlet.get(timeout=5)


def test_orders(conversation, board):
    _, greenlet, peer, orders = conversation
    peer.register()
    board.wait("online", str(conversation[0]._connection.endpoint))
    orders.stop = True
    orders.bell.set()
    assert greenlet.get(timeout=5) == Ended(Cause.ASKED, "stopped")
    orders.abort, orders.leave, orders.dial, orders.verify = "a", "b", True, True
    orders.begin()
    assert (orders.abort, orders.leave, orders.dial, orders.verify, orders.stop) == (None, None, False, False, True)


def test_a_dial_that_nobody_wants_leaves_nothing_open(settings, clouds):
    dialing = gevent.spawn(Dialer(settings).dial, [clouds[0].endpoint])
    dialing.join(timeout=5)
    drop(dialing)
    assert dialing.value.socket.closed
    drop(None)
