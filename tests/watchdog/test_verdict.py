"""The verdict as named rows: (before, after, what the agent says, what the probes found) → what it says and asks.

What the findings mean is diagnosis.py's and has its own table."""
import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import Kind, Path
from econduit_terminal.contract.status import Outcome
from econduit_terminal.watchdog.agent_status import AgentStatus, DialResult
from econduit_terminal.watchdog.probe_results import EndpointResult, NameResult, ProbeResults, ServerResult
from econduit_terminal.watchdog.state import EndpointRoute, Interface, Route, State
from econduit_terminal.watchdog.verdict import Context, judge

A, W = "192.0.2.5", "198.51.100.7"
ETH = Interface("eth0", addresses=(A,))
OUT = ETH._replace(operstate="down", carrier=False, carrier_changes=1)
BARE_OUT = OUT._replace(addresses=())
OFF = ETH._replace(operstate="down", carrier=None, enabled=False)
BARE = ETH._replace(addresses=())
WLAN = Interface("wlan0", Kind.WIFI, addresses=(W,))
LOST = WLAN._replace(operstate="down", carrier=False)
BARE_LOST = LOST._replace(addresses=())
DORMANT = WLAN._replace(operstate="dormant")
TUN = Interface("tun0", Kind.OTHER, "unknown", addresses=("10.8.0.2",), counts=False)
LO = Interface("lo", Kind.OTHER, "unknown", addresses=("127.0.0.1",), counts=False)
E, V = Route("eth0", "192.0.2.1", 100), Route("wlan0", "198.51.100.1", 600)

ONE = State((ETH,), (E,))
BOTH = State((ETH, WLAN), (E, V))
OVER_ETH, OVER_WLAN = AgentStatus(True, A, "eth0"), AgentStatus(True, W, "wlan0")
PPP = Interface("ppp0", Kind.OTHER, "unknown", addresses=("100.64.7.7",))
OVER_PPP = AgentStatus(True, "100.64.7.7", "ppp0")
OFFLINE = AgentStatus(False, A, "eth0", "connection lost")

