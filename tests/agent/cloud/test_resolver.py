import socket

import gevent
import pytest
from gevent.event import Event

from econduit_terminal.agent.cloud import resolver as module
from econduit_terminal.agent.cloud.resolver import LookupFailed, Resolver, useful
from econduit_terminal.conf.values import Endpoint

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
    monkeypatch.setattr(module, "getaddrinfo", it)
    return it


@pytest.mark.parametrize("host, family", [("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6)])
def test_an_address_needs_no_resolver_and_is_the_same_as_a_looked_up_one(resolver, host, family):
    found = Resolver().lookup(Endpoint(host, 80), 0.01)
    assert found == [(family, socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)[0][4])]
    assert resolver.asked == []


def test_one_lookup_at_a_time_is_shared_and_outlives_who_gave_up(resolver):
    it = Resolver()
    with pytest.raises(LookupFailed, match="cloud.example not answered within 0.01 s"):
        it.lookup(NAME, 0.01)
    others = [gevent.spawn(it.lookup, NAME, 5) for _ in range(3)]
    gevent.idle()
    assert resolver.asked == ["cloud.example"]
    resolver.go.set()
    gevent.joinall(others, timeout=5)
    assert [other.value for other in others] == [[(socket.AF_INET, ("192.0.2.1", 80))]] * 3
    assert it.lookup(NAME, 5) and len(resolver.asked) == 2      # answers are not kept: names may move


def test_an_answer_that_comes_after_its_time_is_there_for_the_next_dial_and_no_other(resolver, monkeypatch):
    it = Resolver()

    def given_up():
        resolver.go.clear()
        with pytest.raises(LookupFailed, match="not answered within 0.01 s"):
            it.lookup(NAME, 0.01)
        resolver.go.set()
        gevent.idle()       # nobody waits for it
        resolver.asked.clear()

    given_up()
    assert it.lookup(NAME, 5) and resolver.asked == []
    assert it.lookup(NAME, 5) and len(resolver.asked) == 1
    given_up()
    assert it.lookup(NAME, 5, fresh=True) and len(resolver.asked) == 1      # that was on another network
    assert it.lookup(NAME, 5) and len(resolver.asked) == 2
    given_up()
    now = module.time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + module.LATE_FOR)
    assert it.lookup(NAME, 5) and len(resolver.asked) == 1
    assert not it._late and not it._overdue and not it._under_way


def test_o16_a_lookup_that_began_before_the_network_came_back_holds_nobody_up(resolver):
    it, second = Resolver(), Event()
    old = gevent.spawn(it.lookup, NAME, 5)
    gevent.idle()
    first, resolver.go = resolver.go, second
    fresh = gevent.spawn(it.lookup, NAME, 5, fresh=True)
    gevent.idle()
    more = gevent.spawn(it.lookup, NAME, 5, fresh=True)      # two at a time are enough
    gevent.idle()
    assert len(resolver.asked) == 2
    second.set()
    gevent.joinall([fresh, more], timeout=5)
    assert fresh.value == more.value == [(socket.AF_INET, ("192.0.2.1", 80))] and not old.ready()
    first.set()
    old.join(timeout=5)
    assert old.value and it._under_way == {} and not +it._running
    assert it.lookup(NAME, 5) and len(resolver.asked) == 3


@pytest.mark.parametrize("error, text", [
    (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "not found .Name or service not known"),
    (UnicodeError("label too long"), "no name that can be looked up"), (OSError(5, "Input/output error"), "not found")])
def test_failures_say_which_name(resolver, error, text):
    resolver.answer = error
    resolver.go.set()
    with pytest.raises(LookupFailed, match=f"cloud.example.*{text}"):
        Resolver().lookup(NAME, 5)


def test_of_an_answer_with_thousands_of_addresses_some_of_each_family_are_taken(resolver):
    def many(family, form):
        return [(family, socket.SOCK_STREAM, 6, "", (form.format(number), 80)) for number in range(1, 201)]

    resolver.answer = many(socket.AF_INET6, "2001:db8::{:x}") + many(socket.AF_INET, "198.51.100.{}")
    resolver.go.set()
    found = Resolver().lookup(NAME, 5)
    assert len(found) == module.MOST_ADDRESSES
    assert found[:3] == [(socket.AF_INET6, ("2001:db8::1", 80)), (socket.AF_INET, ("198.51.100.1", 80)),
                         (socket.AF_INET6, ("2001:db8::2", 80))]


# -- O6: who completes a name ------------------------------------------------------------------------------------------

@pytest.fixture
def search(monkeypatch, tmp_path):
    """A function that writes a resolv.conf; names that are found, by what they are asked as."""
    known = {}

    def look_up(host, port, *_):
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], port))]
    monkeypatch.setattr(module, "getaddrinfo", look_up)
    monkeypatch.setattr(module.lookups, "RESOLV_CONF", tmp_path / "resolv.conf")
    return (tmp_path / "resolv.conf").write_text, known


