"""The guardian and real processes: what hangs is ended, nothing else is."""
import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import fake_agent
import pytest

from econduit_terminal.contract.client import AgentError, Client, NotAllowed
from econduit_terminal.contract.reason import Reason
from econduit_terminal.watchdog import guardian
from econduit_terminal.watchdog.guardian import MISSES, Guardian

LIMIT = 10
PROGRAM = str(Path(fake_agent.__file__))
NAMES = (PROGRAM,)


class Agent:
    """A fake agent in a process of its own."""

    def __init__(self, path, *modes):
        self.process = subprocess.Popen([sys.executable, "-u", PROGRAM, str(path), *modes], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.pid = self.process.pid

    def hang(self):
        self.process.send_signal(signal.SIGUSR2)
        assert self.process.stdout.readline() == "hanging\n"

    def stop(self):
        """Returns when it stands still: a process on another processor goes on for a moment, and may answer."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def ended(self):
        """Its output, once it was killed."""
        output = self.process.communicate(timeout=LIMIT)[0]
        assert self.process.returncode == -signal.SIGKILL
        return output

    def alive(self):
        return self.process.poll() is None


@pytest.fixture
def start(tmp_path):
    started = []

    def start(*modes):
        started.append(Agent(tmp_path / "agent.sock", *modes))
        return started[-1]

    yield start
    for agent in started:
        if agent.alive():
            agent.process.kill()
        agent.process.communicate()


@pytest.fixture
def watch(tmp_path):
    """A guardian that is asked to look, instead of waiting for its interval: `check(answered=True)` waits for an answer
    for as long as a busy machine may take, `check` for no longer than a miss needs."""
    clock, client = [1000.0], Client(tmp_path / "agent.sock")
    made = Guardian(client, 0.2, threading.Event(), names=NAMES, monotonic=lambda: clock[0])
    look = made.check

    def check(answered=False):
        client.timeout = LIMIT if answered else 0.2
        look()
        assert made._answered or not answered

    made.check, made.clock = check, clock
    return made


def test_an_agent_whose_hub_is_blocked_leaves_its_stacks_and_is_killed(start, watch):
    agent = start()
    watch.check(answered=True)
    agent.hang()
    for _ in range(MISSES - 1):
        watch.check()
        assert agent.alive()
    watch.check()
    assert "a_call_that_never_returns" in agent.ended()


@pytest.fixture(params=[errno.ENOSYS, errno.EPERM])
def no_pidfd(request, monkeypatch):
    """Linux before 5.3, and a container that forbids it."""
    def refused(pid):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(os, "pidfd_open", refused)


def test_a_kernel_without_pidfd(start, watch, no_pidfd):
    agent = start()
    watch.check(answered=True)
    agent.hang()
    for _ in range(MISSES):
        watch.check()
    assert "a_call_that_never_returns" in agent.ended()


def test_without_pidfd_another_process_is_not_hit_either(no_pidfd, start_python):
    other = start_python("-c", "input()")
    assert not guardian.kill_hung(other.pid, wait=lambda seconds: None)
    assert other.poll() is None


def test_a_holder_that_this_container_does_not_see():
    assert not guardian.kill_hung(0, wait=lambda seconds: None)


def test_a_stopped_agent_is_found_and_killed(start, watch):
    agent = start()
    watch.check(answered=True)
    agent.stop()
    for _ in range(MISSES):
        watch.check()
    assert "Current thread" in agent.ended(), "it was continued to write its stacks"


def test_an_answer_between_two_misses_makes_them_count_anew(start, watch):
    agent = start()
    watch.check(answered=True)
    for _ in range(3):
        agent.stop()
        for _ in range(MISSES - 1):
            watch.check()
        agent.process.send_signal(signal.SIGCONT)
        watch.check(answered=True)
    assert agent.alive()


def test_nobody_at_the_socket_is_left_to_the_operator(watch, tmp_path):
    for _ in range(2 * MISSES):
        watch.check()
    (tmp_path / "agent.sock").touch()
    for _ in range(2 * MISSES):
        watch.check()


def test_a_starting_agent_has_its_time(start, watch):
    agent = start("hang")
    for _ in range(2 * MISSES):
        watch.check()
    assert agent.alive()
    watch.clock[0] += guardian.STARTUP + 1
    for _ in range(MISSES):
        watch.check()
    agent.ended()


def test_misses_of_another_process_do_not_count(start, watch):
    first = start()
    watch.check(answered=True)
    first.stop()
    for _ in range(MISSES - 1):
        watch.check()
    first.process.kill()
    first.process.wait(5)
    second = start()
    watch.check(answered=True)
    second.stop()
    for _ in range(MISSES - 1):
        watch.check()
    assert second.alive()


def test_another_program_at_the_socket_is_left_alone(start, watch):
    agent = start()
    watch._names = ("econduit-agent",)
    watch.check(answered=True)
    agent.hang()
    for _ in range(2 * MISSES):
        watch.check()
    assert agent.alive()


def test_a_pid_that_was_given_to_another_process_is_not_hit(start_python):
    """The pid is right, the program is not: as after the agent died and its pid came round again."""
    other = start_python("-c", "input()")
    assert not guardian.kill_hung(other.pid, wait=lambda seconds: None)
    assert other.poll() is None


def test_a_process_that_is_gone():
    with subprocess.Popen(["true"]) as done:
        done.wait(5)
    assert not guardian.kill_hung(done.pid, wait=lambda seconds: None)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run a process as another user")
def test_another_user_s_agent_is_left_alone(start, monkeypatch):
    agent = start()
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    assert not guardian.kill_hung(agent.pid, NAMES, wait=lambda seconds: None)
    assert agent.alive()


class Notices:
    """A status file that remembers what was said."""

    def __init__(self):
        self.said = []

    def offline(self, reason, asked):
        self.said.append(reason)

    def agent_answered(self):
        self.said.append("answered")


def test_t9_the_first_miss_is_shown_and_the_first_answer_gives_the_file_back(start, watch):
    agent, watch._status_file = start(), Notices()
    watch.check(answered=True)
    agent.stop()
    watch.check()
    watch.check()
    agent.process.send_signal(signal.SIGCONT)
    watch.check(answered=True)
    assert watch._status_file.said == ["answered", Reason.AGENT_SILENT, Reason.AGENT_SILENT, "answered"]


def test_t9_a_starting_agent_that_does_not_answer_is_shown_and_left_alone(start, watch):
    agent, watch._status_file = start("hang"), Notices()
    watch.check()
    assert watch._status_file.said == [Reason.AGENT_SILENT] and agent.alive()


def test_t5_nobody_at_the_socket_is_shown_when_it_lasts_longer_than_a_restart(start, watch):
    agent, watch._status_file = start(), Notices()
    watch.check(answered=True)
    agent.process.kill()
    agent.process.wait(5)
    watch.check()
    assert watch._status_file.said == ["answered"]
    watch.check()
    assert watch._status_file.said == ["answered", Reason.AGENT_GONE]


def test_who_may_not_ask_knows_nothing_and_says_nothing(watch, monkeypatch):
    def refused():
        raise NotAllowed("no permission")

    watch._status_file = Notices()
    monkeypatch.setattr(watch._client, "pid", refused)
    for _ in range(2 * MISSES):
        watch.check()
    assert watch._status_file.said == []


class Steps:
    """A guardian's clock and the event that it waits on; the agent's behaviour is the test's."""

    def __init__(self, results, timeout=2.0, interval=3.0):
        self.now, self.asked, self.killed = 1000.0, [], None
        self.results = iter(results)
        self.timeout = timeout
        self.guardian = Guardian(self, interval, self, monotonic=lambda: self.now)

    def wait(self, seconds):
        self.now += seconds
        return len(self.asked) >= 12 or self.killed is not None

    def pid(self):
        self.asked.append(self.now - 1000.0)
        return 4711

    def health(self):
        how = next(self.results, "answers")
        if how != "answers":
            self.now += self.timeout if how == "silent" else 0.0
            raise AgentError("did not answer in time")


def run(steps, monkeypatch):
    def end(pid, names, wait):
        steps.now += guardian.STACKS_TIME
        steps.killed = steps.now - 1000.0

    monkeypatch.setattr(guardian, "kill_hung", end)
    steps.guardian.run()
    return steps


def test_t9_after_a_miss_it_is_asked_again_at_once(monkeypatch):
    steps = run(Steps(["answers", "silent", "silent", "silent"]), monkeypatch)
    assert steps.asked == [0, 3, 5, 7] and steps.killed == 10       # 3 s from the hang to the question at most


def test_t9_calls_that_are_cut_off_are_no_faster_misses(monkeypatch):
    steps = run(Steps(["answers", "cut off", "cut off", "cut off"]), monkeypatch)
    assert steps.asked == [0, 3, 5, 7] and steps.killed == 8


def test_t9_until_there_is_a_first_answer_it_is_asked_soon(monkeypatch):
    steps = run(Steps(["cut off", "cut off"]), monkeypatch)
    assert steps.asked[:4] == [0, 1, 2, 5] and steps.killed is None


def test_the_loop_asks_until_it_is_stopped(agent):
    stopped = threading.Event()
    loop = threading.Thread(target=Guardian(Client(agent.path), 0.01, stopped).run, daemon=True)
    loop.start()
    while agent.asked.count("/health") < 3:
        loop.join(0.01)
        assert loop.is_alive()
    stopped.set()
    loop.join(5)
    assert not loop.is_alive()
