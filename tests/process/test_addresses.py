import pytest

from econduit_terminal.process.addresses import leads_nowhere, parsed


@pytest.mark.parametrize("text, address", [
    ("192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::1"), ("::ffff:192.0.2.1", "192.0.2.1"),
    ("2001:DB8::0:1", "2001:db8::1"), ("cloud.example", "None"), ("192.0.2", "None"), ("", "None")])
def test_what_is_an_address(text, address):
    assert str(parsed(text)) == address


@pytest.mark.parametrize("text, nowhere", [
    ("0.0.0.0", True), ("0.1.2.3", True), ("127.0.0.1", True), ("::1", True), ("::", True), ("::ffff:127.0.0.1", True),
    ("224.0.0.1", True), ("ff02::1", True), ("255.255.255.255", True), ("192.168.0.1", False), ("203.0.113.1", False),
    ("fd00::1", False), ("2001:db8::1", False)])
def test_what_leads_nowhere(text, nowhere):
    assert leads_nowhere(text) is nowhere
