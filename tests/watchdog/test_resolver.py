"""Lookups are bounded whatever the resolver does: it answers, fails, or never comes back."""
import os
import socket
import threading

import pytest

from econduit_terminal.process import lookups
from econduit_terminal.watchdog.addresses import LocalNetwork
from econduit_terminal.watchdog.resolver import MOST_ADDRESSES, MOST_NAMES, Resolver


def answer(*addresses):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]


@pytest.fixture
def stuck():
    """A resolver that answers when it is let; `stuck.asked` are the names it was asked for."""
    class Stuck:
        def __init__(self):
            self.let, self.asked = threading.Event(), []

        def __call__(self, name, port, type):
            self.asked.append(name)
            self.let.wait(10)
            return answer("192.0.2.1")

    resolver = Stuck()
    yield resolver
    resolver.let.set()


def test_an_answer_is_told_and_kept():
    rung = threading.Event()
    known = Resolver(lambda name, port, type: answer("192.0.2.1", "192.0.2.1", "192.0.2.2"))
    assert known.start("cloud.test", rung.set).wait(5) == ("192.0.2.1", "192.0.2.2")
    assert rung.wait(5) and known.known("cloud.test") == ("192.0.2.1", "192.0.2.2")


def test_more_addresses_than_anyone_dials_are_left_out():
    known = Resolver(lambda name, port, type: answer(*(f"192.0.2.{number}" for number in range(20))))
    assert len(known.start("cloud.test").wait(5)) == MOST_ADDRESSES


@pytest.mark.parametrize("code, denied", [(socket.EAI_NONAME, True), (socket.EAI_AGAIN, False)])
def test_a_name_that_does_not_exist_is_no_dead_name_server(code, denied):
    def resolver(name, port, type):
        raise socket.gaierror(code, "no")

    lookup = Resolver(resolver).start("cloud.test")
    assert lookup.wait(5) == () and lookup.denied is denied


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_AGAIN, "no name server"), UnicodeError("label too long")])
def test_a_failed_lookup_ends_with_nothing_and_what_was_known_stays(error):
    def resolver(name, port, type):
        if failing:
            raise error
        return answer("192.0.2.1")

    failing, known = False, Resolver(resolver)
    known.start("cloud.test").wait(5)
    failing = True
    assert known.start("cloud.test").wait(5) == ()
    assert known.known("cloud.test") == ("192.0.2.1",) and known.known("other.test") == ()


def test_a_name_has_one_lookup_at_a_time_and_nobody_waits_for_it_longer_than_they_want(stuck):
    known = Resolver(stuck)
    first = known.start("cloud.test")
    assert known.start("cloud.test") is first and first.wait(0.01) is None
    stuck.let.set()
    assert first.wait(5) == ("192.0.2.1",) and stuck.asked == ["cloud.test"]


def test_lookups_that_never_come_back_are_few(stuck):
    known = Resolver(stuck)
    lookups = [known.start(f"{number}.test") for number in range(MOST_NAMES)]
    assert known.start("one-more.test").wait(5) == ()
    assert [lookup.addresses for lookup in lookups] == [None] * MOST_NAMES and "one-more.test" not in stuck.asked


def test_names_that_were_known_are_few():
    known = Resolver(lambda name, port, type: answer("192.0.2.1"))
    for number in range(MOST_NAMES + 1):
        known.start(f"{number}.test").wait(5)
    assert known.known("0.test") == () and known.known(f"{MOST_NAMES}.test")


def test_o6_a_dotted_name_is_never_completed_and_one_without_a_dot_is_here(monkeypatch):
    monkeypatch.setenv("LOCALDOMAIN", "shop.example")
    monkeypatch.setattr(lookups, "search_list", lambda: ("lan", "shop.example"))
    asked = []

    def resolver(name, port, type):
        asked.append(name)
        if name == "controller.shop.example":
            return answer("192.0.2.1")
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    known = Resolver(resolver)
    assert os.environ["LOCALDOMAIN"] == ".", "the C library completes nothing"
    assert known.start("dc.econduitapp.com").wait(5) == () and asked == ["dc.econduitapp.com"]
    asked.clear()
    assert known.start("controller").wait(5) == ("192.0.2.1",)
    assert asked == ["controller", "controller.lan", "controller.shop.example"]


def test_o15_where_the_terminal_was_registered_is_kept_before_what_dns_says():
    known = Resolver(lambda name, port, type: answer("203.0.113.99"))
    known.learn("cloud.test", ("203.0.113.10",), registered=True)
    known.start("cloud.test").wait(5)
    known.learn("cloud.test", ("203.0.113.50",), registered=False)
    assert known.known("cloud.test") == ("203.0.113.10", "203.0.113.50")
    known.learn("cloud.test", (), registered=True)
    assert known.known("cloud.test")[0] == "203.0.113.10"


@pytest.mark.parametrize("lie", ["0.0.0.0", "127.0.0.1", "::", "192.0.2.5", "192.168.0.1", "10.1.2.3", "100.64.0.1",
                                 "fd00::1"])
def test_o1_what_dns_answers_in_place_of_the_host_replaces_nothing(lie):
    known = Resolver(lambda name, port, type: answer(lie))
    known.local = LocalNetwork(frozenset({"192.0.2.5"}), frozenset({"192.168.0.1"}))
    known.learn("cloud.test", ("203.0.113.10",), registered=False)
    assert known.start("cloud.test").wait(5) == (lie,), "the lookup tells what was answered"
    known.learn("cloud.test", (lie,), registered=False)
    assert known.known("cloud.test") == ("203.0.113.10",)


def test_whose_address_may_be_any(tmp_path, monkeypatch):
    monkeypatch.setattr(lookups, "HOSTS", tmp_path / "hosts")
    lookups.HOSTS.write_bytes(b"127.0.0.1 localhost\n10.0.0.9 Cloud.Test alias # dead.test\n\xff\xfe no\n10.0.0.1\n")
    known = Resolver(lambda name, port, type: answer("10.0.0.9"))
    wanted = ("cloud.test", "alias", "dead.test", "far.test", "split.test")
    assert known.trusted(wanted) == {"cloud.test", "alias"}
    known.learn("split.test", ("10.2.0.1",), registered=True)
    known.learn("far.test", ("203.0.113.10",), registered=True)
    assert known.trusted(wanted) == {"cloud.test", "alias", "split.test"}
    lookups.HOSTS.unlink()
    assert known.trusted(("cloud.test",)) == frozenset()
