"""Which way a dial takes, and into which network."""
import pytest

from econduit_terminal.contract.network_report import Kind
from econduit_terminal.watchdog.agent_status import AgentStatus
from econduit_terminal.watchdog.dial_route import bind, dial_route, network_identity
from econduit_terminal.watchdog.state import EndpointRoute, Interface, Route, State
from econduit_terminal.watchdog.verdict import judge

ETH = Interface("eth0", addresses=("192.0.2.5",))
OUT = ETH._replace(operstate="down", carrier=False, carrier_changes=1)
WLAN = Interface("wlan0", Kind.WIFI, addresses=("198.51.100.7",))
E, V = Route("eth0", "192.0.2.1", 100), Route("wlan0", "198.51.100.1", 600)
ON_LINK = (EndpointRoute("192.0.2.80", Route("eth0")),)
OFFLINE = AgentStatus(False, "192.0.2.5", "eth0", "connection lost")


def test_t3_a_route_to_the_endpoint_counts_before_the_default():
    """The default is dead and does not matter; or it is well, and the endpoint is behind a dead cable."""
    state = State((OUT, WLAN), (E,), (EndpointRoute("198.51.100.80", Route("wlan0")),))
    assert (bind(state), dial_route(state)) == (None, Route("wlan0"))
    state = State((OUT, WLAN), (V,), (EndpointRoute("192.0.2.80", Route("eth0")),))
    assert (bind(state), dial_route(state)) == ("wlan0", V)
    state = State((ETH, WLAN), (E, V), (EndpointRoute("198.51.100.80", V._replace(metric=0)),
                                        EndpointRoute("192.0.2.80", Route("eth0"))))
    assert (bind(state), dial_route(state)) == (None, V)


SEEN = E._replace(mac="02:00:00:00:00:01")
NET = ETH._replace(networks=("192.0.2.0/24",))
RADIO = WLAN._replace(networks=("198.51.100.0/24",))
PPP = Interface("ppp0", Kind.OTHER, "unknown", addresses=("100.64.7.7",))


@pytest.mark.parametrize("name, state, network", [
    ("the gateway's MAC", State((NET,), (SEEN,)), "gateway 02:00:00:00:00:01"),
    ("not known yet: nobody spoke to it", State((NET,), (E,)), None),
    ("of the route that a dial takes", State((OUT, RADIO), (SEEN, V._replace(mac="02:00:00:00:00:02"))),
     "gateway 02:00:00:00:00:02"),
    ("no gateway: the Wi-Fi network", State((RADIO,), (), (EndpointRoute("198.51.100.80", Route("wlan0")),),
                                            (("wlan0", "Shop"),)),
     "Wi-Fi Shop"),
    ("no gateway: the prefix", State((NET,), (), ON_LINK), "network 192.0.2.0/24"),
    ("a modem's line", State((PPP,), (Route("ppp0"),)), "line ppp0"),
    ("no link", State((OUT,), (SEEN,)), None),
    ("nothing", State(), None),
])
def test_which_network_this_is(name, state, network):
    assert network_identity(state) == network
    assert judge(state, state, None, OFFLINE).network == network