ROWS = [
    # name, before, after, carrier, what is wanted of the verdict
    ("all is well", ONE, ONE, OVER_ETH, {"reason": "online", "path": Path.WORKS, "lost": (), "dial": False,
                                         "verify": False}),
    ("cable out", ONE, State((OUT,), (E,)), OVER_ETH,
     {"reason": "cable unplugged", "usable": False, "path": Path.DEAD, "lost": ((A, "cable unplugged"),),
      "dial": False}),
    ("still out", State((OUT,), (E,)), State((OUT,), (E,)), OFFLINE,
     {"reason": "cable unplugged", "lost": ((A, "cable unplugged"),), "dial": False}),
    ("cable in", State((OUT,), (E,)), ONE, OFFLINE,
     {"reason": "connecting", "usable": True, "path": Path.UNKNOWN, "lost": (), "dial": True}),
    ("out and in between two looks", ONE, State((ETH._replace(carrier_changes=2),), (E,)), OVER_ETH,
     {"reason": "online", "lost": (), "verify": True}),
    ("Wi-Fi lost", State((WLAN,), (V,)), State((LOST,), (V,)), OVER_WLAN,
     {"reason": "Wi-Fi lost", "lost": ((W, "Wi-Fi lost"),), "usable": False}),
    ("Wi-Fi back, not authorised yet", State((LOST,), (V,)), State((DORMANT,), (V,)), OFFLINE,
     {"reason": "Wi-Fi lost", "usable": False, "dial": False}),
    ("Wi-Fi authorised", State((DORMANT,), (V,)), State((WLAN,), (V,)), OFFLINE, {"usable": True, "dial": True}),
    ("interface removed", ONE, State(), OVER_ETH,
     {"reason": "cable unplugged", "detail": "eth0 is gone", "lost": ((A, "cable unplugged"),)}),
    ("Wi-Fi stick removed, no cable in", State((OUT, WLAN), (E, V)), State((OUT,), (E,)), OVER_WLAN,
     {"reason": "Wi-Fi lost", "detail": "wlan0 is gone", "lost": ((A, "cable unplugged"), (W, "Wi-Fi lost"))}),
    ("the modem hung up, the cable's socket was never used", State((BARE_OUT, PPP), (Route("ppp0"),)),
     State((BARE_OUT,), ()), OVER_PPP, {"reason": "no address", "detail": "ppp0 is gone"}),
    ("the modem hung up, and is all there is", State((PPP,), (Route("ppp0"),)), State(), OVER_PPP,
     {"reason": "no address", "detail": "ppp0 is gone"}),
    ("the modem hung up, a cable was plugged in", State((BARE_OUT,), ()), State((BARE,), ()), OVER_PPP,
     {"reason": "no address", "detail": "eth0 is up, but has no address"}),
    ("Wi-Fi lost, and with it the tunnel that carried", State((WLAN, TUN), (Route("tun0"), V)), State((LOST,), (V,)),
     AgentStatus(True, "10.8.0.2", "tun0"), {"reason": "Wi-Fi lost", "detail": "wlan0: no carrier"}),
    ("Wi-Fi stick removed, cable there", BOTH, ONE, OVER_WLAN,
     {"reason": "connecting", "lost": ((W, "Wi-Fi lost"),), "usable": True, "dial": True}),
    ("interface added again", State(), ONE, OFFLINE, {"usable": True, "dial": True, "lost": ()}),
    ("address gone", ONE, State((BARE,), ()), OVER_ETH,
     {"reason": "no address", "lost": ((A, "no address"),), "usable": False}),
    ("another address", ONE, State((ETH._replace(addresses=("192.0.2.9",)),), (E,)), OVER_ETH,
     {"reason": "connecting", "lost": ((A, "no address"),), "usable": True, "dial": True}),
    ("default route gone while registered", ONE, State((ETH,)), OVER_ETH,
     {"reason": "online", "lost": (), "verify": True, "usable": False}),
    ("no default route", State((ETH,)), State((ETH,)), OFFLINE, {"reason": "no gateway", "usable": False}),
    ("default route new", State((ETH,)), ONE, OFFLINE, {"usable": True, "dial": True}),
    ("another gateway while registered", ONE, State((ETH,), (E._replace(gateway="192.0.2.9"),)), OVER_ETH,
     {"reason": "online", "lost": (), "verify": True}),
    ("gateway silent on the link while registered", ONE, State((ETH,), (E._replace(silent=True),)), OVER_ETH,
     {"reason": "online", "verify": True}),
    ("the other gateway silent", BOTH, State((ETH, WLAN), (E, V._replace(silent=True))), OVER_ETH, {"verify": False}),
    ("cable out, Wi-Fi usable, its route still second", BOTH, State((OUT, WLAN), (E, V)), OVER_ETH,
     {"reason": "connecting", "usable": True, "bind": "wlan0", "lost": ((A, "cable unplugged"),), "dial": True}),
    ("later, registered over Wi-Fi", State((OUT, WLAN), (E, V)), State((OUT, WLAN), (E, V)), OVER_WLAN,
     {"reason": "online", "bind": "wlan0", "dial": False, "verify": False}),
    ("cable back while registered over Wi-Fi", State((OUT, WLAN), (E, V)), BOTH, OVER_WLAN,
     {"reason": "online", "bind": None, "lost": (), "verify": False}),
    ("Wi-Fi lost while registered over the cable", BOTH, State((ETH, LOST), (E, V)), OVER_ETH,
     {"reason": "online", "lost": ((W, "Wi-Fi lost"),), "dial": False, "verify": False, "bind": None}),
    ("cable out, its route withdrawn", BOTH, State((OUT, WLAN), (V,)), OVER_ETH,
     {"usable": True, "bind": None, "dial": True, "lost": ((A, "cable unplugged"),)}),
    ("both lost: the one that carried names the reason", BOTH, State((OUT, LOST), (E, V)), OVER_WLAN,
     {"reason": "Wi-Fi lost", "usable": False}),
    ("both lost, the cable carried", BOTH, State((OUT, LOST), (E, V)), OVER_ETH, {"reason": "cable unplugged"}),
    ("never plugged in, Wi-Fi without address", State(), State((OUT, WLAN._replace(addresses=())),), AgentStatus(),
     {"reason": "no address"}),
    ("boot without cable and Wi-Fi: which of them is meant is not known", State(), State((BARE_OUT, BARE_LOST), ()),
     AgentStatus(), {"reason": "no cable and no Wi-Fi", "detail": "eth0: no carrier; wlan0: no carrier"}),
    ("boot without a cable, Wi-Fi switched off", State(), State((BARE_OUT, BARE_LOST._replace(enabled=False)), ()),
     AgentStatus(), {"reason": "cable unplugged"}),
    ("boot without Wi-Fi, no cable's socket", State(), State((BARE_LOST,), ()), AgentStatus(),
     {"reason": "Wi-Fi lost"}),
    ("boot without a cable, which has its address", State(), State((OUT, BARE_LOST), ()),
     AgentStatus(), {"reason": "cable unplugged"}),
    ("boot without any interface", State(), State(), AgentStatus(), {"reason": "cable unplugged", "usable": False}),
    ("a tunnel carries, the cable under it flaps", State((ETH, TUN), (E,)),
     State((ETH._replace(carrier_changes=2), TUN), (E,)), AgentStatus(True, "10.8.0.2", "tun0"),
     {"reason": "online", "verify": True, "lost": ()}),
    ("the tunnel goes", State((ETH, TUN), (E,)), ONE, AgentStatus(True, "10.8.0.2", "tun0"),
     {"lost": (("10.8.0.2", "no address"),), "dial": True}),
    ("a tunnel holds the default route", State((ETH, TUN), (Route("tun0"), E)),
     State((ETH, TUN), (Route("tun0"), E)), OFFLINE, {"usable": True, "bind": None}),
    ("a cloud on this terminal itself", State((OUT, LO), ()), State((OUT, LO), ()),
     AgentStatus(True, "127.0.0.1", "lo"),
     {"reason": "online", "lost": ((A, "cable unplugged"),), "verify": False}),
    ("an address that the first look already missed", ONE, ONE, AgentStatus(True, "192.0.2.77", "eth0"),
     {"lost": (("192.0.2.77", "no address"),), "dial": True}),
    ("over a link-local address", State((BARE,), ()), State((BARE,), ()), AgentStatus(True, "169.254.7.7", "eth0"),
     {"reason": "online", "lost": (), "path": Path.WORKS}),
    ("over a link-local address of IPv6", ONE, ONE, AgentStatus(True, "fe80::7%eth0", "eth0"),
     {"reason": "online", "lost": ()}),
    ("over a link-local address, cable out", ONE, State((OUT,), (E,)), AgentStatus(True, "fe80::7%eth0", "eth0"),
     {"reason": "cable unplugged", "lost": ((A, "cable unplugged"), ("fe80::7%eth0", "cable unplugged"))}),
    ("over a link-local address, interface removed", ONE, State(), AgentStatus(True, "169.254.7.7", "eth0"),
     {"reason": "cable unplugged", "lost": (("169.254.7.7", "cable unplugged"), (A, "cable unplugged"))}),
    ("IPv6 alone", State((ETH._replace(addresses=("2001:db8::5",)),), ()),
     State((ETH._replace(addresses=("2001:db8::5",)),), (Route("eth0", "fe80::1", 1024, 6),)), OFFLINE,
     {"usable": True, "dial": True, "bind": None}),
]


