import socket as std
import time
from dataclasses import replace

import gevent
import pytest
from gevent import socket

from econduit_terminal.agent.cloud import connect as connecting, dialer as module
from econduit_terminal.agent.cloud.dialed import DialFailed, Target
from econduit_terminal.agent.cloud.dialer import Dialer
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.conf.values import Endpoint


def targets(*endpoints, **more):
    """What a dial without any memory takes."""
    return [Target(endpoint, **more) for endpoint in endpoints]


@pytest.fixture
def dialer(settings):
    return Dialer(settings)


@pytest.fixture
def patient(settings):
    """A dialer that gives up after a minute, for dials that must not take as long as that."""
    return Dialer(replace(settings, reconnect=replace(settings.reconnect, connect_timeout=60.0)))


SOON = 20.0
"""Seconds: far more than anything here takes, and far less than `patient` waits."""


def findings(failed):
    return {failure.finding for failure in failed.results.failures.values()}


def resolver(monkeypatch, look_up):
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver.getaddrinfo", look_up)
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver._meant", lambda host, address: True)


def answer(*addresses):
    return lambda host, port, *_: [(std.AF_INET, std.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


def refused():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return Endpoint(*sock.getsockname())


def test_the_primary_wins_and_the_secondary_is_not_even_dialed(dialer, clouds):
    dialed = dialer.dial(targets(*[cloud.endpoint for cloud in clouds]))
    assert dialed.endpoint == clouds[0].endpoint
    clouds[0].accept()
    assert clouds[1].dialed == 0
    dialed.socket.close()


def test_a_refused_primary_gives_its_head_start_away(patient, clouds):
    patient.settings = replace(patient.settings, reconnect=replace(patient.settings.reconnect, secondary_after=60.0))
    dialed = patient.dial(targets(refused(), clouds[1].endpoint))
    assert dialed.endpoint == clouds[1].endpoint
    assert dialed.seconds < SOON
    dialed.socket.close()


def test_a_silent_primary_delays_the_secondary_by_its_head_start(patient, clouds, blackhole, settings):
    dialed = patient.dial(targets(blackhole, clouds[1].endpoint))
    assert dialed.endpoint == clouds[1].endpoint
    assert settings.reconnect.secondary_after <= dialed.seconds < SOON
    dialed.socket.close()


def test_everybody_refuses(dialer):
    one, two = refused(), refused()
    with pytest.raises(DialFailed, match=f"refused by {one}; refused by {two}") as caught:
        dialer.dial(targets(one, two))
    assert findings(caught.value) == {Finding.REFUSED}


def test_nobody_answers_in_time(dialer, blackhole, settings):
    began = time.monotonic()
    with pytest.raises(DialFailed, match=f"no answer from {blackhole}") as caught:
        dialer.dial(targets(blackhole))
    assert findings(caught.value) == {Finding.SILENT}
    assert time.monotonic() - began >= settings.reconnect.connect_timeout


def test_an_interface_that_is_not_there(dialer, clouds):
    with pytest.raises(DialFailed, match="no way to .* over nowhere0") as caught:
        dialer.dial(targets(clouds[0].endpoint), interface="nowhere0")
    assert findings(caught.value) == {Finding.NO_WAY}


def test_nothing_is_sent_from_an_address_that_is_lost(dialer, clouds):
    with pytest.raises(DialFailed, match="the interface that leads there is dead") as caught:
        dialer.dial(targets(*[cloud.endpoint for cloud in clouds]), lost={"127.0.0.1": "cable unplugged"})
    assert findings(caught.value) == {Finding.NO_WAY}
    assert [cloud.dialed for cloud in clouds] == [0, 0]
    dialer.dial(targets(clouds[0].endpoint), lost={"192.0.2.5": "cable unplugged"}).socket.close()


def test_a_dial_over_a_named_interface(dialer, clouds):
    dialed = dialer.dial(targets(clouds[0].endpoint), interface="lo")
    assert dialed.socket.getsockopt(std.SOL_SOCKET, std.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
    dialed.socket.close()


def test_a_name_that_does_not_exist(dialer, monkeypatch):
    def unknown(*_):
        raise std.gaierror(std.EAI_NONAME, "Name or service not known")
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver.getaddrinfo", unknown)
    with pytest.raises(DialFailed, match="name cloud.example not found") as caught:
        dialer.dial(targets(Endpoint("cloud.example", 80)))
    assert findings(caught.value) == {Finding.NO_NAME}


def test_known_addresses_do_not_wait_for_their_name(patient, clouds, monkeypatch):
    named = Endpoint("cloud.example", clouds[0].endpoint.port)
    resolver(monkeypatch, lambda *_: gevent.sleep(60))
    dialed = patient.dial(targets(named, known=[local(clouds[0])]))
    assert dialed.seconds < module.NAME_FIRST and dialed.address == local(clouds[0]) and dialed.results.named == {}
    dialed.socket.close()


def local(cloud):
    return std.AF_INET, ("127.0.0.1", cloud.endpoint.port)


def test_o15_spare_addresses_when_the_name_is_not_found(patient, clouds, monkeypatch):
    def unknown(*_):
        raise std.gaierror(std.EAI_AGAIN, "Temporary failure in name resolution")
    resolver(monkeypatch, unknown)
    dialed = patient.dial(targets(Endpoint("cloud.example", 80), spare=[local(clouds[0])]))
    assert dialed.seconds < SOON and dialed.address == local(clouds[0])
    assert dialed.results.failures == {} or findings(DialFailed(dialed.results)) == {Finding.NO_NAME}
    dialed.socket.close()


def test_o5_spare_addresses_beside_a_name_that_is_not_answered_but_not_before_it_could_be(patient, clouds, monkeypatch):
    resolver(monkeypatch, lambda *_: gevent.sleep(60))
    dialed = patient.dial(targets(Endpoint("cloud.example", 80), spare=[local(clouds[0])]))
    assert module.NAME_FIRST <= dialed.seconds < SOON
    dialed.socket.close()


def test_o5_a_name_that_is_answered_leaves_the_spare_address_alone(dialer, clouds, monkeypatch):
    resolver(monkeypatch, answer("127.0.0.1"))
    dialed = dialer.dial(targets(Endpoint("cloud.example", clouds[1].endpoint.port), spare=[local(clouds[0])]))
    assert dialed.address == local(clouds[1]) and dialed.results.named == {dialed.endpoint: [local(clouds[1])]}
    dialed.socket.close()
    with pytest.raises(DialFailed, match="refused by"):
        dialer.dial(targets(Endpoint("cloud.example", refused().port), spare=[local(clouds[0])]))
    assert clouds[0].dialed == 0


def test_o16_a_name_that_comes_a_moment_after_the_network(patient, clouds, monkeypatch):
    monkeypatch.setattr(module, "RETURNING_FOR", SOON)      # a moment, whatever the machine does meanwhile
    asked = []

    def late(*question):
        asked.append(question)
        if len(asked) < 4:
            raise std.gaierror(std.EAI_AGAIN, "Temporary failure in name resolution")
        return answer("127.0.0.1")(*question)
    resolver(monkeypatch, late)
    with pytest.raises(DialFailed, match="not found"):
        patient.dial(targets(Endpoint("cloud.example", clouds[0].endpoint.port)))
    assert len(asked) == 1
    dialed = patient.dial(targets(Endpoint("cloud.example", clouds[0].endpoint.port)), returning=True)
    assert len(asked) == 4 and dialed.seconds < module.RETURNING_FOR
    dialed.socket.close()


def test_o16_a_name_that_does_not_come_ends_the_dial_soon(patient, monkeypatch):
    def unknown(*_):
        raise std.gaierror(std.EAI_NONAME, "Name or service not known")
    resolver(monkeypatch, unknown)
    began = time.monotonic()
    with pytest.raises(DialFailed, match="not found"):
        patient.dial(targets(Endpoint("cloud.example", 80)), returning=True)
    assert time.monotonic() - began < SOON


def test_a_name_that_is_not_answered_within_the_dial_is_no_silent_cloud(dialer, settings, monkeypatch):
    resolver(monkeypatch, lambda *_: gevent.sleep(60))
    dialer.settings = replace(settings, reconnect=replace(settings.reconnect, connect_timeout=0.1))
    with pytest.raises(DialFailed, match="name cloud.example not answered") as caught:
        dialer.dial(targets(Endpoint("cloud.example", 80)))
    assert findings(caught.value) == {Finding.NO_NAME}


def test_an_address_that_opened_in_vain_is_tried_after_the_others(dialer, clouds, monkeypatch):
    """Two addresses of one name, the first of which is a mute proxy."""
    resolver(monkeypatch, answer("127.0.0.1", "127.0.0.2"))
    named = Endpoint("cloud.example", clouds[0].endpoint.port)
    with socket.socket() as other:
        other.bind(("127.0.0.2", named.port))
        other.listen()
        first, second = ((std.AF_INET, (host, named.port)) for host in ("127.0.0.1", "127.0.0.2"))
        for doubted, opened in (((), first), ((first,), second), ((second,), first), ((second, first), second)):
            dialed = dialer.dial(targets(named, doubted=doubted))
            assert dialed.address == opened
            dialed.socket.close()


def test_an_endpoint_on_hold_joins_when_its_time_comes(patient, clouds, blackhole):
    dialed = patient.dial([Target(blackhole), Target(clouds[1].endpoint, hold=0.4)])
    assert dialed.endpoint == clouds[1].endpoint and 0.4 <= dialed.seconds < SOON
    dialed.socket.close()


def test_an_endpoint_on_hold_keeps_no_dial_alive_that_failed(patient, clouds):
    began = time.monotonic()
    with pytest.raises(DialFailed, match="refused by"):
        patient.dial([Target(refused()), Target(clouds[1].endpoint, hold=40)])
    assert time.monotonic() - began < SOON and clouds[1].dialed == 0


def test_what_a_dial_learned_of_the_endpoint_that_lost(dialer, clouds):
    one = refused()
    dialed = dialer.dial(targets(one, clouds[1].endpoint))
    failures = dialed.results.failures
    assert {endpoint: failure.finding for endpoint, failure in failures.items()} == {one: Finding.REFUSED}
    assert dialed.results.addresses[one] == ((std.AF_INET, tuple(one)),)
    dialed.socket.close()


@pytest.mark.parametrize("silent_after, met", [(0.3, Finding.SILENT), (30.0, None)])
def test_an_endpoint_that_lost_after_a_fair_time_was_silent_and_before_it_nothing_is_known(
        patient, clouds, blackhole, monkeypatch, silent_after, met):
    monkeypatch.setattr(module, "SILENT_AFTER", silent_after)
    dialed = patient.dial([Target(blackhole), Target(clouds[1].endpoint, hold=0.4)])
    failure = dialed.results.failures.get(blackhole)
    assert (failure and failure.finding) == met and clouds[1].endpoint not in dialed.results.failures
    dialed.socket.close()


def test_where_the_line_was_silent_as_well_no_endpoint_is_blamed(patient, clouds, monkeypatch):
    """Nothing passes at first; then both endpoints open, one a moment before the other."""
    monkeypatch.setattr(module, "SILENT_AFTER", 0.3)
    connect = module.connect

    def slow(sock, endpoint, *more):
        gevent.sleep(0.5 if endpoint == clouds[0].endpoint else 1.5)
        return connect(sock, endpoint, *more)

    monkeypatch.setattr(module, "connect", slow)
    dialed = patient.dial(targets(*[cloud.endpoint for cloud in clouds]))
    assert dialed.endpoint == clouds[0].endpoint and not dialed.results.failures
    dialed.socket.close()


def test_m8_a_smaller_segment_size(dialer, clouds):
    dialed = dialer.dial(targets(clouds[0].endpoint, mss=536))
    assert dialed.socket.getsockopt(std.IPPROTO_TCP, std.TCP_MAXSEG) <= 536
    dialed.socket.close()


def test_a_missing_route_is_tried_again_for_a_moment(patient, clouds, monkeypatch):
    """Right after carrier-up the first dials fail at once."""
    monkeypatch.setattr(module, "RETURNING_FOR", SOON)
    tries, honest = [], connecting.prepare

    def no_route_at_first(sock, *rest):
        tries.append(sock)
        if len(tries) < 4:
            raise OSError(113, "No route to host")
        honest(sock, *rest)
    monkeypatch.setattr(connecting, "prepare", no_route_at_first)
    dialed = patient.dial(targets(clouds[0].endpoint))
    assert len(tries) == 4 and dialed.seconds < module.RETURNING_FOR
    dialed.socket.close()


def test_a_terminal_without_a_descriptor_left_says_so_and_lives(dialer, clouds, monkeypatch):
    def none_left(*_):
        raise OSError(24, "Too many open files")
    monkeypatch.setattr(module.socket, "socket", none_left)
    with pytest.raises(DialFailed, match="cannot be dialed .Too many open files.") as caught:
        dialer.dial(targets(clouds[0].endpoint))
    assert findings(caught.value) == {Finding.NO_WAY}


def test_losers_and_killed_dials_leave_no_socket_open(patient, clouds, blackhole, monkeypatch):
    made, honest = [], socket.socket

    def counted(*arguments):
        made.append(honest(*arguments))
        return made[-1]
    monkeypatch.setattr(module.socket, "socket", counted)
    dialed = patient.dial(targets(blackhole, clouds[1].endpoint))
    assert [sock for sock in made if not sock.closed] == [dialed.socket]
    dialed.socket.close()
    dialing = gevent.spawn(patient.dial, targets(blackhole))
    gevent.sleep(0)
    gevent.idle()
    dialing.kill()
    assert len(made) > 2 and all(sock.closed for sock in made)


def test_no_name_is_asked_for_over_a_way_that_is_lost(dialer, monkeypatch):
    asked = []
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver.getaddrinfo", lambda *question: asked.append(question))
    way_out = module.source_of(*module.OUTSIDE)
    if way_out is None:
        monkeypatch.setattr(module, "source_of", lambda *_: "192.0.2.5")
    with pytest.raises(DialFailed, match="no way to cloud.example:80") as caught:
        dialer.dial(targets(Endpoint("cloud.example", 80)), lost={way_out or "192.0.2.5": "cable unplugged"})
    assert findings(caught.value) == {Finding.NO_WAY} and asked == []


def test_a_bug_in_a_greenlet_is_raised_and_not_lost(dialer, clouds, monkeypatch):
    monkeypatch.setattr(connecting, "prepare", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dialer.dial(targets(clouds[0].endpoint))
