"""What the display, the status and `check` of the whole product say where 1.0.0 named the wrong culprit.

The cases are those of tests with a T in their name, each with cousins; what the watchdog alone says is in
test_watchdog_truth.py.
"""
import re
import sys
import time

import pytest
from lab_terminal import start_cloud

from econduit_terminal.sandbox.lab.netlab import CLOUD, ELSEWHERE

FIRST, SECOND = "dc.test", "ec.test"
ROUTER = "10.77.1.1"
PAGE = r"HTTP/1.1 302 Found\r\nLocation: http://login.lan/\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def product(lab, product):
    """A function that starts agent and watchdog, not waiting for the cloud, each endpoint with a name of its own."""
    def start(more="", **settings):
        return product(lab, online=False, **{"primary": FIRST, "secondary": SECOND, "more": more, **settings})
    return start


def check(lab, terminal):
    done = lab.terminal.run(sys.executable, "-m", "econduit_terminal.watchdog", "check", "--config-dir",
                            terminal.config,
                            check=False)
    return done.returncode, done.stdout + done.stderr


def told(terminal, *reasons, **more):
    """Until both the display and the watchdog say one of these, or what begins like one of them."""
    return terminal.until(lambda status: (status["reason"] or "").startswith(reasons)
                          and status["network"].get("verdict", "").startswith(reasons), **more)[1]


# -- T1: a captive router ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("answer", [ROUTER, "100.64.9.9", "192.168.88.1"])
def test_t1_a_captive_router_without_its_line(lab, product, answer):
    lab.router_name_server({"*": answer})
    lab.router.ip(f"addr replace {answer}/32 dev lan")
    lab.router.serve(answer, 80, PAGE)
    lab.router.drop()
    terminal = product()
    terminal.until(lambda status: status["network"].get("verdict", "").startswith(f"no DNS: {FIRST} is answered with"),
                   timeout=15)
    for _ in range(3):
        status = terminal.client.status().to_json()
        assert status["network"]["path"] != "works" and "blocked port" not in status["reason"], status
        assert "something else" in status["reason"] or "answered with" in status["reason"], status
        time.sleep(0.5)
    code, said = check(lab, terminal)
    assert code == 13 and "PASS internet" not in said and "firewall open this port" not in said, said


def test_t1_a_proxy_takes_one_port_and_the_line_is_away(lab, product):
    """No name lies here: the router takes every connection to port 80, wherever it goes."""
    lab.router.capture(80, PAGE)
    lab.router.drop()
    # The login page answers each dial to it, at random times: with these, nearly every second one leaves port 9001 long
    # enough to be found silent.
    terminal = product(more="[reconnect]\nbase_delay = 8s\nmax_delay = 8s\n", primary=CLOUD, secondary=CLOUD)
    terminal.until(lambda status: "something else" in (status["reason"] or ""), timeout=15)
    terminal.until(lambda status: status["endpoints"][1]["outcome"] == "silent", timeout=60)
    began = time.monotonic()
    time.sleep(3)
    shown = [status for at, status in terminal.statuses if at > began] or [terminal.statuses[-1][1]]
    assert all(status["network"]["path"] != "works" for status in shown), shown
    assert all("something else" in status["reason"] for status in shown), [status["reason"] for status in shown]
    code, said = check(lab, terminal)
    assert code == 14 and "PASS internet" not in said and "firewall" not in said and "login page" in said, said


# -- T2: name servers that fail ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", ["SERVFAIL", "REFUSED", "TRUNCATED", "SILENCE"])
def test_t2_names_fail_and_the_network_is_fine(lab, product, code):
    start_cloud(lab)
    names = lab.router_name_server({"*": code})
    terminal = product()
    status = told(terminal, "no DNS or no internet", timeout=20)
    assert [found["outcome"] for found in status["endpoints"]] == ["no name", "no name"]
    code, said = check(lab, terminal)
    assert code == 13 and "call the internet provider" in said and "/etc/resolv.conf" in said, said
    began = time.monotonic()
    names.set({FIRST: CLOUD, SECOND: CLOUD})
    at, _ = terminal.online(after=began)
    assert at - began < 8, terminal.agent.text


# -- T3: no default route ----------------------------------------------------------------------------------------------

def test_t3_a_controller_on_the_link_that_stops(lab, product):
    lab.terminal.ip("route delete default")
    lab.router.ip(f"addr add {CLOUD}/32 dev lan")
    lab.terminal.ip(f"route add {CLOUD}/32 dev eth0")
    cloud = lab.router.start(sys.executable, "-u", "-m", "econduit_terminal.sandbox", "cloud", "--host", CLOUD,
                             "--primary-port", 80, "--secondary-port", 9001, "--http-port", 9080)
    cloud.line('"primary"')
    terminal = product(primary=CLOUD, secondary=CLOUD)
    terminal.online()
    terminal.until(lambda status: status["network"].get("verdict") == "online" and status["network"]["usable"])
    cloud.signal(9)
    began = time.monotonic()
    terminal.until(lambda status: (status["reason"] or "").startswith("refused by"), after=began)
    time.sleep(4)       # rounds of probes, none of which finds another culprit
    assert not [status["reason"] for at, status in terminal.statuses
                if at > began and (status["reason"] or "").startswith(("no gateway", "no internet", "no DNS"))]
    code, said = check(lab, terminal)
    assert code == 14 and f"refused by {CLOUD}" in said and "PASS route" in said, said