@pytest.mark.parametrize("name, before, after, carrier, want", ROWS, ids=[row[0] for row in ROWS])
def test_judge(name, before, after, carrier, want):
    verdict = judge(before, after, None, carrier)
    assert {field: getattr(verdict, field) for field in want} == want


def test_the_first_look_compares_with_nothing():
    verdict = judge(None, ONE, None, AgentStatus())
    assert (verdict.reason, verdict.usable, verdict.lost) == ("connecting", True, ())
    assert not verdict.dial and not verdict.verify


def test_after_a_suspension_the_connection_is_verified():
    assert judge(ONE, ONE, None, OVER_ETH, resumed=True).verify
    assert not judge(ONE, ONE, None, OFFLINE, resumed=True).verify


T13 = [
    ("switched off, the cable in", State((OFF,), ()), AgentStatus(), "network switched off", "eth0: switched off"),
    ("Wi-Fi switched off", State((OFF._replace(name="wlan0", kind=Kind.WIFI),), ()), AgentStatus(),
     "network switched off",
     "wlan0: switched off"),
    ("the one that carried is switched off, the other has no cable",
     State((OFF, OUT._replace(name="eth1")), ()), OFFLINE, "network switched off", "eth0: switched off"),
    ("a spare one is switched off, the cable of the other is out",
     State((OFF._replace(name="wlan0", kind=Kind.WIFI), OUT), ()), AgentStatus(), "cable unplugged",
     "eth0: no carrier"),
]