def test_o6_a_single_label_is_completed_by_the_search_list_and_a_dotted_name_never(search):
    write, known = search
    write("nameserver 192.0.2.53\nsearch lan.example shop.example\n")
    known.update({"controller.shop.example": "192.0.2.7", "cloud.example.shop.example": "192.0.2.66"})
    assert Resolver().lookup(Endpoint("controller", 80), 5) == [(socket.AF_INET, ("192.0.2.7", 80))]
    with pytest.raises(LookupFailed, match="name cloud.example not found"):
        Resolver().lookup(NAME, 5)
    known["controller"] = "192.0.2.8"
    assert Resolver().lookup(Endpoint("controller", 80), 5) == [(socket.AF_INET, ("192.0.2.8", 80))]


# -- O7: answers that lead nowhere -------------------------------------------------------------------------------------

def at(*hosts):
    return [(socket.AF_INET6, (host, 80, 0, 0)) if ":" in host else (socket.AF_INET, (host, 80)) for host in hosts]


@pytest.fixture
def hosts(monkeypatch, tmp_path):
    file = tmp_path / "hosts"
    file.write_text("127.0.0.1 localhost\n0.0.0.0 meant.example  # 127.0.0.1 comment.example\n"
                    "::1\tSix.example other.example\n")
    monkeypatch.setattr(module.lookups, "HOSTS", file)
    monkeypatch.setattr(module.socket, "gethostname", lambda: "Terminal7")
    monkeypatch.setattr(module, "interface_of", lambda address: "eth0" if address in ("10.77.1.2", "fe80::2") else None)


@pytest.mark.parametrize("address, says", [
    ("0.0.0.0", r"a DNS filter"), ("::", "a DNS filter"), ("127.0.0.1", "a DNS filter"), ("127.9.9.9", "a DNS filter"),
    ("::1", "a DNS filter"), ("::ffff:127.0.0.1", "a DNS filter"), ("::ffff:0.0.0.0", "a DNS filter"),
    ("10.77.1.2", "an address of this terminal"), ("::ffff:10.77.1.2", "an address of this terminal"),
    ("fe80::2%eth0", "an address of this terminal"), ("0.1.2.3", "a DNS filter"), ("255.255.255.255", "a DNS filter"),
    ("224.0.0.1", "a DNS filter"), ("ff02::1", "a DNS filter")])
def test_o7_an_answer_that_leads_nowhere_is_none(hosts, address, says):
    with pytest.raises(LookupFailed) as failed:
        useful("cloud.example", at(address))
    text = str(failed.value)
    assert text.startswith(f"no DNS: cloud.example is answered with {address}") and says in text


def test_o7_beside_a_useful_answer_it_does_not_count(hosts):
    assert useful("cloud.example", at("0.0.0.0", "192.0.2.1", "::")) == at("192.0.2.1")
    assert useful("cloud.example", at("10.77.1.1")) == at("10.77.1.1")
    assert useful("cloud.example", []) == []


@pytest.mark.parametrize("host, address", [
    ("localhost", "127.0.0.1"), ("LOCALHOST", "::1"), ("terminal.localhost", "127.0.0.1"), ("localhost.", "127.0.0.1"),
    ("terminal7", "127.0.1.1"), ("terminal7", "10.77.1.2"), ("meant.example", "0.0.0.0"), ("MEANT.example", "0.0.0.0"),
    ("six.example", "::1"), ("other.example", "::1")])
def test_o7_what_a_person_wrote_is_meant(hosts, host, address):
    assert useful(host, at(address)) == at(address)


@pytest.mark.parametrize("host, address", [("meant.example", "127.0.0.1"), ("comment.example", "127.0.0.1"),
                                           ("notlocalhost", "127.0.0.1"), ("six.example", "127.0.0.1")])
def test_o7_what_is_not_written_there_is_not(hosts, host, address):
    with pytest.raises(LookupFailed):
        useful(host, at(address))


def test_o7_without_a_hosts_file(monkeypatch, tmp_path):
    monkeypatch.setattr(module.lookups, "HOSTS", tmp_path / "none")
    with pytest.raises(LookupFailed, match="a DNS filter"):
        useful("cloud.example", at("0.0.0.0"))


def test_o7_literals_are_meant():
    assert Resolver().lookup(Endpoint("127.0.0.1", 80), 1) == at("127.0.0.1")
    assert Resolver().lookup(Endpoint("::", 80), 1) == at("::")
