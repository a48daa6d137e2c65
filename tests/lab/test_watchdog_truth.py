"""What the watchdog says on networks that lie, lack something, or refuse: verdict, report and `check`. The agent is
made up; what its dials found is said by the test."""
import json
import sys
import time

import pytest

from econduit_terminal.sandbox.lab.netlab import CLOUD, ELSEWHERE
from econduit_terminal.sandbox.lab.process import Process

ETH, ROUTER = "10.77.1.2", "10.77.1.1"
NAMES = """
[cloud]
primary = dc.test:80
secondary = ec.test:9001
[watchdog]
poll = 1s
probe_interval = 500ms
probe_timeout = 1s
report_interval = 2s
"""


@pytest.fixture
def named(config):
    """Both endpoints have names."""
    (config / "names.ini").write_text(NAMES)


def check(lab, config):
    done = lab.terminal.run(sys.executable, "-m", "econduit_terminal.watchdog", "check", "--config-dir", config,
                            check=False)
    return done.returncode, done.stdout + done.stderr


def dialed(agent, outcome, *addresses, second=None, reason="no answer"):
    agent.dialed(("dc.test:80", outcome, list(addresses)), ("ec.test:9001", second or outcome, list(addresses)),
                 reason=reason)


# T2, O7, T1: name servers

@pytest.mark.parametrize("code, reason, says", [
    ("SERVFAIL", "no DNS or no internet", "10.77.1.1 answers with SERVFAIL"),
    ("REFUSED", "no DNS or no internet", "10.77.1.1 answers with REFUSED"),
    ("TRUNCATED", "no DNS or no internet", "10.77.1.1 answers with truncated"),
    ("SILENCE", "no DNS or no internet", "10.77.1.1 answers no question"),
    ("NXDOMAIN", "no DNS", "10.77.1.1 answers with NXDOMAIN"),
])
def test_t2_a_name_server_that_fails_is_no_dead_line(lab, agent, watch, config, named, code, reason, says):
    lab.router_name_server({"*": code})
    dialed(agent, "no name")
    watch(lab)
    _, told = agent.verdict(reason)
    assert (told["beyond"], told["usable"], told["addresses"]) == (None, True, {})
    assert says in told["detail"] and "no internet" not in told["detail"]
    status, said = check(lab, config)
    assert status == 13 and says in said and "FAIL DNS dc.test" in said and "SKIP internet" in said, said
    if code != "NXDOMAIN":
        assert "name servers in /etc/resolv.conf" in said and "call the internet provider" in said, "both remedies"


def test_t2_the_return_of_names_has_the_agent_dial(lab, agent, watch, named):
    server = lab.router_name_server({"*": "SERVFAIL"})
    dialed(agent, "no name")
    watch(lab)
    agent.verdict("no DNS or no internet")
    began = time.monotonic()
    server.set({"*": CLOUD})
    _, told = agent.report(lambda report: report["dial"], after=began)
    assert told["verdict"] == "connecting" and told["addresses"] == {"dc.test": [CLOUD], "ec.test": [CLOUD]}


@pytest.mark.parametrize("answer", ["0.0.0.0", "127.0.0.1", "::", "127.0.53.53"])
def test_o7_a_dns_filter_is_named(lab, agent, watch, config, named, answer):
    lab.router_name_server({"*": answer})
    dialed(agent, "no name")
    watch(lab)
    _, told = agent.verdict(f"no DNS: dc.test is answered with {answer} (a DNS filter)")
    assert told["addresses"] == {}
    status, said = check(lab, config)
    assert status == 13 and f"answered with {answer} (a DNS filter)" in said, said


