"""resolv.conf(5), as people and programs write it."""
import pytest

from econduit_terminal.watchdog.resolv_conf import name_servers


@pytest.mark.parametrize("text, servers", [
    ("nameserver 9.9.9.9\n", ("9.9.9.9",)),
    ("# nameserver 1.1.1.1\nsearch test\nnameserver 192.168.0.1\nnameserver\nnameserver x\nnameserver 2001:db8::1\n"
     "nameserver 9.9.9.9\nnameserver 8.8.8.8\n", ("192.168.0.1", "2001:db8::1", "9.9.9.9")),
    ("nameserver\t9.9.9.9 # ours\ndomain shop.example.\n", ("9.9.9.9",)),
    ("\xff\xfe\n\n", ()),
    ("", ()),
])
def test_files(tmp_path, text, servers):
    file = tmp_path / "resolv.conf"
    file.write_text(text, encoding="latin-1")
    assert name_servers(file) == servers


def test_no_file(tmp_path):
    assert name_servers(tmp_path / "none") == ()
