"""Bounded questions, asked of this machine: open, refusing and mute ports, names that hang."""
import errno
import socket
import struct
import threading
import time

import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.watchdog import probes
from econduit_terminal.watchdog.addresses import LocalNetwork
from econduit_terminal.watchdog.probe_plan import Plan
from econduit_terminal.watchdog.resolver import Resolver
from econduit_terminal.watchdog.state import Route

MEANT = LocalNetwork(trusted=frozenset({"cloud.test"}))     # the tests' cloud stands on this machine


def ask(*endpoints, resolver=None, timeout=2.0, local=MEANT, **more):
    resolver = resolver or Resolver(look_up=known())
    resolver.local = local
    return probes.Prober(resolver).ask(Plan(None, endpoints, local=local, **more), timeout)


def outcomes(results):
    return [one.outcome.value for one in results.endpoints]


def known(**hosts):
    def look_up(name, port, type):
        if name not in hosts:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, type, 0, "", (address, 0)) for address in hosts[name]]

    return look_up


@pytest.fixture
def open_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def shut_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def mute_port():
    """A listener whose queue is full: the kernel leaves further calls unanswered."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        where = server.getsockname()
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(where)
        yield where[1]
        for caller in callers:
            caller.close()


def test_open_and_refusing(open_port, shut_port):
    started = time.monotonic()
    results = ask(Endpoint("127.0.0.1", open_port), Endpoint("127.0.0.1", shut_port), timeout=60)
    assert outcomes(results) == ["open", "refused"] and results.endpoints[0].addresses == ("127.0.0.1",)
    assert all(one.probed for one in results.endpoints)
    assert results.names == () and results.gateway is None and results.references == () and results.beyond is None
    assert time.monotonic() - started < 30


def test_nothing_is_sent_on_a_connection_that_opened():
    with socket.create_server(("127.0.0.1", 0)) as server:
        ask(Endpoint("127.0.0.1", server.getsockname()[1]))
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(100) == b""


def test_o12_endpoints_are_dialed_only_if_the_plan_says_so():
    resolver = Resolver(look_up=known(**{"cloud.test": ["127.0.0.1"]}))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        results = ask(Endpoint("127.0.0.1", port), Endpoint("cloud.test", port), resolver=resolver, dial=False)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert outcomes(results) == ["untried", "untried"] and not any(one.probed for one in results.endpoints)
    found = results.names[0]
    assert found.answered and found.addresses == ("127.0.0.1",), "their names are asked all the same"


def test_a_mute_port_costs_the_timeout_and_no_more(mute_port):
    started = time.monotonic()
    results = ask(Endpoint("127.0.0.1", mute_port), timeout=0.3)
    assert outcomes(results) == ["silent"]
    assert 0.25 < time.monotonic() - started < 10       # the kernel's own patience is two minutes


def test_names_are_looked_up_and_every_address_is_tried(open_port):
    resolver = Resolver(look_up=known(**{"cloud.test": ["127.0.0.2", "127.0.0.1"]}))
    results = ask(Endpoint("cloud.test", open_port), resolver=resolver)
    assert outcomes(results) == ["open"] and results.names[0].answered and not results.unresolved


def test_a_name_that_is_not_known():
    results = ask(Endpoint("cloud.test", 1))
    assert outcomes(results) == ["no name"] and results.unresolved and results.names[0].denied


@pytest.mark.parametrize("lie, why", [
    ("0.0.0.0", "a DNS filter"), ("127.0.0.1", "a DNS filter"), ("192.168.0.1", "the router itself"),
    ("10.9.9.9", "private"), ("192.168.0.7", "of this terminal"),
])
def test_o7_t1_an_answer_that_cannot_be_the_host_s_is_told_and_not_dialed(lie, why):
    near = LocalNetwork(frozenset({"192.168.0.7"}), frozenset({"192.168.0.1"}))
    results = ask(Endpoint("dc.test", 1), resolver=Resolver(look_up=known(**{"dc.test": [lie]})), local=near)
    assert outcomes(results) == ["no name"] and results.unresolved
    assert lie in results.names[0].implausible and why in results.names[0].implausible


def test_o7_a_right_address_beside_a_wrong_one_counts(open_port):
    resolver = Resolver(look_up=known(**{"cloud.test": ["0.0.0.0", "203.0.113.10"]}))
    results = ask(Endpoint("cloud.test", open_port), resolver=resolver, local=LocalNetwork(), dial=False)
    assert (results.names[0].addresses, results.names[0].implausible) == (("203.0.113.10",), None)


def test_a_lookup_that_hangs_holds_nobody_and_is_not_repeated(open_port):
    release, asked = threading.Event(), []

    def look_up(name, port, type):
        asked.append(name)
        if len(asked) > 1:
            release.wait(20)
        return [(socket.AF_INET, type, 0, "", ("127.0.0.1", 0))]

    resolver = Resolver(look_up)
    try:
        assert outcomes(ask(Endpoint("cloud.test", open_port), resolver=resolver)) == ["open"]
        for _ in range(3):
            started = time.monotonic()
            results = ask(Endpoint("cloud.test", open_port), resolver=resolver, timeout=0.2)
            assert time.monotonic() - started < 10
            assert outcomes(results) == ["open"], "the last known address is dialed beside the lookup"
            assert not results.names[0].answered and results.names[0].addresses == ("127.0.0.1",)
        assert asked == ["cloud.test"] * 2
    finally:
        release.set()


def test_the_number_of_lookups_is_limited():
    release = threading.Event()

    def look_up(name, port, type):
        release.wait(20)
        return []

    resolver = Resolver(look_up)
    try:
        lookups = [resolver.start(f"host{number}.test") for number in range(30)]
        assert [lookup.addresses for lookup in lookups[8:]] == [()] * 22
        assert [lookup.addresses for lookup in lookups[:8]] == [None] * 8
    finally:
        release.set()
    assert [lookup.wait(5) for lookup in lookups[:8]] == [()] * 8


def test_references_prove_the_path(open_port, shut_port, mute_port):
    shut, open_, mute = (Endpoint("127.0.0.1", port) for port in (shut_port, open_port, mute_port))
    results = ask(Endpoint("cloud.test", 1), references=(mute, shut, open_), timeout=0.3)
    assert results.references == ((str(mute), False), (str(shut), True), (str(open_), True))
    assert results.beyond is True and results.witness == str(shut)
    assert ask(Endpoint("cloud.test", 1), references=(mute,), timeout=0.2).beyond is False


@pytest.mark.parametrize("place", [
    {"own": frozenset(("127.0.0.1", "192.0.2.1"))}, {"networks": ("127.0.0.0/8", "192.0.2.0/24")},
    {"gateways": frozenset(("127.0.0.1", "192.0.2.1"))}])
@pytest.mark.parametrize("host", ["127.0.0.1", "router.lan"])
def test_t1_a_reference_on_this_side_of_the_gateway_proves_nothing(open_port, place, host):
    """The router answers, of course; and where it does not, that says nothing about the internet."""
    results = ask(resolver=Resolver(known(**{"router.lan": ["192.0.2.1"]})), local=LocalNetwork(**place),
                  references=(Endpoint(host, open_port),))
    assert results.references == () and results.beyond is None and results.witness is None


def test_another_interface_is_asked_by_name(open_port):
    results = ask(Endpoint("127.0.0.1", open_port), others=("lo",))
    assert results.reachable_over == "lo"
    assert ask(Endpoint("127.0.0.1", open_port), others=("nosuch0",)).reachable_over is None



def test_a_plan_s_way_is_taken(open_port):
    assert outcomes(ask(Endpoint("127.0.0.1", open_port), over="lo")) == ["open"]
    assert outcomes(ask(Endpoint("127.0.0.1", open_port), over="nosuch0")) == ["no way"]



def test_a_name_server_of_this_terminal_itself_tells_nothing_of_the_internet():
    results = ask(Endpoint("cloud.test", 1), servers=("127.0.0.1",), over="nosuch0")
    assert results.servers[0].alive and not results.servers[0].beyond and results.beyond is None


@pytest.fixture
def name_server(monkeypatch):
    """A name server on 127.0.0.1 that answers each question with the header that the test sets; None: it is silent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        monkeypatch.setattr(probes, "DNS_PORT", server.getsockname()[1])
        server_says = {"flags": None}

        def serve():
            while True:
                try:
                    question, client = server.recvfrom(512)
                except OSError:
                    return
                if server_says["flags"] is not None:
                    server.sendto(b"xx" + question[2:], client)     # somebody else's answer comes first
                    server.sendto(question[:2] + struct.pack("!HHHHH", server_says["flags"], 1, 0, 0, 0), client)

        threading.Thread(target=serve, daemon=True).start()
        yield server_says