@pytest.mark.parametrize("answer", [ROUTER, "100.64.0.7", "192.168.77.1", "fd00::7"])
def test_t1_a_login_page_proves_nothing(lab, agent, watch, config, named, answer):
    """The router answers every name with an address of its own, takes connections to port 80, and has no line."""
    lab.router_name_server({"*": answer})
    lab.router.ip(f"addr replace {answer}/{128 if ':' in answer else 32} dev lan")
    lab.router.serve("::", 80, "HTTP/1.1 302 Found\\r\\nLocation: http://login/\\r\\n\\r\\n")
    lab.router.drop()
    dialed(agent, "not the cloud", answer, second="refused", reason="dc.test:80 is answered by something else")
    watch(lab)
    _, told = agent.report(lambda report: report["verdict"].startswith("no DNS: dc.test is answered with"))
    assert answer in told["verdict"] and told["path"] == "dead" and not told["open"] and told["addresses"] == {}
    status, said = check(lab, config)
    assert status == 13 and "PASS internet" not in said and "firewall" not in said, said
    assert "PASS dc.test" not in said and "PASS ec.test" not in said, said


def test_t1_a_login_page_that_goes_away_has_the_agent_dial(lab, agent, watch, named):
    server = lab.router_name_server({"*": ROUTER})
    dialed(agent, "not the cloud", ROUTER)
    watch(lab)
    agent.report(lambda report: report["verdict"].startswith("no DNS: "))
    began = time.monotonic()
    server.set({"*": CLOUD})
    assert agent.report(lambda report: report["dial"], after=began)[1]["addresses"] == {
        "dc.test": [CLOUD], "ec.test": [CLOUD]}


def test_o6_a_wildcard_of_a_search_list_is_nobody_s_address(lab, agent, watch, named):
    lab.router_name_server({"*.shop.example": ELSEWHERE})
    lab.resolv_conf.write_text(f"search shop.example\nnameserver {ROUTER}\n")
    dialed(agent, "no name")
    watch(lab)
    assert agent.verdict("no DNS")[1]["addresses"] == {}


# T3: no default route

CONTROLLER = f"""
[cloud]
primary = {ROUTER}:80
secondary = {ROUTER}:9001
"""


def test_t3_a_controller_on_the_link_needs_no_default_route(lab, agent, watch, config):
    (config / "z.ini").write_text(CONTROLLER)
    lab.terminal.ip("route delete default")
    controller = lab.router.serve(ROUTER, 80, "")
    watch(lab)
    agent.dialed((f"{ROUTER}:80", "registered", [ROUTER]), (f"{ROUTER}:9001", "untried", [ROUTER]))
    _, told = agent.verdict("connecting")
    assert (told["usable"], told["bind"], told["network"]) == (True, None, "network 10.77.1.0/24")
    status, said = check(lab, config)
    assert "PASS route        10.77.1.1 is on the link of eth0" in said and "PASS 10.77.1.1:80" in said, said
    controller.end()
    agent.dialed((f"{ROUTER}:80", "refused", [ROUTER]), (f"{ROUTER}:9001", "refused", [ROUTER]),
                 reason=f"refused by {ROUTER}:80")
    _, told = agent.report(lambda report: "refused" in report["detail"])
    assert (told["verdict"], told["usable"]) == ("connecting", True), "which leaves the word to the agent"
    status, said = check(lab, config)
    assert status == 14 and f"refused by {ROUTER}" in said and "gateway" not in said.replace("SKIP gateway", ""), said


def test_t3_a_name_in_the_own_network_is_looked_up_for_its_way(lab, agent, watch, config):
    (config / "z.ini").write_text("[cloud]\nprimary = pos.lan:80\nsecondary =\n")
    lab.router_name_server({"pos.lan": ROUTER})
    lab.terminal.ip("route delete default")
    watch(lab)
    agent.dialed(("pos.lan:80", "no name", []))
    agent.report(lambda report: report["usable"] and report["addresses"] == {"pos.lan": [ROUTER]})
    _, said = check(lab, config)
    assert "PASS route" in said and "PASS DNS pos.lan  10.77.1.1" in said, said


# T4, T13, T8: interfaces

