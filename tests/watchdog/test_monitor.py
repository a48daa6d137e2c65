"""The loop, with a doorbell to ring by hand, made-up states, and an agent beside it."""
import os
import subprocess
import sys
import threading
import time

import pytest
from fake_agent import FakeAgent
from waiting import PATIENCE

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.client import Client
from econduit_terminal.contract.network_report import Kind
from econduit_terminal.contract.status import Outcome
from econduit_terminal.watchdog import monitor as module, probe_schedule
from econduit_terminal.watchdog.config import WatchdogConfig
from econduit_terminal.watchdog.inbox import Inbox, ThreadFailed
from econduit_terminal.watchdog.monitor import Monitor
from econduit_terminal.watchdog.probe_results import EndpointResult, NameResult, ProbeResults
from econduit_terminal.watchdog.state import Interface, Route, State

ETH = Interface("eth0", addresses=("192.0.2.5",))
OUT = ETH._replace(operstate="down", carrier=False)
VIA = Route("eth0", "192.0.2.1", 100, silent=False)
WELL, UNPLUGGED = State((ETH,), (VIA,)), State((OUT,), (VIA,))
CLOUD = Endpoint("192.0.2.80", 80)
DEAD = ProbeResults(True, endpoints=(EndpointResult(CLOUD, Outcome.SILENT, ("192.0.2.80",), probed=True),))
WORKS = DEAD._replace(endpoints=(EndpointResult(CLOUD, Outcome.OPEN, ("192.0.2.80",), probed=True),))
CONFIG = WatchdogConfig(socket="", log_level="debug", endpoints=(CLOUD,), reference_hosts=(), interfaces=(),
                        coalesce=0.02, poll=60.0, probe_interval=0.05, probe_timeout=1.0, health_interval=60.0,
                        health_timeout=1.0, report_interval=60.0)


class Bell:
    def __init__(self):
        self._bell = os.eventfd(0, os.EFD_NONBLOCK)

    def fileno(self):
        return self._bell

    def ring(self):
        os.eventfd_write(self._bell, 1)

    def drain(self):
        try:
            return bool(os.eventfd_read(self._bell))
        except BlockingIOError:
            return False

    def close(self):
        pass


class World:
    """A monitor that runs, and everything around it."""

    def __init__(self, path, monkeypatch):
        self.path, self.bell, self.inbox, self.stopped = path, Bell(), Inbox(), threading.Event()
        self.state, self.asleep, self.results = WELL, 0.0, DEAD
        self.looks, self.rounds = 0, []
        self.error = None
        monkeypatch.setattr(module.Prober, "ask", lambda prober, plan, timeout: self._ask(plan))

    def start(self, **config):
        made = Monitor(CONFIG._replace(**config), Client(self.path), self.inbox, self.stopped, doorbell=self.bell,
                       look=self._look, suspended=lambda: self.asleep)
        self.thread = threading.Thread(target=self._run, args=(made,), daemon=True)
        self.thread.start()

    def becomes(self, state):
        self.state = state
        self.bell.ring()

    def until(self, wanted, timeout=PATIENCE):
        """Until something about this world is so."""
        deadline = time.monotonic() + timeout
        while not wanted():
            assert time.monotonic() < deadline and self.thread.is_alive()
            self.thread.join(0.005)

    def turns(self, state):
        """Another state, and the loop has looked at it."""
        looks = self.looks
        self.becomes(state)
        self.until(lambda: self.looks > looks)

    def stop(self):
        self.stopped.set()
        self.inbox.ring()
        self.thread.join(5)
        assert not self.thread.is_alive()

    def _run(self, made):
        try:
            made.run()
        except ThreadFailed as error:
            self.error = error

    def _look(self, addresses):
        self.looks += 1
        self.asked_for = addresses
        return self.state

    def _ask(self, plan):
        self.rounds.append((time.monotonic(), plan))
        if isinstance(self.results, Exception):
            raise self.results
        return self.results


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(tmp_path / "agent.sock", monkeypatch)
    yield world
    if world.stopped.is_set() is False:
        world.stop()


