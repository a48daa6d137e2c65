"""What the sandbox's programs share: listening, the readiness line, the end."""
import socket

import pytest

from econduit_terminal.sandbox.program import listener


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_that_its_predecessor_has_just_left_is_taken_over(host):
    with listener(host, 0) as first:
        port = first.getsockname()[1]
        with socket.create_connection((host, port), timeout=5) as client:
            first.setblocking(True)
            first.accept()[0].close()      # this side ends first: the port stays in TIME_WAIT
            assert client.recv(1) == b""
    listener(host, port).close()


def test_a_port_in_use_is_named():
    with listener("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}"):
            listener("127.0.0.1", port)