@pytest.mark.parametrize("name, state, agent, reason, detail", T13, ids=[row[0] for row in T13])
def test_t13_an_interface_that_is_switched_off_is_no_cable(name, state, agent, reason, detail):
    verdict = judge(state, state, None, agent)
    assert (verdict.reason, verdict.detail, verdict.usable) == (reason, detail, False)


def test_t13_what_it_held_is_lost_for_that_reason():
    assert judge(ONE, State((OFF,), (E,)), None, OVER_ETH).lost == ((A, "network switched off"),)


def test_t12_a_refused_password_is_named_as_long_as_the_link_is_not_up():
    known = Context(password_refused=frozenset({"wlan0"}))
    for wlan in (LOST, DORMANT):
        assert judge(State((wlan,)), State((wlan,)), None, AgentStatus(),
                     context=known).reason == "Wi-Fi password refused"
    up = State((WLAN,), (V,))
    assert judge(up, up, None, AgentStatus(), context=known).reason == "connecting"
    boot = State((LOST._replace(addresses=()), OUT._replace(addresses=())))
    assert judge(boot, boot, None, AgentStatus(), context=known).reason == "Wi-Fi password refused", "it is in use"
    over_cable = State((LOST, OUT), ())
    assert judge(over_cable, over_cable, None, OFFLINE, context=known).reason == "cable unplugged"


ON_LINK = (EndpointRoute("192.0.2.80", Route("eth0")),)
HERE = (EndpointRoute("127.0.0.1", Route("lo")),)


def test_t3_the_kernel_s_route_to_an_endpoint_is_enough():
    lan = State((ETH,), (), ON_LINK)
    verdict = judge(State((ETH,)), lan, None, OFFLINE)
    assert (verdict.usable, verdict.reason, verdict.bind, verdict.dial) == (True, "connecting", None, True)
    assert judge(State((ETH,)), State((ETH,)), None, OFFLINE).reason == "no gateway"
    out = State((OUT,), (), ON_LINK)
    assert (judge(lan, out, None, OVER_ETH).reason, judge(lan, out, None, OVER_ETH).usable) == ("cable unplugged",
                                                                                                False)


def test_t3_an_endpoint_on_this_terminal_itself_needs_no_network():
    verdict = judge(State((OUT, LO)), State((OUT, LO), (), HERE), None, OFFLINE)
    assert (verdict.usable, verdict.reason, verdict.bind) == (True, "connecting", None)


def test_t4_interfaces_that_cannot_be_read_are_no_cable_that_is_out():
    blind = State(readable=False)
    verdict = judge(ONE, blind, None, OVER_ETH)
    assert (verdict.reason, verdict.usable, verdict.lost, verdict.verify) == ("online", True, (), False)
    assert judge(blind, blind, None, OFFLINE).reason == "interfaces not readable"
    refused = AgentStatus(endpoints=(DialResult(Endpoint("192.0.2.80", 80), Outcome.REFUSED,
                                            ("192.0.2.80",)),))
    assert judge(blind, blind, None, refused).reason == "cloud not answering"
    assert judge(blind, ONE, None, OFFLINE).lost == ()


VETH = Interface("veth7", addresses=("172.17.0.1",), counts=False)


