"""What the watchdog needs of the settings survives being handed over."""
from econduit_terminal.conf.settings import load
from econduit_terminal.watchdog.config import WatchdogConfig


def test_handed_over_they_are_the_same(tmp_path):
    (tmp_path / "own.ini").write_text("[watchdog]\ninterfaces = eth0 wlan0\n"
                                      "reference_hosts = 192.0.2.1:53 [2001:db8::1]:53\n")
    given = WatchdogConfig.of(load(tmp_path))
    assert given.interfaces == ("eth0", "wlan0")
    assert [str(host) for host in given.reference_hosts] == ["192.0.2.1:53", "[2001:db8::1]:53"]
    file = given.hand_over()
    assert WatchdogConfig.take_over(file) == given


def test_without_a_secondary_there_is_one_endpoint(tmp_path):
    (tmp_path / "own.ini").write_text("[cloud]\nprimary = 192.0.2.1:80\nsecondary =\n")
    assert WatchdogConfig.of(load(tmp_path)).endpoints == (("192.0.2.1", 80),)
