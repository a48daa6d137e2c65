import errno

import gevent
import pytest
from gevent.event import Event
from gevent.queue import Queue

from econduit_terminal.agent.cloud.reader import Reader


class Source:
    """Gives what the test puts in; an exception is raised."""

    def __init__(self):
        self.given, self.asked = Queue(), 0

    def receive(self):
        self.asked += 1
        given = self.given.get()
        if isinstance(given, Exception):
            raise given
        return given


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def woken():
    return Event()


@pytest.fixture
def reader(source, woken):
    it = Reader(source, woken.set)
    it.start()
    yield it
    it.close()


def test_chunks_in_their_order_one_ahead(reader, source, woken):
    assert reader.empty and reader.take() is None
    for chunk in (b"a", b"b", b"c"):
        source.given.put(chunk)
    assert woken.wait(5)
    gevent.idle()
    assert not reader.empty and source.asked == 2       # the second waits in the reader's hand, the third in the kernel
    taken = []
    with gevent.Timeout(5):
        while len(taken) < 3:
            if chunk := reader.take():
                taken.append(chunk)
            gevent.sleep(0)
    assert taken == [b"a", b"b", b"c"]


def test_a_chunk_in_the_readers_hand_is_not_nothing(reader, source, woken):
    source.given.put(b"ack")
    source.given.put(b"request")
    gevent.idle()
    assert source.asked == 2 and reader.take() == b"ack"
    assert not reader.empty             # who leaves the connection now would lose it
    gevent.idle()
    assert reader.take() == b"request" and reader.empty


@pytest.mark.parametrize("given, number", [
    (b"", errno.EPIPE), (ConnectionResetError(errno.ECONNRESET, "reset"), errno.ECONNRESET)])
def test_the_end_is_raised_behind_what_came_before_it(reader, source, woken, given, number):
    source.given.put(b"last words")
    source.given.put(given)
    assert woken.wait(5) and reader.take() == b"last words"
    woken.clear()
    assert woken.wait(5)
    with pytest.raises(OSError) as raised:
        reader.take()
    assert raised.value.errno == number and reader.empty


def test_a_bug_is_raised_where_it_is_looked_for(reader, source, woken):
    source.given.put(ZeroDivisionError())
    assert woken.wait(5)
    with pytest.raises(ZeroDivisionError):
        reader.take()


def test_one_that_never_began_is_closed(source, woken):
    Reader(source, woken.set).close()
