"""nl80211 as the kernel answers it; a real radio is in tests/radio's machine, not here."""
import struct

import pytest

from econduit_terminal.watchdog import wireless
from econduit_terminal.watchdog.rtnetlink import attribute


def kernel(name=b"Shop", family=True):
    """A stand-in for the kernel's generic netlink: family 27 is nl80211."""
    class Kernel:
        def __init__(self, protocol):
            assert protocol == 16

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def ask(self, kind, body):
            if kind == 0x10:
                if not family:
                    raise FileNotFoundError
                assert attribute(2, b"nl80211\0") in body
                return bytes(4) + attribute(1, struct.pack("=H", 27))
            assert kind == 27 and body[0] == 5
            return bytes(4) + attribute(4, b"lo\0") + (attribute(0x34, name) if name else b"")

    return Kernel


@pytest.mark.parametrize("name, told", [(b"Shop", "Shop"), ("Café".encode(), "Café"), (b"\xff\0", "\\xff\0"),
                                        (b"", None)])
def test_the_network_s_name(name, told):
    assert wireless.ssid("lo", kernel(name)) == told


def test_no_wi_fi_in_this_kernel_and_no_such_interface():
    assert wireless.ssid("lo", kernel(family=False)) is None
    assert wireless.ssid("nosuch0", kernel()) is None
    assert wireless.ssid("lo") is None
