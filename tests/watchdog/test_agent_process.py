"""Which process is the agent."""
import os

from econduit_terminal.watchdog.agent_process import is_agent


def test_by_its_command_line(start_python):
    agent = start_python("-c", "input()", "/usr/bin/econduit-agent", "run")
    assert is_agent(agent.pid)
    assert not is_agent(agent.pid, ("another program",))
    agent.kill()
    agent.wait(5)
    assert not is_agent(agent.pid) and not is_agent(-1)


def test_another_user_s_process_is_none_of_ours(start_python, monkeypatch):
    agent = start_python("-c", "input()", "econduit_terminal.agent")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert not is_agent(agent.pid)
