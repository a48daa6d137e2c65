import socket as std
import time

import gevent
import pytest
from econduit_terminal.agent.cloud import dialer as module
from econduit_terminal.agent.cloud.dialer import Dialer, DialFailed, Fault, prepare
from econduit_terminal.conf.values import Endpoint
from gevent import socket


@pytest.fixture
def dialer(settings):
    return Dialer(settings)


def refused():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return Endpoint(*sock.getsockname())


def test_the_primary_wins_and_the_secondary_is_not_even_dialed(dialer, clouds):
    dialed = dialer.dial([cloud.endpoint for cloud in clouds])
    assert dialed.endpoint == clouds[0].endpoint
    clouds[0].accept()
    assert clouds[1].dialed == 0
    dialed.socket.close()


def test_a_refused_primary_gives_its_head_start_away(dialer, clouds, settings):
    began = time.monotonic()
    dialed = dialer.dial([refused(), clouds[1].endpoint])
    assert dialed.endpoint == clouds[1].endpoint
    assert time.monotonic() - began < settings.reconnect.secondary_after
    dialed.socket.close()


def test_a_silent_primary_delays_the_secondary_by_its_head_start(dialer, clouds, blackhole, settings):
    dialed = dialer.dial([blackhole, clouds[1].endpoint])
    assert dialed.endpoint == clouds[1].endpoint
    assert settings.reconnect.secondary_after <= dialed.seconds < settings.reconnect.connect_timeout
    dialed.socket.close()


def test_everybody_refuses(dialer):
    one, two = refused(), refused()
    with pytest.raises(DialFailed, match=f"refused by {one}; refused by {two}") as caught:
        dialer.dial([one, two])
    assert caught.value.faults == {Fault.REFUSED}


def test_nobody_answers_in_time(dialer, blackhole, settings):
    began = time.monotonic()
    with pytest.raises(DialFailed, match=f"no answer from {blackhole}") as caught:
        dialer.dial([blackhole])
    assert caught.value.faults == {Fault.SILENT}
    assert time.monotonic() - began >= settings.reconnect.connect_timeout


def test_an_interface_that_is_not_there(dialer, clouds):
    with pytest.raises(DialFailed, match="no way to .* over nowhere0") as caught:
        dialer.dial([clouds[0].endpoint], interface="nowhere0")
    assert caught.value.faults == {Fault.LOCAL}


def test_nothing_is_sent_from_an_address_that_is_lost(dialer, clouds):
    with pytest.raises(DialFailed, match="the interface that leads there is dead") as caught:
        dialer.dial([cloud.endpoint for cloud in clouds], lost={"127.0.0.1": "cable unplugged"})
    assert caught.value.faults == {Fault.LOCAL}
    assert [cloud.dialed for cloud in clouds] == [0, 0]
    dialer.dial([clouds[0].endpoint], lost={"192.0.2.5": "cable unplugged"}).socket.close()


def test_a_dial_over_a_named_interface(dialer, clouds):
    dialed = dialer.dial([clouds[0].endpoint], interface="lo")
    assert dialed.socket.getsockopt(std.SOL_SOCKET, std.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
    dialed.socket.close()


def test_a_name_that_does_not_exist(dialer, monkeypatch):
    def unknown(*_):
        raise std.gaierror(std.EAI_NONAME, "Name or service not known")
    monkeypatch.setattr("econduit_terminal.agent.cloud.names.getaddrinfo", unknown)
    with pytest.raises(DialFailed, match="name cloud.example not found") as caught:
        dialer.dial([Endpoint("cloud.example", 80)])
    assert caught.value.faults == {Fault.NAME}


def test_the_last_good_address_does_not_wait_for_its_name(dialer, clouds, monkeypatch):
    named = Endpoint("cloud.example", clouds[0].endpoint.port)
    monkeypatch.setattr("econduit_terminal.agent.cloud.names.getaddrinfo",
                        lambda host, port, *_: [(std.AF_INET, std.SOCK_STREAM, 6, "", ("127.0.0.1", port))])
    dialer.dial([named]).socket.close()
    monkeypatch.setattr("econduit_terminal.agent.cloud.names.getaddrinfo", lambda *_: gevent.sleep(60))
    dialed = dialer.dial([named])
    assert dialed.seconds < 0.2
    dialed.socket.close()


def test_a_missing_route_is_tried_again_for_a_moment(dialer, clouds, monkeypatch):
    """Right after carrier-up the first dials fail at once."""
    tries, honest = [], module.prepare

    def no_route_at_first(sock, rules, interface):
        tries.append(sock)
        if len(tries) < 4:
            raise OSError(113, "No route to host")
        honest(sock, rules, interface)
    monkeypatch.setattr(module, "prepare", no_route_at_first)
    dialed = dialer.dial([clouds[0].endpoint])
    assert len(tries) == 4 and dialed.seconds < module.STALE_NEIGHBOUR_FOR
    dialed.socket.close()


def test_losers_and_killed_dials_leave_no_socket_open(dialer, clouds, blackhole, monkeypatch):
    made, honest = [], socket.socket

    def counted(*arguments):
        made.append(honest(*arguments))
        return made[-1]
    monkeypatch.setattr(module.socket, "socket", counted)
    dialed = dialer.dial([blackhole, clouds[1].endpoint])
    assert [sock for sock in made if not sock.closed] == [dialed.socket]
    dialed.socket.close()
    dialing = gevent.spawn(dialer.dial, [blackhole])
    gevent.sleep(0)
    gevent.idle()
    dialing.kill()
    assert len(made) > 2 and all(sock.closed for sock in made)


def test_the_kernel_is_told_to_notice_a_dead_path(settings):
    with socket.socket() as sock:
        prepare(sock, settings.reconnect)
        options = [sock.getsockopt(std.IPPROTO_TCP, option) for option in (
            std.TCP_NODELAY, std.TCP_KEEPIDLE, std.TCP_KEEPINTVL, std.TCP_KEEPCNT, std.TCP_USER_TIMEOUT)]
        assert options == [1, 2, 1, 3, 5000] and sock.getsockopt(std.SOL_SOCKET, std.SO_KEEPALIVE) == 1


def test_no_name_is_asked_for_over_a_way_that_is_lost(dialer, monkeypatch):
    asked = []
    monkeypatch.setattr("econduit_terminal.agent.cloud.names.getaddrinfo", lambda *question: asked.append(question))
    way_out = module._source(*module.OUTSIDE)
    if way_out is None:
        monkeypatch.setattr(module, "_source", lambda *_: "192.0.2.5")
    with pytest.raises(DialFailed, match="no way to cloud.example:80") as caught:
        dialer.dial([Endpoint("cloud.example", 80)], lost={way_out or "192.0.2.5": "cable unplugged"})
    assert caught.value.faults == {Fault.LOCAL} and asked == []


def test_a_bug_in_a_greenlet_is_raised_and_not_lost(dialer, clouds, monkeypatch):
    monkeypatch.setattr(module, "prepare", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dialer.dial([clouds[0].endpoint])
