"""The status of an agent that comes and goes."""
import select
import threading
import time

from fake_agent import FakeAgent
from waiting import PATIENCE

from econduit_terminal.contract.client import Client
from econduit_terminal.watchdog.agent_events import AgentEvents
from econduit_terminal.watchdog.inbox import Inbox


def next_status(inbox, wanted):
    deadline = time.monotonic() + PATIENCE
    while (left := deadline - time.monotonic()) > 0:
        select.select([inbox], [], [], left)
        for message in inbox.take():
            if wanted(message.status):
                return message.status
    raise AssertionError("no such word from the agent")


def test_the_agent_s_status_as_it_changes_and_its_absence(tmp_path):
    inbox, stopped = Inbox(), threading.Event()
    agent = FakeAgent(tmp_path / "agent.sock", pid=41)
    threading.Thread(target=AgentEvents(Client(agent.path), inbox, stopped).run, daemon=True).start()
    assert next_status(inbox, lambda status: status is not None).pid == 41
    agent.online("192.0.2.5", "eth0")
    assert next_status(inbox, lambda status: status and status.online).local_address == "192.0.2.5"
    agent.close()
    next_status(inbox, lambda status: status is None)
    agent = FakeAgent(tmp_path / "agent.sock", pid=42)
    assert next_status(inbox, lambda status: status is not None).pid == 42
    agent.close()
    stopped.set()