# -- T4, T13: interfaces -----------------------------------------------------------------------------------------------

def test_t4_without_sys_a_cloud_that_refuses_is_no_cable(lab, tmp_path):
    """Agent and watchdog in a container that shows no /sys."""
    from lab_terminal import Terminal
    terminal = Terminal(lab, tmp_path)
    hide = ["sh", "-c", 'mount -t tmpfs none /sys && exec "$@"', "sh", sys.executable, "-u", "-m"]
    terminal.run = lambda part: lab.terminal.start(*hide, f"econduit_terminal.{part}", "run", "--config-dir",
                                                   terminal.config)
    terminal.start()
    try:
        terminal.until(lambda status: (status["reason"] or "").startswith("refused by"), timeout=15)
        terminal.until(lambda status: status["network"].get("verdict") == "cloud not answering")
        start_cloud(lab)
        terminal.online(timeout=15)
        began = time.monotonic()
        lab.cable_out()
        terminal.until(lambda status: status["reason"] == "cable unplugged", after=began)
        assert not [status for at, status in terminal.statuses if at < began and status["reason"] == "cable unplugged"]
    finally:
        terminal.close()


def test_t13_the_interface_is_switched_off(lab, product):
    start_cloud(lab)
    terminal = product(primary=CLOUD, secondary=CLOUD)
    terminal.online()
    began = time.monotonic()
    lab.terminal.ip("link set eth0 down")
    status = told(terminal, "network switched off", after=began)
    assert status["disconnects"] == {"network switched off": 1}
    began = time.monotonic()
    lab.terminal.ip("link set eth0 up", f"route add default via {ROUTER} dev eth0")
    terminal.online(after=began)


# -- T10: the agent's word on what it dials ----------------------------------------------------------------------------

def test_t10_other_endpoints_that_the_agent_alone_read_anew(lab, product):
    start_cloud(lab)
    terminal = product(primary=CLOUD, secondary=CLOUD)
    terminal.verdict("online")      # the watchdog knows what the agent dials
    (terminal.config / "conf.d").mkdir()
    (terminal.config / "conf.d" / "tms.ini").write_text(f"[cloud]\nprimary = {ELSEWHERE}:7001\nsecondary =\n")
    began = time.monotonic()
    terminal.agent.signal(1)
    terminal.until(lambda status: (status["reason"] or "").startswith(f"refused by {ELSEWHERE}"), after=began)
    terminal.watchdog.line(f"the agent dials {ELSEWHERE}:7001", after=began)
    time.sleep(4)
    assert not [status for at, status in terminal.statuses if at > began and status["reason"] in
                ("no internet", "blocked port")]
    _, said = check(lab, terminal)
    assert f"FAIL {ELSEWHERE}:7001 refused by {ELSEWHERE}" in said and CLOUD not in said, said


# -- O12: what reaches a cloud that refuses ----------------------------------------------------------------------------

@pytest.mark.parametrize("endpoints", [2, 1])
def test_o12_a_cloud_that_refuses_gets_the_agent_s_dials_alone(lab, product, endpoints):
    """Counted in the router, beside what the agent says of its own dials: nobody else opens a connection."""
    cloud = start_cloud(lab)
    terminal = product(primary=CLOUD, secondary=CLOUD)
    terminal.online()
    if endpoints == 1:
        (terminal.config / "z.ini").write_text("[cloud]\nsecondary =\n")
        terminal.agent.signal(1)
        terminal.online(after=time.monotonic())
    lab.router.count_syns()
    began = time.monotonic()
    cloud.signal(9)
    time.sleep(12)
    ended = time.monotonic()        # and then it is counted: no dial is known that the router has not met
    counted = lab.router.counted()
    phases = [status["phase"] for at, status in terminal.statuses if began < at < ended]
    dials = sum(1 for before, after in zip(["online", *phases], phases, strict=False)
                if after == "dialing" != before)
    assert dials <= counted <= endpoints * dials + endpoints, (counted, dials, terminal.agent.text)
    assert terminal.statuses[-1][1]["network"]["verdict"] == "cloud not answering"


# -- the reason stays true while the terminal waits --------------------------------------------------------------------

def test_a_refused_terminal_whose_line_dies_says_so(lab, product):
    """FAILED-INVALID-TERMINAL-TYPE is waited out for five minutes; what happens to the network meanwhile is told."""
    start_cloud(lab, "--terminal-type", "AnotherMaker")
    terminal = product(primary=CLOUD, secondary=CLOUD)
    refused = "registration refused: FAILED-INVALID-TERMINAL-TYPE"
    terminal.until(lambda status: status["reason"] == refused)
    terminal.until(lambda status: status["network"].get("verdict") == refused)
    began = time.monotonic()
    lab.router.die()
    terminal.until(lambda status: status["network"]["verdict"] == "gateway silent", timeout=25, after=began)
    began = time.monotonic()
    lab.router.revive()
    terminal.until(lambda status: status["network"]["verdict"] == refused, timeout=15, after=began)
    assert re.search("gateway (silent|back)", terminal.watchdog.text)
