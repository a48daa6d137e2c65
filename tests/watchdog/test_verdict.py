"""The verdict as named rows: (before, after, what the agent says, what the probes found) → what it says and asks."""
import pytest
from econduit_terminal.watchdog.state import Interface, Route, State
from econduit_terminal.watchdog.verdict import Answers, Carrier, diagnose, judge

A, W = "192.0.2.5", "198.51.100.7"
ETH = Interface("eth0", addresses=(A,))
OUT = ETH._replace(operstate="down", carrier=False, carrier_changes=1)
BARE = ETH._replace(addresses=())
WLAN = Interface("wlan0", "wifi", addresses=(W,))
LOST = WLAN._replace(operstate="down", carrier=False)
DORMANT = WLAN._replace(operstate="dormant")
TUN = Interface("tun0", "other", "unknown", addresses=("10.8.0.2",), counts=False)
LO = Interface("lo", "other", "unknown", addresses=("127.0.0.1",), counts=False)
E, V = Route("eth0", "192.0.2.1", 100), Route("wlan0", "198.51.100.1", 600)

ONE = State((ETH,), (E,))
BOTH = State((ETH, WLAN), (E, V))
OVER_ETH, OVER_WLAN = Carrier(True, A, "eth0"), Carrier(True, W, "wlan0")
OFFLINE = Carrier(False, A, "eth0", "connection lost")

ROWS = [
    # name, before, after, carrier, what is wanted of the verdict
    ("all is well", ONE, ONE, OVER_ETH, dict(reason="online", path="works", lost=(), dial=False, verify=False)),
    ("cable out", ONE, State((OUT,), (E,)), OVER_ETH,
     dict(reason="cable unplugged", usable=False, path="dead", lost=((A, "cable unplugged"),), dial=False)),
    ("still out", State((OUT,), (E,)), State((OUT,), (E,)), OFFLINE,
     dict(reason="cable unplugged", lost=((A, "cable unplugged"),), dial=False)),
    ("cable in", State((OUT,), (E,)), ONE, OFFLINE,
     dict(reason="online", usable=True, path="unknown", lost=(), dial=True)),
    ("out and in between two looks", ONE, State((ETH._replace(carrier_changes=2),), (E,)), OVER_ETH,
     dict(reason="online", lost=(), verify=True)),
    ("Wi-Fi lost", State((WLAN,), (V,)), State((LOST,), (V,)), OVER_WLAN,
     dict(reason="Wi-Fi lost", lost=((W, "Wi-Fi lost"),), usable=False)),
    ("Wi-Fi back, not authorised yet", State((LOST,), (V,)), State((DORMANT,), (V,)), OFFLINE,
     dict(reason="Wi-Fi lost", usable=False, dial=False)),
    ("Wi-Fi authorised", State((DORMANT,), (V,)), State((WLAN,), (V,)), OFFLINE, dict(usable=True, dial=True)),
    ("interface removed", ONE, State(), OVER_ETH,
     dict(reason="cable unplugged", detail="eth0 is gone", lost=((A, "cable unplugged"),))),
    ("Wi-Fi stick removed, cable there", BOTH, ONE, OVER_WLAN,
     dict(reason="online", lost=((W, "Wi-Fi lost"),), usable=True, dial=True)),
    ("interface added again", State(), ONE, OFFLINE, dict(usable=True, dial=True, lost=())),
    ("address gone", ONE, State((BARE,), ()), OVER_ETH,
     dict(reason="no address", lost=((A, "no address"),), usable=False)),
    ("another address", ONE, State((ETH._replace(addresses=("192.0.2.9",)),), (E,)), OVER_ETH,
     dict(reason="online", lost=((A, "no address"),), usable=True, dial=True)),
    ("default route gone while registered", ONE, State((ETH,)), OVER_ETH,
     dict(reason="online", lost=(), verify=True, usable=False)),
    ("no default route", State((ETH,)), State((ETH,)), OFFLINE, dict(reason="no gateway", usable=False)),
    ("default route new", State((ETH,)), ONE, OFFLINE, dict(usable=True, dial=True)),
    ("another gateway while registered", ONE, State((ETH,), (E._replace(gateway="192.0.2.9"),)), OVER_ETH,
     dict(reason="online", lost=(), verify=True)),
    ("gateway silent on the link while registered", ONE, State((ETH,), (E._replace(silent=True),)), OVER_ETH,
     dict(reason="online", verify=True)),
    ("the other gateway silent", BOTH, State((ETH, WLAN), (E, V._replace(silent=True))), OVER_ETH, dict(verify=False)),
    ("cable out, Wi-Fi usable, its route still second", BOTH, State((OUT, WLAN), (E, V)), OVER_ETH,
     dict(reason="online", usable=True, bind="wlan0", lost=((A, "cable unplugged"),), dial=True)),
    ("later, registered over Wi-Fi", State((OUT, WLAN), (E, V)), State((OUT, WLAN), (E, V)), OVER_WLAN,
     dict(reason="online", bind="wlan0", dial=False, verify=False)),
    ("cable back while registered over Wi-Fi", State((OUT, WLAN), (E, V)), BOTH, OVER_WLAN,
     dict(reason="online", bind=None, lost=(), verify=False)),
    ("Wi-Fi lost while registered over the cable", BOTH, State((ETH, LOST), (E, V)), OVER_ETH,
     dict(reason="online", lost=((W, "Wi-Fi lost"),), dial=False, verify=False, bind=None)),
    ("cable out, its route withdrawn", BOTH, State((OUT, WLAN), (V,)), OVER_ETH,
     dict(usable=True, bind=None, dial=True, lost=((A, "cable unplugged"),))),
    ("both lost: the one that carried names the reason", BOTH, State((OUT, LOST), (E, V)), OVER_WLAN,
     dict(reason="Wi-Fi lost", usable=False)),
    ("both lost, the cable carried", BOTH, State((OUT, LOST), (E, V)), OVER_ETH, dict(reason="cable unplugged")),
    ("never plugged in, Wi-Fi without address", State(), State((OUT, WLAN._replace(addresses=())),), Carrier(),
     dict(reason="no address")),
    ("boot without any interface", State(), State(), Carrier(), dict(reason="cable unplugged", usable=False)),
    ("a tunnel carries, the cable under it flaps", State((ETH, TUN), (E,)),
     State((ETH._replace(carrier_changes=2), TUN), (E,)), Carrier(True, "10.8.0.2", "tun0"),
     dict(reason="online", verify=True, lost=())),
    ("the tunnel goes", State((ETH, TUN), (E,)), ONE, Carrier(True, "10.8.0.2", "tun0"),
     dict(lost=(("10.8.0.2", "no address"),), dial=True)),
    ("a tunnel holds the default route", State((ETH, TUN), (Route("tun0"), E)),
     State((ETH, TUN), (Route("tun0"), E)), OFFLINE, dict(usable=True, bind=None)),
    ("a cloud on this terminal itself", State((OUT, LO), ()), State((OUT, LO), ()), Carrier(True, "127.0.0.1", "lo"),
     dict(reason="online", lost=((A, "cable unplugged"),), verify=False)),
    ("an address that the first look already missed", ONE, ONE, Carrier(True, "192.0.2.77", "eth0"),
     dict(lost=(("192.0.2.77", "no address"),), dial=True)),
    ("IPv6 alone", State((ETH._replace(addresses=("2001:db8::5",)),), ()),
     State((ETH._replace(addresses=("2001:db8::5",)),), (Route("eth0", "fe80::1", 1024, 6),)), OFFLINE,
     dict(usable=True, dial=True, bind=None)),
]


