"""T12: a refused password, as the radio shows it; times in seconds."""
import pytest

from econduit_terminal.contract.network_report import Kind
from econduit_terminal.watchdog.state import Interface, State
from econduit_terminal.watchdog.wifi_logins import FORGET_AFTER, WifiLogins

DOWN = Interface("wlan0", Kind.WIFI, "down", False)
DORMANT = DOWN._replace(operstate="dormant", carrier=True)
UP = DOWN._replace(operstate="up", carrier=True)
OFF = DOWN._replace(enabled=False, carrier=None)
CABLE = Interface("eth0", Kind.ETHERNET, "down", False)


def refused(*moments, at=None):
    """Whether wlan0's password counts as refused after these states, a second apart; `at`: that many seconds
    later."""
    log_ins, now = WifiLogins(), 0.0
    for interface in moments:
        log_ins.seen(State(() if interface is None else (interface, CABLE)), now)
        now += 1
    return "wlan0" in log_ins.refused(now - 1 + (at or 0))


@pytest.mark.parametrize("name, moments, want", [
    ("nothing yet", (DOWN,), False),
    ("the access point is off", (UP, DOWN, DOWN, DOWN, DOWN), False),
    ("the first log-in is under way", (DOWN, DORMANT), False),
    ("one log-in failed", (DOWN, DORMANT, DOWN), False),
    ("two log-ins failed", (DOWN, DORMANT, DOWN, DORMANT, DOWN), True),
    ("and the third is under way", (DOWN, DORMANT, DOWN, DORMANT, DOWN, DORMANT), True),
    ("the password was changed at the access point", (UP, DOWN, DORMANT, DOWN, DORMANT, DOWN), True),
    ("seen twice while under way", (DORMANT, DORMANT, DOWN, DOWN, DORMANT, DORMANT), False),
    ("the right password at last", (DORMANT, DOWN, DORMANT, DOWN, DORMANT, UP), False),
    ("and lost after that", (DORMANT, DOWN, DORMANT, DOWN, DORMANT, UP, DOWN, DOWN), False),
    ("up between the two", (DORMANT, DOWN, UP, DORMANT, DOWN), False),
    ("out of range and back", (UP, DOWN, DORMANT, UP, DOWN, DORMANT, UP), False),
    ("switched off and on", (DORMANT, DOWN, DORMANT, OFF, DOWN), False),
    ("the stick was pulled out and put in again", (DORMANT, DOWN, DORMANT, DOWN, None, DOWN), False),
])
def test_t12_log_ins(name, moments, want):
    assert refused(*moments) is want


def test_t12_what_was_tried_long_ago_is_blamed_no_longer():
    moments = (DORMANT, DOWN, DORMANT, DOWN)
    assert refused(*moments, at=FORGET_AFTER - 1) and not refused(*moments, at=FORGET_AFTER)


def test_a_cable_has_no_password():
    log_ins = WifiLogins()
    for operstate in ("dormant", "down", "dormant", "down"):
        log_ins.seen(State((CABLE._replace(operstate=operstate),)), 0.0)
    assert log_ins.refused(0.0) == frozenset()
