"""What ordinary networks do to a terminal: login pages, proxies, sick endpoints, names that lie, routers that reject.

The cases are those of tests with an O in their name, each with cousins. The name server is in the router, and what it
answers changes.
"""
import time

import pytest
from lab_terminal import start_cloud

from econduit_terminal.sandbox.lab.netlab import CLOUD, CLOUD6, ELSEWHERE, ELSEWHERE6, ROUTER6

NAME = "cloud.test"
ROUTER = "10.77.1.1"
PAGE = r"HTTP/1.1 302 Found\r\nLocation: http://login.lan/\r\nContent-Length: 0\r\n\r\n"
BAD_REQUEST = r"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
REGISTERS = r"OK-REGISTRATION\x04\x04"
ELSE = "is answered by something else"
AT_ONCE = 1.0
LATEST = 14.0       # `max_delay`, and room for a busy machine


@pytest.fixture
def product(lab, product):
    """A function that starts agent and watchdog, with the cloud's name for both endpoints unless told otherwise."""
    def start(more="", **settings):
        return product(lab, online=False, **{"primary": NAME, "secondary": NAME, "more": more, **settings})
    return start


def refused_at(terminal, text, **more):
    return terminal.until(lambda status: not status["online"] and text in (status["reason"] or ""), **more)


def rejected_at(terminal, router, endpoint):
    """The merchant reads that the internet is gone; support, which router says so and of what."""
    terminal.until(lambda status: status["reason"] == "no internet"
                   and f"{endpoint}: rejected by a router ({router})" in status["network"]["detail"])
    assert f"router {router} rejects the way to {endpoint} (" in terminal.agent.text


def outcomes(status):
    return [found["outcome"] for found in status["endpoints"]]


# -- O1, O7: names that lie --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("page", [PAGE, "", r"<html><body>Please log in</body></html>"])
def test_o1_a_router_that_answers_every_name_with_its_own_address(lab, product, page):
    start_cloud(lab)
    names = lab.router_name_server({"*": ROUTER})
    for port in (80, 9001):
        lab.router.serve(ROUTER, port, page)
    terminal = product()
    _, status = refused_at(terminal, ELSE if page else "no answer to the registration", timeout=20)
    assert set(outcomes(status)) <= {"not the cloud", "open", "untried"} and not status["online"]
    assert status["endpoints"][0]["addresses"] == [ROUTER]
    began = time.monotonic()
    names.set({NAME: CLOUD})
    at, _ = terminal.online(timeout=15, after=began)
    assert at - began < LATEST


@pytest.mark.parametrize("address, says", [
    ("0.0.0.0", f"no DNS: {NAME} is answered with 0.0.0.0 (a DNS filter)"),
    ("::", f"no DNS: {NAME} is answered with :: (a DNS filter)"),
    ("127.0.0.1", f"no DNS: {NAME} is answered with 127.0.0.1 (a DNS filter)"),
    ("10.77.1.2", f"no DNS: {NAME} is answered with 10.77.1.2, an address of this terminal")])
def test_o7_a_dns_filter(lab, product, address, says):
    start_cloud(lab)
    names = lab.router_name_server({NAME: address})
    terminal = product()
    _, status = refused_at(terminal, says)
    assert outcomes(status) == ["no name", "no name"]
    began = time.monotonic()
    names.set({NAME: CLOUD})
    at, _ = terminal.online(after=began)
    assert at - began < 6


def test_o6_no_search_list_completes_the_cloud_s_name(lab, product):
    """The real name is not found; the shop's domain has a wildcard."""
    start_cloud(lab)
    stranger = lab.cloud.serve(ELSEWHERE, 80, "")
    names = lab.router_name_server({NAME: "SERVFAIL", "*.shop.example": ELSEWHERE})
    lab.resolv_conf.write_text(f"search shop.example\nnameserver {ROUTER}\noptions ndots:2\n")
    terminal = product()
    terminal.until(lambda status: outcomes(status) == ["no name", "no name"])
    names.set({NAME: "NXDOMAIN", "*.shop.example": ELSEWHERE})
    time.sleep(3)
    assert "Register" not in stranger.text, "the TerminalID went to a stranger"
    began = time.monotonic()
    names.set({NAME: CLOUD, "*.shop.example": ELSEWHERE})
    terminal.online(after=began)
    assert "Register" not in stranger.text


