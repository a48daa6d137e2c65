import grp
import logging
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from econduit_terminal.agent.api.listen_address import TcpAddress, UnixAddress, Unusable
from econduit_terminal.conf.values import Endpoint

NOBODY = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to hand a file to a group it is not in")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agent.sock"


def a_group_that_is_not_ours():
    return next(group for group in grp.getgrall() if group.gr_gid not in (os.getegid(), *os.getgroups()))


def test_a_unix_socket_is_for_its_owner_and_group_from_the_first_moment(path):
    address = UnixAddress(path)
    before = os.umask(0)
    try:
        with address.bind():
            assert stat.S_IMODE(path.stat().st_mode) == 0o660 and path.is_socket()
            assert os.umask(0) == 0     # left as it was
    finally:
        os.umask(before)


def test_clients_are_served_as_soon_as_it_is_bound(path):
    with UnixAddress(path).bind(), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


@root_only
def test_the_group_gets_the_socket(path):
    group = a_group_that_is_not_ours()
    with UnixAddress(path, group.gr_name).bind():
        assert path.stat().st_gid == group.gr_gid
        assert path.stat().st_uid == os.geteuid()
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_a_group_that_is_not_there_is_no_trouble(path, caplog):
    with UnixAddress(path, "no-such-group").bind():
        assert path.stat().st_gid == os.getegid()
    assert caplog.text == ""


@root_only
def test_a_group_that_one_may_not_give_it_to_is_said_and_it_serves(caplog):
    group = a_group_that_is_not_ours()
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, -1)
        os.seteuid(NOBODY)
        try:
            with caplog.at_level(logging.WARNING), UnixAddress(f"{folder}/agent.sock", group.gr_name).bind():
                assert Path(f"{folder}/agent.sock").is_socket()
        finally:
            os.seteuid(0)
    assert f"group {group.gr_name} cannot be set" in caplog.text


def test_a_stale_socket_is_replaced(path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    address = UnixAddress(path)
    with address.bind():
        assert address.ours()


@pytest.mark.parametrize("there, words", [
    (lambda path: path.write_text("precious"), "not a socket"),
    (lambda path: path.mkdir(), "not a socket"),
    (lambda path: path.symlink_to("/dev/null"), "not a socket"),
])
def test_what_is_no_socket_is_left_alone(path, there, words):
    there(path)
    before = path.lstat()
    with pytest.raises(Unusable, match=words):
        UnixAddress(path).bind()
    assert path.lstat().st_ino == before.st_ino


def test_a_socket_that_answers_is_left_alone(path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(Unusable, match="served by another process"):
            UnixAddress(path).bind()
        assert path.is_socket()


def test_another_kind_of_socket_is_in_use(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(Unusable, match="in use"):
            UnixAddress(path).bind()


@pytest.mark.parametrize("name", ["missing/agent.sock", "x" * 120])
def test_a_path_that_cannot_be_bound_is_said(tmp_path, name):
    with pytest.raises(Unusable, match="local.socket needs a path of 107 bytes"):
        UnixAddress(tmp_path / name).bind()


def test_it_is_ours_until_somebody_takes_it_away(path):
    address = UnixAddress(path)
    assert not address.ours()
    with address.bind():
        assert address.ours()
        path.rename(path.with_name("kept"))     # so that its inode is not given out again
        assert not address.ours()
        path.write_text("of somebody else")
        assert not address.ours()
        address.release()
        assert path.read_text() == "of somebody else"


def test_release_removes_it_and_a_second_one_nothing(path):
    address = UnixAddress(path)
    with address.bind():
        address.release()
        assert not path.exists() and not address.ours()
        path.write_text("of somebody else")
        address.release()
        assert path.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_tcp_address(host):
    address = TcpAddress(Endpoint(host, 0))
    try:
        bound = address.bind()
    except Unusable:
        assert host == "::1" and not Path("/proc/net/if_inet6").exists()
        return
    with bound, socket.create_connection(bound.getsockname()[:2], 5):
        assert address.ours()
    address.release()
    assert str(TcpAddress(Endpoint("::1", 80))) == "http://[::1]:80/"


def test_an_address_is_free_again_at_once_and_taken_by_one_only():
    with TcpAddress(Endpoint("127.0.0.1", 0)).bind() as bound:
        port = bound.getsockname()[1]
        with pytest.raises(Unusable, match=rf"127.0.0.1:{port} cannot be bound .*stop the program that uses it"):
            TcpAddress(Endpoint("127.0.0.1", port)).bind()
        with socket.create_connection(("127.0.0.1", port), 5):
            bound.accept()[0].close()       # ours ends first: the kernel keeps the pair in TIME_WAIT
    TcpAddress(Endpoint("127.0.0.1", port)).bind().close()


@pytest.mark.parametrize("host, words", [
    ("192.0.2.1", "cannot be bound"), ("no host", "no address to listen on")])
def test_an_address_that_is_not_this_terminals(host, words):
    with pytest.raises(Unusable, match=f"{words}.*local.display"):
        TcpAddress(Endpoint(host, 8642)).bind()
