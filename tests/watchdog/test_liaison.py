"""To and from an agent that comes and goes."""
import json
import threading

import pytest
from fake_agent import FakeAgent

from econduit_terminal.contract.client import Client
from econduit_terminal.contract.network_report import Kind, NetworkReport, Path
from econduit_terminal.watchdog.inbox import Inbox
from econduit_terminal.watchdog.liaison import Courier, Feed, report
from econduit_terminal.watchdog.state import Interface
from econduit_terminal.watchdog.verdict import Verdict

GOOD = Verdict("online", "eth0 is usable", True)


@pytest.fixture
def stopped():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def courier(tmp_path, stopped):
    courier = Courier(Client(tmp_path / "agent.sock"), stopped)
    worker = threading.Thread(target=courier.run, daemon=True)
    worker.start()
    yield courier
    stopped.set()
    courier.close()
    worker.join(5)
    assert not worker.is_alive()


def test_the_report_says_it_all():
    verdict = Verdict("cable unplugged", "eth0: no carrier", True, Path.UNKNOWN, "wlan0",
                      (("192.0.2.5", "cable unplugged"),), True, False,
                      (Interface("wlan0", Kind.WIFI, addresses=("198.51.100.7",)),), ("wlan0",), beyond=False,
                      network="gateway 02:00:00:00:00:01", open=("ec:9001",), addresses=(("dc", ("203.0.113.10",)),))
    told = report(verdict).to_json()
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
    told = report(verdict)
    assert NetworkReport.from_json(json.loads(json.dumps(told.to_json()))) == told


def test_the_newest_report_arrives(agent, courier):
    courier.send(GOOD)
    assert agent.verdict("online")[1]["detail"] == "eth0 is usable"


def test_a_hint_that_was_not_delivered_goes_with_the_next_report(tmp_path, courier):
    courier.send(GOOD._replace(dial=True))      # nobody is there
    courier.send(GOOD._replace(verify=True))
    agent = FakeAgent(tmp_path / "agent.sock")
    courier.send(GOOD)
    _, told = agent.report()
    assert told["dial"] and told["verify"]
    courier.send(GOOD._replace(detail="next"))
    _, told = agent.report(lambda report: report["detail"] == "next")
    assert not told["dial"] and not told["verify"]
    agent.close()


def test_a_hint_too_old_to_be_news_is_dropped(agent, stopped):
    now = [100.0]
    courier = Courier(Client(agent.path + ".none"), stopped, monotonic=lambda: now[0])
    courier.send(GOOD._replace(dial=True))
    now[0] += Courier.HINT_LIFE + 1
    courier._client = Client(agent.path)
    courier.send(GOOD)
    worker = threading.Thread(target=courier.run, daemon=True)
    worker.start()
    assert agent.report()[1]["dial"] is False
    stopped.set()
    courier.close()
    worker.join(5)


def next_word(inbox, wanted, timeout=5):
    import select
    import time
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        select.select([inbox], [], [], left)
        words = inbox.take()
        if "agent" in words and wanted(words["agent"]):
            return words["agent"]
    raise AssertionError("no such word from the agent")


def test_the_agent_s_status_as_it_changes_and_its_absence(tmp_path, stopped):
    inbox = Inbox()
    agent = FakeAgent(tmp_path / "agent.sock", pid=41)
    threading.Thread(target=Feed(Client(agent.path), inbox, stopped).run, daemon=True).start()
    assert next_word(inbox, lambda status: status is not None).pid == 41
    agent.online("192.0.2.5", "eth0")
    assert next_word(inbox, lambda status: status and status.online).local_address == "192.0.2.5"
    agent.close()
    next_word(inbox, lambda status: status is None)
    agent = FakeAgent(tmp_path / "agent.sock", pid=42)
    assert next_word(inbox, lambda status: status is not None).pid == 42
    agent.close()