def test_o5_the_name_moves_and_the_old_server_takes_the_terminal_and_drops_it(lab, product):
    start_cloud(lab)
    names = lab.router_name_server({NAME: ELSEWHERE})
    old = lab.cloud.serve(ELSEWHERE, 80, r"OK-REGISTRATION\x04\x04", 3)
    terminal = product()
    terminal.online()
    names.set({NAME: CLOUD})
    began = time.monotonic()
    terminal.offline(after=began)
    terminal.until(lambda status: status["online"] and status["endpoints"][0]["addresses"] == [CLOUD], after=began)
    assert old.text.count("opened") == 1


@pytest.mark.parametrize("answer", ["SERVFAIL", "NXDOMAIN", "SILENCE", "0.0.0.0"])
def test_o15_names_away_and_the_agent_starts_anew(lab, product, answer):
    """The watchdog still knows the addresses."""
    start_cloud(lab)
    names = lab.router_name_server({NAME: CLOUD})
    terminal = product()
    terminal.online()
    terminal.until(lambda status: status["network"].get("addresses") == {NAME: [CLOUD]})
    terminal.agent.signal(9)
    names.set({NAME: answer})
    began = time.monotonic()
    terminal.agent.wait()
    terminal.agent = terminal.run("agent")
    at, _ = terminal.online(after=began)
    assert at - began < 9


@pytest.mark.parametrize("answer", ["NXDOMAIN", "SERVFAIL"])
def test_o16_names_that_come_a_moment_after_the_network(lab, product, answer):
    start_cloud(lab)
    names = lab.router_name_server({NAME: CLOUD})
    terminal = product()
    terminal.online()
    lab.cable_out()
    terminal.offline()
    terminal.client.reconnect("forget")     # nothing but the name leads back
    names.set({NAME: answer})
    began = time.monotonic()
    lab.cable_in()
    terminal.until(lambda status: status["phase"] == "dialing", after=began)
    time.sleep(0.1)
    names.set({NAME: CLOUD})
    at, _ = terminal.online(after=began)
    assert at - began < 2.5
    shown = {status["reason"] for moment, status in terminal.statuses if moment > began and not status["online"]}
    assert not [reason for reason in shown if "not found" in reason or "no DNS" in reason], shown


# -- O2, O4: proxies ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("seconds", [0, 1, None])
def test_o2_a_proxy_takes_all_of_port_80(lab, product, seconds):
    start_cloud(lab)
    lab.router.capture(80, BAD_REQUEST, seconds)
    terminal = product(primary=CLOUD, secondary=CLOUD)
    began = time.monotonic()
    at, status = terminal.online(after=0.0)
    assert status["endpoint"] == f"{CLOUD}:9001" and at - began < 5
    assert outcomes(status) == ["not the cloud", "registered"]
    assert f"{CLOUD}:80 {ELSE}, HTTP 400: a proxy or login page of this network" in terminal.agent.text


@pytest.mark.parametrize("answer, says", [
    (r"HTTP/1.0 511 Network Authentication Required\r\n\r\n", "HTTP 511: a proxy or login page of this network"),
    (r"SSH-2.0-dropbear\r\n", "not the eConduit Cloud: SSH-2.0-dropbear"),
    (r"<!DOCTYPE html><html>", "a web page: a proxy or login page of this network")])
def test_o2_both_ports_are_taken_and_then_given_back(lab, product, answer, says):
    start_cloud(lab)
    for port in (80, 9001):
        lab.router.capture(port, answer)
    terminal = product(primary=CLOUD, secondary=CLOUD)
    terminal.until(lambda status: (status["reason"] or "").count(says) == 2, timeout=20)
    began = time.monotonic()
    lab.router.release()
    at, _ = terminal.online(timeout=15, after=began)
    assert at - began < LATEST