def test_t8_what_does_not_count_is_neither_lost_nor_news():
    both = State((ETH, VETH), (E,))
    for before, after in ((both, ONE), (ONE, both), (both, State((ETH, VETH._replace(operstate="down")), (E,)))):
        for agent in (OVER_ETH, OFFLINE):
            verdict = judge(before, after, None, agent, last=judge(before, before, None, agent))
            assert (verdict.lost, verdict.dial, verdict.verify) == ((), False, False)
    gone = judge(both, ONE, None, AgentStatus(True, "172.17.0.1", "veth7"))
    assert gone.lost == (("172.17.0.1", "no address"),), "but what carries the connection is"


def ends(primary, secondary, probed=True):
    return (EndpointResult(Endpoint("dc", 80), primary, ("203.0.113.10",), probed=probed),
            EndpointResult(Endpoint("ec", 9001), secondary, ("203.0.113.11",), probed=probed))


OPEN, SHUT, MUTE, UNTRIED = Outcome.OPEN, Outcome.REFUSED, Outcome.SILENT, Outcome.UNTRIED
DEAD, WORKS = ProbeResults(True, endpoints=ends(MUTE, MUTE)), ProbeResults(True, endpoints=ends(OPEN, OPEN))
REFERENCE = (("192.0.2.99:443", True),)


def test_what_is_said_is_about_the_way_that_a_dial_takes():
    """The dead cable holds the default route: the reason is that of the Wi-Fi, which is dialed over."""
    out = State((OUT, WLAN), (E, V))
    found = judge(out, out, ProbeResults(False, endpoints=ends(MUTE, MUTE)), OFFLINE)
    assert (found.reason, found.detail, found.bind) == ("gateway silent", "198.51.100.1 does not answer", "wlan0")
    usb = Interface("usb0", addresses=("203.0.113.7",))
    three = State((OUT, usb, WLAN), (E, V, Route("usb0", "203.0.113.1", 700)))
    assert judge(three, three, ProbeResults(endpoints=ends(MUTE, MUTE), reachable_over="usb0"), OFFLINE).bind == "usb0"


def test_a_detour_outlives_that_the_dead_gateway_falls_silent():
    before, after = State((ETH, WLAN), (E, V)), State((ETH, WLAN), (E._replace(silent=True), V))
    found = judge(before, before, ProbeResults(endpoints=ends(MUTE, MUTE), reachable_over="wlan0"), OFFLINE)
    assert found.bind == "wlan0"
    assert judge(before, after, None, OFFLINE, last=found).bind == "wlan0"
    unasked = ProbeResults(True, endpoints=ends(UNTRIED, UNTRIED, probed=False))
    again = judge(before, before, unasked, OFFLINE, last=found)
    assert again.bind == "wlan0", "a round that asked no endpoint says nothing"
    assert judge(before, before, unasked._replace(references=REFERENCE), OFFLINE, last=found).bind is None


def test_registered_means_online_whatever_was_found_before():
    verdict = judge(ONE, ONE, DEAD._replace(gateway=False), OVER_ETH)
    assert (verdict.reason, verdict.path) == ("online", Path.WORKS)


def dials(*results, agent=OFFLINE):
    """Whether each of several rounds has the agent dial."""
    last, found = None, []
    for one in results:
        last = judge(ONE, ONE, one, agent, last=last)
        found.append(last.dial)
    return found


