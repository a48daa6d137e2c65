"""nl80211 as the kernel answers it; a real radio is in the machine of tests/radio, not here."""
import struct

import pytest

from econduit_terminal.watchdog import wifi_ssid
from econduit_terminal.watchdog.rtnetlink import attribute


def heard(name, status=None, other=b"\x01\x02\x82\x84"):
    """One network that the radio heard; `status` 1: the one that the interface is in."""
    network = attribute(1, bytes(6)) + attribute(6, other + bytes([0, len(name)]) + name + b"\x03\x01\x06")
    network += b"" if status is None else attribute(9, struct.pack("=I", status))
    return bytes(4) + attribute(3, struct.pack("=I", 1)) + attribute(0x2F, network)


def kernel(*networks, family=True):
    """A stand-in for the kernel's generic netlink: family 27 is nl80211."""
    class NetlinkSocket:
        def __init__(self, protocol):
            assert protocol == 16

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def ask(self, kind, body):
            if not family:
                raise FileNotFoundError
            assert kind == 0x10 and attribute(2, b"nl80211\0") in body
            return bytes(4) + attribute(1, struct.pack("=H", 27))

        def dump(self, kind, body):
            assert kind == 27 and body[0] == 32
            yield from networks

    return NetlinkSocket


@pytest.mark.parametrize("name, networks, told", [
    ("the one it is in", (heard(b"Neighbour"), heard(b"Shop", 1), heard(b"Street")), "Shop"),
    ("in none", (heard(b"Neighbour"),), None),
    ("nothing heard", (), None),
    ("UTF-8", (heard("Café".encode(), 1),), "Café"),
    ("any bytes", (heard(b"\xff\0", 1),), "\\xff\0"),
    ("hidden", (heard(b"", 1),), None),
    ("cut short", (heard(b"Shop", 1, b"\x01\xff"),), None),
])
def test_the_network_s_name(name, networks, told):
    assert wifi_ssid.ssid("lo", kernel(*networks)) == told


def test_no_wi_fi_in_this_kernel_and_no_such_interface():
    assert wifi_ssid.ssid("lo", kernel(family=False)) is None
    assert wifi_ssid.ssid("nosuch0", kernel()) is None
    assert wifi_ssid.ssid("lo") is None
