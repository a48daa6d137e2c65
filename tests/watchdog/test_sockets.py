"""What an error of a socket means. Routers that reject are in the laboratory (tests/lab)."""
import errno
import os
import select
import socket
import subprocess
import sys
import textwrap

import pytest

from econduit_terminal.contract.status import Outcome
from econduit_terminal.watchdog import sockets


def dialed(address, port):
    made = sockets.open_socket(address, socket.SOCK_STREAM, None)
    code = made.connect_ex(sockets.socket_address(address, port))
    if code == errno.EINPROGRESS:
        select.select([], [made], [], 5)
        code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    with made:
        return sockets.outcome_of(made, code, address)


def test_open_and_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert dialed("127.0.0.1", server.getsockname()[1]) == (Outcome.OPEN, None)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert dialed("127.0.0.1", bound.getsockname()[1]) == (Outcome.REFUSED, None)


def test_a_host_s_own_icmp_is_a_refusal_of_its_own():
    """A datagram to a closed port: the answer is an ICMP error, and its sender is the host itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    with sockets.open_socket("127.0.0.1", socket.SOCK_DGRAM, None) as asked:
        asked.connect(("127.0.0.1", port))
        asked.send(b"?")
        select.select([asked], [], [], 5)
        code = asked.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        assert code == errno.ECONNREFUSED and sockets.outcome_of(asked, code, "127.0.0.1") == (Outcome.REFUSED, None)


@pytest.mark.parametrize("code, outcome", [
    (0, Outcome.OPEN), (errno.ECONNREFUSED, Outcome.REFUSED), (errno.ENETUNREACH, Outcome.NO_WAY),
    (errno.EHOSTUNREACH, Outcome.NO_WAY), (errno.ETIMEDOUT, Outcome.SILENT), (errno.EACCES, Outcome.SILENT),
])
def test_errors_that_nobody_sent(code, outcome):
    with sockets.open_socket("127.0.0.1", socket.SOCK_STREAM, None) as made:
        assert sockets.outcome_of(made, code, "192.0.2.1") == (outcome, None)


def test_an_interface_that_is_not_there():
    with pytest.raises(OSError):
        sockets.open_socket("127.0.0.1", socket.SOCK_STREAM, "nosuch0")
    assert sockets.socket_address("fe80::1", 80, "lo") == ("fe80::1", 80, 0, 1)
    assert sockets.socket_address("fe80::1", 80, "nosuch0") == ("fe80::1", 80, 0, 0)
    assert sockets.socket_address("2001:db8::1", 80, "lo") == ("2001:db8::1", 80, 0, 0)


@pytest.mark.parametrize("zone, scope", [("lo", 1), ("7", 7), ("nosuch0", 0), ("9" * 20, 0)])
def test_an_endpoint_that_names_its_interface(zone, scope):
    """`primary = [fe80::1%eth0]:9001`: a controller on the terminal's own link."""
    assert sockets.socket_address(f"fe80::1%{zone}", 80) == ("fe80::1", 80, 0, scope)
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as missing:
        pytest.skip(f"no ::1: {missing}")
    with server:
        assert dialed("::1%lo", server.getsockname()[1]) == (Outcome.OPEN, None)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to have a network of its own")
def test_nobody_on_the_link_is_no_router_s_word():
    """The kernel itself says "host unreachable" when nobody answers for an address, by an ICMP error from itself."""
    script = """
        import errno, select, socket, subprocess
        from econduit_terminal.watchdog import sockets
        subprocess.run(["ip", "-batch", "-"], check=True, text=True, input='''
            link set lo up
            link add eth0 type veth peer name far
            addr add 192.0.2.1/24 dev eth0
            link set far up
            link set eth0 up
        ''')
        made = sockets.open_socket("192.0.2.9", socket.SOCK_STREAM, None)
        assert made.connect_ex(("192.0.2.9", 80)) == errno.EINPROGRESS
        select.select([], [made], [], 10)
        print(sockets.outcome_of(made, made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "192.0.2.9"))
    """
    done = subprocess.run(["unshare", "--net", sys.executable, "-c", textwrap.dedent(script)], capture_output=True,
                          text=True, timeout=30)
    assert done.stdout == f"{(Outcome.NO_WAY, None)}\n", done.stderr