@pytest.mark.parametrize("name, rounds, want", [
    ("the line's return", (DEAD, WORKS, WORKS), [False, True, False]),
    ("one endpoint of none", (DEAD, DEAD._replace(endpoints=ends(MUTE, OPEN)), WORKS), [False, True, False]),
    ("o12: the cloud refused, and listens again",
     (ProbeResults(True, endpoints=ends(SHUT, SHUT)), WORKS), [False, True]),
    ("o14: a router let nothing through",
     (ProbeResults(True, endpoints=ends(Outcome.REJECTED, Outcome.REJECTED)), WORKS), [False, True]),
    ("never seen shut, and open now", (None, WORKS), [False, True]),
    ("something beyond answers again, no endpoint was asked",
     (ProbeResults(False), ProbeResults(True, references=REFERENCE)), [False, True]),
    ("the cloud's name is answered again",
     (ProbeResults(True, (NameResult("dc"),), endpoints=ends(Outcome.NO_NAME, Outcome.NO_NAME, probed=False)),
      ProbeResults(True, (NameResult("dc", ("203.0.113.10",), True),), endpoints=ends(UNTRIED, UNTRIED, probed=False))),
     [False, True]),
    ("still dead", (DEAD, DEAD, DEAD._replace(gateway=False)), [False, False, False]),
])
def test_what_our_probes_find_better_ends_the_wait_once(name, rounds, want):
    assert dials(*rounds) == want


def test_what_the_agent_s_own_dial_found_ends_no_wait():
    """Each of its refusals would otherwise be followed by a dial at once."""
    first = judge(ONE, ONE, DEAD, OFFLINE)
    refused = OFFLINE._replace(endpoints=(DialResult(Endpoint("dc", 80), SHUT, ("203.0.113.10",)),))
    second = judge(ONE, ONE, ProbeResults(True), refused, last=first)
    assert (second.path, second.dial) == (Path.WORKS, False)


@pytest.mark.parametrize("outcome, path", [
    (Outcome.OPEN, Path.UNKNOWN), (Outcome.NOT_THE_CLOUD, Path.UNKNOWN), (Outcome.REFUSED, Path.WORKS),
    (Outcome.REFUSED_REGISTRATION, Path.WORKS), (Outcome.SILENT, Path.DEAD), (Outcome.REJECTED, Path.DEAD),
    (Outcome.NO_NAME, Path.UNKNOWN), (Outcome.UNTRIED, Path.UNKNOWN),
])
def test_t1_what_the_agent_met_proves_a_path_only_where_the_endpoint_itself_answered(outcome, path):
    """A port that opened, and something else that answered, may be a proxy of this very network."""
    met = OFFLINE._replace(endpoints=(DialResult(Endpoint("dc.test", 80), outcome, ("203.0.113.10",)),))
    round_ = ProbeResults(True, endpoints=(EndpointResult(Endpoint("dc.test", 80), UNTRIED, ("203.0.113.10",)),))
    assert judge(ONE, ONE, round_, met).path is path


def test_a_dead_path_over_a_good_link_is_left_for_the_other_interface():
    """The router behind eth0 is dead, eth0 itself is not: dial over wlan0, until the default route is a new one."""
    dead = ProbeResults(False, endpoints=ends(MUTE, MUTE), reachable_over="wlan0")
    found = judge(BOTH, BOTH, dead, OFFLINE, last=judge(BOTH, BOTH, None, OFFLINE))
    assert (found.bind, found.path, found.dial) == ("wlan0", Path.WORKS, True)
    stays = judge(BOTH, BOTH, None, OVER_WLAN, last=found)
    assert stays.bind == "wlan0"
    renewed = judge(BOTH, State(BOTH.interfaces, (E._replace(gateway="192.0.2.9"), V)), None, OVER_WLAN, last=stays)
    assert renewed.bind is None
    asked_again = judge(BOTH, BOTH, dead._replace(endpoints=ends(OPEN, OPEN)), OFFLINE, last=stays)
    assert asked_again.bind is None


def test_the_report_s_further_words():
    server = ServerResult("9.9.9.9", True, "SERVFAIL", True)
    known = (("dc", ("203.0.113.10",)),)
    verdict = judge(ONE, ONE, ProbeResults(True, servers=(server,), endpoints=ends(OPEN, MUTE)), OFFLINE,
                    context=Context(addresses=known))
    assert (verdict.beyond, verdict.open, verdict.addresses) == (True, ("dc:80",), known)
    assert judge(ONE, ONE, ProbeResults(True), OFFLINE).beyond is None
    assert judge(ONE, ONE, ProbeResults(True, servers=(server._replace(alive=False),)), OFFLINE).beyond is False
    assert judge(ONE, ONE, None, OFFLINE).beyond is None
