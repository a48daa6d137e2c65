"""Where an address stands, and whether a name can be there."""
import pytest
from hypothesis import given, strategies as st

from econduit_terminal.process.addresses import is_address, leads_nowhere, parsed
from econduit_terminal.watchdog.addresses import LocalNetwork, is_loopback, is_private, is_public_name

PRIVATE = ("192.168.1.1", "10.0.0.1", "172.16.0.1", "172.31.255.1", "100.64.0.1", "100.127.255.255", "127.0.0.53",
           "169.254.1.1", "198.18.0.1", "0.0.0.0", "255.255.255.255", "fd00::1", "fc00::1", "fe80::1", "fe80::1%eth0",
           "::1",
           "::", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fec0::1")
PUBLIC = ("9.9.9.9", "2620:fe::9", "203.0.113.10", "100.63.255.255", "100.128.0.1", "172.32.0.1", "198.20.0.1",
          "::ffff:9.9.9.9", "64:ff9b::909:909", "2001:db8::1")


@pytest.mark.parametrize("text", PRIVATE)
def test_t1_no_host_in_the_internet_has_these(text):
    assert is_address(text) and is_private(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_internet(text):
    assert is_address(text) and not is_private(text) and not leads_nowhere(text)


@pytest.mark.parametrize("text", ["dc.econduitapp.com", "", "1.2.3", "1.2.3.4.5", ":", "[::1]", "9.9.9.9:53"])
def test_no_addresses(text):
    assert not is_address(text) and parsed(text) is None


@pytest.mark.parametrize("text, loopback, nowhere", [
    ("0.0.0.0", False, True), ("::", False, True), ("127.0.0.1", True, True), ("127.0.1.1", True, True),
    ("::1", True, True),
    ("::ffff:127.0.0.1", True, True), ("::ffff:0.0.0.0", False, True), ("0.0.0.1", False, True),
    ("224.0.0.1", False, True),
    ("255.255.255.255", False, True), ("192.168.0.1", False, False), ("203.0.113.10", False, False),
])
def test_o7_addresses_that_lead_to_no_other_machine(text, loopback, nowhere):
    assert (is_loopback(text), leads_nowhere(text)) == (loopback, nowhere)


@pytest.mark.parametrize("host, public", [
    ("dc.econduitapp.com", True), ("cloud.test", True), ("DC.econduitapp.com.", True), ("controller", False),
    ("localhost", False), ("pos.lan", False), ("POS.Local", False), ("pos.home.arpa", False), ("pos.internal", False),
    ("10.0.0.1", False), ("2001:db8::1", False), ("local.example.com", True),
])
def test_names_of_the_internet(host, public):
    assert is_public_name(host) is public


NEAR = LocalNetwork(frozenset({"192.0.2.5"}), frozenset({"192.0.2.1", "203.0.113.1"}), ("192.0.2.0/24",),
              frozenset({"meant.test"}))


@pytest.mark.parametrize("host, address, why", [
    ("dc.econduitapp.com", "203.0.113.10", None),
    ("dc.econduitapp.com", "0.0.0.0", "a DNS filter"),
    ("dc.econduitapp.com", "::", "a DNS filter"),
    ("dc.econduitapp.com", "127.0.0.1", "a DNS filter"),
    ("dc.econduitapp.com", "192.0.2.5", "of this terminal"),
    ("dc.econduitapp.com", "192.0.2.1", "the router itself"),
    ("dc.econduitapp.com", "203.0.113.1", "the router itself"),
    ("dc.econduitapp.com", "10.0.0.1", "private"),
    ("dc.econduitapp.com", "100.64.0.1", "private"),
    ("dc.econduitapp.com", "fd00::1", "private"),
    ("controller", "10.0.0.1", None),
    ("controller.lan", "192.0.2.1", None),
    ("controller.lan", "0.0.0.0", "a DNS filter"),
    ("controller.lan", "192.0.2.5", "of this terminal"),
    ("meant.test", "10.0.0.1", None),
    ("meant.test", "127.0.0.1", None),
    ("localhost", "127.0.0.1", None),
    ("a.localhost", "::1", None),
    ("127.0.0.1", "127.0.0.1", None),
    ("10.0.0.1", "10.0.0.1", None),
])
def test_whether_a_host_can_stand_there(host, address, why):
    said = NEAR.implausible(host, address)
    assert said is None if why is None else address in said and why in said
    assert NEAR.plausible(host, (address, "203.0.113.77")) == ((address,) if why is None else ()) + ("203.0.113.77",)


@pytest.mark.parametrize("address, beyond", [
    ("9.9.9.9", True), ("203.0.113.10", True), ("192.0.2.1", False), ("203.0.113.1", False), ("192.0.2.77", False),
    ("10.0.0.1", False), ("fd00::53", False), ("2620:fe::9", True),
])
def test_t1_what_proves_the_internet(address, beyond):
    assert NEAR.is_beyond(address) is beyond


@given(st.text())
def test_any_text(text):
    assert is_address(text) is (parsed(text) is not None)
    is_private(text), leads_nowhere(text), is_public_name(text), NEAR.on_link(text), NEAR.implausible("a.test", text)
