"""Agent and watchdog under a real supervisord: what hangs is restarted, what is merely stopped or offline is not."""
import contextlib
import json
import os
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from supervisord import AGENT, Supervisor
from terminal_lab import Terminal
from waiting import until, wait_end

pytestmark = pytest.mark.slow

WATCHDOG = "econduit:watchdog"
CHECKS = {"watchdog.health_interval": "300ms", "watchdog.health_timeout": "1s", "watchdog.report_interval": "500ms"}
FOUND = 3 * (0.3 + 1.0) + 1.0       # three misses, and the time for the stacks
BLOCKED = f"""#!{sys.executable}
# The agent as it is; SIGUSR2 blocks its hub for real, in a call that gevent knows nothing of.
import signal, sys, time
sleep = time.sleep
def a_call_that_never_returns(number, frame):
    sleep(600)
signal.signal(signal.SIGUSR2, a_call_that_never_returns)
from econduit_terminal.agent.__main__ import main
sys.exit(main())
"""


def supervisord(folder: Path) -> Supervisor:
    """One whose agent can be blocked."""
    program = folder / "econduit-agent"
    program.write_text(BLOCKED)
    program.chmod(0o755)
    made = Supervisor()
    made.environment["PATH"] = f"{folder}:{made.environment['PATH']}"
    return made


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory):
    with supervisord(tmp_path_factory.mktemp("bin")) as running:
        yield running


class Pair:
    """A terminal with its agent and its watchdog."""

    def __init__(self, terminal):
        self.terminal, self.supervisor = terminal, terminal.supervisor
        self._logged = {file: file.stat().st_size for file in self._files()}

    def start(self, *programs):
        for program in programs:
            self.supervisor.rpc.startProcess(program, False)

    def running(self):
        """Both pids, once supervisor counts both as RUNNING."""
        def pids():
            told = [self.supervisor.info(program) for program in (AGENT, WATCHDOG)]
            return all(one["statename"] == "RUNNING" for one in told) and [one["pid"] for one in told]

        return until(pids, "both RUNNING")

    def reported(self, since=None, instead_of=None):
        """Online, and the watchdog's word is there; by another agent than `instead_of`."""
        return self.terminal.wait_status(lambda status: status["online"] and status["network"].get("verdict")
                                         and status["pid"] != instead_of, since=since)

    def line(self):
        """The status file."""
        return json.loads(self.terminal.status_file.read_text())

    def log(self):
        """What this terminal's watchdogs wrote."""
        return "".join(file.read_bytes()[self._logged.get(file, 0):].decode() for file in self._files())

    def _files(self):
        return sorted(self.supervisor.folder.glob("watchdog-stdout*"))


@contextlib.contextmanager
def pair(supervisor, cloud, checks=CHECKS):
    with Terminal(supervisor, {"cloud.primary": f"127.0.0.1:{cloud.primary}",
                               "cloud.secondary": f"127.0.0.1:{cloud.secondary}", **checks}) as terminal:
        try:
            yield Pair(terminal)
        finally:
            supervisor.stop(WATCHDOG)


@pytest.fixture
def both(supervisor, cloud):
    """Agent and watchdog, online and reported."""
    with pair(supervisor, cloud) as made:
        made.start(AGENT, WATCHDOG)
        made.reported()
        yield made


@pytest.mark.parametrize("number, stacks", [(signal.SIGUSR2, "a_call_that_never_returns"),
                                            (signal.SIGSTOP, "Current thread")], ids=["blocked hub", "stopped"])
def test_an_agent_that_hangs_leaves_its_stacks_and_runs_again(both, cloud, number, stacks):
    terminal, (hung, watching) = both.terminal, both.running()
    began, mark = time.monotonic(), terminal.mark()
    os.kill(hung, number)
    wait_end(hung)
    assert time.monotonic() - began < FOUND + 5         # and up to an interval before the first question
    terminal.wait_log(stacks)
    until(lambda: f"the agent (pid {hung}) missed health check 3 of 3" in both.log(), "the watchdog says so")
    status = both.reported(mark, instead_of=hung)
    assert status["pid"] == both.running()[0] != hung and both.running()[1] == watching
    assert not cloud.registered_twice(terminal.id)


def test_t9_hung_with_the_shipped_times_it_is_offline_within_10_s_and_back_within_15_s(supervisor, cloud):
    checks = {key: value for key, value in CHECKS.items() if "health" not in key}
    with pair(supervisor, cloud, checks) as made:
        made.start(AGENT, WATCHDOG)
        made.reported()
        until(lambda: made.line()["online"], "the status file says POS Online")
        terminal, mark = made.terminal, made.terminal.mark()
        hung, began = terminal.agent_pid(), time.monotonic()
        os.kill(hung, signal.SIGSTOP)
        line = until(lambda: not made.line()["online"] and made.line(), "the status file says POS Offline", 10)
        assert (line["display"], line["reason"], line["pid"]) == ("POS Offline", "agent not answering", hung)
        status = terminal.wait_status(lambda status: status["online"] and status["pid"] != hung, 15, since=mark)
        assert time.monotonic() - began < 15
        until(lambda: made.line()["pid"] == status["pid"] and made.line()["online"], "the new agent's line wins")