@pytest.mark.parametrize("port, endpoint", [(80, 9001), (9001, 80)])
def test_o4_a_mute_proxy_costs_nothing_after_the_first_time(lab, product, port, endpoint):
    start_cloud(lab)
    proxy = lab.router.capture(port, "")
    terminal = product(primary=CLOUD, secondary=CLOUD)
    _, status = terminal.online()
    assert status["endpoint"] == f"{CLOUD}:{endpoint}"
    asked = proxy.text.count('"Register"')
    lab.cable_out()
    terminal.offline()
    began = time.monotonic()
    lab.cable_in()
    at, status = terminal.online(after=began)
    assert at - terminal.rung(began) < AT_ONCE and status["endpoint"] == f"{CLOUD}:{endpoint}"
    assert proxy.text.count('"Register"') == asked, "it is dialed beside the other one at most"


def test_o4_a_move_to_the_mute_primary_costs_two_seconds_and_the_next_comes_later(lab, product):
    start_cloud(lab)
    lab.router.capture(80, "")
    terminal = product(more="[reconnect]\nprimary_retry = 2s\n", primary=CLOUD, secondary=CLOUD)
    terminal.online()
    gaps, after = [], time.monotonic()
    for _ in range(2):
        left, _ = terminal.until(lambda status: status["reason"] == "back to the primary endpoint", after=after)
        after, status = terminal.until(lambda status: status["online"], after=left)
        assert status["endpoint"] == f"{CLOUD}:9001"
        gaps.append(after - left)
    assert max(gaps) < 6        # `registration.timeout` is 10 s
    began = time.monotonic()
    with pytest.raises(AssertionError):
        terminal.offline(timeout=6, after=began)        # twice and four times `primary_retry`
    lab.router.release()
    terminal.until(lambda status: status["endpoint"] == f"{CLOUD}:80", timeout=20, after=began)


# -- O8, O14: routers that reject --------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["admin-prohibited", "host-unreachable", "port-unreachable", "net-unreachable"])
def test_o8_o14_a_router_that_rejects_is_no_cloud_that_is_down(lab, product, kind):
    start_cloud(lab)
    lab.router.reject(kind)
    terminal = product(primary=CLOUD, secondary=CLOUD)
    rejected_at(terminal, ROUTER, f"{CLOUD}:80")
    terminal.until(lambda status: outcomes(status) == ["rejected by a router"] * 2)
    before = lab.router.counted()
    time.sleep(5)
    assert lab.router.counted() - before <= 30, "each dial asks each endpoint once"
    assert "failures in a row: 0" in terminal.agent.text and "failures in a row: 1" not in terminal.agent.text
    began = time.monotonic()
    lab.router.allow()
    at, _ = terminal.online(after=began)
    assert at - began < 5


@pytest.mark.parametrize("kind", ["admin-prohibited", "port-unreachable"])
def test_o14_one_icmp_error_does_not_end_an_open_connection(lab, product, kind):
    start_cloud(lab)
    terminal = product(primary=CLOUD, secondary=CLOUD)
    terminal.online()
    began = time.monotonic()
    lab.router.reject(kind)
    terminal.client.verify()
    time.sleep(0.5)
    lab.router.allow()
    time.sleep(1.5)
    assert not [status for at, status in terminal.statuses if at > began and not status["online"]]


@pytest.mark.parametrize("kind", ["admin-prohibited", "port-unreachable", "host-unreachable", "net-unreachable"])
def test_o8_o14_over_ipv6(lab, product, kind):
    lab.ipv6()
    lab.cloud.serve(CLOUD6, 80, REGISTERS)
    lab.router.reject(kind)
    terminal = product(primary=f"[{CLOUD6}]", secondary=f"[{ELSEWHERE6}]")
    rejected_at(terminal, ROUTER6, f"[{CLOUD6}]:80")
    terminal.until(lambda status: outcomes(status) == ["rejected by a router"] * 2)
    began = time.monotonic()
    lab.router.allow()
    at, status = terminal.online(after=began)
    assert status["endpoint"] == f"[{CLOUD6}]:80"
    assert at - began < 5


