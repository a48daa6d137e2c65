"""Signals at every moment of the start of both programs, from the first that a program can do about them."""
import signal
import subprocess
import time

import pytest

from econduit_terminal.contract.client import Client, NotRunning

pytestmark = pytest.mark.slow

# Says when it holds its signals: before that there is only Python's own start.
PROGRAM = """
import os, sys
from econduit_terminal.process import signals
hold = signals.hold
def held():
    hold()
    signals.hold = hold
    os.write(1, b"held\\n")
signals.hold = held
from econduit_terminal.{0}.__main__ import main
sys.exit(main())
"""
SETTINGS = """
[terminal]
type = Maker
model = M1
id = 29531204
[cloud]
primary = 127.0.0.1:1
secondary =
[local]
socket = {0}/agent.sock
display =
status_file = {0}/status.json
state_dir = {0}
"""
MOMENTS = [0, 5, 10, 20, 30, 45, 60, 80, 100, 125, 150, 200, 250, 300]
"""Milliseconds after the program began."""
LIMIT = 10


@pytest.fixture
def start(tmp_path, start_python):
    """start(program): it holds its signals by now."""
    (tmp_path / "own.ini").write_text(SETTINGS.format(tmp_path))

    def start(program):
        process = start_python("-c", PROGRAM.format(program), "--config-dir", tmp_path, "run", stderr=subprocess.PIPE)
        assert process.stdout.readline() == "held\n"
        return process
    return start


def serving(path):
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return Client(path).status()
        except NotRunning:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.parametrize("moment", MOMENTS)
def test_m18_the_agent_outlives_a_signal_at_its_start_and_heeds_it(start, tmp_path, moment):
    agent = start("agent")
    time.sleep(moment / 1000)
    agent.send_signal(signal.SIGHUP)
    agent.send_signal(signal.SIGUSR1)
    assert serving(tmp_path / "agent.sock").pid == agent.pid
    wanted = {"settings read again: nothing changed", "most recent call first"}
    for line in agent.stderr:
        wanted -= {text for text in wanted if text in line}
        if not wanted:
            break
    assert not wanted
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(LIMIT) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", MOMENTS[::3])
def test_m18_an_agent_that_is_told_to_stop_at_its_start_stops_in_order(start, moment, number):
    agent = start("agent")
    time.sleep(moment / 1000)
    agent.send_signal(number)
    assert agent.wait(LIMIT) == 0
    assert "INFO agent: stopped" in agent.stderr.read()


@pytest.mark.parametrize("moment", MOMENTS[::2])
def test_m18_the_watchdog_outlives_a_signal_at_its_start(start, moment):
    watchdog = start("watchdog")
    time.sleep(moment / 1000)
    watchdog.send_signal(signal.SIGUSR1)
    watchdog.send_signal(signal.SIGHUP)
    wanted = {"watching the network and the agent", "most recent call first"}
    for line in watchdog.stderr:
        wanted -= {text for text in wanted if text in line}
        if not wanted:
            break
    assert not wanted
    watchdog.send_signal(signal.SIGTERM)
    assert watchdog.wait(LIMIT) == 0


@pytest.mark.parametrize("program, command", [("agent", "status"), ("watchdog", "check")])
def test_commands_hold_nothing(start_python, program, command):
    """Ctrl-C ends them, also where an argument looks like `run`."""
    code = (f"import signal\nfrom econduit_terminal.{program}.__main__ import main\n"
            "from econduit_terminal.process import signals\nmain()\n"
            "print(signal.pthread_sigmask(signal.SIG_BLOCK, []) & signals.HANDLED)")
    asked = start_python("-c", code.replace("main()\n", "try: main()\nexcept SystemExit: pass\n"), command,
                         "--config-dir", "run", stderr=subprocess.DEVNULL)
    assert asked.communicate(timeout=LIMIT)[0] == "set()\n"
