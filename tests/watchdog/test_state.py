"""Two moments and what differs between them, as named rows."""
import pytest

from econduit_terminal.contract.network_report import Kind
from econduit_terminal.watchdog.state import EndpointRoute, Interface, Route, State, changes, remembering

ETH = Interface("eth0", addresses=("192.0.2.5",))
OUT = ETH._replace(operstate="down", carrier=False, carrier_changes=1)
WLAN = Interface("wlan0", kind=Kind.WIFI, addresses=("198.51.100.7",))
VIA_ETH = Route("eth0", "192.0.2.1", 100)
VIA_WLAN = Route("wlan0", "198.51.100.1", 600)
BOTH = State((ETH, WLAN), (VIA_ETH, VIA_WLAN))


@pytest.mark.parametrize("name, state, want", [
    ("both", BOTH, ["eth0", "wlan0"]),
    ("the better route first", State((ETH, WLAN), (VIA_WLAN, VIA_ETH)), ["wlan0", "eth0"]),
    ("no carrier", State((OUT, WLAN), (VIA_ETH, VIA_WLAN)), ["wlan0"]),
    ("carrier gone, operstate behind", State((ETH._replace(carrier=False),), (VIA_ETH,)), []),
    ("a driver without operstate", State((ETH._replace(operstate="unknown"),), (VIA_ETH,)), ["eth0"]),
    ("veth whose other end is down", State((ETH._replace(operstate="lowerlayerdown"),), (VIA_ETH,)), []),
    ("Wi-Fi not authorised", State((WLAN._replace(operstate="dormant"),), (VIA_WLAN,)), []),
    ("no address", State((ETH._replace(addresses=()),), (VIA_ETH,)), []),
    ("no route", State((ETH,)), []),
    ("does not count", State((ETH._replace(counts=False),), (VIA_ETH,)), []),
    ("switched off, whatever the driver says", State((ETH._replace(enabled=False),), (VIA_ETH,)), []),
    ("t3: no default, but the kernel's route to an endpoint",
     State((ETH, WLAN), (), (EndpointRoute("192.0.2.80", Route("eth0")),)), ["eth0"]),
    ("t3: the same over a dead cable", State((OUT,), (), (EndpointRoute("192.0.2.80", Route("eth0")),)), []),
    ("t3: the default's interface before that of a way",
     State((ETH, WLAN), (VIA_WLAN,), (EndpointRoute("192.0.2.80", Route("eth0")),)), ["wlan0", "eth0"]),
    ("an endpoint here", State((ETH,), (), (EndpointRoute("127.0.0.1", Route("lo")),)), []),
    ("a line without a gateway", State((Interface("ppp0", Kind.OTHER, "unknown", addresses=("10.0.0.2",)),),
                                       (Route("ppp0"),)), ["ppp0"]),
    ("nothing at all", State(), []),
])
def test_usable(name, state, want):
    assert [one.name for one in state.usable] == want


@pytest.mark.parametrize("name, before, after, want", [
    ("nothing", BOTH, BOTH, []),
    ("cable out", BOTH, State((OUT, WLAN), BOTH.routes), [("link lost", "eth0")]),
    ("cable in", State((OUT, WLAN), BOTH.routes), BOTH, [("link back", "eth0")]),
    ("out and in between two looks", BOTH, State((ETH._replace(carrier_changes=2), WLAN), BOTH.routes),
     [("link flapped", "eth0")]),
    ("down to dormant", State((WLAN._replace(operstate="down", carrier=False),)),
     State((WLAN._replace(operstate="dormant"),)), [("link state", "wlan0")]),
    ("removed", BOTH, State((WLAN,), (VIA_WLAN,)),
     [("interface gone", "eth0"), ("address gone", "eth0"), ("default changed", None)]),
    ("added", State((WLAN,), (VIA_WLAN,)), BOTH,
     [("interface new", "eth0"), ("address new", "eth0"), ("default changed", None)]),
    ("another address", BOTH, State((ETH._replace(addresses=("192.0.2.9",)), WLAN), BOTH.routes),
     [("address gone", "eth0"), ("address new", "eth0")]),
    ("default gone", State((ETH,), (VIA_ETH,)), State((ETH,)), [("default gone", None)]),
    ("default new", State((ETH,)), State((ETH,), (VIA_ETH,)), [("default new", None)]),
    ("another gateway", State((ETH,), (VIA_ETH,)), State((ETH,), (VIA_ETH._replace(gateway="192.0.2.254"),)),
     [("default changed", None)]),
    ("another metric only", State((ETH,), (VIA_ETH,)), State((ETH,), (VIA_ETH._replace(metric=50),)), []),
    ("gateway silent", State((ETH,), (VIA_ETH,)), State((ETH,), (VIA_ETH._replace(silent=True),)),
     [("gateway silent", "eth0")]),
    ("gateway back", State((ETH,), (VIA_ETH._replace(silent=True),)), State((ETH,), (VIA_ETH,)),
     [("gateway back", "eth0")]),
])
def test_changes(name, before, after, want):
    assert [(change.fact, change.interface) for change in changes(before, after)] == want