def test_a_cable_out_and_in_is_reported_at_once(world, agent):
    agent.online("192.0.2.5", "eth0")
    world.start()
    agent.report(lambda report: report["path"] == "works")
    began = time.monotonic()
    world.becomes(UNPLUGGED)
    _, told = agent.verdict("cable unplugged", after=began)
    assert told["lost"] == {"192.0.2.5": "cable unplugged"} and not told["usable"]
    agent.offline("cable unplugged")
    began = time.monotonic()
    world.becomes(WELL)
    _, told = agent.report(lambda report: report["usable"], after=began)
    assert told["dial"] and not told["lost"]


def test_while_registered_nothing_is_asked(world, agent):
    agent.online("192.0.2.5", "eth0")
    world.start(poll=0.02, report_interval=0.05)
    agent.report(lambda report: report["path"] == "works")
    looks = world.looks
    for _ in range(5):
        agent.report(after=time.monotonic())
    assert world.looks > looks and world.rounds == []


def test_offline_with_a_usable_network_is_asked_about_again_and_again(world, agent, monkeypatch):
    monkeypatch.setattr(probe_schedule, "FIRST_ROUND_AFTER", 0.05)
    world.start()
    agent.verdict("no internet")
    began = time.monotonic()
    world.results = WORKS
    _, told = agent.report(lambda report: report["path"] == "works", after=began)
    assert told["dial"] and told["verdict"] == "connecting" and told["open"] == ["192.0.2.80:80"]
    plan = world.rounds[0][1]
    assert (plan.gateway, plan.endpoints) == (VIA, CONFIG.endpoints)
    agent.online("192.0.2.5", "eth0")
    agent.report(lambda report: "registered" in report["detail"])
    asked, began = len(world.rounds), time.monotonic()
    agent.offline("connection lost")
    agent.report(lambda report: "usable" in report["detail"], after=began)
    agent.report(lambda report: "every endpoint" in report["detail"], after=began)
    assert len(world.rounds) > asked


def test_nothing_is_asked_over_a_dead_cable_and_at_once_when_it_is_back(world, agent, monkeypatch):
    monkeypatch.setattr(probe_schedule, "FIRST_ROUND_AFTER", 0.02)
    world.state = UNPLUGGED
    world.start(report_interval=0.03)
    agent.verdict("cable unplugged")
    for _ in range(5):
        agent.report(after=time.monotonic())
    assert world.rounds == []
    world.becomes(WELL)
    agent.verdict("no internet")
    assert world.rounds


def test_without_an_agent_nothing_is_asked(world, monkeypatch):
    monkeypatch.setattr(probe_schedule, "FIRST_ROUND_AFTER", 0.02)
    world.start(poll=0.02)
    while world.looks < 10:
        world.thread.join(0.01)
        assert world.thread.is_alive()
    assert world.rounds == []


def test_an_agent_that_appears_later_is_told_at_once(world, tmp_path):
    world.start()
    world.becomes(UNPLUGGED)
    agent = FakeAgent(tmp_path / "agent.sock")
    agent.verdict("cable unplugged")
    agent.close()
    another = FakeAgent(tmp_path / "agent.sock", pid=1)
    another.verdict("cable unplugged")
    another.close()


def test_a_suspension_has_the_connection_verified(world, agent):
    agent.online("192.0.2.5", "eth0")
    world.start()
    agent.report(lambda report: report["path"] == "works")
    began = time.monotonic()
    world.asleep = 3600.0
    world.bell.ring()
    assert agent.report(lambda report: report["verify"], after=began)
    assert not agent.reports[-1][1]["lost"]


def test_a_hint_is_about_a_moment_and_not_about_every_report_after_it(world, agent):
    agent.online("192.0.2.5", "eth0")
    world.start(report_interval=0.05)
    agent.report(lambda report: report["path"] == "works")
    world.asleep = 3600.0
    world.bell.ring()
    agent.report(lambda report: report["verify"])
    for _ in range(3):
        agent.report(after=time.monotonic())
    assert [report["verify"] for _, report in agent.reports].count(True) == 1