@pytest.mark.parametrize("name, before, after, carrier, want", ROWS, ids=[row[0] for row in ROWS])
def test_judge(name, before, after, carrier, want):
    verdict = judge(before, after, None, carrier)
    assert {field: getattr(verdict, field) for field in want} == want


def test_the_first_look_compares_with_nothing():
    verdict = judge(None, ONE, None, Carrier())
    assert (verdict.reason, verdict.usable, verdict.lost) == ("online", True, ())
    assert not verdict.dial and not verdict.verify


def test_after_a_suspension_the_connection_is_verified():
    assert judge(ONE, ONE, None, OVER_ETH, resumed=True).verify
    assert not judge(ONE, ONE, None, OFFLINE, resumed=True).verify


OPEN, SHUT, MUTE, WHAT = "open", "refused", "silent", "no address known"


def ends(primary, secondary):
    return (("dc:80", primary), ("ec:9001", secondary))


FOUND = [
    ("everything answers", Answers(True, True, True, True, ends(OPEN, OPEN)), "online", "works"),
    ("one port silent", Answers(True, True, True, True, ends(MUTE, OPEN)), "blocked port", "works"),
    ("the other refused", Answers(True, True, True, True, ends(OPEN, SHUT)), "blocked port", "works"),
    ("cloud down, its host up", Answers(True, True, True, False, ends(SHUT, SHUT)), "cloud not answering", "works"),
    ("cloud's host down, a reference answers", Answers(True, True, True, False, ends(MUTE, MUTE), True),
     "cloud not answering", "works"),
    ("cloud's host down, a public name server answers", Answers(True, True, True, True, ends(MUTE, MUTE)),
     "cloud not answering", "works"),
    ("line down, the router serves names", Answers(True, False, True, False, ends(MUTE, MUTE)), "no internet", "dead"),
    ("line down, public name server", Answers(True, False, False, True, ends(MUTE, MUTE)), "no internet", "dead"),
    ("line down at boot", Answers(True, False, False, True, ends(WHAT, WHAT)), "no internet", "dead"),
    ("gateway silent", Answers(False, False, False, True, ends(MUTE, MUTE)), "gateway silent", "dead"),
    ("gateway silent at boot", Answers(False, False, False, False, ends(WHAT, WHAT)), "gateway silent", "dead"),
    ("gateway mute by policy", Answers(False, True, True, True, ends(OPEN, OPEN)), "online", "works"),
    ("no gateway to ask, line down", Answers(None, False, False, True, ends(MUTE, MUTE)), "no internet", "dead"),
    ("name server's host up, no names", Answers(True, False, True, True, ends(WHAT, WHAT)), "no DNS", "works"),
    ("local name server dead", Answers(True, False, False, False, ends(WHAT, WHAT)), "no DNS", "dead"),
    ("no name server set", Answers(True, False, None, False, ends(WHAT, WHAT)), "no DNS", "dead"),
    ("names gone, addresses known and open", Answers(True, False, False, True, ends(OPEN, OPEN)), "online", "works"),
    ("line down at boot, the router serves names", Answers(True, False, True, False, ends(WHAT, WHAT)),
     "no internet", "dead"),
    ("a name that does not exist", Answers(True, False, True, False, ends(WHAT, WHAT), denied=True), "no DNS", "dead"),
    ("names gone, a reference answers", Answers(True, False, False, True, ends(WHAT, WHAT), True), "no DNS", "works"),
]


