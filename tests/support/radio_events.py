"""What happens to a terminal's networks in the field, each from online to online again, and how fast it was.

Each event asserts what the display says meanwhile, and why; it returns its two times. `noticed` counts from the
kernel's word that the link or the address is gone until the display says so; `registered` from the kernel's word that
the way is there again until POS Online. Where the kernel has no word, they count from the end of the command.
"""
from collections.abc import Callable
from typing import NamedTuple

from radio_lab import CABLE, WIFI, Radio


class Times(NamedTuple):
    """Seconds of the machine."""

    noticed: float
    registered: float


class Event(NamedTuple):
    """One row: what happens. `silent`: the kernel has no word of the loss. `prepare`: what comes before."""

    name: str
    happen: Callable[[Radio], Times]
    silent: bool = False
    prepare: Callable[[Radio], None] = lambda radio: None


def radio_lost(out: str, returns: str | None) -> Callable[[Radio], Times]:
    """The Wi-Fi goes by one function of lab.sh and comes back by another; None: it comes by itself."""
    def happen(radio: Radio) -> Times:
        began = radio.now()
        radio.lab(out)
        gone = radio.lost(WIFI, began)
        at, status = radio.offline(began)
        # Where it comes back by itself it may be on its way already when it is looked at.
        assert status["reason"] == "Wi-Fi lost" or (returns is None and status["reason"] == "no address"), status
        assert status["remedy"] and status["local_address"] is None
        if returns is None:
            return Times(at - gone, back(radio, gone, at))
        began = radio.now()
        radio.lab(returns)
        return Times(at - gone, back(radio, began, at))

    return happen


def back(radio: Radio, after: float, offline: float) -> float:
    """Registered over Wi-Fi again: seconds since the kernel said, after a moment, that it is usable. `offline`: when
    the display said so, which on a slow processor may be later."""
    usable = radio.usable(WIFI, after)
    at, _ = radio.online(max(usable, offline), interface=WIFI)
    return at - usable


def wrong_password(radio: Radio) -> Times:
    """Somebody changed the access point's password, and back."""
    began = radio.now()
    radio.lab("other_password")
    gone = radio.lost(WIFI, began)
    at, _ = radio.offline(began, "Wi-Fi lost")
    _, status = radio.offline(at, "Wi-Fi password refused")
    assert "password" in status["remedy"]
    told = radio.run("econduit-agent", "status", check=False)
    assert told["status"] == 1 and "Wi-Fi password refused" in told["output"], told
    assert '"POS Offline"' in radio.run("cat", "/run/econduit-terminal/status.json")["output"]
    began = radio.now()
    radio.lab("right_password")
    return Times(at - gone, back(radio, began, at))


def roam(radio: Radio) -> Times:
    """Carried through the shop to another access point of the same network, and back."""
    radio.lab("second_ap")
    there = roam_to(radio, "wlan2")
    again = roam_to(radio, "wlan0")
    radio.lab("one_ap")
    return Times(max(there.noticed, again.noticed), max(there.registered, again.registered))


def roam_to(radio: Radio, access_point: str) -> Times:
    """The address goes with the link: the display says so for a moment, unless all of it passes between two looks."""
    began = radio.now()
    radio.lab("roam", access_point)
    gone = radio.lost(WIFI, began)
    usable = radio.usable(WIFI, gone)
    noticed = radio.machine.hear(lambda word: word["heard"] == "status" and not word["status"]["online"], gone, 5.0)
    if noticed is None:
        assert radio.latest()[1]["online"]
        return Times(0.0, 0.0)
    at, _ = radio.online(max(usable, noticed["at"]), interface=WIFI)
    return Times(noticed["at"] - gone, at - usable)


def without_dhcp(radio: Radio) -> Times:
    """The router's DHCP and name server is dead when Wi-Fi comes back; later it serves again."""
    began = radio.now()
    radio.lab("dhcp_off")
    radio.lab("deauthenticate")
    gone = radio.lost(WIFI, began)
    at, _ = radio.offline(began)
    radio.offline(at, "no address")
    began = radio.now()
    radio.lab("dhcp_on")
    return Times(at - gone, back(radio, began, at))


def another_address(radio: Radio) -> Times:
    """The router gives addresses of another range."""
    before = radio.latest()[1]["local_address"]
    began = radio.now()
    radio.lab("other_range")
    radio.run("networkctl", "reconfigure", WIFI)
    gone = radio.without_address(WIFI, began)
    at, _ = radio.offline(began, "no address")
    registered = back(radio, gone, at)
    _, status = radio.online(at, interface=WIFI)
    assert status["local_address"] != before, status
    return Times(at - gone, registered)


def router_rejects(radio: Radio) -> Times:
    """The router answers every packet to the cloud with ICMP; links and addresses stay."""
    radio.lab("reject")
    began = radio.now()
    at, _ = radio.offline(began)
    radio.offline(at, "no internet")
    radio.lab("forward")
    since = radio.now()
    online, _ = radio.online(since)
    return Times(at - began, online - since)


def cable_in(radio: Radio) -> None:
    """Online over the cable, Wi-Fi usable."""
    radio.machine.cable(True)
    radio.lab("until_the_cable_leads_out")
    began = radio.now()
    radio.run("econduit-agent", "reconnect", "--reason", "the cable is in")
    radio.settled(began, interface=CABLE)


def cable_out(radio: Radio) -> Times:
    """The cable that carries is pulled while Wi-Fi is usable. `registered` counts from the loss, too."""
    began = radio.now()
    radio.machine.cable(False)
    gone = radio.lost(CABLE, began)
    noticed, status = radio.until(lambda status: status["interface"] != CABLE, gone)
    assert status["online"] or status["reason"] == "cable unplugged", status
    online, _ = radio.online(gone, interface=WIFI)
    return Times(noticed - gone, online - gone)


EVENTS = (
    Event("deauthentication", radio_lost("deauthenticate", None)),
    Event("access point switched off and on", radio_lost("ap_down", "ap_up")),
    Event("access point without power, and back", radio_lost("ap_dead", "ap_up")),
    Event("out of range and back", radio_lost("out_of_range", "in_range")),
    Event("the access point's password is another one, and back", wrong_password),
    Event("to another access point and back", roam),
    Event("DHCP gone and back", without_dhcp),
    Event("another address", another_address),
    Event("a router that rejects, and then lets through", router_rejects, silent=True),
    Event("cable out, Wi-Fi usable (systemd-networkd)", cable_out, prepare=cable_in),
)
"""Under systemd-networkd, each from Wi-Fi to Wi-Fi."""
DHCLIENT = Event("cable out, Wi-Fi usable (dhclient: the dead route stays)", cable_out, prepare=cable_in)
"""After `Radio.use_dhclient`."""
