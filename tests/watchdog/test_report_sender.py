"""Reports to an agent that comes and goes."""
import json
import threading

import pytest
from fake_agent import FakeAgent

from econduit_terminal.contract.client import Client
from econduit_terminal.contract.network_report import Kind, NetworkReport, Path
from econduit_terminal.watchdog.agent_status import AgentStatus
from econduit_terminal.watchdog.report_sender import HINT_LIFE, ReportSender, report_of
from econduit_terminal.watchdog.state import Interface, Route, State
from econduit_terminal.watchdog.verdict import Verdict, judge

GOOD = Verdict("online", "eth0 is usable", True)


@pytest.fixture
def stopped():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def sender(tmp_path, stopped):
    sender = ReportSender(Client(tmp_path / "agent.sock"), stopped)
    worker = threading.Thread(target=sender.run, daemon=True)
    worker.start()
    yield sender
    stopped.set()
    sender.close()
    worker.join(5)
    assert not worker.is_alive()


def test_the_report_says_it_all():
    verdict = Verdict("cable unplugged", "eth0: no carrier", True, Path.UNKNOWN, "wlan0",
                      (("192.0.2.5", "cable unplugged"),), True, False,
                      (Interface("wlan0", Kind.WIFI, addresses=("198.51.100.7",)),), ("wlan0",), beyond=False,
                      network="gateway 02:00:00:00:00:01", open=("ec:9001",), addresses=(("dc", ("203.0.113.10",)),))
    told = report_of(verdict).to_json()
    assert told.pop("sent").endswith("Z")
    assert told == {
        "verdict": "cable unplugged", "detail": "eth0: no carrier", "usable": True, "path": "unknown", "bind": "wlan0",
        "lost": {"192.0.2.5": "cable unplugged"}, "dial": True, "verify": False,
        "interfaces": [{"name": "wlan0", "kind": "wifi", "usable": True, "state": "up", "addresses": ["198.51.100.7"]}],
        "addresses": {"dc": ["203.0.113.10"]}, "beyond": False, "network": "gateway 02:00:00:00:00:01",
        "open": ["ec:9001"],
    }


def test_the_agent_takes_the_report_as_it_is():
    verdict = GOOD._replace(beyond=None, network=None, addresses=(("dc", ("2001:db8::1",)),),
                            open=("[2001:db8::1]:80",))
    told = report_of(verdict)
    assert NetworkReport.from_json(json.loads(json.dumps(told.to_json()))) == told


def test_an_interface_with_more_addresses_than_a_report_holds():
    """A server with a hundred of them: the agent still hears that the cable is out, and that it is its own."""
    held = Interface("eth0", addresses=tuple(f"192.0.2.{number}" for number in range(1, 101)))
    out = held._replace(operstate="down", carrier=False)
    for last in ("192.0.2.1", "192.0.2.99"):
        verdict = judge(State((held,), (Route("eth0", "192.0.2.254"),)), State((out,)), None,
                        AgentStatus(True, last, "eth0"))
        report = NetworkReport.from_json(json.loads(json.dumps(report_of(verdict).to_json())))
        assert report.lost[last] == "cable unplugged"


def test_the_newest_report_arrives(agent, sender):
    sender.send(GOOD)
    assert agent.verdict("online")[1]["detail"] == "eth0 is usable"


def test_a_hint_that_was_not_delivered_goes_with_the_next_report(tmp_path, sender):
    sender.send(GOOD._replace(dial=True))      # nobody is there
    sender.send(GOOD._replace(verify=True))
    agent = FakeAgent(tmp_path / "agent.sock")
    sender.send(GOOD)
    _, told = agent.report()
    assert told["dial"] and told["verify"]
    sender.send(GOOD._replace(detail="next"))
    _, told = agent.report(lambda report: report["detail"] == "next")
    assert not told["dial"] and not told["verify"]
    agent.close()


def test_a_hint_too_old_to_be_news_is_dropped(agent, stopped):
    now = [100.0]
    sender = ReportSender(Client(agent.path + ".none"), stopped, monotonic=lambda: now[0])
    sender.send(GOOD._replace(dial=True))
    now[0] += HINT_LIFE + 1
    sender._client = Client(agent.path)
    sender.send(GOOD)
    worker = threading.Thread(target=sender.run, daemon=True)
    worker.start()
    assert agent.report()[1]["dial"] is False
    stopped.set()
    sender.close()
    worker.join(5)