@pytest.mark.parametrize("flags, said", [(0x8182, "SERVFAIL"), (0x8185, "REFUSED"), (0x8183, "NXDOMAIN"),
                                         (0x8380, "truncated"), (0x8180, "no address")])
def test_t2_what_a_name_server_says_is_told(name_server, flags, said):
    name_server["flags"] = flags
    started = time.monotonic()
    results = ask(Endpoint("cloud.test", 1), servers=("127.0.0.1",), timeout=60)
    assert (results.servers[0].answer, results.servers[0].alive) == (said, True)
    assert time.monotonic() - started < 30


def test_t2_a_name_server_that_hears_and_says_nothing(name_server):
    results = ask(Endpoint("cloud.test", 1), servers=("127.0.0.1",), timeout=0.3)
    assert (results.servers[0].answer, results.servers[0].alive) == (None, True), "its host refuses TCP, so it is there"


def test_before_linux_5_7_a_gateway_that_could_not_be_asked_over_its_interface_is_asked_all_the_same(monkeypatch):
    """Only root may bind a socket to an interface there; a router that nobody asked was called silent."""
    class Socket(socket.socket):
        def setsockopt(self, level, option, *value):
            if option == socket.SO_BINDTODEVICE and level == socket.SOL_SOCKET:
                raise PermissionError(errno.EPERM, "Operation not permitted")
            super().setsockopt(level, option, *value)

    monkeypatch.setattr(socket, "socket", Socket)
    gateway = Route("lo", "127.0.0.1")
    assert probes.Prober(Resolver(look_up=known())).ask(Plan(gateway, ()), 1.0).gateway is True


@pytest.mark.parametrize("name, state, heard, want", [
    ("answered the kernel during the round", 0x02, 0.1, True),
    ("answered the kernel before it, and never since", 0x02, 20.0, False),
    ("nobody knows", 0x04, 20.0, False),
    ("asked by the kernel in vain", 0x20, 0.1, False),
])
def test_a_gateway_that_answers_the_kernel_alone(monkeypatch, mute_port, name, state, heard, want):
    monkeypatch.setattr(probes.Round, "_ask_gateway",
                        lambda round, *_: round._dial(probes.THE_GATEWAY, "127.0.0.1", mute_port, None))
    entry = probes.neighbours.Neighbour("lo", "127.0.0.1", state, heard)
    monkeypatch.setattr(probes.neighbours, "table", lambda: (entry,))
    prober, plan = probes.Prober(), Plan(Route("lo", "127.0.0.1"), ())
    assert prober.ask(plan, 0.2).gateway is want
    entry = entry._replace(state=0x04, heard=30.0)
    assert prober.ask(plan, 0.2).gateway is want, "a gateway known to be mute is believed to be there"
    entry = entry._replace(state=0x20)
    assert prober.ask(plan, 0.2).gateway is False