def test_t5_the_status_file_of_an_agent_that_is_gone(both):
    """Killed, and nobody starts it again: the file does not go on saying POS Online."""
    agent, _ = both.running()
    os.kill(both.supervisor.rpc.getPID(), signal.SIGSTOP)
    try:
        os.kill(agent, signal.SIGKILL)
        until(lambda: both.line()["reason"] == "agent not running", "the status file says so")
        first = both.line()
        until(lambda: both.line()["written_uptime"] > first["written_uptime"], "the line is renewed")
        second = both.line()
        moved = datetime.fromisoformat(second["since"]) - datetime.fromisoformat(first["since"])
        assert not second["online"] and abs(moved) < timedelta(seconds=0.1)
    finally:
        os.kill(both.supervisor.pid, signal.SIGCONT)
    until(lambda: both.line()["online"], "supervisord starts it again, and its line wins")


def test_t5_an_agent_that_the_operator_stopped_stays_stopped_in_the_file(both):
    both.supervisor.supervisorctl("stop", AGENT)
    first = both.line()
    until(lambda: both.line()["written_uptime"] > first["written_uptime"] + 1, "the watchdog renews the line")
    assert (both.line()["display"], both.line()["reason"], both.line()["since"]) == (
        "POS Offline", "stopped", first["since"])


def test_a_watchdog_that_is_killed_runs_again_and_the_agent_notices_nothing(both):
    terminal, (agent, killed) = both.terminal, both.running()
    mark = terminal.mark()
    os.kill(killed, signal.SIGKILL)
    wait_end(killed)
    until(lambda: "watching the network" in both.log().partition(" watching the network")[2], "it watches again")
    assert both.running()[0] == agent       # RUNNING after 3 s: twice as long as reports may be missing
    status = terminal.status()
    assert status["connects"] == 1 and status["problems"] == {}
    assert all(status["online"] for status in terminal.history[mark:])


def test_without_a_watchdog_the_agent_says_so_and_works_on(both, cloud):
    terminal = both.terminal
    mark = terminal.mark()
    both.supervisor.stop(WATCHDOG)
    stopped = time.monotonic()
    silent = terminal.wait_status(lambda status: status["problems"].get("watchdog") == "watchdog silent", since=mark)
    assert silent["at"] - stopped < 3 * 0.5 + 5
    terminal.client.reconnect("of this test")
    left = terminal.wait_offline("of this test", mark)
    back = terminal.wait_online(left["mark"])
    both.start(WATCHDOG)
    terminal.wait_status(lambda status: not status["problems"], since=back["mark"])
    assert terminal.status()["connects"] == 2


@pytest.mark.parametrize("order", [(AGENT, WATCHDOG), (WATCHDOG, AGENT)], ids=["agent first", "watchdog first"])
def test_either_may_start_first(supervisor, cloud, order):
    with pair(supervisor, cloud) as made:
        made.start(order[0])
        if order[0] == AGENT:
            made.terminal.wait_online()
        else:
            until(lambda: "not reported: the agent is not running" in made.log(), "the watchdog looks for the agent")
        made.start(order[1])
        made.reported()


def test_an_agent_that_is_restarted_hears_from_the_watchdog_at_once(both):
    terminal = both.terminal
    before, mark = terminal.agent_pid(), terminal.mark()
    both.supervisor.stop()
    both.start(AGENT)
    assert both.reported(mark, instead_of=before)["pid"] == terminal.agent_pid()


def test_an_agent_that_the_operator_stopped_stays_stopped(both):
    """And the watchdog does not go on about it."""
    watching = both.running()[1]
    before = len(both.log())
    both.supervisor.supervisorctl("stop", AGENT)
    until(lambda: "not reported: the agent is not running" in both.log()[before:], "the watchdog says so once")
    told = both.log()
    time.sleep(3)       # ten health checks, six reports
    assert both.supervisor.info()["statename"] == "STOPPED" and both.supervisor.info(WATCHDOG)["pid"] == watching
    assert both.log() == told and told[before:].count("the agent is not running") == 1


def test_one_of_each_before_and_after_supervisord_is_killed(tmp_path, cloud):
    with supervisord(tmp_path) as supervisor, pair(supervisor, cloud) as both:
        both.start(AGENT, WATCHDOG)
        both.reported()
        orphans = both.running()
        supervisor.kill()
        assert sorted(supervisor.leftovers()) == sorted(orphans)
        assert both.terminal.status()["pid"] == orphans[0] and both.terminal.status()["online"]
        supervisor.start()
        mark = both.terminal.mark()
        both.start(AGENT, WATCHDOG)
        for orphan in orphans:
            wait_end(orphan)
        successors = both.running()
        assert both.reported(mark, instead_of=orphans[0])["pid"] == successors[0]
        served = [pid for pid in supervisor.leftovers() if pid != supervisor.rpc.getPID()]
        assert sorted(served) == sorted(successors) and not set(served) & set(orphans)
        assert not cloud.registered_twice(both.terminal.id)
