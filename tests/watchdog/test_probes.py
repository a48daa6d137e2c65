"""Bounded questions, asked of this machine: open, refusing and mute ports, names that hang."""
import socket
import threading
import time

import pytest
from econduit_terminal.watchdog import probes
from econduit_terminal.watchdog.names import Names, is_address, is_local
from econduit_terminal.watchdog.orders import Target
from econduit_terminal.watchdog.state import Interface, Route, State


def target(host, port):
    return Target(f"{host}:{port}", host, port)


def ask(*endpoints, names=None, timeout=2.0, **more):
    return probes.Prober(names or Names(look_up=known())).ask(probes.Plan(None, endpoints, **more), timeout)


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
    answers = ask(target("127.0.0.1", open_port), target("127.0.0.1", shut_port))
    assert [outcome for _, outcome in answers.endpoints] == ["open", "refused"]
    assert answers.beyond and answers.names is None and answers.gateway is None and answers.references is None
    assert time.monotonic() - started < 1


def test_nothing_is_sent_on_a_connection_that_opened():
    with socket.create_server(("127.0.0.1", 0)) as server:
        ask(target("127.0.0.1", server.getsockname()[1]))
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(100) == b""


def test_a_mute_port_costs_the_timeout_and_no_more(mute_port):
    started = time.monotonic()
    answers = ask(target("127.0.0.1", mute_port), timeout=0.3)
    assert answers.endpoints[0][1] == "silent" and not answers.beyond
    assert 0.25 < time.monotonic() - started < 1


def test_names_are_looked_up_and_every_address_is_tried(open_port):
    names = Names(look_up=known(**{"cloud.test": ["127.0.0.2", "127.0.0.1"]}))
    answers = ask(target("cloud.test", open_port), names=names)
    assert answers.endpoints == ((f"cloud.test:{open_port}", "open"),) and answers.names is True


def test_a_name_that_is_not_known():
    answers = ask(target("cloud.test", 1))
    assert answers.endpoints[0][1] == "no address known" and answers.names is False


def test_a_lookup_that_hangs_holds_nobody_and_is_not_repeated(open_port):
    release, asked = threading.Event(), []

    def look_up(name, port, type):
        asked.append(name)
        if len(asked) > 1:
            release.wait(20)
        return [(socket.AF_INET, type, 0, "", ("127.0.0.1", 0))]

    names = Names(look_up)
    try:
        assert ask(target("cloud.test", open_port), names=names).endpoints[0][1] == "open"
        for _ in range(3):
            started = time.monotonic()
            answers = ask(target("cloud.test", open_port), names=names, timeout=0.2)
            assert time.monotonic() - started < 1
            assert answers.endpoints[0][1] == "open", "the last known address is dialed beside the lookup"
            assert answers.names is False
        assert asked == ["cloud.test"] * 2
    finally:
        release.set()


def test_the_number_of_lookups_is_limited():
    release = threading.Event()

    def look_up(name, port, type):
        release.wait(20)
        return []

    names = Names(look_up)
    try:
        lookups = [names.start(f"host{number}.test") for number in range(30)]
        assert [lookup.addresses for lookup in lookups[8:]] == [()] * 22
        assert [lookup.addresses for lookup in lookups[:8]] == [None] * 8
    finally:
        release.set()
    assert [lookup.wait(5) for lookup in lookups[:8]] == [()] * 8


def test_references_prove_the_path(open_port, shut_port):
    answers = ask(target("cloud.test", 1), references=(target("127.0.0.1", shut_port), target("127.0.0.1", open_port)))
    assert answers.references is True and answers.beyond


def test_another_interface_is_asked_by_name(open_port):
    answers = ask(target("127.0.0.1", open_port), others=("lo",))
    assert answers.elsewhere == "lo"
    assert ask(target("127.0.0.1", open_port), others=("nosuch0",)).elsewhere is None


def test_the_plan_asks_over_the_other_usable_interfaces():
    eth, wlan = Interface("eth0", addresses=("192.0.2.5",)), Interface("wlan0", addresses=("198.51.100.7",))
    routes = (Route("eth0", "192.0.2.1", 100), Route("wlan0", "198.51.100.1", 600))
    made = probes.plan(State((eth, wlan), routes), (), ())
    assert (made.gateway, made.others, made.over) == (routes[0], ("wlan0",), None)
    out = eth._replace(operstate="down", carrier=False)
    made = probes.plan(State((out, wlan), routes), (), ())
    assert (made.gateway, made.others, made.over) == (routes[1], (), "wlan0"), "the way that a dial takes"


def test_a_plan_s_way_is_taken(open_port):
    assert ask(target("127.0.0.1", open_port), over="lo").beyond
    assert not ask(target("127.0.0.1", open_port), over="nosuch0").beyond


def test_a_name_server_of_this_terminal_itself_tells_nothing_of_the_internet():
    answers = ask(target("cloud.test", 1), resolvers=("127.0.0.1",), over="nosuch0")
    assert answers.resolver and not answers.resolver_outside and not answers.beyond


def test_name_servers(tmp_path):
    file = tmp_path / "resolv.conf"
    file.write_text("# nameserver 1.1.1.1\nsearch test\nnameserver 192.168.0.1\nnameserver\nnameserver x\n"
                    "nameserver 2001:db8::1\nnameserver 9.9.9.9\nnameserver 8.8.8.8\n")
    assert probes.name_servers(file) == ("192.168.0.1", "2001:db8::1", "9.9.9.9")
    assert probes.name_servers(tmp_path / "none") == ()


@pytest.mark.parametrize("text, address, local", [
    ("192.168.1.1", True, True), ("10.0.0.1", True, True), ("100.64.0.1", True, True), ("127.0.0.53", True, True),
    ("fd00::1", True, True), ("fe80::1", True, True), ("9.9.9.9", True, False), ("2620:fe::9", True, False),
])
def test_local_and_public(text, address, local):
    assert is_address(text) == address
    assert is_local(text) == local


def test_a_name_is_no_address():
    assert not is_address("dc.econduitapp.com") and not is_address("") and not is_address("1.2.3")


@pytest.mark.parametrize("name, state, heard, want", [
    ("answered the kernel during the round", 0x02, 0.1, True),
    ("answered the kernel before it, and never since", 0x02, 20.0, False),
    ("nobody knows", 0x04, 20.0, False),
    ("asked by the kernel in vain", 0x20, 0.1, False),
])
def test_a_gateway_that_answers_the_kernel_alone(monkeypatch, mute_port, name, state, heard, want):
    monkeypatch.setattr(probes.Round, "_ask_gateway",
                        lambda round, route: round._dial("gateway", "127.0.0.1", mute_port))
    entry = probes.neighbours.Neighbour("lo", "127.0.0.1", state, heard)
    monkeypatch.setattr(probes.neighbours, "table", lambda: (entry,))
    prober, plan = probes.Prober(), probes.Plan(Route("lo", "127.0.0.1"), ())
    assert prober.ask(plan, 0.2).gateway is want
    entry = entry._replace(state=0x04, heard=30.0)
    assert prober.ask(plan, 0.2).gateway is want, "a gateway known to be mute is believed to be there"
    entry = entry._replace(state=0x20)
    assert prober.ask(plan, 0.2).gateway is False
