"""resolv.conf(5), as people and programs write it."""
import pytest

from econduit_terminal.watchdog.resolv_conf import name_servers, search_list


@pytest.mark.parametrize("text, servers, domains", [
    ("nameserver 9.9.9.9\n", ("9.9.9.9",), ()),
    ("# nameserver 1.1.1.1\nsearch test\nnameserver 192.168.0.1\nnameserver\nnameserver x\nnameserver 2001:db8::1\n"
     "nameserver 9.9.9.9\nnameserver 8.8.8.8\n", ("192.168.0.1", "2001:db8::1", "9.9.9.9"), ("test",)),
    ("nameserver\t9.9.9.9 # ours\ndomain shop.example.\n", ("9.9.9.9",), ("shop.example",)),
    ("domain one\nsearch two three .\n", (), ("two", "three")),
    ("search " + " ".join(f"d{number}" for number in range(9)), (), ("d0", "d1", "d2", "d3", "d4", "d5")),
    ("\xff\xfe\n\n", (), ()),
    ("", (), ()),
])
def test_files(tmp_path, text, servers, domains):
    file = tmp_path / "resolv.conf"
    file.write_text(text, encoding="latin-1")
    assert (name_servers(file), search_list(file)) == (servers, domains)


def test_no_file(tmp_path):
    assert (name_servers(tmp_path / "none"), search_list(tmp_path / "none")) == ((), ())