def test_a_dead_gateway_that_is_asked_anew_is_not_back(world, agent, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(probe_schedule, "FIRST_ROUND_AFTER", 0.02)
    world.start(probe_interval=60.0)
    since, _ = agent.verdict("no internet")
    for silent in (True, None, True, None):
        looks = world.looks
        world.becomes(State((ETH,), (VIA._replace(silent=silent),)))
        world.until(lambda looks=looks: world.looks > looks)
    assert "gateway back" not in caplog.text and caplog.text.count("gateway silent: ") == 1
    assert {report["verdict"] for at, report in agent.reports if at >= since} == {"no internet"}
    assert len(world.rounds) == 1
    began = time.monotonic()
    world.becomes(WELL)
    assert agent.report(after=began)[1]["dial"] and "gateway back" in caplog.text


def test_reports_go_on_when_nothing_changes(world, agent):
    world.start(report_interval=0.05)
    for _ in range(3):
        agent.report(after=time.monotonic())


def test_a_change_without_a_ring_is_found_by_the_poll(world, agent):
    world.start(poll=0.05)
    agent.report()
    world.state = UNPLUGGED
    agent.verdict("cable unplugged")


def test_a_storm_of_rings_costs_few_looks_and_its_end_is_seen(world, agent):
    agent.online("192.0.2.5", "eth0")
    world.start(coalesce=0.1)
    agent.report(lambda report: report["path"] == "works")
    looks, began = world.looks, time.monotonic()
    while time.monotonic() - began < 0.5:
        world.bell.ring()
        time.sleep(0.0005)
    world.becomes(UNPLUGGED)
    agent.verdict("cable unplugged")        # long before the next poll
    assert world.looks - looks < 25


def test_an_agent_that_hangs_holds_up_nothing(world, agent):
    agent.online("192.0.2.5", "eth0")
    world.start(poll=0.02)
    agent.report(lambda report: report["path"] == "works")
    with agent._changed:                # every answer of the agent waits now
        world.becomes(UNPLUGGED)
        looks = world.looks
        world.until(lambda: world.looks >= looks + 10)      # each look that waited for the agent would take 2 s
    agent.verdict("cable unplugged")


def test_a_part_that_dies_ends_the_loop(world, agent, monkeypatch):
    monkeypatch.setattr(probe_schedule, "FIRST_ROUND_AFTER", 0.02)
    world.results = RuntimeError("broken on purpose")
    world.start()
    world.thread.join(PATIENCE)
    assert "probes: RuntimeError('broken on purpose')" in str(world.error)
    world.stopped.set()


ENDPOINT = "192.0.2.80:80"


@pytest.mark.parametrize("outcome, dial", [("refused", False), ("open", False), ("refused registration", False),
                                           ("not the cloud", False), ("silent", True), ("rejected by a router", True)])
def test_o12_while_the_cloud_answers_the_agent_its_dial_is_the_probe(world, agent, monkeypatch, outcome, dial):
    monkeypatch.setattr(probe_schedule, "FIRST_ROUND_AFTER", 0.02)
    world.results = ProbeResults(True)
    agent.dialed((ENDPOINT, outcome, ["192.0.2.80"]))
    world.start()
    world.until(lambda: len(world.rounds) >= 3)
    assert [plan.dial for _, plan in world.rounds] == [dial] * len(world.rounds)
    assert world.rounds[0][1].gateway == VIA, "the gateway is asked all the same"


def test_t10_the_endpoints_are_those_that_the_agent_dials(world, agent, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(probe_schedule, "FIRST_ROUND_AFTER", 0.02)
    agent.dialed(("198.51.100.1:7", "silent", ["198.51.100.1"]), ("cloud.test:9001", "no name", []))
    world.start()
    agent.verdict("no internet")
    plan = world.rounds[-1][1]
    assert list(map(str, plan.endpoints)) == ["198.51.100.1:7", "cloud.test:9001"]
    assert "198.51.100.1" in world.asked_for and "the agent dials 198.51.100.1:7, cloud.test:9001" in caplog.text
    agent.dialed((ENDPOINT, "silent", ["192.0.2.80"]))
    world.until(lambda: world.rounds[-1][1].endpoints == CONFIG.endpoints)


def test_o15_addresses_are_handed_over_to_an_agent_that_starts_anew(world, agent, tmp_path):
    world.start()
    agent.say(online=True, reason=None, local_address="192.0.2.5", interface="eth0", phase="online", endpoints=[
        {"endpoint": "cloud.test:80", "outcome": "registered", "addresses": ["203.0.113.10"]}])
    agent.report(lambda report: report["addresses"] == {"cloud.test": ["203.0.113.10"]})
    agent.close()
    another = FakeAgent(tmp_path / "agent.sock", pid=1)
    another.dialed(("cloud.test:80", "untried", []), phase="dialing")
    assert another.report()[1]["addresses"] == {"cloud.test": ["203.0.113.10"]}, "with the first report"
    another.close()


def test_t12_a_refused_password_is_told(world, agent):
    wlan = Interface("wlan0", Kind.WIFI, "down", False)
    dormant = wlan._replace(operstate="dormant", carrier=True)
    world.state = State((wlan,))
    world.start(coalesce=0.0)
    agent.verdict("Wi-Fi lost")
    for state in (dormant, wlan, dormant, wlan):
        world.turns(State((state,)))
    agent.verdict("Wi-Fi password refused")


def test_t8_containers_that_come_and_go_are_no_news(world, agent, caplog):
    caplog.set_level("INFO")
    agent.online("192.0.2.5", "eth0")
    world.start(coalesce=0.0)
    agent.report(lambda report: report["path"] == "works")
    lines, reports = len(caplog.records), len(agent.reports)
    for number in range(50):
        veth = Interface(f"veth{number}", addresses=("172.17.0.1",), counts=False)
        world.turns(State((ETH, veth), (VIA,)) if number % 2 else WELL)
    assert len(caplog.records) == lines and len(agent.reports) == reports


def test_a_cable_that_flaps_all_night_leaves_the_log_its_day(world, agent, caplog):
    caplog.set_level("INFO")
    agent.offline("cable unplugged")
    world.start(coalesce=0.0, probe_interval=60.0)
    agent.report()
    for _ in range(100):
        for state in (UNPLUGGED, WELL):
            world.turns(state)
    assert len(caplog.records) < 50
    assert "link lost: eth0 up → no carrier" in caplog.text and "link back" in caplog.text


def test_which_network_it_is_is_looked_for_until_it_is_known(world, agent):
    """No ring tells that the kernel learned the gateway's address on the link."""
    agent.online("192.0.2.5", "eth0")
    world.start()
    assert agent.report()[1]["network"] is None
    world.state = State((ETH,), (VIA._replace(mac="02:00:00:00:00:01"),))
    assert agent.report(lambda report: report["network"])[1]["network"] == "gateway 02:00:00:00:00:01"


def test_o7_what_a_filter_answers_is_the_reason(world, agent, monkeypatch):
    monkeypatch.setattr(probe_schedule, "FIRST_ROUND_AFTER", 0.02)
    world.results = ProbeResults(True, (NameResult("cloud.test", implausible="0.0.0.0 (a DNS filter)"),), endpoints=(
        EndpointResult(Endpoint("cloud.test", 80), Outcome.NO_NAME),))
    agent.dialed(("cloud.test:80", "no name", []))
    world.start()
    agent.verdict("no DNS: cloud.test is answered with 0.0.0.0 (a DNS filter)")


SUSPENSION = """
import ctypes, os, sys
from econduit_terminal.watchdog.monitor import suspended_for
before = suspended_for()
CLONE_NEWTIME = 0x80
if ctypes.CDLL(None, use_errno=True).setns(os.open(sys.argv[1], os.O_RDONLY), CLONE_NEWTIME):
    sys.exit(os.strerror(ctypes.get_errno()))
print(suspended_for() - before)
"""


def test_a_suspension_is_read_from_the_kernel_s_own_clocks():
    """A process whose CLOCK_BOOTTIME jumps ahead while CLOCK_MONOTONIC does not, as after a suspension: it moves to
    a time namespace (time_namespaces(7)) that is 1000 s ahead."""
    command = ["unshare", "--time", "--boottime", "1000", "sh", "-c", "echo ready && exec cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as ahead:
        if ahead.stdout.readline() != "ready\n":
            pytest.skip(f"no time namespace to be had here ({ahead.stderr.read().strip()})")
        there = f"/proc/{ahead.pid}/ns/time_for_children"
        done = subprocess.run([sys.executable, "-c", SUSPENSION, there], capture_output=True, text=True, timeout=30)
        ahead.stdin.close()
    assert done.returncode == 0, done.stderr
    assert abs(float(done.stdout) - 1000) < 0.5