def blind(lab, *arguments) -> Process:
    """A program of ours in the terminal, which sees no /sys."""
    return lab.terminal.start("sh", "-c", 'mount -t tmpfs none /sys && exec "$@"', "sh", sys.executable, "-u", "-m",
                              "econduit_terminal.watchdog", *arguments)


def test_t4_without_sys(lab, agent, config, named):
    lab.router_name_server({"*": CLOUD})
    process = blind(lab, "run", "--config-dir", config)
    process.line("watching")
    dialed(agent, "refused", CLOUD)
    assert agent.verdict("cloud not answering")[1]["usable"]
    agent.online(ETH, "eth0")
    agent.verdict("online")
    began = time.monotonic()
    lab.cable_out()
    assert agent.verdict("cable unplugged", after=began)[1]["lost"] == {ETH: "cable unplugged"}
    agent.offline("cable unplugged")
    began = time.monotonic()
    lab.cable_in()
    agent.report(lambda report: report["usable"] and report["dial"], after=began)
    agent.offline("closed by the cloud")
    checked = blind(lab, "check", "--config-dir", config)
    checked.wait(20)
    assert "PASS link         eth0: up" in checked.text and "cable" not in checked.text, checked.text


def test_t4_wi_fi_without_sys(lab, agent, config):
    """No radio here: what an interface of that name shows, whose far end goes."""
    lab.cable_out()
    lab.terminal.ip("link set eth0 down", "link set eth0 name wlan0", "link set wlan0 up")
    blind(lab, "run", "--config-dir", config).line("watching")
    agent.verdict("Wi-Fi lost")


def test_t13_switched_off_and_on(lab, agent, watch, config):
    watch(lab)
    agent.online(ETH, "eth0")
    agent.verdict("online")
    began = time.monotonic()
    lab.terminal.ip("link set eth0 down")
    _, told = agent.verdict("network switched off", after=began)
    assert told["lost"] == {ETH: "network switched off"}
    agent.offline("network switched off")
    status, said = check(lab, config)
    assert status == 10 and "ip link set eth0 up" in said and "plug" not in said, said
    began = time.monotonic()
    lab.terminal.ip("link set eth0 up", f"route add default via {ROUTER} dev eth0")
    agent.report(lambda report: report["usable"] and report["dial"], after=began)


def test_t8_containers_that_come_and_go(lab, agent, watch):
    """As docker makes them: a veth, its address, its end, once and again. Nobody is told, nothing is logged."""
    process = watch(lab)
    agent.online(ETH, "eth0")
    agent.verdict("online")
    process.line("online (registered over eth0)")
    lines = len([line for _, line in process.lines if " DEBUG " not in line])
    reports = [report for _, report in agent.reports]
    for number in range(30):
        lab.terminal.ip(f"link add veth{number} type veth peer name inner{number}", f"link set veth{number} up",
                        f"addr add 172.17.{number}.1/24 dev veth{number}", f"link set inner{number} up")
        lab.terminal.ip(f"link delete veth{number}")
    agent.report(after=time.monotonic())
    assert len([line for _, line in process.lines if " DEBUG " not in line]) == lines, process.text
    news = [report for _, report in agent.reports if {**report, "sent": None} != {**reports[-1], "sent": None}]
    assert not [report for report in news if report not in reports], news


# T10, O12, O14, O15: what the agent found

def test_o12_nobody_but_the_agent_dials_a_cloud_that_refuses_it(lab, agent, watch, named):
    lab.router_name_server({"*": CLOUD})
    lab.router.count_syns()
    dialed(agent, "refused", CLOUD)
    watch(lab)
    agent.verdict("cloud not answering")
    for _ in range(4):
        agent.report(after=time.monotonic())        # 8 s, sixteen rounds
    assert lab.router.counted() == 0
    began = time.monotonic()
    dialed(agent, "silent", CLOUD)
    agent.report(lambda report: "refused" in report["detail"], after=began)
    assert lab.router.counted() > 0, "in silence they are asked, and these refuse"