def test_one_family_is_dead_and_the_other_works(lab, product):
    """A name with addresses of both: IPv6 first, which leads nowhere; then a router says so."""
    lab.ipv6()
    start_cloud(lab)
    lab.router_name_server({NAME: f"{CLOUD6} {CLOUD}"})
    lab.router.nft("add rule ip6 lab forward drop")
    terminal = product()
    _, status = terminal.online()
    assert status["endpoints"][0] == {"endpoint": f"{NAME}:80", "outcome": "registered", "addresses": [CLOUD]}
    lab.cable_out()
    terminal.offline()
    lab.router.nft("flush chain ip6 lab forward; add rule ip6 lab forward reject with icmpv6 type no-route")
    began = time.monotonic()
    lab.cable_in()
    at, _ = terminal.online(after=began)
    assert at - terminal.rung(began) < AT_ONCE


def test_o2_a_proxy_takes_the_first_address_of_a_name_and_not_the_second(lab, product):
    lab.ipv6()
    start_cloud(lab)
    for port in (80, 9001):
        lab.cloud.serve(CLOUD6, port, BAD_REQUEST)
    lab.router_name_server({NAME: f"{CLOUD6} {CLOUD}"})
    terminal = product()
    _, status = terminal.online(timeout=20)
    assert [CLOUD] in [found["addresses"] for found in status["endpoints"]]


def test_an_icmp_error_from_the_endpoint_itself_is_its_own_refusal(lab, product):
    start_cloud(lab)
    lab.cloud.nft("table ip own { chain input { type filter hook input priority 0; }; }")
    lab.cloud.nft("add rule ip own input tcp dport { 80, 9001 } reject with icmp type port-unreachable")
    terminal = product(primary=CLOUD, secondary=CLOUD)
    _, status = refused_at(terminal, f"refused by {CLOUD}:80; refused by {CLOUD}:9001")
    assert outcomes(status) == ["refused", "refused"]


def test_a_firewall_that_resets_one_port_and_a_router_that_rejects_the_other(lab, product):
    """Two sick endpoints, each named; the one that comes back is found."""
    start_cloud(lab)
    lab.router.block_port(80, refuse=True)
    lab.router.nft("add rule ip lab forward tcp dport 9001 reject with icmp type admin-prohibited")
    terminal = product(primary=CLOUD, secondary=CLOUD)
    _, status = refused_at(terminal, f"refused by {CLOUD}:80; router {ROUTER} rejects the way to {CLOUD}:9001")
    assert outcomes(status) == ["refused", "rejected by a router"]
    began = time.monotonic()
    lab.router.allow()
    at, _ = terminal.online(timeout=15, after=began)
    assert at - began < LATEST


def test_o4_o12_a_mute_proxy_at_one_port_and_a_cloud_that_comes_back_at_the_other(lab, product):
    """What is costly (a connection that helps nobody) waits long; a refused dial is cheap and does not."""
    lab.router.capture(80, "")
    terminal = product(primary=CLOUD, secondary=CLOUD)
    terminal.until(lambda status: outcomes(status) == ["open", "refused"], timeout=20)
    time.sleep(15)
    began = time.monotonic()
    start_cloud(lab)
    at, status = terminal.online(timeout=25, after=began)
    assert at - began < 22 and status["endpoint"] == f"{CLOUD}:9001"


def test_o12_the_cloud_refuses_and_listens_again(lab, product):
    cloud = start_cloud(lab)
    terminal = product(primary=CLOUD, secondary=CLOUD)
    terminal.online()
    cloud.signal(9)
    began = time.monotonic()
    refused_at(terminal, f"refused by {CLOUD}:80", after=began)
    time.sleep(8)
    assert outcomes(terminal.statuses[-1][1]) == ["refused", "refused"]
    began = time.monotonic()
    start_cloud(lab)
    at, _ = terminal.online(timeout=15, after=began)
    assert at - began < LATEST


def test_t11_the_network_is_back_and_the_cloud_not_yet(lab, product):
    cloud = start_cloud(lab)
    terminal = product(primary=CLOUD, secondary=CLOUD)
    terminal.online()
    lab.cable_out()
    terminal.until(lambda status: status["reason"] == "cable unplugged")
    lab.router.drop()
    began = time.monotonic()
    lab.cable_in()
    at, _ = terminal.until(lambda status: status["reason"] == "connecting", after=began)
    assert at - terminal.rung(began) < AT_ONCE
    assert not [status for moment, status in terminal.statuses if moment > at and status["reason"] == "cable unplugged"]
    lab.router.allow()
    terminal.online(after=began)
    assert cloud.running()
