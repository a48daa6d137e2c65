"""The dials of one terminal, on real sockets."""
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.conf import settings
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load.dial import Exhausted, NotOpened, Opened, Target, dial

RULES = replace(settings.load(None).reconnect, connect_timeout=0.6, secondary_after=0.2, local_retry=0.2)


class Ports:
    """Ports of 127.0.0.1, and how each takes a dial."""

    def __init__(self, stack: ExitStack):
        self._stack = stack

    def open(self) -> Target:
        """One that listens."""
        return self._target(self._stack.enter_context(socket.create_server(("127.0.0.1", 0))))

    def refusing(self) -> Target:
        """One that is taken, but where nobody listens."""
        sock = self._stack.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        return self._target(sock)

    def silent(self) -> Target:
        """One whose backlog is full: a dial gets no answer."""
        server = self._stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        self._stack.enter_context(socket.create_connection(server.getsockname()))
        return self._target(server)

    @staticmethod
    def _target(sock: socket.socket) -> Target:
        return Target(Endpoint(*sock.getsockname()), (socket.AF_INET, sock.getsockname()))


def findings(dialed):
    return {endpoint: met.finding for endpoint, met in dialed.met.items()}


@pytest.fixture
def ports() -> Iterator[Ports]:
    with ExitStack() as stack:
        yield Ports(stack)


def test_the_first_endpoint_has_the_head_start(ports):
    primary, secondary = ports.open(), ports.open()
    opened = dial([primary, secondary], RULES)
    assert isinstance(opened, Opened) and opened.endpoint == primary.endpoint and opened.met == {}
    assert opened.socket.getpeername() == primary.address[1]
    opened.socket.close()


def test_a_refusal_leads_to_the_other_endpoint_at_once(ports):
    primary, secondary = ports.refusing(), ports.open()
    opened = dial([primary, secondary], replace(RULES, secondary_after=30.0))
    assert isinstance(opened, Opened) and opened.endpoint == secondary.endpoint
    assert findings(opened) == {primary.endpoint: Finding.REFUSED}
    opened.socket.close()


def test_silence_leads_to_the_other_one_after_the_head_start(ports):
    primary, secondary = ports.silent(), ports.open()
    opened = dial([primary, secondary], replace(RULES, connect_timeout=30.0))
    assert isinstance(opened, Opened) and opened.endpoint == secondary.endpoint
    assert opened.seconds >= RULES.secondary_after and opened.met == {}
    opened.socket.close()


def test_what_was_met_at_each_endpoint_is_told(ports):
    primary, secondary = ports.refusing(), ports.silent()
    failed = dial([primary, secondary], RULES)
    assert isinstance(failed, NotOpened) and failed.seconds >= RULES.connect_timeout
    assert findings(failed) == {primary.endpoint: Finding.REFUSED, secondary.endpoint: Finding.SILENT}
    refused, silent = (failed.met[target.endpoint].at for target in (primary, secondary))
    assert silent - refused >= RULES.connect_timeout / 2


def test_an_endpoint_that_is_held_back_is_not_waited_for_where_another_refused(ports):
    primary, secondary = ports.refusing(), replace(ports.open(), hold=30.0)
    failed = dial([primary, secondary], RULES)
    assert isinstance(failed, NotOpened) and findings(failed) == {primary.endpoint: Finding.REFUSED}


def test_a_dial_begins_when_the_first_hold_is_over(ports):
    began = time.monotonic()
    opened = dial([replace(ports.open(), hold=0.3)], RULES)
    assert isinstance(opened, Opened) and time.monotonic() - began >= 0.3
    opened.socket.close()


def test_the_source_address_is_the_one_that_is_asked_for(ports):
    opened = dial([ports.open()], RULES, source="127.0.9.9")
    assert isinstance(opened, Opened) and opened.socket.getsockname()[0] == "127.0.9.9"
    opened.socket.close()


def test_what_this_machine_lacks_is_no_finding_about_the_cloud(ports):
    with pytest.raises(Exhausted, match="--source"):
        dial([ports.open()], RULES, source="192.0.2.1")     # not ours: TEST-NET-1, RFC 5737