def test_t10_other_endpoints_than_in_the_settings(lab, agent, watch, config):
    """The agent read changed settings, this process did not: its own know an endpoint that is silent."""
    lab.router_name_server({"*": CLOUD})
    cloud = lab.cloud.serve(ELSEWHERE, 7001, "")
    process = watch(lab)
    agent.dialed((f"{ELSEWHERE}:7001", "silent", [ELSEWHERE]))
    _, told = agent.report(lambda report: report["open"])
    assert told["open"] == [f"{ELSEWHERE}:7001"] and told["verdict"] == "connecting"
    process.line(f"the agent dials {ELSEWHERE}:7001")
    _, said = check(lab, config)
    assert f"PASS {ELSEWHERE}:7001" in said and "cloud.test" not in said, said
    assert cloud.running()


@pytest.mark.parametrize("kind", ["port-unreachable", "admin-prohibited", "net-unreachable", "host-unreachable"])
def test_o14_a_router_that_rejects_is_not_the_cloud(lab, agent, watch, config, named, kind):
    lab.router_name_server({"*": CLOUD})
    for port in (80, 9001):
        lab.cloud.serve(CLOUD, port, "")
    lab.router.reject(kind)
    dialed(agent, "rejected by a router", CLOUD)
    watch(lab)
    _, told = agent.report(lambda report: f"rejected by a router ({ROUTER})" in report["detail"])
    assert (told["verdict"], told["path"], told["open"]) == ("no internet", "dead", [])
    status, said = check(lab, config)
    assert status == 18 and ROUTER in said, said
    began = time.monotonic()
    lab.router.allow()
    _, told = agent.report(lambda report: report["dial"], after=began)
    assert told["open"] == ["dc.test:80", "ec.test:9001"]


def test_o14_a_host_that_rejects_by_icmp_is_the_cloud(lab, agent, watch, named):
    """iptables' own REJECT on the cloud's host: the offender is the endpoint itself."""
    lab.router_name_server({"*": CLOUD})
    lab.run("ip", "netns", "exec", lab.cloud.namespace, "nft", "table ip lab { chain input { type filter hook input "
            "priority 0; tcp dport { 80, 9001 } reject; }; }")
    dialed(agent, "silent", CLOUD)
    watch(lab)
    agent.verdict("cloud not answering")


def test_o15_addresses_outlive_the_name_server(lab, agent, watch, named, tmp_path):
    server = lab.router_name_server({"*": CLOUD})
    watch(lab)
    agent.say(online=True, reason=None, local_address=ETH, interface="eth0", phase="online", endpoints=[
        {"endpoint": "dc.test:80", "outcome": "registered", "addresses": [CLOUD]},
        {"endpoint": "ec.test:9001", "outcome": "untried", "addresses": []}])
    agent.verdict("online")
    server.end()
    began = time.monotonic()
    dialed(agent, "no name")
    _, told = agent.report(lambda report: f"{ROUTER} answers" in report["detail"], after=began)
    assert (told["verdict"], told["addresses"]) == ("connecting", {"dc.test": [CLOUD]}), "one is known to dial"


def test_which_network_this_is(lab, agent, watch):
    """The gateway's address on the link; known once somebody spoke to it, the same after a flap, another behind another
    router."""
    watch(lab)
    agent.offline("connection lost")
    mac = json.loads(lab.run("ip", "-n", lab.router.namespace, "-j", "link", "show", "lan"))[0]["address"]
    agent.report(lambda report: report["network"] == f"gateway {mac}")
    for address in (mac, "02:00:00:00:00:77"):
        began = time.monotonic()
        lab.cable_out()
        agent.report(lambda report: not report["usable"] and report["network"] is None, after=began)
        lab.router.ip(f"link set lan address {address}")
        lab.cable_in()
        _, told = agent.report(lambda report: report["usable"] and report["network"], after=began, timeout=15)
        assert told["network"] == f"gateway {address}"