def test_changes_are_told_in_words():
    added, = changes(State(), State((WLAN._replace(addresses=()),)))
    assert str(added.fact) == "interface new" and added.detail == "wlan0 is there (wifi, up)"


def test_the_default_is_that_of_the_family_the_cloud_speaks():
    routes = (Route("eth0", "fe80::1", 50, 6), VIA_ETH)
    assert State((ETH,), routes).default == VIA_ETH
    assert State((ETH,), routes[:1]).default == routes[0]


def test_an_address_is_held_by_the_interface_with_a_link():
    twin = WLAN._replace(addresses=ETH.addresses)
    assert State((OUT, twin)).holder("192.0.2.5") == twin
    assert State((OUT,)).holder("192.0.2.5") == OUT
    assert State((OUT,)).holder("192.0.2.6") is None


@pytest.mark.parametrize("was, reads, is_", [
    (None, None, False), (None, True, True), (None, False, False),
    (True, None, True), (True, False, False), (False, None, False), (False, True, True),
])
def test_a_gateway_stays_silent_until_it_is_heard(was, reads, is_):
    before = None if was is None else State((ETH,), (VIA_ETH._replace(silent=was),))
    after = State((ETH,), (VIA_ETH._replace(silent=reads), VIA_WLAN))
    assert [route.silent for route in remembering(before, after).routes] == [is_, False]


def test_t8_interfaces_that_do_not_count_are_no_news():
    veth = Interface("veth1", addresses=("172.17.0.1",), counts=False)
    with_it = State((ETH, veth), (VIA_ETH,))
    without = State((ETH,), (VIA_ETH,))
    down = State((ETH, veth._replace(operstate="down", addresses=(), carrier_changes=9)), (VIA_ETH,))
    for before, after in ((with_it, without), (without, with_it), (with_it, down)):
        assert changes(before, after) == ()
        assert changes(before, after, frozenset({"veth1"})), "unless the connection goes over it"


MAC = "02:00:00:00:00:01"


@pytest.mark.parametrize("name, before, after, mac", [
    ("the entry aged away", VIA_ETH._replace(mac=MAC), VIA_ETH, MAC),
    ("another host took the address", VIA_ETH._replace(mac=MAC), VIA_ETH._replace(mac="02:00:00:00:00:02"),
     "02:00:00:00:00:02"),
    ("another gateway", VIA_ETH._replace(mac=MAC), VIA_ETH._replace(gateway="192.0.2.254"), None),
    ("never known", VIA_ETH, VIA_ETH, None),
])
def test_a_gateway_s_mac_is_remembered_on_the_same_link(name, before, after, mac):
    was = State((ETH,), (before,), (EndpointRoute("203.0.113.1", before),))
    now = remembering(was, State((ETH,), (after,), (EndpointRoute("203.0.113.1", after),)))
    assert (now.routes[0].mac, now.endpoint_routes[0].route.mac) == (mac, mac)


@pytest.mark.parametrize("link", [OUT, ETH._replace(carrier_changes=2)])
def test_on_another_link_it_may_be_another_network(link):
    was = State((ETH,), (VIA_ETH._replace(mac=MAC),))
    assert remembering(was, State((link,), (VIA_ETH,))).routes[0].mac is None


def test_over_what_the_kernel_dials_and_what_can_be_asked():
    assert BOTH.dial_interfaces == ("eth0",) and State((ETH,)).dial_interfaces == ()
    state = BOTH._replace(endpoint_routes=(EndpointRoute("a", Route("wlan0")), EndpointRoute("b", VIA_ETH),
                                           EndpointRoute("c", Route("wlan0"))))
    assert state.dial_interfaces == ("wlan0", "eth0")
    assert state.gateways == {"192.0.2.1", "198.51.100.1"}
    assert State((ETH, OUT._replace(name="eth1"), WLAN._replace(addresses=()))).addressed == ("eth0",)
    assert State((), (), (EndpointRoute("127.0.0.1", Route("lo")),)).endpoint_is_local and not BOTH.endpoint_is_local
