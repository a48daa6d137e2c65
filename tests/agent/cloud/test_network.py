import json

import pytest
from econduit_terminal.agent.cloud.network import Network
from econduit_terminal.agent.local.report import parse_report


def test_nothing_said_is_nothing_against_the_network():
    assert Network.of({}) == Network()
    assert Network.of({"verdict": "online"}) == Network.of(parse_report(b'{"verdict": "online"}')) == Network()


def test_every_key():
    report = {"verdict": "no internet", "usable": False, "path": "dead", "beyond": False, "bind": "eth1",
              "lost": {"10.0.0.2": "cable unplugged"}, "network": "00:11:22:33:44:55", "dial": True, "verify": True,
              "addresses": {"cloud.test": ["192.0.2.1", "2001:db8::1"]}, "open": ["cloud.test:80"]}
    assert Network.of(parse_report(json.dumps(report).encode())) == Network(
        verdict="no internet", usable=False, path="dead", beyond=False, bind="eth1",
        lost={"10.0.0.2": "cable unplugged"}, identity="00:11:22:33:44:55", addresses={"cloud.test": ("192.0.2.1", "2001:db8::1")},
        open=frozenset({"cloud.test:80"}), dial=True, verify=True)


@pytest.mark.parametrize("path, beyond, meant", [
    ("works", None, True), ("works", False, False), ("dead", None, None), ("unknown", None, None),
    ("dead", True, True)])
def test_beyond_of_a_watchdog_that_does_not_say_it(path, beyond, meant):
    assert Network.of({"path": path, "beyond": beyond}).beyond is meant
