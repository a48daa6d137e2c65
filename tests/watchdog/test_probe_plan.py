"""What a round of probes asks: over which way, and what else."""
from econduit_terminal.watchdog.addresses import LocalNetwork
from econduit_terminal.watchdog.probe_plan import plan
from econduit_terminal.watchdog.state import EndpointRoute, Interface, Route, State

MEANT = LocalNetwork(trusted=frozenset({"cloud.test"}))


def test_the_plan_asks_over_the_other_usable_interfaces():
    eth, wlan = Interface("eth0", addresses=("192.0.2.5",)), Interface("wlan0", addresses=("198.51.100.7",))
    routes = (Route("eth0", "192.0.2.1", 100), Route("wlan0", "198.51.100.1", 600))
    made = plan(State((eth, wlan), routes), (), ())
    assert (made.gateway, made.others, made.over) == (routes[0], ("wlan0",), None)
    out = eth._replace(operstate="down", carrier=False)
    made = plan(State((out, wlan), routes), (), ())
    assert (made.gateway, made.others, made.over) == (routes[1], (), "wlan0"), "the way that a dial takes"


def test_t3_the_plan_follows_the_kernel_s_route_to_the_endpoint():
    eth = Interface("eth0", addresses=("192.0.2.5",))
    made = plan(State((eth,), (), (EndpointRoute("192.0.2.80", Route("eth0")),)), (), (), MEANT, dial=False)
    assert (made.gateway, made.local, made.dial) == (Route("eth0"), MEANT, False)
