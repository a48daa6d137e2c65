import socket
import struct
import time

import gevent
import gevent.socket
import pytest

from econduit_terminal.agent.cloud.connection import Connection, interface_of
from econduit_terminal.agent.cloud.dialed import Dialed, Target
from econduit_terminal.agent.cloud.dialer import Dialer
from econduit_terminal.agent.wire.dialect import response


@pytest.fixture
def pair(settings, clouds):
    """Our end and the cloud's end."""
    connection = Connection(Dialer(settings).dial([Target(clouds[0].endpoint)]), response)
    yield connection, clouds[0].accept()
    connection.close()


def until(condition, within=5.0):
    """The first true value of `condition()`."""
    with gevent.Timeout(within, AssertionError("not in time")):
        while not (value := condition()):
            gevent.sleep(0.001)
        return value


def receive_fails(connection, error):
    with pytest.raises(error):
        connection.receive()


def test_what_it_knows_of_itself(pair, clouds):
    connection, _ = pair
    assert (connection.local_address, connection.interface, connection.endpoint) == (
        "127.0.0.1", "lo", clouds[0].endpoint)


def test_a_response_is_delivered_when_the_peers_tcp_has_it(pair):
    connection, peer = pair
    assert connection.send(b"answer", 5) is True
    peer.expect(b"answer\x04\x04")


def test_a_response_that_the_peer_does_not_take_is_not_delivered(pair):
    connection, _ = pair
    began = time.monotonic()
    assert connection.send(b"x" * (64 << 20), 0.2) is False
    assert time.monotonic() - began < 20


def test_a_response_that_broke_off_ends_the_connection(pair):
    """Whatever came behind half a response would be taken for a part of it."""
    connection, _ = pair
    reading = gevent.spawn(receive_fails, connection, TimeoutError)
    assert connection.send(b"x" * (64 << 20), 0.2) is False
    reading.get(timeout=5)


def test_a_response_that_is_never_acknowledged_ends_the_connection(pair, monkeypatch):
    connection, _ = pair
    monkeypatch.setattr(connection, "_unacknowledged", lambda: 1)
    reading = gevent.spawn(receive_fails, connection, TimeoutError)
    assert connection.send(b"answer", 0.1) is False
    reading.get(timeout=5)


def test_a_path_that_is_gone_is_waited_for_by_nobody(pair):
    """A long answer stands in the send buffer: the next connection's must not wait for what the kernel does with it."""
    connection, _ = pair
    sending = gevent.spawn(connection.send, b"x" * (64 << 20), 60)
    gevent.sleep(0)
    while connection.arrived():
        gevent.sleep(0.001)
    connection.freeze()
    assert sending.get(timeout=5) is False


def test_what_arrived(pair):
    connection, peer = pair
    assert connection.arrived()
    connection.write(b"heartbeat", 5)
    peer.expect(b"heartbeat")
    assert connection.arrived()
    connection.close()
    assert not connection.arrived()


def test_nothing_is_delivered_on_a_connection_that_is_over(pair):
    connection, peer = pair
    peer.close()
    assert connection.receive() == b""
    assert connection.send(b"answer", 5) is False
    connection.close()
    assert connection.send(b"answer", 5) is False


def test_a_frozen_connection_says_nothing_until_it_is_closed_and_then_resets(pair):
    connection, peer = pair
    reading = gevent.spawn(receive_fails, connection, OSError)
    gevent.idle()
    connection.freeze()
    assert connection.send(b"answer", 5) is False
    connection.close()
    reading.join(timeout=5)
    assert reading.ready()
    with pytest.raises(ConnectionResetError):
        while peer.socket.recv(100):
            pass


def test_an_orderly_end_still_hears_the_cloud(pair):
    connection, peer = pair
    connection.shutdown()
    peer.ended()
    peer.send(b"last words")
    assert connection.receive() == b"last words"
    peer.close()
    assert connection.receive() == b""


def test_an_interface_may_go_away_while_all_are_looked_at(monkeypatch):
    monkeypatch.setattr("netifaces.interfaces", lambda: ["gone0", "lo"])
    assert interface_of("127.0.0.1") == "lo"


def test_readable(pair):
    connection, peer = pair
    assert not connection.readable()
    peer.send(b"x")
    with gevent.Timeout(5):
        while not connection.readable():
            gevent.sleep(0.001)
    connection.close()
    assert not connection.readable()


@pytest.mark.parametrize("address, name", [("127.0.0.1", "lo"), ("192.0.2.77", None), ("nonsense", None)])
def test_interface_of(address, name):
    assert interface_of(address) == name


def segments_sent(connection):
    """Data segments that left, and the bytes in them (tcpi_data_segs_out, tcpi_bytes_sent)."""
    data = connection._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 208)
    return struct.unpack_from("=I", data, 156)[0], struct.unpack_from("=Q", data, 200)[0]


def test_what_the_kernel_knows(pair):
    connection, _ = pair
    assert connection.info().snd_mss > 1000
    connection.close()
    assert connection.info() is None


def test_hurried_retransmissions_and_back(pair):
    connection, _ = pair
    sock = connection._socket

    def now():
        return (sock.getsockopt(socket.IPPROTO_TCP, 16),
                sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0"))

    usual = now()
    for _ in range(2):
        connection.hurry(True)
        assert now()[0] == 1 and not now()[1].startswith(b"bbr")
        connection.hurry(True)
        connection.hurry(False)
        assert now() == usual
    connection.close()
    connection.hurry(True)
    connection.keepalive_after(2)
    connection.reset_on_close()


def test_an_abandoned_connection_is_reset(pair):
    connection, peer = pair
    connection.write(b"x" * 100, 5)
    connection.reset_on_close()
    connection.close()
    with pytest.raises(ConnectionResetError):
        while peer.socket.recv(1000):
            pass


def test_whoever_watches_hears_of_each_write(pair):
    connection, _ = pair
    heard = []
    connection.on_write = lambda: heard.append(connection.arrived())
    connection.write(b"heartbeat", 5)
    connection.send(b"answer", 5)
    assert len(heard) == 2


@pytest.mark.parametrize("segment", [1200, 536])
def test_m8_on_a_way_that_loses_large_packets_no_two_segments_are_merged(clouds, segment):
    """With segmentation offload a router on this machine would see them as one large packet."""
    sock = gevent.socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.connect(clouds[0].endpoint)
    connection, peer = Connection(Dialed(sock, clouds[0].endpoint, 0.0), response), clouds[0].accept()
    segment = min(segment, connection.info().snd_mss)
    answer = bytes(range(256)) * 256
    sending = gevent.spawn(connection.send, answer, 5)
    peer.expect(answer + b"\x04\x04")
    assert sending.get(timeout=5)
    count, size = segments_sent(connection)
    assert size >= len(answer) + 2 and count >= size / segment      # some may have been sent again
    connection.close()