@pytest.mark.parametrize("name, answers, reason, path", FOUND, ids=[row[0] for row in FOUND])
def test_what_the_probes_mean(name, answers, reason, path):
    verdict = judge(ONE, ONE, answers, OFFLINE)
    assert (verdict.reason, verdict.path) == (reason, path)


def test_the_cloud_s_refusal_is_the_reason_when_everything_answers():
    answers = Answers(True, True, True, True, ends(OPEN, OPEN))
    reason = "registration refused: FAILED-REGISTRATION"
    assert diagnose(answers, E, reason)[0] == reason
    assert diagnose(answers._replace(endpoints=ends(MUTE, OPEN)), E, reason)[0] == reason
    assert diagnose(answers._replace(endpoints=ends(MUTE, MUTE)), E, reason)[0] == "cloud not answering"


def test_what_is_said_is_about_the_way_that_a_dial_takes():
    """The dead cable holds the default route: the reason is that of the Wi-Fi, which is dialed over."""
    out = State((OUT, WLAN), (E, V))
    found = judge(out, out, Answers(False, False, False, False, ends(MUTE, MUTE)), OFFLINE)
    assert (found.reason, found.detail, found.bind) == ("gateway silent", "198.51.100.1 does not answer", "wlan0")
    usb = Interface("usb0", addresses=("203.0.113.7",))
    three = State((OUT, usb, WLAN), (E, V, Route("usb0", "203.0.113.1", 700)))
    assert judge(three, three, Answers(endpoints=ends(MUTE, MUTE), elsewhere="usb0"), OFFLINE).bind == "usb0"


def test_a_detour_outlives_that_the_dead_gateway_falls_silent():
    before, after = State((ETH, WLAN), (E, V)), State((ETH, WLAN), (E._replace(silent=True), V))
    found = judge(before, before, Answers(endpoints=ends(MUTE, MUTE), elsewhere="wlan0"), OFFLINE)
    assert found.bind == "wlan0"
    assert judge(before, after, None, OFFLINE, last=found).bind == "wlan0"


def test_registered_means_online_whatever_was_found_before():
    verdict = judge(ONE, ONE, Answers(False, False, False, False, ends(MUTE, MUTE)), OVER_ETH)
    assert (verdict.reason, verdict.path) == ("online", "works")


def test_the_internet_s_return_ends_the_wait_once():
    dead, works = (Answers(True, True, True, False, ends(end, end)) for end in (MUTE, OPEN))
    first = judge(ONE, ONE, dead, OFFLINE)
    second = judge(ONE, ONE, works, OFFLINE, last=first)
    third = judge(ONE, ONE, works, OFFLINE, last=second)
    assert [first.dial, second.dial, third.dial] == [False, True, False]


def test_a_dead_path_over_a_good_link_is_left_for_the_other_interface():
    """The router behind eth0 is dead, eth0 itself is not: dial over wlan0, until the default route is a new one."""
    dead = Answers(False, False, False, False, ends(MUTE, MUTE), None, "wlan0")
    found = judge(BOTH, BOTH, dead, OFFLINE, last=judge(BOTH, BOTH, None, OFFLINE))
    assert (found.bind, found.path, found.dial) == ("wlan0", "works", True)
    stays = judge(BOTH, BOTH, None, OVER_WLAN, last=found)
    assert stays.bind == "wlan0"
    renewed = judge(BOTH, State(BOTH.interfaces, (E._replace(gateway="192.0.2.9"), V)), None, OVER_WLAN, last=stays)
    assert renewed.bind is None
    asked_again = judge(BOTH, BOTH, dead._replace(endpoints=ends(OPEN, OPEN)), OFFLINE, last=stays)
    assert asked_again.bind is None
