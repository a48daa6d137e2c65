"""One socket; what routers say comes in tests/lab/test_offline.py."""
import errno
import socket as std

import pytest
from gevent import socket

from econduit_terminal.agent.cloud import connect as module
from econduit_terminal.agent.cloud.connect import NotSent, connect, prepare, source_of
from econduit_terminal.agent.cloud.dialed import EndpointFailure
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.process.icmp import Rejection

HERE = Endpoint("cloud.example", 80)


def dial(sock, address, rules, **more):
    return connect(sock, HERE, (std.AF_INET, tuple(address)), rules, **more)


def test_an_open_connection_is_not_ended_by_an_icmp_error(clouds, settings):
    with socket.socket() as sock:
        assert dial(sock, clouds[0].endpoint, settings.reconnect) is None
        assert sock.getsockopt(std.IPPROTO_IP, module.icmp.IP_RECVERR) == 0


def test_a_reset_is_the_endpoint_s_own(settings):
    with socket.socket() as sock:
        assert dial(sock, ("127.0.0.1", 1), settings.reconnect) == EndpointFailure(
            Finding.REFUSED, "refused by cloud.example:80")


@pytest.mark.parametrize("number, finding", [
    (errno.EPERM, Finding.NO_WAY), (errno.ENOBUFS, Finding.NO_WAY), (errno.ECONNRESET, Finding.REFUSED),
    (errno.ECONNREFUSED, Finding.REFUSED), (errno.ETIMEDOUT, Finding.SILENT)])
def test_what_the_kernel_says(settings, monkeypatch, number, finding):
    def fail(*_):
        raise OSError(number, "odd")
    monkeypatch.setattr(module, "prepare", fail)
    with socket.socket() as sock:
        assert dial(sock, ("127.0.0.1", 1), settings.reconnect).finding is finding


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL])
@pytest.mark.parametrize("offender, met", [
    (None, NotSent), ("127.0.0.1", NotSent), ("192.0.2.1", Finding.ROUTER), ("192.0.2.9", Finding.REFUSED)])
def test_o8_only_what_was_not_sent_may_be_tried_again(settings, monkeypatch, number, offender, met):
    """127.0.0.1 is this machine: its kernel found nobody on the link."""
    def fail(*_):
        raise OSError(number, "odd")
    monkeypatch.setattr(module, "prepare", fail)
    monkeypatch.setattr(module.icmp, "rejection", lambda _: offender and Rejection(offender, "why"))
    with socket.socket() as sock:
        failed = dial(sock, ("192.0.2.9", 80), settings.reconnect, interface="eth7")
    if met is NotSent:
        assert failed == NotSent(EndpointFailure(Finding.NO_WAY, "no way to cloud.example:80 over eth7 (odd)"))
    else:
        assert failed.finding is met and (offender in failed.reason) is (met is Finding.ROUTER)


@pytest.mark.parametrize("mss", [1200, 536])
def test_m8_a_smaller_segment_size(clouds, settings, mss):
    with socket.socket() as sock:
        assert dial(sock, clouds[0].endpoint, settings.reconnect, mss=mss) is None
        assert sock.getsockopt(std.IPPROTO_TCP, std.TCP_MAXSEG) <= mss


def test_where_a_dial_would_start_from():
    assert source_of(std.AF_INET, ("127.0.0.1", 80)) == "127.0.0.1"
    assert source_of(std.AF_INET, ("no address", 80)) is None


def test_the_kernel_is_told_to_notice_a_dead_path(settings):
    with socket.socket() as sock:
        prepare(sock, settings.reconnect)
        options = [sock.getsockopt(std.IPPROTO_TCP, option) for option in (
            std.TCP_NODELAY, std.TCP_KEEPIDLE, std.TCP_KEEPINTVL, std.TCP_KEEPCNT, std.TCP_USER_TIMEOUT)]
        assert options == [1, 2, 1, 3, 5000] and sock.getsockopt(std.SOL_SOCKET, std.SO_KEEPALIVE) == 1
