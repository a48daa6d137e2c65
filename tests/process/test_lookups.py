import os

import pytest

from econduit_terminal.process import lookups


@pytest.fixture
def files(monkeypatch, tmp_path):
    """A function that writes hosts and resolv.conf of the test's own."""
    monkeypatch.setattr(lookups, "HOSTS", tmp_path / "hosts")
    monkeypatch.setattr(lookups, "RESOLV_CONF", tmp_path / "resolv.conf")
    return lambda name, text: (tmp_path / name).write_text(text, encoding="latin-1")


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setattr(lookups, "_before", {})
    return monkeypatch


@pytest.mark.parametrize("given", [{}, {"RES_OPTIONS": "timeout:9"}, {"LOCALDOMAIN": "shop.example"}])
def test_o6_the_environment_of_our_lookups_and_of_other_programs(environment, given):
    for name in ("RES_OPTIONS", "LOCALDOMAIN"):
        environment.delenv(name, raising=False)
    for name, value in given.items():
        environment.setenv(name, value)
    before = dict(os.environ)
    lookups.set_up()
    lookups.set_up()
    assert os.environ["LOCALDOMAIN"] == "."
    assert os.environ["RES_OPTIONS"] == given.get("RES_OPTIONS", "timeout:1 attempts:1")
    assert lookups.environment_of_others() == before


def test_before_anything_is_set_up_others_get_what_we_have():
    assert lookups.environment_of_others().keys() <= os.environ.keys()


@pytest.mark.parametrize("text, domains", [
    ("", ()), ("search a.example b.example.\ndomain c.example\n", ("c.example",)), ("search .\n", ()),
    ("search " + " ".join(f"d{number}.example" for number in range(20)), tuple(f"d{n}.example" for n in range(6))),
    ("; search a.example\n#search b.example\nsearch\n", ())])
def test_search_lists(files, text, domains):
    files("resolv.conf", text)
    assert lookups.search_list() == domains


@pytest.mark.parametrize("text, servers", [
    ("nameserver 9.9.9.9\n", ("9.9.9.9",)),
    ("# nameserver 1.1.1.1\nsearch test\nnameserver 192.168.0.1\nnameserver\nnameserver x\nnameserver 2001:db8::1\n"
     "nameserver 9.9.9.9\nnameserver 8.8.8.8\n", ("192.168.0.1", "2001:db8::1", "9.9.9.9")),
    ("nameserver\t9.9.9.9 # ours\ndomain shop.example.\n", ("9.9.9.9",)),
    ("\xff\xfe\n\n", ()),
    ("", ()),
])
def test_name_servers(files, text, servers):
    files("resolv.conf", text)
    assert lookups.name_servers() == servers


def test_o6_only_a_name_without_a_dot_is_completed(files):
    files("resolv.conf", "search lan.example shop.example\n")
    assert lookups.names_for("controller") == ("controller", "controller.lan.example", "controller.shop.example")
    assert lookups.names_for("cloud.example") == ("cloud.example",)
    assert lookups.names_for("controller.") == ("controller.",)


def test_what_hosts_says(files):
    files("hosts", "127.0.0.1 localhost\n0.0.0.0 Meant.example  # 127.0.0.1 comment.example\n\n# nothing\n"
                   "::1\tmeant.example other.example\nfe80::1%eth0 link\nalone\n")
    assert lookups.written() == {
        "localhost": {"127.0.0.1"}, "meant.example": {"0.0.0.0", "::1"}, "other.example": {"::1"}, "link": {"fe80::1"}}


def test_no_files(files):
    assert lookups.search_list() == lookups.name_servers() == () and lookups.written() == {}
