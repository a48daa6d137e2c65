import socket

import gevent
import pytest
from econduit_terminal.agent.cloud import names
from econduit_terminal.agent.cloud.names import LookupFailed, Names
from econduit_terminal.conf.values import Endpoint
from gevent.event import Event

NAME = Endpoint("cloud.example", 80)
ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]


@pytest.fixture
def resolver(monkeypatch):
    """A resolver that answers when told to; `asked` lists the names it was asked for."""
    class Resolver:
        asked, go, answer = [], Event(), ANSWER

        def __call__(self, host, port, *rest):
            self.asked.append(host)
            self.go.wait()
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer
    it = Resolver()
    it.asked, it.go = [], Event()
    monkeypatch.setattr(names, "getaddrinfo", it)
    return it


@pytest.mark.parametrize("host, family", [("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6)])
def test_an_address_needs_no_resolver(resolver, host, family):
    assert Names().lookup(Endpoint(host, 80), 0.01) == [(family, (host, 80))]
    assert resolver.asked == []


def test_one_lookup_at_a_time_is_shared_and_outlives_who_gave_up(resolver):
    it = Names()
    with pytest.raises(LookupFailed, match="cloud.example not answered within 0.01 s"):
        it.lookup(NAME, 0.01)
    others = [gevent.spawn(it.lookup, NAME, 5) for _ in range(3)]
    gevent.idle()
    assert resolver.asked == ["cloud.example"]
    resolver.go.set()
    gevent.joinall(others, timeout=5)
    assert [other.value for other in others] == [[(socket.AF_INET, ("192.0.2.1", 80))]] * 3
    assert it.lookup(NAME, 5) and len(resolver.asked) == 2      # answers are not kept: names may move


@pytest.mark.parametrize("error, text", [
    (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "not found .Name or service not known"),
    (UnicodeError("label too long"), "no name that can be looked up"), (OSError(5, "Input/output error"), "not found")])
def test_failures_say_which_name(resolver, error, text):
    resolver.answer = error
    resolver.go.set()
    with pytest.raises(LookupFailed, match=f"cloud.example.*{text}"):
        Names().lookup(NAME, 5)


def test_an_administrators_own_resolver_options_win(monkeypatch):
    monkeypatch.setenv("RES_OPTIONS", "timeout:9")
    names.bound_resolver()
    assert names.os.environ["RES_OPTIONS"] == "timeout:9"
    monkeypatch.delenv("RES_OPTIONS")
    names.bound_resolver()
    assert names.os.environ["RES_OPTIONS"] == "timeout:1 attempts:1"
